//! `cargo xtask noise`: damages the recorded logs as cameras, recognisers and hands do, and measures
//! what is recovered.

use crate::lab::{self, judge as exhibits, kernels};
use crate::tool;
use anyhow::{Context, Result, bail};
use judge::Score;
use model::{Damaged, Dice, damage};
use reading::Reading;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

mod judge;
mod model;
mod reading;
mod table;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Share of characters hit, in per cent; repeatable
    #[arg(long, value_name = "PERCENT", default_values_t = [0.2, 0.5, 1.0, 2.0])]
    rate: Vec<f64>,
    /// How many seeds, the log alone
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// Run the whole kwhy with the kernels that are in the lab's cache, too (with the first seed)
    #[arg(long)]
    images: bool,
    /// Only the cases whose name contains this; repeatable
    #[arg(long, value_name = "NAME")]
    case: Vec<String>,
    /// Only this kernel; repeatable
    #[arg(long, value_name = "KERNEL")]
    kernel: Vec<String>,
    /// Name every value that is lost and every mend that is wrong
    #[arg(long)]
    lost: bool,
    /// Print the damaged logs (of one case, with one rate and one seed, say)
    #[arg(long)]
    print: bool,
    /// Use this kwhy instead of building one
    #[arg(long, value_name = "PROGRAM")]
    kwhy: Option<PathBuf>,
    /// Write the table to docs/damage.md
    #[arg(long)]
    write: bool,
}

/// A clean log.
struct Sample {
    exhibit: exhibits::Exhibit,
    text: String,
    clean: Reading,
}

impl Sample {
    fn name(&self) -> String {
        format!("{} {}", self.exhibit.kernel, self.exhibit.case)
    }

    fn damaged(&self, rate: f64, seed: u64) -> Damaged {
        damage(&self.text, rate / 100.0, &mut Dice::new(&self.name(), seed))
    }
}

/// What one rate came to.
struct Level {
    rate: f64,
    alone: Score,
    with_images: Option<Score>,
}

/// Runs the task.
pub fn run(args: &Args) -> Result<()> {
    let samples = samples(&args.kernel, &args.case)?;
    if samples.is_empty() {
        bail!("no recorded log has a crash by that name");
    }
    if args.print {
        for (sample, rate, seed) in samples
            .iter()
            .flat_map(|sample| args.rate.iter().map(move |rate| (sample, *rate)))
            .flat_map(|(sample, rate)| (1..=args.seeds).map(move |seed| (sample, rate, seed)))
        {
            println!("{}", sample.damaged(rate, seed).text);
        }
        return Ok(());
    }
    let program = match (&args.kwhy, args.images) {
        (Some(program), _) => Some(program.clone()),
        (None, true) => Some(exhibits::program()?),
        (None, false) => None,
    };
    let cache = kernels::cache()?;
    let mut levels = Vec::new();
    for rate in &args.rate {
        let mut alone = Score::default();
        for seed in 1..=args.seeds {
            for sample in &samples {
                alone.add(named(log_alone(sample, *rate, seed), sample, seed));
            }
        }
        let with_images = match program.as_ref().filter(|_| args.images) {
            Some(program) => Some(with_images(&samples, *rate, program, &cache)?),
            None => None,
        };
        levels.push(Level { rate: *rate, alone, with_images });
    }
    if args.lost {
        for level in &levels {
            for line in level.alone.details.iter() {
                println!("{} % alone: {line}", level.rate);
            }
            for line in level.with_images.iter().flat_map(|score| &score.details) {
                println!("{} % images: {line}", level.rate);
            }
        }
    }
    let text = table::render(&levels, samples.len(), args.seeds);
    println!("{text}");
    if args.write {
        table::write(&text)?;
    }
    let proved = |level: &Level| {
        level.alone.proved_wrong + level.with_images.as_ref().map_or(0, |score| score.proved_wrong)
    };
    match levels.iter().map(proved).sum::<usize>() {
        0 => Ok(()),
        count => bail!("{count} mends are wrong though graded proved"),
    }
}

/// The recorded logs whose clean text has a crash.
fn samples(kernel: &[String], case: &[String]) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for exhibit in exhibits::exhibits(&lab::recorded(), kernel, case)? {
        let bytes = fs::read(exhibit.dir.join("console.log"))?;
        let text = String::from_utf8_lossy(&bytes).replace('\r', "");
        let log = kwhy_oops::parse(text.as_bytes());
        let Some(first) = log.crashes.first() else { continue };
        let clean = reading::of_record(first);
        samples.push(Sample { exhibit, text, clean });
    }
    Ok(samples)
}

