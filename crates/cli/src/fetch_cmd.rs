//! `kwhy fetch [RELEASE|LOG]`: gets the debug information of a kernel into the cache.
//!
//! What is at hand already is told and left alone. The rest is asked for by build-id at the
//! servers of `$DEBUGINFOD_URLS`, then in the distribution's own package. Whatever is missing
//! still is told with the command that supplies it.

use crate::args::FetchArgs;
use crate::command_error::{CommandError, UNDETERMINED};
use crate::explain::quoted;
use crate::images::wanted;
use crate::input;
use crate::output::Output;
use crate::progress::Bar;
use kwhy_base::catalogue::fetch_cmd as c;
use kwhy_base::{BuildId, Distribution, Lang, Prose, prose};
use kwhy_fetch::debuginfod::{self, Request, Servers};
use kwhy_fetch::packages::{self, Order};
use kwhy_fetch::usual::Needs;
use kwhy_fetch::{Cache, Found, Roots, Source, Wanted, search};
use kwhy_report::Format;
use kwhy_report::doc::{Block, Inline, Item, Tone};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Fetches what is missing.
pub fn run(args: &FetchArgs) -> Result<ExitCode, CommandError> {
    let output = Output::new(&args.output);
    let wanted = asked(args.what.as_deref())?;
    let roots = Roots::from_environment(&args.images);
    let log = args.what.as_ref().filter(|what| what.is_file()).map(|log| log.to_string_lossy().into_owned());
    let mut fetch = Fetch {
        found: search(&roots, &wanted),
        wanted,
        log,
        bare: args.bare,
        told: Vec::new(),
        done: Vec::new(),
    };
    let needs = fetch.needs();
    let open = needs.kernel || !needs.modules.is_empty();
    if open && args.offline {
        fetch.told.push(prose!(c::OFFLINE));
    } else if open {
        let cache = roots
            .cache
            .clone()
            .ok_or_else(|| CommandError::unusable(prose!(c::NO_CACHE)).hint(prose!(c::HINT_CACHE)))?;
        let mut bar = Bar::new(output.lang);
        let servers = Servers::from_environment();
        if !args.bare {
            fetch.by_build_id(&servers, &cache, &mut bar)?;
        }
        fetch.found = search(&roots, &fetch.wanted);
        let needs = fetch.needs();
        if needs.kernel || !needs.modules.is_empty() {
            fetch.by_package(needs, &cache, &mut bar);
            fetch.found = search(&roots, &fetch.wanted);
        }
        drop(bar);
    }
    let missing = fetch.missing();
    output.write(&match output.format {
        Format::Json => fetch.json(&missing),
        format => {
            let blocks = fetch.document(&missing, output.lang);
            kwhy_report::render_document(&blocks, format, output.lang, &output.options).unwrap_or_default()
        }
    })?;
    Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UNDETERMINED) })
}

/// What is to be fetched: what a log speaks of, a release, or the kernel that runs here.
fn asked(what: Option<&Path>) -> Result<Wanted, CommandError> {
    let Some(what) = what else { return running() };
    let text = what.to_string_lossy();
    if input::is_stdin(what) || what.exists() {
        let mut logs = input::read(what)?;
        let log = logs.iter().position(|log| !log.log.crashes.is_empty()).map(|at| logs.swap_remove(at));
        let wanted = log.map(|log| wanted(&log.log)).unwrap_or_default();
        if wanted.release.is_none() && wanted.build_id.is_none() {
            return Err(
                CommandError::unusable(prose!(c::LOG_NAMES_NONE, path = text)).hint(prose!(c::HINT_FETCH))
            );
        }
        return Ok(wanted);
    }
    let wanted = Wanted { release: Some(text.clone().into_owned()), ..Wanted::default() };
    if !text.starts_with(|c: char| c.is_ascii_digit()) || wanted.plain_release().is_none() {
        return Err(CommandError::unusable(prose!(c::NOT_A_RELEASE, text = text)).hint(prose!(c::HINT_FETCH)));
    }
    Ok(wanted)
}

/// The kernel that runs here.
fn running() -> Result<Wanted, CommandError> {
    let read = |path: &str| std::fs::read_to_string(path).map(|text| text.trim().to_owned());
    let release = read("/proc/sys/kernel/osrelease").map_err(|error| {
        CommandError::unusable(prose!(c::NO_RUNNING)).because(error).hint(prose!(c::HINT_FETCH))
    })?;
    let build_id = std::fs::read("/sys/kernel/notes").ok().and_then(|notes| gnu_build_id(&notes));
    Ok(Wanted {
        release: Some(release),
        version: read("/proc/sys/kernel/version").ok(),
        build_id,
        ..Wanted::default()
    })
}

