//! Time and memory of a child process.

use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use wait4::Wait4;

/// A command that answers the question.
pub struct Way {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Environment variables that it needs.
    pub env: Vec<(&'static str, String)>,
    /// What it reads from its standard input.
    pub input: Option<PathBuf>,
    /// What is done before each run, and not measured.
    pub before: Vec<Before>,
    /// A right answer contains this.
    pub expect: String,
}

/// What the machine is to know when a run starts.
pub enum Before {
    /// Nothing of these files is in the page cache.
    Forget(Vec<PathBuf>),
    /// All of these files is there.
    Read(Vec<PathBuf>),
    /// A folder is as another is; without another it is not there.
    Folder(PathBuf, Option<PathBuf>),
}

impl Before {
    fn prepare(&self) -> Result<()> {
        match self {
            Before::Forget(files) => files.iter().try_for_each(|file| forget(file)),
            Before::Read(files) => files.iter().try_for_each(|file| {
                std::io::copy(&mut File::open(file)?, &mut std::io::sink())?;
                Ok(())
            }),
            Before::Folder(folder, from) => {
                if folder.exists() {
                    fs::remove_dir_all(folder)?;
                }
                from.as_ref().map_or(Ok(()), |from| copy(from, folder))
            }
        }
    }
}

/// Has the kernel drop a file from the page cache, and looks whether it did.
fn forget(file: &Path) -> Result<()> {
    // With no block to copy, dd advises the kernel that the whole file is not needed (GNU coreutils).
    let mut input = OsString::from("if=");
    input.push(file);
    crate::tool::output(Command::new("dd").arg(input).args(["iflag=nocache", "count=0", "status=none"]))?;
    let left = crate::tool::text(Command::new("fincore").args(["-n", "-r", "-b", "-o", "RES"]).arg(file))
        .context("fincore (package util-linux-extra) cannot tell what the page cache holds")?;
    let left: u64 = left.trim().parse().context("fincore's answer")?;
    let size = fs::metadata(file)?.len();
    if left > size / 100 + (1 << 20) {
        bail!("the page cache cannot be emptied here: it keeps {left} of {size} bytes");
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

/// One run.
#[derive(Clone, Copy)]
pub struct Sample {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of processor time, the user's and the kernel's, of the process and all it waited for.
    pub cpu: f64,
    /// Bytes resident at most, in the largest of these processes.
    pub peak: f64,
}

impl Way {
    fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.program);
        // A way that wants a cache names it.
        crate::tool::alone(&mut command);
        command.args(&self.args).envs(self.env.iter().cloned()).stderr(Stdio::null());
        command.stdin(match &self.input {
            Some(path) => Stdio::from(File::open(path).with_context(|| path.display().to_string())?),
            None => Stdio::null(),
        });
        Ok(command)
    }

    /// Runs it once and looks at the answer, lest the time of a failure be taken.
    pub fn check(&self) -> Result<()> {
        self.before.iter().try_for_each(Before::prepare)?;
        let out = self.command()?.output().with_context(|| self.program.display().to_string())?;
        let text = String::from_utf8_lossy(&out.stdout);
        if !text.contains(&self.expect) {
            bail!("its answer does not contain {}", self.expect);
        }
        Ok(())
    }

    /// Runs it once and measures; its output is thrown away.
    pub fn measure(&self) -> Result<Sample> {
        self.before.iter().try_for_each(Before::prepare)?;
        let mut command = self.command()?;
        command.stdout(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| self.program.display().to_string())?;
        let used = child.wait4()?;
        let wall = start.elapsed().as_secs_f64();
        Ok(Sample {
            wall,
            cpu: (used.rusage.utime + used.rusage.stime).as_secs_f64(),
            // Exact up to 2^53.
            peak: used.rusage.maxrss as f64,
        })
    }
}

/// The middle of several measurements, and their ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub least: f64,
    /// Half are not above and half not below it.
    pub median: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
        let median = f64::midpoint(*values.get(low)?, *values.get(high)?);
        Some(Spread { least, median, most })
    }

    /// How many times the other's median this one's is.
    pub fn over(&self, other: &Spread) -> f64 {
        self.median / other.median.max(f64::MIN_POSITIVE)
    }
}

/// All of a contender's runs.
pub struct Figures {
    /// Seconds.
    pub wall: Spread,
    /// Seconds.
    pub cpu: Spread,
    /// Bytes.
    pub peak: Spread,
}

impl Figures {
    /// `None` without samples.
    pub fn of(samples: &[Sample]) -> Option<Figures> {
        let spread = |of: fn(&Sample) -> f64| Spread::of(samples.iter().map(of).collect());
        Some(Figures {
            wall: spread(|sample| sample.wall)?,
            cpu: spread(|sample| sample.cpu)?,
            peak: spread(|sample| sample.peak)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(Spread::of(vec![5.0, 1.0, 3.0]), Some(Spread { least: 1.0, median: 3.0, most: 5.0 }));
        assert_eq!(Spread::of(vec![4.0, 1.0, 2.0, 3.0]).map(|spread| spread.median), Some(2.5));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn a_folder_is_as_another_before_each_run() {
        let root = std::env::temp_dir().join(format!("kwhy-xtask-{}-before", std::process::id()));
        let (from, to) = (root.join("from"), root.join("to"));
        fs::create_dir_all(from.join("deep")).unwrap();
        fs::write(from.join("deep/file"), b"kept").unwrap();
        Before::Folder(to.clone(), Some(from)).prepare().unwrap();
        fs::write(to.join("more"), b"new").unwrap();
        Before::Folder(to.clone(), Some(root.join("from"))).prepare().unwrap();
        assert!(!to.join("more").exists());
        assert_eq!(fs::read(to.join("deep/file")).unwrap(), b"kept");
        Before::Folder(to.clone(), None).prepare().unwrap();
        assert!(!to.exists());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn a_child_is_measured_with_its_children() {
        let way = Way {
            program: "sh".into(),
            args: ["-c", "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; echo done"]
                .map(OsString::from)
                .to_vec(),
            env: Vec::new(),
            input: None,
            before: Vec::new(),
            expect: "done".to_owned(),
        };
        way.check().unwrap();
        let sample = way.measure().unwrap();
        assert!(sample.cpu > 0.001 && sample.wall > 0.001 && sample.peak > 100_000.0);
    }
}
