//! Android's bug reports: sections of many programs' output, two or three of them the kernel's.

use kwhy_base::catalogue::input as say;
use kwhy_base::prose;

use super::lines::{Rows, numbered};
use super::{Budget, Layer};

/// What the kernel's sections are called, as parts of their titles.
const KERNEL: &[&str] =
    &["KERNEL LOG", "LAST KMSG", "LAST_KMSG", "CONSOLE-RAMOOPS", "LAST RAMOOPS", "PSTORE", "DMESG"];

/// `------ KERNEL LOG (dmesg) ------`: the title.
fn title(line: &[u8]) -> Option<&str> {
    let inner = line.strip_prefix(b"------ ")?.strip_suffix(b" ------")?;
    let title = std::str::from_utf8(inner).ok()?;
    // `------ 0.012s was the duration of 'KERNEL LOG' ------` ends a section.
    (!title.contains("was the duration of")).then_some(title)
}

pub(super) fn sniff(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"== dumpstate: ").is_some()
        || numbered(head).any(|(_, line)| title(line).is_some_and(is_kernel))
}

fn is_kernel(title: &str) -> bool {
    let title = title.to_ascii_uppercase();
    KERNEL.iter().any(|name| title.contains(name))
}

pub(super) fn read(bytes: &[u8], _: &mut Budget) -> Option<Vec<Layer>> {
    let mut layers = Vec::new();
    let mut open: Option<(String, Rows)> = None;
    let close = |open: &mut Option<(String, Rows)>, layers: &mut Vec<Layer>| {
        if let Some((part, rows)) = open.take()
            && !rows.is_empty()
        {
            let (text, numbers) = rows.done();
            let remarks = vec![prose!(say::SECTION, name = &part)];
            layers.push(Layer { part, text, numbers, remarks });
        }
    };
    for (number, line) in numbered(bytes) {
        if line.starts_with(b"------ ") && line.ends_with(b" ------") {
            close(&mut open, &mut layers);
            open = title(line).filter(|t| is_kernel(t)).map(|title| (title.to_owned(), Rows::default()));
        } else if let Some((_, rows)) = &mut open {
            rows.push(line, number);
        }
    }
    close(&mut open, &mut layers);
    (!layers.is_empty()).then_some(layers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::LineMap;

    #[test]
    fn only_the_kernels_sections() {
        let text = b"========\n== dumpstate: 2026-01-01 00:00:00\n------ UPTIME (uptime) ------\nup\n------ KERNEL LOG (dmesg) ------\n<6>[    1.0] a\n------ 0.1s was the duration of 'KERNEL LOG' ------\nx\n------ LAST KMSG (/sys/fs/pstore/console-ramoops) ------\nb\n";
        assert!(sniff(text));
        let layers = read(text, &mut Budget { bytes: 0 }).unwrap();
        assert_eq!(layers.len(), 2);
        assert_eq!(
            (layers[0].text.as_slice(), &layers[0].numbers),
            (&b"<6>[    1.0] a\n"[..], &LineMap::Each(vec![6]))
        );
        assert_eq!((layers[1].text.as_slice(), &layers[1].numbers), (&b"b\n"[..], &LineMap::Each(vec![10])));
        assert!(!sniff(b"------------[ cut here ]------------\n"));
    }
}
