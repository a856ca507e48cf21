//! What the truth needs from a console log: found with a few string searches, on purpose not with kwhy's
//! own parser, for it is what judges that parser.

/// `cr_route+0x30/0x58 [connreq]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The symbol; absent when the log prints a bare address.
    pub symbol: Option<String>,
    /// Offset into it, or the bare address.
    pub offset: u64,
    /// The symbol's size.
    pub size: u64,
    /// The module.
    pub module: Option<String>,
}

/// The first crash of a log.
#[derive(Debug, Default)]
pub struct FirstCrash {
    /// Its first line, without the timestamp.
    pub headline: String,
    /// The program counter.
    pub pc: Option<Place>,
    /// The link register.
    pub lr: Option<Place>,
    /// The frames that the unwinder vouches for.
    pub frames: Vec<Place>,
    /// Those it merely found on the stack (`?`).
    pub guesses: Vec<Place>,
    /// The fault address as printed.
    pub address: Option<u64>,
}

const HEADLINES: [&str; 17] = [
    "Insufficient stack space",
    "Unable to handle kernel",
    "BUG: ",
    "kernel BUG at ",
    "general protection fault",
    "divide error",
    "stack segment",
    "invalid opcode",
    "WARNING: CPU",
    "INFO: task ",
    "watchdog: BUG",
    "Internal error",
    "Unexpected kernel BRK",
    // An allocator's finding: `BUG kmalloc-64 (Tainted: G): Object already free`.
    "BUG kmalloc-",
    "rcu: INFO: ",
    "stack-protector: Kernel stack is corrupted",
    "detected buffer overflow",
];

/// Reads the first crash.
pub fn first_crash(log: &str) -> Option<FirstCrash> {
    let lines: Vec<&str> = log.lines().map(strip_time).collect();
    let start = lines.iter().position(|line| HEADLINES.iter().any(|head| line.contains(head)))?;
    let headline = (*lines.get(start)?).to_owned();
    let hung = headline.contains("INFO: task") || headline.contains("scheduling while atomic");
    let mut crash = FirstCrash { headline, ..FirstCrash::default() };
    let mut tracing = false;
    for (at, line) in lines.iter().enumerate().skip(start) {
        let end = ["---[ end trace", "Kernel panic - not syncing"].iter().any(|end| line.contains(end));
        let next =
            at > start + 2 && ["INFO: task ", "BUG: ", "WARNING: "].iter().any(|head| line.starts_with(head));
        if end || next {
            break;
        }
        if crash.address.is_none() {
            crash.address = address(line);
        }
        if !hung && crash.pc.is_none() {
            crash.pc = after(line, "pc : ").or_else(|| after(line, "RIP: 0010:"));
        }
        if crash.lr.is_none() {
            crash.lr = after(line, "lr : ");
        }
        if line.contains("Call trace:") || line.contains("Call Trace:") {
            tracing = true;
        } else if let Some(text) = line.strip_prefix(' ').filter(|_| tracing) {
            let (list, text) = match text.strip_prefix("? ") {
                Some(text) => (&mut crash.guesses, text),
                None => (&mut crash.frames, text),
            };
            list.extend(place(text).filter(|place| place.symbol.is_some()));
        }
    }
    Some(crash)
}

/// `6.1.192-2` of the boot banner.
pub fn package_version(log: &str) -> Option<String> {
    let banner = log.lines().find(|line| line.contains("Linux version"))?;
    banner.rsplit("Debian ").next()?.split_whitespace().next().map(str::to_owned)
}

/// `6.1.0-56-cloud-arm64` of the boot banner.
pub fn release(log: &str) -> Option<String> {
    let (_, rest) = log.split_once("Linux version ")?;
    rest.split_whitespace().next().map(str::to_owned)
}

fn strip_time(line: &str) -> &str {
    let Some(rest) = line.strip_prefix('[') else { return line };
    let Some((time, rest)) = rest.split_once(']') else { return line };
    let digits = time.trim().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if digits { rest.strip_prefix(' ').unwrap_or(rest) } else { line }
}

fn after(line: &str, key: &str) -> Option<Place> {
    place(line.split_once(key)?.1)
}

fn place(text: &str) -> Option<Place> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    let module = words
        .next()
        .and_then(|word| word.strip_prefix('['))
        .map(|word| word.trim_end_matches(']').to_owned());
    if let Some((symbol, rest)) = first.split_once("+0x") {
        let (offset, size) = rest.split_once("/0x")?;
        return Some(Place {
            symbol: Some(symbol.to_owned()),
            offset: u64::from_str_radix(offset, 16).ok()?,
            size: u64::from_str_radix(size, 16).ok()?,
            module,
        });
    }
    let raw = u64::from_str_radix(first.strip_prefix("0x")?, 16).ok()?;
    Some(Place { symbol: None, offset: raw, size: 0, module: None })
}

fn address(line: &str) -> Option<u64> {
    for key in ["virtual address ", ", address: ", "for address: ", "non-canonical address ", "FAR: "] {
        if let Some((_, rest)) = line.split_once(key) {
            let digits: String =
                rest.trim_start_matches("0x").chars().take_while(char::is_ascii_hexdigit).collect();
            return u64::from_str_radix(&digits, 16).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_both_architectures() {
        let log = "[    1.000000] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000024\n\
                   [    1.000000] pc : cr_route+0x30/0x58 [connreq]\n[    1.000000] lr : cr_submit+0x40/0x100 [connreq]\n\
                   [    1.000000] Call trace:\n[    1.000000]  cr_route+0x30/0x58 [connreq]\n[    1.000000]  vfs_write+0x1/0x2\n";
        let crash = first_crash(log).unwrap();
        assert_eq!(crash.address, Some(0x24));
        let pc = crash.pc.unwrap();
        assert_eq!(
            (pc.symbol.as_deref(), pc.offset, pc.size, pc.module.as_deref()),
            (Some("cr_route"), 0x30, 0x58, Some("connreq"))
        );
        assert_eq!(crash.frames.len(), 2);
        let log = "BUG: kernel NULL pointer dereference, address: 0000000000000000\nRIP: 0010:0x0\nCall Trace:\n <TASK>\n ? bad+0x1/0x2\n good+0x1/0x2 [m]\n";
        let crash = first_crash(log).unwrap();
        assert_eq!(crash.pc.unwrap().symbol, None);
        assert_eq!(crash.frames.len(), 1);
    }
}
