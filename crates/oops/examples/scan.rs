//! How fast a log is read, on one core: `cargo run --release -p kwhy-oops --example scan -- LOG`.

use std::io::Read;
use std::time::Instant;

fn main() {
    let Some(path) = std::env::args_os().nth(1) else { return };
    let Ok(mut file) = std::fs::File::open(path) else { return };
    let room = kwhy_oops::Scanner::ROOM;
    let mut buffer = vec![0; room + (1 << 20)];
    let mut scanner = kwhy_oops::Scanner::new();
    let (mut bytes, mut crashes, mut reading) = (0usize, 0usize, 0.0);
    let start = Instant::now();
    loop {
        let before = Instant::now();
        let Some(Ok(count)) = buffer.get_mut(room..).map(|free| file.read(free)) else { break };
        reading += before.elapsed().as_secs_f64();
        if count == 0 {
            break;
        }
        scanner.feed_in_place(buffer.get_mut(..room + count).unwrap_or_default(), room);
        crashes += scanner.crashes().count();
        bytes += count;
    }
    crashes += scanner.finish().crashes.len();
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{crashes} crashes, {:.0} MB in {seconds:.2} s: {:.0} MB/s, {:.0} without reading the file; {:.0} crashes/s",
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / seconds,
        bytes as f64 / 1e6 / (seconds - reading),
        crashes as f64 / seconds,
    );
}
