//! `kwhy [explain] LOG… -i IMAGE…`.

use crate::args::{Cli, ExplainArgs};
use crate::command_error::{CommandError, UNDETERMINED, UNUSABLE, warn};
use crate::images::Images;
use crate::input::{self, LogText};
use crate::output::Output;
use crate::progress::Progress;
use crate::shelf::shelf;
use crate::sources::SourceTree;
use crate::{follow, input::chosen};
use clap::CommandFactory;
use kwhy_base::catalogue::cli as c;
use kwhy_base::prose;
use kwhy_diagnose::{ImageInput, Inputs, analyze_log_with};
use kwhy_image::index::Shelf;
use kwhy_report::{Crash, Format, Note, Report};
use std::path::Path;
use std::process::ExitCode;

/// Explains every crash of every input.
pub fn run(args: &ExplainArgs) -> Result<ExitCode, CommandError> {
    let output = Output::new(&args.output);
    let Some(inputs) = chosen(&args.inputs) else {
        eprintln!("{}", Cli::command().render_help());
        return Ok(ExitCode::from(UNUSABLE));
    };
    output.spare(&inputs)?;
    output.spare(&args.images)?;
    for directory in args.sources.iter().filter(|directory| !directory.is_dir()) {
        warn(output.lang, prose!(c::NO_SOURCE, path = directory.to_string_lossy()));
    }
    let mut all_usable = true;
    if args.follow {
        return follow::run(args, &inputs, &output);
    }

    let mut logs = Vec::new();
    for path in &inputs {
        match input::read(path) {
            Ok(found) => logs.extend(found),
            Err(error) => {
                error.show(output.lang);
                all_usable = false;
            }
        }
    }
    if logs.is_empty() {
        return Ok(ExitCode::from(UNUSABLE));
    }

    let progress = Progress::start(output.lang, &prose!(c::ANALYSING));
    let shelf = shelf();
    let mut report = Report { schema: "kwhy-report/1", crashes: Vec::new(), notes: Vec::new() };
    for log in &logs {
        let one = explain(args, log, &output, &shelf, &mut all_usable);
        append(&mut report, one, log, logs.len() > 1);
    }
    drop(progress);
    output.write(&kwhy_report::render(&report, output.format, output.lang, &output.options))?;
    Ok(if all_usable { verdict(&report) } else { ExitCode::from(UNUSABLE) })
}

/// The exit code that the contract gives a report.
pub fn verdict(report: &Report) -> ExitCode {
    let found = report.crashes.iter().any(|crash| crash.cause != "undetermined");
    ExitCode::from(if found { 0 } else { UNDETERMINED })
}

/// Explains one log. Images that cannot be read are told of and left out.
pub fn explain(
    args: &ExplainArgs,
    log: &LogText,
    output: &Output,
    shelf: &dyn Shelf,
    all_usable: &mut bool,
) -> Report {
    // The log says which kernel and which modules are wanted, so that a folder of thousands of
    // candidates needs no more than a look at their names.
    let parsed = &log.log;
    let images = Images::find(&args.images, parsed);
    for error in &images.errors {
        error.show(output.lang);
        *all_usable = false;
    }
    let release = parsed.crashes.iter().find_map(|crash| crash.release.as_ref()).map(|r| r.value.as_str());
    let sources = SourceTree::new(&args.sources, &args.images, release);
    let inputs = Inputs {
        // What it says was read already; a log of any size is not kept.
        log: &[],
        images: images.mapped.iter().map(|(name, data)| ImageInput { name: name.clone(), data }).collect(),
        sources: Some(&sources),
    };
    let mut report = analyze_log_with(parsed, &inputs, Some(shelf));
    images.tell(&mut report);
    // For programs the report of a log is the same wherever that lies.
    if output.format != Format::Json {
        name_log(&mut report, &log.name);
    }
    let packed = images.mapped.iter().filter_map(|(name, data)| {
        let error = data.problem.as_ref()?;
        Some(prose!(c::CANNOT_UNPACK, path = name, error = error))
    });
    let oddities = log.oddities.iter().chain(&images.remarks).cloned().chain(packed);
    report.notes.extend(oddities.map(|text| Note { line: None, text: text.into() }));
    report
}

/// A file's name as a shell reads it.
pub fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "./_-+:,@%=".contains(c);
    match name.chars().all(plain) && !name.starts_with('-') {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', "'\\''")),
    }
}

/// Commands that take the log are told with its name, so that they can be pasted.
fn name_log(report: &mut Report, name: &str) {
    if !Path::new(name).is_file() {
        return;
    }
    let quoted = quoted(name);
    for missing in report.crashes.iter_mut().flat_map(|crash| &mut crash.missing) {
        for command in missing.fetch.iter_mut().chain(&mut missing.command) {
            for (before, after) in [("kwhy LOG", "kwhy "), ("kwhy fetch LOG", "kwhy fetch ")] {
                *command = command.replace(before, &format!("{after}{quoted}"));
            }
        }
    }
}

/// Adds the report on one log to the whole. With several logs, notes say which is meant.
fn append(whole: &mut Report, one: Report, log: &LogText, several: bool) {
    if several {
        let first = whole.crashes.len().saturating_add(1);
        let last = whole.crashes.len().saturating_add(one.crashes.len());
        let text = match one.crashes.len() {
            0 => prose!(c::FILE_HAS_NONE, path = &log.name),
            1 => prose!(c::FILE_HAS_ONE, path = &log.name, number = first),
            _ => prose!(c::FILE_HAS, path = &log.name, first = first, last = last),
        };
        whole.notes.push(Note { line: None, text: text.into() });
    }
    whole
        .crashes
        .extend(one.crashes.into_iter().map(|crash| Crash { input: Some(log.name.clone()), ..crash }));
    whole.notes.extend(one.notes.into_iter().map(|note| match several {
        false => note,
        true => Note { text: prose!(c::NOTE_OF, path = &log.name, note = note.text.0).into(), ..note },
    }));
}
