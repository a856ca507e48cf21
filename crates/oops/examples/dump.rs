//! Prints what the reader makes of a log: `cargo run -p kwhy-oops --example dump -- LOG`.

fn main() {
    let Some(path) = std::env::args_os().nth(1) else { return };
    let Ok(bytes) = std::fs::read(path) else { return };
    let log = kwhy_oops::parse(&bytes);
    for crash in &log.crashes {
        println!("{crash:#?}");
        for damage in &crash.damage {
            println!(
                "{} {} {:?} {:?} {:?}: {}",
                damage.line,
                damage.field,
                damage.printed,
                damage.likely,
                damage.grade,
                damage.reason.render(kwhy_base::Lang::En)
            );
        }
    }
    for note in &log.notes {
        println!("{:?} {}", note.line, note.text.render(kwhy_base::Lang::En));
    }
}
