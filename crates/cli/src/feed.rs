//! Feeds a log to the scanner while more of it is being read: one thread copies out of the
//! kernel, the other searches, and memory stays the same however long the log is.

use kwhy_oops::{CrashRecord, Log, Scanner};
use std::io::{self, ErrorKind, Read};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

/// What is read at a time: few enough bytes to stay in the CPU's cache, enough for the system
/// calls not to matter.
const PIECE: usize = 1 << 20;

/// How many pieces are on their way: one being read, one being searched, one between.
const PIECES: usize = 3;

/// No more crashes of one input are kept.
const MOST: usize = 4096;

/// Reads `source` to its end.
///
/// # Errors
/// Whatever reading it says.
pub fn log(mut source: impl Read + Send) -> io::Result<Log> {
    // What comes in one piece is read as a whole: then a damaged log can be read again.
    let mut head = Vec::new();
    source.by_ref().take(PIECE as u64).read_to_end(&mut head)?;
    if head.len() < PIECE {
        return Ok(kwhy_oops::parse(&head));
    }
    let source = io::Cursor::new(head).chain(source);
    let mut crashes = Vec::new();
    let mut more = 0usize;
    let mut log = each(source, Scanner::new(), &mut |crash| match crashes.len() < MOST {
        true => crashes.push(crash),
        false => more += 1,
    })?;
    if more > 0 {
        log.notes.push(kwhy_oops::too_many(MOST));
    }
    log.crashes = crashes;
    Ok(log)
}

/// Reads `source` to its end with `scanner`, and gives each crash to `take` as soon as it is
/// complete. The log that is left has the notes alone.
///
/// # Errors
/// Whatever reading it says.
pub fn each(
    mut source: impl Read + Send,
    mut scanner: Scanner,
    take: &mut dyn FnMut(CrashRecord),
) -> io::Result<Log> {
    let mut first = vec![0; Scanner::ROOM + PIECE];
    let (mut end, mut ended) = fill(&mut source, &mut first)?;
    if !ended {
        std::thread::scope(|scope| {
            let (free, empty) = channel();
            let (full, filled) = sync_channel(PIECES);
            for _ in 1..PIECES {
                let _ = free.send(vec![0; Scanner::ROOM + PIECE]);
            }
            scope.spawn(move || read(source, &empty, &full));
            loop {
                scanner.feed_in_place(first.get_mut(..end).unwrap_or_default(), Scanner::ROOM);
                scanner.crashes().for_each(&mut *take);
                if ended {
                    return Ok(());
                }
                let _ = free.send(std::mem::take(&mut first));
                match filled.recv() {
                    Ok(Ok(next)) => (first, end, ended) = next,
                    Ok(Err(error)) => return Err(error),
                    Err(_) => return Ok(()),
                }
            }
        })?;
    } else {
        scanner.feed_in_place(first.get_mut(..end).unwrap_or_default(), Scanner::ROOM);
    }
    let mut log = scanner.finish();
    log.crashes.drain(..).for_each(take);
    Ok(log)
}

/// A buffer, where its bytes end, and whether they are the last.
type Piece = (Vec<u8>, usize, bool);

fn read(mut source: impl Read, empty: &Receiver<Vec<u8>>, full: &SyncSender<io::Result<Piece>>) {
    while let Ok(mut buffer) = empty.recv() {
        let piece = fill(&mut source, &mut buffer);
        let last = !matches!(piece, Ok((_, false)));
        if full.send(piece.map(|(end, ended)| (buffer, end, ended))).is_err() || last {
            return;
        }
    }
}

/// Fills `buffer` behind its room; where the bytes end, and whether the source did.
fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<(usize, bool)> {
    let mut end = Scanner::ROOM;
    while let Some(free) = buffer.get_mut(end..).filter(|free| !free.is_empty()) {
        match source.read(free) {
            Ok(0) => return Ok((end, true)),
            Ok(count) => end += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((end, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives as many bytes at a time as it likes, and now and then none for a signal.
    struct Dribble<'a>(&'a [u8], usize);

    impl Read for Dribble<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(7) {
                return Err(ErrorKind::Interrupted.into());
            }
            let size = (self.1 * 977 % 70_000).clamp(1, buffer.len());
            (&mut self.0).take(size as u64).read(buffer)
        }
    }

    #[test]
    fn the_same_as_at_once() {
        let crash = include_str!("../../../examples/ubuntu-arm64-insmod.log");
        let chatter = "[    9.000001] eth0: link is up\n".repeat(40_000);
        let text = [crash, &chatter, crash, &chatter, crash].concat();
        let whole = kwhy_oops::parse(text.as_bytes());
        assert_eq!(whole.crashes.len(), 3);
        assert_eq!(log(Dribble(text.as_bytes(), 0)).unwrap(), whole);
        assert_eq!(log(crash.as_bytes()).unwrap(), kwhy_oops::parse(crash.as_bytes()));
        assert_eq!(log(&b""[..]).unwrap(), kwhy_oops::parse(b""));
    }

    #[test]
    fn an_error_on_the_way_is_told() {
        struct Broken(usize);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 3 { Err(ErrorKind::PermissionDenied.into()) } else { Ok(buffer.len()) }
            }
        }
        assert_eq!(log(Broken(0)).unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}
