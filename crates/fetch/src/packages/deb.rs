//! Reading a Debian package's files without unpacking it to the disk: dpkg-deb takes off the
//! compression, and the tar stream behind it is read until nothing more is wanted.

use std::io::{self, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// Larger than any image.
const MOST: u64 = 8 << 30;

/// Shows each regular file to `take`, with its path in the package, until that says `false`.
pub(super) fn read(
    package: &Path,
    take: &mut dyn FnMut(&Path, &mut dyn Read) -> io::Result<bool>,
) -> io::Result<()> {
    let mut producer = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let pipe = producer.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let outcome = entries(BufReader::with_capacity(256 << 10, pipe), take);
    // With its pipe closed it ends, whether it was done or not.
    let status = producer.wait()?;
    match outcome {
        Ok(true) if !status.success() => Err(io::Error::other(format!("dpkg-deb: {status}"))),
        outcome => outcome.map(drop),
    }
}

/// `true` where the stream was read to its end.
fn entries(
    stream: impl Read,
    take: &mut dyn FnMut(&Path, &mut dyn Read) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut archive = tar::Archive::new(stream);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.into_owned();
        if !take(&path, &mut entry.by_ref().take(MOST))? {
            return Ok(false);
        }
    }
    Ok(true)
}
