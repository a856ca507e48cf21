//! The one place where errors become messages and exit codes: what went wrong, why, and what
//! to do about it.

use kwhy_base::catalogue::cli as c;
use kwhy_base::{Lang, Prose, prose};
use kwhy_report::doc::clean;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

/// The analysis found no cause, or the input no crash.
pub const UNDETERMINED: u8 = 1;
/// The command line or its input cannot be used.
pub const UNUSABLE: u8 = 2;
/// kwhy itself is wrong.
pub const INTERNAL: u8 = 3;

/// The stack for the analysis. Only the pages it touches cost anything.
const STACK: usize = 64 << 20;

/// An error on its way to the user.
#[derive(Debug)]
pub struct CommandError {
    exit: u8,
    message: Prose,
    causes: Vec<String>,
    hints: Vec<Prose>,
}

impl CommandError {
    /// The command line or its input cannot be used.
    pub fn unusable(message: Prose) -> CommandError {
        CommandError { exit: UNUSABLE, message, causes: Vec::new(), hints: Vec::new() }
    }

    /// Why, in the words of whoever failed.
    pub fn because(mut self, cause: impl Display) -> CommandError {
        self.causes.push(cause.to_string());
        self
    }

    /// What to do about it.
    pub fn hint(mut self, hint: Prose) -> CommandError {
        self.hints.push(hint);
        self
    }

    /// What it says, for those who go on without.
    pub fn into_prose(self) -> Prose {
        self.message
    }

    /// Writes it to standard error.
    pub fn show(&self, lang: Lang) {
        say(lang, &prose!(c::ERROR, message = self.message.clone()));
        for cause in &self.causes {
            say(lang, &prose!(c::BECAUSE, cause = cause));
        }
        for hint in &self.hints {
            say(lang, &prose!(c::HINT, hint = hint.clone()));
        }
    }
}

/// Tells the user of something that did not stop the analysis.
pub fn warn(lang: Lang, message: Prose) {
    say(lang, &prose!(c::WARNING, message = message));
}

/// Names come from the command line and from files; none may act on the terminal. When
/// standard error is gone there is nobody to tell.
fn say(lang: Lang, prose: &Prose) {
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() {
        // Progress may stand on the line.
        let _ = write!(stderr, "\r\x1b[K");
    }
    let _ = writeln!(stderr, "{}", clean(&prose.render(lang)));
}

/// Runs the command, and turns errors and panics into messages and exit codes.
pub fn guard(lang: Lang, run: impl FnOnce() -> Result<ExitCode, CommandError> + Send + 'static) -> ExitCode {
    let bug = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&bug);
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(mut text) = seen.lock()
            && text.is_empty()
        {
            *text = info.to_string().replace('\n', " ");
        }
    }));
    let with_room = || {
        let _end = room();
        run()
    };
    let outcome =
        std::thread::Builder::new().stack_size(STACK).spawn(with_room).map(std::thread::JoinHandle::join);
    match outcome {
        Ok(Ok(Ok(code))) => code,
        Ok(Ok(Err(error))) => {
            error.show(lang);
            ExitCode::from(error.exit)
        }
        Ok(Err(_panic)) => {
            let what = bug.lock().map(|text| text.clone()).unwrap_or_default();
            internal(lang, &what)
        }
        Err(error) => internal(lang, &error.to_string()),
    }
}

/// Has the heap of this thread made large at once. The GNU C library makes that of a thread which is
/// not the first larger by a page at a time, each time by a call to the kernel (`grow_heap()`,
/// malloc/arena.c): a thousand calls for a report, a twentieth of its time. What is taken here is given
/// back at once, without having been touched; what is returned lies behind it, and keeps the heap
/// from being made smaller again.
fn room() -> Box<u64> {
    const PIECES: usize = 64;
    /// Less than what is mapped by itself (`M_MMAP_THRESHOLD`, 128 KiB).
    const PIECE: usize = 96 << 10;
    let pieces: [Vec<u8>; PIECES] = std::array::from_fn(|_| Vec::with_capacity(PIECE));
    let end = Box::new(std::hint::black_box(pieces.len() as u64));
    drop(pieces);
    end
}

fn internal(lang: Lang, what: &str) -> ExitCode {
    say(lang, &prose!(c::BUG, what = what, version = env!("CARGO_PKG_VERSION")));
    ExitCode::from(INTERNAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        let code = guard(Lang::En, || panic!("made to fail"));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(INTERNAL)));
    }
}
