//! A case: little drivers with one planted bug, how to set it off, and the truth about it.

use super::kernels::Kernel;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// `lab/cases/NAME/truth.toml`, with the sources beside it.
pub struct Case {
    /// `c02_null_chain`.
    pub name: String,
    /// Its folder.
    pub dir: PathBuf,
    /// What `truth.toml` says.
    pub spec: Spec,
}

/// How to run the case, and what is true of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What was planted, in one sentence.
    pub note: String,
    /// The modules (stems of the `.c` files), in the order they are loaded.
    pub modules: Vec<String>,
    /// The kernels it runs on; all when not given.
    pub kernels: Option<Vec<String>>,
    /// Takes half a minute, as lockups do: left out unless asked for by name or by `--slow`.
    #[serde(default)]
    pub slow: bool,
    /// How to boot.
    #[serde(default)]
    pub run: Run,
    /// What is true on every kernel.
    pub truth: Truth,
    /// What is different on one kernel or architecture (`arm64`, `arm64-5.10`).
    #[serde(default)]
    pub except: BTreeMap<String, Truth>,
}

/// How to boot.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Shell commands after the modules are loaded.
    #[serde(default)]
    pub trigger: String,
    /// More for the kernel's command line.
    #[serde(default)]
    pub cmdline: String,
    /// QEMU's CPU by architecture; one is chosen by the case's name otherwise.
    #[serde(default)]
    pub cpu: BTreeMap<String, String>,
    /// Address space randomisation; chosen by the case's name otherwise.
    pub kaslr: Option<bool>,
    /// How many CPUs; one when not given. Where one spins, another must run what notices.
    pub cpus: Option<u8>,
    /// Seconds to go on after the trigger.
    #[serde(default)]
    pub wait: u32,
}

/// The truth, written by hand; addresses and offsets are found out when the case is recorded.
#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// In the contract's words.
    pub cause: Option<String>,
    /// The C expression that faulted, as written at the fault.
    pub expression: Option<String>,
    /// Other expressions that are as right, where compilers differ in what they hoist.
    #[serde(default)]
    pub also: Vec<String>,
    /// The bad pointer.
    pub pointer: Option<String>,
    /// The same pointer in the terms of another of the inlined functions.
    #[serde(default)]
    pub pointer_also: Vec<String>,
    /// `struct x`.
    #[serde(rename = "struct")]
    pub record: Option<String>,
    /// The member.
    pub member: Option<String>,
    /// Where it cannot be looked up in the types: an array's or bit-field's place.
    pub offset: Option<String>,
    /// read, write or exec.
    pub access: Option<String>,
    /// The bad value: a number; `address` for the fault address less the offset; `?` for unknown.
    pub bad_value: Option<String>,
    /// Its class in the contract's words.
    pub bad_class: Option<String>,
    /// The function whose mistake it is.
    pub blame: Option<String>,
    /// The module it is in; the first one when not given.
    pub blame_module: Option<String>,
    /// The function that stored or left the bad value.
    pub origin: Option<String>,
    /// Other places that are as right (`include/linux/list.h:156`): where an inlined helper does the storing.
    #[serde(default)]
    pub origin_also: Vec<String>,
    /// What kind of place that is, in the contract's words (`member-store`, `call-result`).
    pub origin_kind: Option<String>,
    /// The core function that faults on the driver's behalf: then the driver's line is the one marked `@call`.
    pub core: Option<String>,
}

impl Truth {
    fn over(&self, base: &Truth) -> Truth {
        let pick = |mine: &Option<String>, other: &Option<String>| mine.clone().or_else(|| other.clone());
        let list =
            |mine: &[String], other: &[String]| if mine.is_empty() { other.to_vec() } else { mine.to_vec() };
        Truth {
            cause: pick(&self.cause, &base.cause),
            expression: pick(&self.expression, &base.expression),
            also: list(&self.also, &base.also),
            pointer: pick(&self.pointer, &base.pointer),
            pointer_also: list(&self.pointer_also, &base.pointer_also),
            record: pick(&self.record, &base.record),
            member: pick(&self.member, &base.member),
            offset: pick(&self.offset, &base.offset),
            access: pick(&self.access, &base.access),
            bad_value: pick(&self.bad_value, &base.bad_value),
            bad_class: pick(&self.bad_class, &base.bad_class),
            blame: pick(&self.blame, &base.blame),
            blame_module: pick(&self.blame_module, &base.blame_module),
            origin: pick(&self.origin, &base.origin),
            origin_also: list(&self.origin_also, &base.origin_also),
            origin_kind: pick(&self.origin_kind, &base.origin_kind),
            core: pick(&self.core, &base.core),
        }
    }
}

/// A marked source line: `/* @fault */`, `/* @origin */`, `/* @call */`.
#[derive(Debug, PartialEq)]
pub struct Mark {
    /// `connreq.c`.
    pub file: String,
    /// 1-based.
    pub line: u32,
}

impl Case {
    /// Every case, by name.
    pub fn all(root: &Path) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for entry in fs::read_dir(root.join("lab/cases")).context("lab/cases")? {
            let dir = entry?.path();
            let toml = dir.join("truth.toml");
            if !toml.exists() {
                continue;
            }
            let text = fs::read_to_string(&toml)?;
            let spec = toml::from_str(&text).with_context(|| toml.display().to_string())?;
            let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
            cases.push(Case { name, dir, spec });
        }
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(cases)
    }

    /// Whether the case runs on a kernel.
    pub fn runs_on(&self, kernel: &Kernel) -> bool {
        self.spec.kernels.as_ref().is_none_or(|names| names.iter().any(|name| name == kernel.name))
    }

    /// The truth on one kernel.
    pub fn truth(&self, kernel: &Kernel) -> Truth {
        let mut truth = self.spec.truth.clone();
        for key in [kernel.arch, kernel.name] {
            if let Some(except) = self.spec.except.get(key) {
                truth = except.over(&truth);
            }
        }
        truth
    }

    /// The line marked with `@what`.
    pub fn mark(&self, what: &str) -> Result<Option<Mark>> {
        let wanted = format!("/* @{what} */");
        let mut found = None;
        for module in &self.spec.modules {
            let file = format!("{module}.c");
            let text = fs::read_to_string(self.dir.join(&file))
                .with_context(|| format!("{}/{file}", self.dir.display()))?;
            for (line, text) in (1u32..).zip(text.lines()) {
                if text.contains(&wanted) {
                    if found.is_some() {
                        bail!("{}: @{what} is there twice", self.name);
                    }
                    found = Some(Mark { file: file.clone(), line });
                }
            }
        }
        Ok(found)
    }

    /// The CPU that QEMU plays. Different cases meet different ones, the same case always the same.
    pub fn cpu(&self, arch: &str) -> String {
        const ARM64: [&str; 3] = ["cortex-a72", "neoverse-n1", "max,pauth-impdef=on"];
        const AMD64: [&str; 3] = ["max,la57=off", "max", "Skylake-Client-v1,-pcid"];
        let choice = if arch == "arm64" { ARM64 } else { AMD64 };
        let chosen = choice.get(self.lot() % choice.len()).copied().unwrap_or("max");
        self.spec.run.cpu.get(arch).cloned().unwrap_or_else(|| chosen.to_owned())
    }

    /// Whether the kernel is moved about in memory.
    pub fn kaslr(&self) -> bool {
        self.spec.run.kaslr.unwrap_or(!self.lot().is_multiple_of(4))
    }

    fn lot(&self) -> usize {
        self.name.bytes().map(usize::from).sum()
    }
}
