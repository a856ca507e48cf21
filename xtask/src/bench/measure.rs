//! Time and memory of a child process.

use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
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
    /// A right answer contains this.
    pub expect: String,
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
        let out = self.command()?.output().with_context(|| self.program.display().to_string())?;
        let text = String::from_utf8_lossy(&out.stdout);
        if !text.contains(&self.expect) {
            bail!("its answer does not contain {}", self.expect);
        }
        Ok(())
    }

    /// Runs it once and measures; its output is thrown away.
    pub fn measure(&self) -> Result<Sample> {
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
    fn a_child_is_measured_with_its_children() {
        let way = Way {
            program: "sh".into(),
            args: ["-c", "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; echo done"]
                .map(OsString::from)
                .to_vec(),
            env: Vec::new(),
            input: None,
            expect: "done".to_owned(),
        };
        way.check().unwrap();
        let sample = way.measure().unwrap();
        assert!(sample.cpu > 0.001 && sample.wall > 0.001 && sample.peak > 100_000.0);
    }
}
