//! Reads a log in pieces on one core and counts its crashes: what `cargo xtask bench --logs`
//! measures as the reader alone.

use std::io::Read;

fn main() -> std::io::Result<()> {
    const PIECE: usize = 1 << 20;
    let room = kwhy_oops::Scanner::ROOM;
    let mut buffer = vec![0; room + PIECE];
    let mut scanner = kwhy_oops::Scanner::new();
    let mut crashes = 0;
    for path in std::env::args_os().skip(1) {
        let mut log = std::fs::File::open(path)?;
        loop {
            let read = log.read(buffer.get_mut(room..).unwrap_or_default())?;
            if read == 0 {
                break;
            }
            scanner.feed_in_place(buffer.get_mut(..room + read).unwrap_or_default(), room);
            crashes += scanner.crashes().count();
        }
    }
    crashes += scanner.finish().crashes.len();
    println!("{crashes} crashes");
    Ok(())
}
