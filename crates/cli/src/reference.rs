//! `docs/cli.md`, generated from the command line's own definition and compared with the
//! committed file by a test.

use crate::args::Cli;
use clap::{Arg, Command, CommandFactory};

/// The reference of every command, in Markdown.
fn markdown() -> String {
    let mut command = Cli::command();
    command.build();
    let mut out = String::from(
        "# The kwhy command line\n\n\
         <!-- Generated from crates/cli/src/args.rs; a test compares it: KWHY_UPDATE_DOCS=1 cargo test -p kwhy-cli -->\n",
    );
    write(&mut out, &command, "kwhy");
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = format!("kwhy {}", sub.get_name());
        write(&mut out, sub, &name);
        for below in sub.get_subcommands().filter(|below| below.get_name() != "help") {
            write(&mut out, below, &format!("{name} {}", below.get_name()));
        }
    }
    out
}

fn write(out: &mut String, command: &Command, title: &str) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    out.push_str(&format!("\n## `{title}`\n\n{about}\n"));
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    out.push_str(&format!("\n```\n{}\n```\n", usage.lines().map(str::trim).collect::<Vec<_>>().join("\n")));
    let shown = |arg: &&Arg| !arg.is_hide_set() && !["help", "version"].contains(&arg.get_id().as_str());
    let arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if !arguments.is_empty() {
        out.push_str("\n| argument | meaning |\n| --- | --- |\n");
    }
    for arg in arguments {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        out.push_str(&format!("| `{}` | {}{} |\n", form(arg).replace('|', "\\|"), help, values(arg)));
    }
    if let Some(after) = command.get_after_help() {
        out.push_str(&format!("\n{after}\n"));
    }
}

fn form(arg: &Arg) -> String {
    let value = arg
        .get_value_names()
        .filter(|_| arg.get_action().takes_values())
        .map(|names| names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" "));
    let names: Vec<String> = arg
        .get_short()
        .map(|short| format!("-{short}"))
        .into_iter()
        .chain(arg.get_long().map(|long| format!("--{long}")))
        .collect();
    [Some(names.join(", ")).filter(|names| !names.is_empty()), value]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

fn values(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) }
}

#[test]
fn the_committed_reference_is_the_command_line() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    if std::env::var_os("KWHY_UPDATE_DOCS").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == markdown(), "docs/cli.md is stale: run with KWHY_UPDATE_DOCS=1");
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}
