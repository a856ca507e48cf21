//! Where the answer goes, in which language and with which colours.

use crate::args::{FormatArg, LangArg, OutputArgs};
use crate::command_error::CommandError;
use kwhy_base::catalogue::cli as c;
use kwhy_base::{Lang, prose};
use kwhy_report::{Format, Options};
use std::cell::Cell;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::PathBuf;

/// Prose wider than this is hard to read, however wide the terminal.
const WIDEST: usize = 120;

/// The language of prose: as asked, else the locale's.
pub fn language(asked: Option<LangArg>) -> Lang {
    match asked {
        Some(LangArg::En) => Lang::En,
        Some(LangArg::Zh) => Lang::Zh,
        None => {
            // The first of these that is set and not empty decides (POSIX, XBD 8.2).
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .into_iter()
                .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
            if locale.is_some_and(|locale| locale.starts_with("zh")) { Lang::Zh } else { Lang::En }
        }
    }
}

/// How and where to write.
pub struct Output {
    /// The language of prose.
    pub lang: Lang,
    /// The face.
    pub format: Format,
    /// How the terminal face is drawn.
    pub options: Options,
    file: Option<PathBuf>,
    /// Whether the first of several answers was written.
    begun: Cell<bool>,
}

impl Output {
    /// From the command line and the environment.
    pub fn new(args: &OutputArgs) -> Output {
        let terminal = args.output.is_none() && std::io::stdout().is_terminal();
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns =
            terminal.then(terminal_size::terminal_size).flatten().map(|(width, _)| usize::from(width.0));
        Output {
            lang: language(args.lang),
            format: match args.format {
                FormatArg::Text => Format::Text,
                FormatArg::Markdown => Format::Markdown,
                FormatArg::Html => Format::Html,
                FormatArg::Json => Format::Json,
            },
            options: Options {
                width: columns.unwrap_or(Options::default().width).min(WIDEST),
                color: terminal && !set("NO_COLOR") && !dumb,
            },
            file: args.output.clone(),
            begun: Cell::new(false),
        }
    }

    /// Plain text to standard output.
    pub fn plain() -> Output {
        Output {
            lang: Lang::En,
            format: Format::Text,
            options: Options::default(),
            file: None,
            begun: Cell::new(false),
        }
    }

    /// Refuses to write over a file that is to be read.
    pub fn spare(&self, inputs: &[PathBuf]) -> Result<(), CommandError> {
        let Some(file) = self.file.as_ref().and_then(|file| file.canonicalize().ok()) else { return Ok(()) };
        if inputs.iter().any(|input| input.canonicalize().is_ok_and(|input| input == file)) {
            return Err(CommandError::unusable(prose!(c::OUTPUT_IS_INPUT, path = file.to_string_lossy())));
        }
        Ok(())
    }

    /// Writes one of several answers: behind those that were written before, in a file, too.
    pub fn append(&self, text: &str) -> Result<(), CommandError> {
        let Some(path) = self.file.as_ref().filter(|_| self.begun.replace(true)) else {
            return self.write(text);
        };
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| {
            CommandError::unusable(prose!(c::CANNOT_WRITE, path = path.to_string_lossy())).because(error)
        })
    }

    /// Writes the whole answer. A reader that went away early is no error.
    pub fn write(&self, text: &str) -> Result<(), CommandError> {
        match &self.file {
            Some(path) => std::fs::write(path, text).map_err(|error| {
                CommandError::unusable(prose!(c::CANNOT_WRITE, path = path.to_string_lossy())).because(error)
            }),
            None => {
                let mut stdout = std::io::stdout().lock();
                match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
                    Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                        Err(CommandError::unusable(prose!(c::CANNOT_WRITE, path = "stdout")).because(error))
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}