/// The build-id among ELF notes as the kernel shows its own: name and description padded to 4
/// bytes, little-endian (elf(5)).
fn gnu_build_id(notes: &[u8]) -> Option<BuildId> {
    let mut rest = notes;
    loop {
        let number = |at: usize| {
            let bytes: [u8; 4] = rest.get(at..at.checked_add(4)?)?.try_into().ok()?;
            usize::try_from(u32::from_le_bytes(bytes)).ok()
        };
        let (name, length, kind) = (number(0)?, number(4)?, number(8)?);
        let start = name.checked_next_multiple_of(4)?.checked_add(12)?;
        let end = start.checked_add(length)?;
        if kind == 3 && rest.get(12..16) == Some(b"GNU\0") {
            return rest.get(start..end).map(|id| BuildId(id.to_vec()));
        }
        rest = rest.get(end.checked_next_multiple_of(4)?..)?;
    }
}

/// A fetch on its way.
struct Fetch {
    wanted: Wanted,
    /// The log's name, where one was given.
    log: Option<String>,
    /// Whether images without debug information will do.
    bare: bool,
    found: Found,
    /// What was tried in vain.
    told: Vec<Prose>,
    /// What was fetched, and from where.
    done: Vec<(PathBuf, Prose)>,
}

/// Something that could not be had.
struct Missing {
    what: Prose,
    command: Option<String>,
}

impl Fetch {
    /// What is missing, or there without debug information.
    fn needs(&self) -> Needs {
        let has = |module: Option<&str>| {
            self.found.chosen().any(|c| {
                // What was named is of unknown content, and taken for what was meant.
                let named = c.source == Source::Given && c.grade.is_none() && stands_for(&c.path, module);
                named || c.module.as_deref() == module && (self.bare || c.has_dwarf == Some(true))
            })
        };
        Needs {
            kernel: !has(None),
            modules: self
                .wanted
                .modules
                .iter()
                .map(|m| m.name.clone())
                .filter(|name| !has(Some(name)))
                .collect(),
        }
    }

    /// Asks the servers for what has a build-id: the log's, or that of what is at hand stripped.
    fn by_build_id(&mut self, servers: &Servers, cache: &Cache, bar: &mut Bar) -> Result<(), CommandError> {
        let needs = self.needs();
        let mut targets: Vec<(Option<String>, Option<BuildId>)> = Vec::new();
        if needs.kernel {
            targets.push((None, self.wanted.build_id.clone()));
        }
        for name in needs.modules {
            let printed =
                self.wanted.modules.iter().find(|m| m.name == name).and_then(|m| m.build_id.clone());
            targets.push((Some(name), printed));
        }
        for (module, printed) in targets {
            let stripped = || {
                let at_hand = self.found.chosen().find(|c| c.module == module && c.build_id.is_some());
                at_hand.and_then(|candidate| candidate.build_id.clone())
            };
            let what = module.clone().map_or_else(|| "vmlinux".to_owned(), |module| format!("{module}.ko"));
            let Some(id) = printed.or_else(stripped) else {
                self.told.push(prose!(c::NO_BUILD_ID_KNOWN, what = what));
                continue;
            };
            if servers.urls.is_empty() {
                self.told.push(prose!(c::NO_SERVERS, what = what, id = id.to_string()));
                continue;
            }
            let release = self.wanted.plain_release();
            let request = Request { build_id: &id, release, module: module.as_deref() };
            let answer = debuginfod::fetch(servers, cache, &request, bar).map_err(|error| {
                CommandError::unusable(prose!(c::CANNOT_USE_CACHE)).because(error).hint(prose!(c::HINT_CACHE))
            })?;
            self.told
                .extend(answer.failures.into_iter().map(|why| prose!(c::ABOUT, what = &what, why = why)));
            if let (Some(file), Some(server)) = (answer.file, answer.server) {
                self.done.push((file, prose!(c::FROM, source = server)));
            }
        }
        Ok(())
    }

    /// Takes what is still missing from the distribution's package.
    fn by_package(&mut self, mut needs: Needs, cache: &Cache, bar: &mut Bar) {
        let Some(distribution) = self.distribution() else {
            self.told.push(prose!(c::NO_DISTRIBUTION));
            return;
        };
        // Modules from outside the tree are in no distribution's package of the kernel.
        needs.modules.retain(|name| !self.is_outside(name));
        if !needs.kernel && needs.modules.is_empty() {
            return;
        }
        let order = Order { wanted: &self.wanted, distribution, needs, bare: self.bare };
        match packages::fetch(&order, cache, bar) {
            Ok(delivered) => {
                self.told.extend(delivered.failures);
                let source = prose!(c::FROM, source = delivered.package);
                self.done.extend(delivered.files.into_iter().map(|file| (file, source.clone())));
            }
            Err(why) => self.told.push(prose!(c::ABOUT, what = distribution.name(), why = why)),
        }
    }

    fn distribution(&self) -> Option<Distribution> {
        let release = self.wanted.plain_release()?;
        Distribution::of(release, self.wanted.version.as_deref()).or_else(|| Distribution::guess(release))
    }

    fn is_outside(&self, module: &str) -> bool {
        self.wanted.modules.iter().any(|wanted| wanted.name == module && wanted.outside)
    }

