//! Makes a recorded case's `truth.json`: the hand-written truth, with what binutils and pahole say about
//! the very files that ran.

use super::boot::Boot;
use super::build::cross_prefix;
use super::case::{Case, Mark};
use super::console::{self, Place};
use super::kernels::{Kernel, Tree};
use crate::tool;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file with symbols and DWARF, asked through binutils.
struct Binary<'a> {
    path: &'a Path,
    prefix: &'static str,
}

impl Binary<'_> {
    /// The section and address of a place.
    fn find(&self, place: &Place) -> Result<Option<(String, u64)>> {
        let Some(symbol) = &place.symbol else { return Ok(None) };
        let listed = tool::text(Command::new(format!("{}objdump", self.prefix)).arg("-t").arg(self.path))?;
        let mut best = None;
        for line in listed.lines() {
            let mut words = line.split_whitespace();
            if words.next_back() != Some(symbol) {
                continue;
            }
            let Some((head, tail)) = line.split_once('\t') else { continue };
            let section = head.split_whitespace().last().unwrap_or_default().to_owned();
            let size = tail.split_whitespace().next().and_then(|text| u64::from_str_radix(text, 16).ok());
            let start = head.split_whitespace().next().and_then(|text| u64::from_str_radix(text, 16).ok());
            let (Some(start), Some(size)) = (start, size) else { continue };
            // The log's size is up to the next symbol: never smaller than the symbol's own.
            let off = place.size.wrapping_sub(size);
            if best.as_ref().is_none_or(|(least, _, _)| off < *least) {
                best = Some((off, section, start.wrapping_add(place.offset)));
            }
        }
        Ok(best.map(|(_, section, address)| (section, address)))
    }

    /// The inlined calls at an address, innermost first.
    fn lines(&self, section: &str, address: u64) -> Result<Vec<Value>> {
        let mut command = Command::new(format!("{}addr2line", self.prefix));
        command.args(["-f", "-i", "-e"]).arg(self.path);
        // The sections of a module all begin at 0.
        if self.path.extension().is_some_and(|end| end == "ko") {
            command.args(["-j", section]);
        }
        let text = tool::text(command.arg(format!("{address:#x}")))?;
        let lines: Vec<&str> = text.lines().collect();
        let mut frames = Vec::new();
        for pair in lines.chunks(2) {
            let [function, place] = pair else { continue };
            let place = place.split(" (discriminator").next().unwrap_or(place);
            let (file, line) = place.rsplit_once(':').unwrap_or((place, "0"));
            frames.push(json!({
                // The alias under which position-independent code calls it.
                "function": function.trim_start_matches("__pi_"),
                "file": source_name(file),
                "line": line.parse::<u32>().unwrap_or(0),
            }));
        }
        Ok(frames)
    }
}

/// `kernel/module/sysfs.c` of whatever folder the kernel was built in; `driver.c` of a module.
fn source_name(path: &str) -> String {
    const TOPS: [&str; 16] = [
        "arch", "block", "certs", "crypto", "drivers", "fs", "include", "init", "io_uring", "ipc", "kernel",
        "lib", "mm", "net", "security", "sound",
    ];
    if let Some((_, file)) = path.rsplit_once("/kwhy-lab/") {
        return file.to_owned();
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    // The last folder after "debian/build/…" or "linux-headers-…/" that is one of the kernel's own.
    let from = parts.iter().position(|part| part.starts_with("build_") || part.starts_with("linux-headers"));
    let start = from.map_or(0, |at| at + 1);
    let top = parts.iter().enumerate().skip(start).find(|(_, part)| TOPS.contains(part)).map(|(at, _)| at);
    parts.get(top.unwrap_or(start)..).unwrap_or_default().join("/")
}

struct Files<'a> {
    kernel: &'a Kernel,
    vmlinux: &'a Path,
    modules: &'a [PathBuf],
}

