//! Boots a kernel in QEMU under software emulation, lets it crash, and keeps its serial console.

use super::case::Case;
use super::kernels::{Kernel, Tree};
use super::qemu;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A boot takes five seconds; a machine that is busy with other things may need ten times as long.
const LIMIT: Duration = Duration::from_secs(150);

/// What came of a boot.
pub struct Boot {
    /// The serial console.
    pub console: String,
    /// QEMU's CPU.
    pub cpu: String,
    /// The kernel's command line.
    pub cmdline: String,
}

/// Boots the kernel with the case's modules and waits for the end.
pub fn boot(case: &Case, kernel: &Kernel, tree: &Tree, modules: &[PathBuf], cache: &Path) -> Result<Boot> {
    let dir = cache.join("boot").join(kernel.name).join(&case.name);
    fs::create_dir_all(&dir)?;
    let initrd = dir.join("initramfs.cpio");
    fs::write(&initrd, initramfs(case, tree, modules)?)?;
    let console = dir.join("console.log");
    let _ = fs::remove_file(&console);
    let arm = kernel.arch == "arm64";
    let cpu = case.cpu(kernel.arch);
    let mut cmdline = format!("console={}", if arm { "ttyAMA0" } else { "ttyS0" });
    if !arm {
        // On a busy machine the emulated timer may fail the kernel's test of it.
        cmdline.push_str(" no_timer_check");
    }
    if !case.kaslr() {
        cmdline.push_str(" nokaslr");
    }
    cmdline.push_str(" panic=-1");
    if !case.spec.run.cmdline.is_empty() {
        cmdline.push(' ');
        cmdline.push_str(&case.spec.run.cmdline);
    }
    let mut command: Command = qemu::command(kernel.arch)?;
    command
        .args(["-M", if arm { "virt,gic-version=3" } else { "q35" }])
        .args(["-accel", "tcg", "-cpu", &cpu, "-m", "512", "-display", "none", "-nic", "none", "-no-reboot"])
        .args(["-monitor", "none", "-parallel", "none"])
        .arg("-serial")
        .arg(format!("file:{}", console.display()))
        .arg("-kernel")
        .arg(tree.image())
        .arg("-initrd")
        .arg(&initrd)
        .args(["-append", &cmdline])
        .args(["-smp", &case.spec.run.cpus.unwrap_or(1).to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start QEMU")?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if start.elapsed() > LIMIT {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if let Some(status) = status
        && !status.success()
    {
        let mut why = String::new();
        if let Some(mut pipe) = child.stderr.take() {
            std::io::Read::read_to_string(&mut pipe, &mut why)?;
        }
        bail!("QEMU ended with {status}: {}", why.trim());
    }
    let bytes = fs::read(&console).context("QEMU left no console")?;
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
    if !text.contains("Linux version") {
        bail!("the kernel did not boot; see {}", console.display());
    }
    Ok(Boot { console: text, cpu, cmdline })
}

/// A cpio archive (the kernel's `newc`) with busybox, the modules and the script that sets the bug off.
fn initramfs(case: &Case, tree: &Tree, modules: &[PathBuf]) -> Result<Vec<u8>> {
    let mut script = String::from(
        "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexport PATH=/bin\n\
         mount -t proc proc /proc\nmount -t sysfs sysfs /sys\nmount -t debugfs debugfs /sys/kernel/debug\n",
    );
    for module in &case.spec.modules {
        script.push_str(&format!("insmod /lib/modules/{module}.ko\n"));
    }
    let run = &case.spec.run;
    script.push_str(&format!("{}\nsleep {}\nsync\npoweroff -f\n", run.trigger, run.wait.max(1)));
    let mut cpio = Cpio::default();
    for dir in ["bin", "dev", "lib", "lib/modules", "proc", "sys", "tmp"] {
        cpio.entry(dir, 0o040_755, &[], 0);
    }
    // Opened by the kernel before init runs: character device 5:1.
    cpio.entry("dev/console", 0o020_600, &[], 1);
    cpio.entry("bin/busybox", 0o100_755, &fs::read(tree.busybox())?, 0);
    cpio.entry("init", 0o100_755, script.as_bytes(), 0);
    for (name, file) in case.spec.modules.iter().zip(modules) {
        cpio.entry(&format!("lib/modules/{name}.ko"), 0o100_644, &fs::read(file)?, 0);
    }
    Ok(cpio.end())
}

#[derive(Default)]
struct Cpio {
    bytes: Vec<u8>,
    count: u32,
}

impl Cpio {
    fn entry(&mut self, name: &str, mode: u32, data: &[u8], console: u32) {
        self.count += 1;
        let major = if console == 1 { 5 } else { 0 };
        let header = format!(
            "070701{:08x}{mode:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{major:08x}{console:08x}{:08x}{:08x}",
            self.count,
            0,
            0,
            1,
            0,
            data.len(),
            0,
            0,
            name.len() + 1,
            0
        );
        self.bytes.extend(header.as_bytes());
        self.bytes.extend(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(data);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn end(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[], 0);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cpio_header_has_110_bytes_and_everything_is_padded_to_4() {
        let mut cpio = Cpio::default();
        cpio.entry("init", 0o100_755, b"hello", 0);
        // 110 + "init\0" is 115, padded to 116; the data, 5, to 8.
        assert_eq!(cpio.bytes.len(), 116 + 8);
        assert!(cpio.bytes.starts_with(b"070701"));
        assert_eq!(cpio.bytes.get(116..121), Some(&b"hello"[..]));
    }
}
