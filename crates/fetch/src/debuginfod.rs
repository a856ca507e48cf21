//! Images by build-id from debuginfod servers.
//!
//! The protocol is a single request, `GET URL/buildid/ID/debuginfo` (debuginfod(8), WEBAPI). The
//! servers are those of `$DEBUGINFOD_URLS`; kwhy knows none by itself, and asks them only when it
//! was told to fetch. What a server sends is received into the cache's folder of partial files,
//! opened, and kept only if it is an image with the build-id that was asked for.

use crate::cache::{Cache, Incoming, Kind};
use crate::download::{Client, Failure, Manners, Watch};
use crate::identify;
use kwhy_base::{BuildId, Prose, catalogue::fetch as c, prose};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The servers to ask, and how.
#[derive(Clone, Debug, Default)]
pub struct Servers {
    /// Their addresses, without a slash at the end.
    pub urls: Vec<String>,
    /// How they are treated.
    pub manners: Manners,
}

impl Servers {
    /// As `$DEBUGINFOD_URLS`, `$DEBUGINFOD_TIMEOUT` (seconds without a byte) and
    /// `$DEBUGINFOD_MAXSIZE` (bytes) say: the variables of elfutils' own client.
    #[must_use]
    pub fn from_environment() -> Servers {
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        let number = |name: &str| text(name).trim().parse::<u64>().ok().filter(|number| *number > 0);
        let mut manners = Manners::default();
        if let Some(seconds) = number("DEBUGINFOD_TIMEOUT") {
            manners.patience = Duration::from_secs(seconds);
        }
        if let Some(bytes) = number("DEBUGINFOD_MAXSIZE") {
            manners.most = bytes;
        }
        Servers { urls: urls(&text("DEBUGINFOD_URLS")), manners }
    }
}

/// The addresses in `$DEBUGINFOD_URLS`: separated by spaces, with words between that ask for a
/// policy of checking signatures (`ima:enforcing`), which are not for us.
fn urls(text: &str) -> Vec<String> {
    let http = |word: &&str| word.starts_with("http://") || word.starts_with("https://");
    text.split_ascii_whitespace().filter(http).map(|url| url.trim_end_matches('/').to_owned()).collect()
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The image's build-id.
    pub build_id: &'a BuildId,
    /// The kernel release, where known: what it is filed under.
    pub release: Option<&'a str>,
    /// The module's name; `None` for the kernel.
    pub module: Option<&'a str>,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The image in the cache.
    pub file: Option<PathBuf>,
    /// The server that sent it, or `None` where it was in the cache already.
    pub server: Option<String>,
    /// What became of the attempt at each server that did not.
    pub failures: Vec<Prose>,
}

/// Asks each server in turn until one has it.
///
/// # Errors
/// When the cache cannot be written.
pub fn fetch(
    servers: &Servers,
    cache: &Cache,
    request: &Request<'_>,
    watch: &mut dyn Watch,
) -> io::Result<Answer> {
    let mut answer = Answer::default();
    let partial = cache.scratch(&request.build_id.to_string())?;
    // One process at a time receives an image; who waited for it finds it in the cache.
    let _turn = cache.turn(&request.build_id.to_string())?;
    if let Some(image) = cache.image(request.build_id) {
        return Ok(Answer { file: Some(image.path), ..answer });
    }
    let client = Client::new(servers.manners.clone());
    let what = request.module.map_or_else(|| "vmlinux".to_owned(), |module| format!("{module}.ko"));
    for server in &servers.urls {
        let url = format!("{server}/buildid/{}/debuginfo", request.build_id);
        // Another server's file may differ although it has the same build-id.
        let origin = partial.with_extension("url");
        if fs::read_to_string(&origin).ok().as_deref() != Some(&url) {
            let _ = fs::remove_file(&partial);
            fs::write(&origin, &url)?;
        }
        let resumed = fs::metadata(&partial).is_ok_and(|about| about.len() > 0);
        let mut outcome = attempt(&client, &url, &partial, request, &what, watch);
        if resumed && matches!(outcome, Err(Failure::Failed(_))) && !partial.exists() {
            // What was there did not fit what came: once more, from the start.
            outcome = attempt(&client, &url, &partial, request, &what, watch);
        }
        match outcome {
            Ok(()) => {
                let name =
                    request.module.map_or_else(|| "vmlinux".to_owned(), |name| format!("{name}.ko.debug"));
                let incoming = Incoming { build_id: request.build_id, release: request.release, name: &name };
                answer.file = Some(cache.adopt(&incoming, &partial)?);
                answer.server = Some(server.clone());
                let _ = fs::remove_file(&origin);
                return Ok(answer);
            }
            Err(Failure::Absent) => answer.failures.push(prose!(c::SERVER_HAS_NOT, server = server)),
            Err(Failure::Failed(why)) => {
                answer.failures.push(prose!(c::SERVER_FAILED, server = server, why = why));
            }
        }
    }
    Ok(answer)
}

/// Receives and checks. A file that turns out wrong is removed: it must not be resumed.
fn attempt(
    client: &Client,
    url: &str,
    partial: &Path,
    request: &Request<'_>,
    what: &str,
    watch: &mut dyn Watch,
) -> Result<(), Failure> {
    client.download(url, partial, what, watch)?;
    let wrong = match identify(partial) {
        Ok(identity) if identity.build_id.as_ref() == Some(request.build_id) => return Ok(()),
        Ok(identity) => {
            let id = identity.build_id.map(|id| id.to_string()).unwrap_or_default();
            prose!(c::SERVED_WRONG, id = id)
        }
        Err(error) => prose!(c::SERVED_DAMAGED, error = error),
    };
    let _ = fs::remove_file(partial);
    Err(Failure::Failed(wrong))
}

impl Cache {
    /// The file that a part of an image is received into.
    fn scratch(&self, key: &str) -> io::Result<PathBuf> {
        self.prepare(Kind::Partial)?;
        self.path(Kind::Partial, key).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    /// Waits until no other process works on `key`. The turn ends when the file is closed, also
    /// by a process that dies.
    pub(crate) fn turn(&self, key: &str) -> io::Result<fs::File> {
        let path = self.prepare(Kind::Partial)?.join(format!(".tmp-turn-{key}"));
        let file = fs::OpenOptions::new().create(true).write(true).truncate(true).open(path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive)?;
        Ok(file)
    }
}

#[cfg(test)]
pub(crate) mod tests;