impl Files<'_> {
    fn binary(&self, module: Option<&str>) -> Result<Option<Binary<'_>>> {
        let prefix = cross_prefix(self.kernel.arch)?;
        let path = match module {
            None => Some(self.vmlinux),
            Some(name) => self
                .modules
                .iter()
                .find(|path| path.file_stem().is_some_and(|stem| stem.to_string_lossy() == name))
                .map(PathBuf::as_path),
        };
        Ok(path.map(|path| Binary { path, prefix }))
    }

    /// Whether a place is in code: a wild call may end in data, which has symbols as well.
    fn is_code(&self, place: &Place) -> Result<bool> {
        // Behind the end of a symbol is what kallsyms has no name for: data, to the kernel.
        if place.offset >= place.size {
            return Ok(false);
        }
        let Some(binary) = self.binary(place.module.as_deref())? else { return Ok(true) };
        // The kernel's sections that hold code are .text, .init.text and the like; a module's are so too.
        Ok(binary.find(place)?.is_none_or(|(section, _)| section.contains("text")))
    }

    /// The source of a place; of the call before it when it is a return address.
    fn source(&self, place: &Place, returned: bool) -> Result<Option<(u64, Vec<Value>)>> {
        let Some(binary) = self.binary(place.module.as_deref())? else { return Ok(None) };
        let Some((section, address)) = binary.find(place)? else { return Ok(None) };
        let asked = if returned { address.wrapping_sub(1) } else { address };
        Ok(Some((address, binary.lines(&section, asked)?)))
    }

    /// The offset of `member` (`a.b` steps into embedded structs), as pahole tells it.
    fn offset(&self, record: &str, member: &str) -> Result<Option<u64>> {
        let mut record = record.to_owned();
        let (mut total, mut base, mut nameless) = (0u64, 0u64, false);
        for part in member.split('.') {
            let Some((offset, next)) = self.member(&record, part)? else { return Ok(None) };
            // pahole counts the members of a nameless struct or union from the beginning of the outer one.
            if nameless {
                total = base;
            }
            nameless = next.starts_with('}');
            base = total;
            total += offset;
            if !nameless {
                record = next;
            }
        }
        Ok(Some(total))
    }

    fn member(&self, record: &str, member: &str) -> Result<Option<(u64, String)>> {
        let name = record.trim_start_matches("struct ").trim_start_matches("union ");
        for path in self.modules.iter().map(PathBuf::as_path).chain([self.vmlinux]) {
            let Ok(text) = tool::text(Command::new("pahole").args(["-C", name]).arg(path)) else { continue };
            for line in text.lines() {
                let Some((left, right)) = line.split_once(';') else { continue };
                let declared = left.split(['[', ':']).next().unwrap_or(left);
                // `int (*start)(struct stream *)`: the name is in the first parentheses.
                let name = match declared.split_once("(*") {
                    Some((_, rest)) => rest.split(')').next().unwrap_or(rest),
                    None => declared.rsplit([' ', '*', '\t']).next().unwrap_or(declared),
                };
                if name.trim() != member {
                    continue;
                }
                let Some(digits) = right.split("/*").nth(1) else { continue };
                let number: String = digits.trim_start().chars().take_while(char::is_ascii_digit).collect();
                let Ok(offset) = number.parse() else { continue };
                let kind = declared.trim().trim_end_matches(member).trim().to_owned();
                return Ok(Some((offset, kind)));
            }
        }
        Ok(None)
    }
}