    fn missing(&self) -> Vec<Missing> {
        let needs = self.needs();
        let known = self.wanted.plain_release().zip(self.distribution());
        let command = known.and_then(|(release, distribution)| {
            distribution.command(release, self.wanted.version.as_deref())
        });
        let kernel = needs
            .kernel
            .then(|| Missing { what: prose!(c::WITHOUT, what = "vmlinux"), command: command.clone() });
        let modules = needs.modules.iter().map(|name| Missing {
            what: prose!(c::WITHOUT, what = format!("{name}.ko")),
            command: match self.is_outside(name) {
                true => Some(format!("kwhy LOG -i $(modinfo -n {name})   # built with -g, not stripped")),
                false => command.clone(),
            },
        });
        kernel.into_iter().chain(modules).collect()
    }

    /// Where each file that will be used came from or was found, best first.
    fn files(&self) -> Vec<(String, Option<&str>, Prose)> {
        self.found
            .chosen()
            .map(|candidate| {
                let fetched = self.done.iter().find(|(file, _)| *file == candidate.path);
                let why = fetched.map_or_else(|| candidate.why.clone(), |(_, from)| from.clone());
                (candidate.path.to_string_lossy().into_owned(), candidate.module.as_deref(), why)
            })
            .collect()
    }

    fn document(&self, missing: &[Missing], lang: Lang) -> Vec<Block> {
        let release = self.wanted.release.clone().unwrap_or_default();
        let title = prose!(c::TITLE, release = release).render(lang);
        let mut blocks = vec![Block::Title(Inline::of(&title, Tone::Strong))];
        let item = |text: Inline, below: Vec<Block>| Item { text, below };
        let mut list = |heading: &kwhy_base::Message, items: Vec<Item>| {
            if !items.is_empty() {
                blocks.push(Block::Heading(kwhy_report::document::words::say(lang, heading).to_owned()));
                blocks.push(Block::List { ordered: false, items });
            }
        };
        let files = self.files().into_iter();
        list(
            &c::THERE,
            files
                .map(|(path, _, why)| {
                    let why = Inline::sentence(&why.render(lang));
                    item(Inline::of(&path, Tone::Code).with("  ", Tone::Plain).and(why), Vec::new())
                })
                .collect(),
        );
        let mut shown: Option<&str> = None;
        let mut lacking = Vec::new();
        for entry in missing {
            // One command supplies them all.
            let command = entry.command.as_deref().filter(|command| shown != Some(command));
            shown = shown.or(command);
            let pasted = |command: &str| match &self.log {
                Some(log) => command.replace("kwhy LOG", &format!("kwhy {}", quoted(log))),
                None => command.to_owned(),
            };
            let below = command.map(|command| Block::Command(pasted(command))).into_iter().collect();
            lacking.push(item(Inline::sentence(&entry.what.render(lang)), below));
        }
        list(&c::MISSING, lacking);
        let told = self.told.iter().chain(&self.found.notes);
        list(&c::TRIED, told.map(|why| item(Inline::sentence(&why.render(lang)), Vec::new())).collect());
        blocks
    }

    fn json(&self, missing: &[Missing]) -> String {
        let english = |prose: &Prose| prose.render(Lang::En);
        let files: Vec<_> = self
            .files()
            .iter()
            .map(|(path, module, why)| json!({ "path": path, "module": module, "why": english(why) }))
            .collect();
        let missing: Vec<_> = missing
            .iter()
            .map(|missing| json!({ "what": english(&missing.what), "command": missing.command }))
            .collect();
        let rejected = self.found.candidates.iter().filter(|candidate| !candidate.chosen);
        let rejected: Vec<_> = rejected
            .map(|candidate| json!({ "path": candidate.path.to_string_lossy(), "why": english(&candidate.why) }))
            .collect();
        let value = json!({
            "schema": "kwhy-fetch/1",
            "release": self.wanted.release,
            "build_id": self.wanted.build_id.as_ref().map(ToString::to_string),
            "files": files,
            "rejected": rejected,
            "missing": missing,
            "notes": self.told.iter().chain(&self.found.notes).map(english).collect::<Vec<_>>(),
        });
        format!("{value:#}\n")
    }
}

/// Whether a file is called like what is looked for.
fn stands_for(path: &Path, module: Option<&str>) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().replace('-', "_")).unwrap_or_default();
    match module {
        Some(module) => name.split(".ko").next() == Some(module.replace('-', "_").as_str()),
        None => name.starts_with("vmlinux"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_s_own_build_id_is_found_among_its_notes() {
        let mut notes = Vec::new();
        for (kind, name, text) in
            [(0x100u32, &b"Xen\0"[..], &[1u8, 2][..]), (3, b"GNU\0", &[0xab, 0xcd, 0xef])]
        {
            notes.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
            notes.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
            notes.extend(kind.to_le_bytes());
            notes.extend(name);
            notes.extend(text);
            notes.resize(notes.len().next_multiple_of(4), 0);
        }
        assert_eq!(gnu_build_id(&notes), BuildId::from_hex("abcdef"));
        for cut in 0..notes.len() - 1 {
            assert_eq!(gnu_build_id(&notes[..cut]), None);
        }
        assert_eq!(gnu_build_id(&[0xff; 64]), None);
    }
}