fn named(mut score: Score, sample: &Sample, seed: u64) -> Score {
    for line in &mut score.details {
        *line = format!("{} seed {seed}: {line}", sample.name());
    }
    score
}

fn log_alone(sample: &Sample, rate: f64, seed: u64) -> Score {
    let damaged = sample.damaged(rate, seed);
    let log = kwhy_oops::parse(damaged.text.as_bytes());
    let got: Vec<Reading> = log.crashes.iter().map(reading::of_record).collect();
    judge::judge(&sample.clean, &sample.text, &got, &damaged)
}

/// The whole kwhy on every damaged log whose kernel is in the cache, against what it says of the clean one.
fn with_images(samples: &[Sample], rate: f64, program: &Path, cache: &Path) -> Result<Score> {
    let mut all = Score::default();
    for sample in samples {
        let Some(vmlinux) = cached(sample, cache) else { continue };
        let mut images = vec![vmlinux];
        images.extend(exhibits::modules(&sample.exhibit, cache)?);
        let damaged = sample.damaged(rate, 1);
        let clean = report(program, &images, &sample.text, cache)?;
        let Some(clean) = clean.first() else { continue };
        // The truth is what the clean log prints; the report only adds nothing of its own to it.
        let truth = Reading { lines: clean.lines, ..sample.clean.clone() };
        let got = report(program, &images, &damaged.text, cache)?;
        all.add(named(judge::judge(&truth, &sample.text, &got, &damaged), sample, 1));
    }
    Ok(all)
}

/// The sample's vmlinux, where it is unpacked already: a measurement downloads nothing.
fn cached(sample: &Sample, cache: &Path) -> Option<PathBuf> {
    let release = sample.exhibit.truth.get("release").and_then(Value::as_str)?;
    let file = cache.join("kernels").join(release).join(format!("usr/lib/debug/boot/vmlinux-{release}"));
    file.exists().then_some(file)
}

/// kwhy's crashes of a log.
fn report(program: &Path, images: &[PathBuf], text: &str, cache: &Path) -> Result<Vec<Reading>> {
    let file = cache.join("noise.log");
    fs::write(&file, text)?;
    let mut command = Command::new(program);
    tool::alone(&mut command).args(["-f", "json"]).stdin(Stdio::null());
    for image in images {
        command.arg("-i").arg(image);
    }
    let out = command.arg(&file).output().context("kwhy")?;
    if !matches!(out.status.code(), Some(0 | 1)) {
        let err = String::from_utf8_lossy(&out.stderr);
        bail!("kwhy ended with {}: {}", out.status, err.lines().last().unwrap_or_default());
    }
    let report: Value = serde_json::from_slice(&out.stdout).context("kwhy's report is no JSON")?;
    let crashes = report.get("crashes").and_then(Value::as_array);
    Ok(crashes.into_iter().flatten().map(reading::of_report).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use judge::Field;

    /// Of every kernel a few cases of different kinds, damaged once.
    #[test]
    fn a_slice_of_the_logs_is_recovered() {
        let cases = ["c01", "c08", "c16", "c28", "c33"].map(str::to_owned);
        let samples = samples(&[], &cases).unwrap();
        assert!(samples.len() >= 10, "{}", samples.len());
        let mut score = Score::default();
        for sample in &samples {
            score.add(named(log_alone(sample, 0.5, 1), sample, 1));
        }
        assert_eq!(score.proved_wrong, 0, "{:#?}", score.details);
        for (field, floor) in table::FLOOR {
            let count = score.of(*field);
            assert!(count.all > 0, "{field}");
            let share = 100.0 * count.recovered as f64 / count.all as f64;
            assert!(share >= *floor, "{field}: {share:.1} % of {}: {:#?}", count.all, score.details);
        }
        assert_eq!(table::FLOOR.len(), Field::ALL.len());
    }

    #[test]
    fn without_noise_nothing_is_lost() {
        let samples = samples(&[], &["c02".to_owned(), "c33".to_owned()]).unwrap();
        for sample in &samples {
            let score = log_alone(sample, 0.0, 1);
            assert_eq!((score.details.clone(), score.wrong), (Vec::new(), 0), "{}", sample.name());
        }
    }
}
