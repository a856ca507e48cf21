//! Prints what the reader makes of a log: `cargo run -p kwhy-oops --example dump -- LOG`.
//! With `--details` before the logs, only each crash's title and what its family says.

use kwhy_oops::details::{Section, StackRef, Value};

fn main() {
    let mut brief = false;
    for path in std::env::args_os().skip(1) {
        if path == "--details" {
            brief = true;
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let log = kwhy_oops::parse(&bytes);
        if brief {
            for crash in &log.crashes {
                println!("{} {}-{} {}", path.display(), crash.first_line, crash.last_line, crash.title);
                for section in crash.details.sections() {
                    show(&section, crash, 1);
                }
            }
            continue;
        }
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
}

fn show(section: &Section, crash: &kwhy_oops::CrashRecord, depth: usize) {
    let indent = "  ".repeat(depth);
    println!("{indent}{}", section.key);
    for fact in &section.facts {
        let value = match &fact.value {
            Value::Number(number) => number.to_string(),
            Value::Signed(number) => number.to_string(),
            Value::Hex(hex) => format!("0x{}", hex.digits),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => format!("{text:?}"),
        };
        println!("{indent}  {} = {value} (line {})", fact.name, fact.line);
    }
    let frames = match section.stack {
        Some(StackRef::Own) => Some(&crash.frames),
        Some(StackRef::Other(index)) => crash.other_stacks.get(index).map(|(_, frames)| frames),
        None => None,
    };
    if let Some(frames) = frames {
        let names: Vec<&str> = frames.iter().filter_map(|frame| frame.at.symbol.as_deref()).take(4).collect();
        println!("{indent}  stack of {}: {}", frames.len(), names.join(" < "));
    }
    for part in &section.parts {
        show(part, crash, depth + 1);
    }
}