/// The truth about one boot.
pub fn make(case: &Case, kernel: &Kernel, tree: &Tree, modules: &[PathBuf], boot: &Boot) -> Result<Value> {
    let truth = case.truth(kernel);
    let crash = console::first_crash(&boot.console).context("the guest did not crash")?;
    let files = Files { kernel, vmlinux: &tree.vmlinux, modules };
    let mut checks: Vec<String> = Vec::new();
    let core = truth.core.is_some();
    let mut fault = case.mark("fault")?;
    let mut call = case.mark("call")?;
    if !core && crash.pc.is_some() {
        // What is a call into the core on one architecture is inlined on another.
        fault = fault.or_else(|| call.take());
    }
    let origin = case.mark("origin")?;

    let mut pc = Value::Null;
    let mut line_at: Option<Value> = None;
    let mut call_site = Value::Null;
    let mut caller = Value::Null;
    match &crash.pc {
        Some(place) if place.symbol.is_some() && files.is_code(place)? => {
            let (address, stack) = files.source(place, false)?.context("the PC's symbol is in no image")?;
            if let Some(mark) = &fault
                && !stack.iter().any(|frame| is_at(frame, mark))
            {
                checks.push(format!("the PC is not at the marked line {}:{}", mark.file, mark.line));
            }
            line_at = stack.first().cloned();
            pc = json!({ "symbol": place.symbol, "offset": hex(place.offset), "module": place.module,
                         "link_address": hex(address), "inline_stack": stack });
        }
        Some(place) => {
            pc = json!({ "symbol": null, "raw": hex(place.offset) });
            // After a call into nowhere x86's unwinder vouches for nothing: the stack's top is what there is.
            let from_lr = crash.lr.as_ref().filter(|place| place.module.is_some());
            let stack_top = crash.frames.iter().chain(&crash.guesses).find(|place| place.module.is_some());
            // The core calls on a driver's behalf, as a worker does: then no frame is a module's.
            let of_core = crash.lr.as_ref().or_else(|| crash.frames.iter().chain(&crash.guesses).next());
            let site = from_lr.or(stack_top).or(of_core).context("no call site in the log")?;
            let (_, stack) = files.source(site, true)?.context("the call site's symbol is in no image")?;
            if let Some(mark) = &fault
                && !stack.iter().any(|frame| is_at(frame, mark))
            {
                checks.push(format!("the call site is not at the marked line {}:{}", mark.file, mark.line));
            }
            line_at = stack.first().cloned();
            call_site = json!({ "symbol": site.symbol, "offset": hex(site.offset), "module": site.module,
                                "stack": stack, "from": if crash.lr.is_some() { "lr" } else { "call trace" } });
        }
        None => {}
    }
    if let Some(mark) = &call {
        for place in crash.lr.iter().chain(&crash.frames) {
            let Some((_, stack)) = files.source(place, true)? else { continue };
            if stack.iter().any(|frame| is_at(frame, mark)) {
                caller = json!({ "symbol": place.symbol, "offset": hex(place.offset), "module": place.module,
                                 "stack": stack });
                if line_at.is_none() {
                    line_at = Some(json!({ "file": mark.file, "line": mark.line }));
                }
                break;
            }
        }
        if caller.is_null() {
            checks.push(format!("no frame is at the marked call {}:{}", mark.file, mark.line));
        }
    }
    let offset = match (&truth.offset, &truth.record, &truth.member) {
        (Some(given), _, _) => number(given),
        (None, Some(record), Some(member)) => files.offset(record, member)?,
        _ => None,
    };
    if offset.is_none() && truth.member.is_some() {
        checks.push("the member's offset is unknown".to_owned());
    }
    let bad = match truth.bad_value.as_deref() {
        // What is called has no member: the pointer is the address itself.
        Some("address") if truth.access.as_deref() == Some("exec") => crash.address,
        Some("address") => crash.address.map(|address| address.wrapping_sub(offset.unwrap_or(0))),
        Some(text) => number(text),
        None => None,
    };
    // A bit-field may be read with a wider load, and arm64 prints the address without its tag byte.
    const UNTAGGED: u64 = 0x00ff_ffff_ffff_ffff;
    let access_offset = match (crash.address, bad) {
        (Some(address), Some(bad)) if truth.record.is_some() => Some(address.wrapping_sub(bad) & UNTAGGED),
        _ => None,
    };
    if let (Some(at), Some(offset), Some("read" | "write" | "read/write"), None) =
        (access_offset, offset, truth.access.as_deref(), &truth.core)
        && at.abs_diff(offset & UNTAGGED) >= 8
        // With an index the access is further on than the member.
        && !truth.member.as_ref().is_some_and(|member| member.contains('['))
    {
        checks.push(format!("the access is at offset {at:#x} of the bad value, not {offset:#x}"));
    }
    if core && crash.pc.as_ref().is_some_and(|place| place.module.is_some()) {
        checks.push("the fault is not in the core kernel".to_owned());
    }
    // The kind of an origin may be known where no line of the source is one: data that nothing stored.
    let from = (origin.is_some() || truth.origin_kind.is_some()).then(|| {
        json!({ "file": origin.as_ref().map(|mark| &mark.file), "line": origin.as_ref().map(|mark| mark.line),
                "also": truth.origin_also, "function": truth.origin, "what": truth.origin_kind })
    });
    let headline = &crash.headline;
    Ok(json!({
        "case": case.name,
        "kernel": kernel.name,
        "release": console::release(&boot.console),
        "package_version": console::package_version(&boot.console),
        "arch": kernel.arch,
        "kaslr": case.kaslr(),
        "cpu": boot.cpu,
        "cmdline": boot.cmdline,
        "log_first_line": headline,
        "cause": truth.cause,
        "pc": pc,
        "call_site": call_site,
        "caller_frame": caller,
        "fault_in_core_kernel": core,
        "crash_function": truth.core,
        "file": line_at.as_ref().and_then(|frame| frame.get("file")),
        "line": line_at.as_ref().and_then(|frame| frame.get("line")),
        "expression": truth.expression,
        "expression_also": truth.also,
        "bad_pointer_expression": truth.pointer,
        "pointer_also": truth.pointer_also,
        "struct": truth.record,
        "member": truth.member,
        "offset": offset.map(hex),
        "access_offset": access_offset.map(hex),
        "log_fault_address": crash.address.map(hex),
        "bad_value": bad.map(hex),
        "bad_class": truth.bad_class,
        "access": truth.access,
        "blame_function": truth.blame,
        "blame_module": truth.blame_module.or_else(|| case.spec.modules.first().cloned()),
        "origin": from,
        "modules": case.spec.modules,
        "note": case.spec.note,
        "check": if checks.is_empty() { "ok".to_owned() } else { checks.join("; ") },
    }))
}

fn is_at(frame: &Value, mark: &Mark) -> bool {
    let file = frame.get("file").and_then(Value::as_str).unwrap_or_default();
    file == mark.file && frame.get("line").and_then(Value::as_u64) == Some(u64::from(mark.line))
}

fn hex(value: u64) -> String {
    format!("{value:#x}")
}

/// `0x1f` or `31`.
pub fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_files_lose_the_folder_they_were_built_in() {
        assert_eq!(
            source_name("/usr/src/linux-headers-6.1.0-56-common/include/linux/list.h"),
            "include/linux/list.h"
        );
        assert_eq!(source_name("./debian/build/build_amd64_none_cloud-amd64/lib/string.c"), "lib/string.c");
        assert_eq!(source_name("/x/y/kwhy-lab/connreq.c"), "connreq.c");
    }
}
