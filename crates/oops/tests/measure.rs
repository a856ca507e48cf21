//! Measurements over collections of real logs that are not part of the project.
//!
//! `KWHY_SYZ_DIR` names a folder of `N.log` with `N.json` (expected title, alternatives,
//! corrupted, type), beside it or in it `types.json` (which kinds agree with a type);
//! `KWHY_GUILTY_DIR` one with the source file to blame in `N.json`; `KWHY_LAB_DIR` a folder of
//! folders with `console.log`.

use std::path::{Path, PathBuf};

/// Whether `kind` agrees with `type` of a log titled `title`, by the table `types.json`; `None`
/// where the table has no opinion.
fn agrees(types: &serde_json::Value, wanted: &str, kind: &str, title: &str) -> Option<bool> {
    let kinds = types["map"].get(wanted)?.as_array()?;
    let also = types["also"].as_object().into_iter().flatten();
    let also = also.filter(|(begins, _)| title.starts_with(begins.as_str()));
    let also = also.filter_map(|(_, kinds)| kinds.as_array()).flatten();
    Some(kinds.iter().chain(also).filter_map(|k| k.as_str()).any(|k| match k.strip_suffix('*') {
        Some(head) => kind.starts_with(head),
        None => kind == k,
    }))
}

fn logs(dir: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut entries = entries.flatten().map(|e| e.path()).collect::<Vec<_>>();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            logs(&path, found);
        } else if path.extension().is_some_and(|e| e == "log") {
            found.push(path);
        }
    }
}

#[test]
#[ignore = "needs a collection of logs in KWHY_SYZ_DIR"]
fn titles() {
    let dir = std::env::var_os("KWHY_SYZ_DIR").expect("KWHY_SYZ_DIR");
    let mut paths = Vec::new();
    logs(Path::new(&dir), &mut paths);
    let types = [Path::new(&dir).join("types.json"), Path::new(&dir).join("../types.json")]
        .iter()
        .find_map(|path| std::fs::read(path).ok())
        .map_or(serde_json::Value::Null, |text| serde_json::from_slice(&text).unwrap());
    let (mut kinds_ok, mut kinds_all) = (0, 0);
    let (mut all, mut exact, mut corrupted, mut damaged, mut clean, mut alts_ok, mut alts_all) =
        (0, 0, 0, 0, 0, 0, 0);
    for path in paths {
        let Ok(json) = std::fs::read(path.with_extension("json")) else { continue };
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let Some(expected) = json["title"].as_str() else { continue };
        let log = kwhy_oops::parse(&std::fs::read(&path).unwrap());
        let first = log.crashes.first();
        let title = first.map_or("", |c| c.title.as_str());
        all += 1;
        exact += usize::from(title == expected);
        let torn = first.is_some_and(|c| c.corrupted);
        let expected_torn = json["corrupted"].as_bool().unwrap_or(false);
        corrupted += usize::from(torn == expected_torn);
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if title != expected {
            println!("{name}\n   want {expected}\n   have {title}");
        } else if torn != expected_torn {
            println!("{name} corrupted: want {expected_torn}: {title}");
        }
        let kind = first.map_or("", |c| c.kind.as_str());
        let wanted = json["type"].as_str().unwrap_or("");
        if let Some(agrees) = agrees(&types, wanted, kind, expected).filter(|_| !expected.is_empty()) {
            kinds_all += 1;
            kinds_ok += usize::from(agrees);
            if !agrees {
                println!("KIND {name}|{wanted}|{kind}|{expected}");
            }
        }
        if let Some(alts) = json["alt_titles"].as_array().filter(|a| !a.is_empty()) {
            alts_all += 1;
            let ok = alts
                .iter()
                .all(|a| first.is_some_and(|c| c.alt_titles.iter().any(|t| Some(t.as_str()) == a.as_str())));
            alts_ok += usize::from(ok);
            if !ok {
                println!("ALT {name} want {alts:?} have {:?}", first.map(|c| &c.alt_titles));
            }
        }
        if !expected_torn {
            clean += 1;
            let damage = log.crashes.iter().flat_map(|c| &c.damage).collect::<Vec<_>>();
            if !damage.is_empty() {
                damaged += 1;
                for d in damage {
                    println!("DAMAGE {name}:{} {} {:?} {:?}", d.line, d.field, d.printed, d.grade);
                }
            }
        }
    }
    println!(
        "titles {exact}/{all}, kinds {kinds_ok}/{kinds_all}, corrupted {corrupted}/{all}, alternatives {alts_ok}/{alts_all}, clean logs with damage {damaged}/{clean}"
    );
}

#[test]
#[ignore = "needs a collection of logs in KWHY_LAB_DIR"]
fn lab() {
    let dir = std::env::var_os("KWHY_LAB_DIR").expect("KWHY_LAB_DIR");
    let mut paths = Vec::new();
    logs(Path::new(&dir), &mut paths);
    for path in paths {
        let log = kwhy_oops::parse(&std::fs::read(&path).unwrap());
        println!("{}: {} crashes", path.display(), log.crashes.len());
        for c in &log.crashes {
            println!(
                "  {}-{} {:?} {} [{}] regs {} frames {} code {} modules {} pc {:?} off {:?}{}",
                c.first_line,
                c.last_line,
                c.arch,
                c.title,
                c.kind,
                c.registers.0.len(),
                c.frames.len(),
                c.code.as_ref().map_or(0, |c| c.bytes.len()),
                c.modules.len(),
                c.pc.as_ref().map(|p| (p.value.symbol.as_deref(), p.value.offset, p.value.address)),
                c.kernel_offset.as_ref().map(|k| k.value),
                if c.corrupted { " CORRUPTED" } else { "" },
            );
            for d in &c.damage {
                println!("    DAMAGE {} {} {:?} {:?} {:?}", d.line, d.field, d.printed, d.likely, d.grade);
            }
        }
        for n in &log.notes {
            println!("    NOTE {:?} {}", n.line, n.text.render(kwhy_base::Lang::En));
        }
    }
}

#[test]
#[ignore = "needs a collection of symbolised logs in KWHY_GUILTY_DIR"]
fn guilty() {
    let dir = std::env::var_os("KWHY_GUILTY_DIR").expect("KWHY_GUILTY_DIR");
    let mut paths = Vec::new();
    logs(Path::new(&dir), &mut paths);
    let (mut all, mut right) = (0, 0);
    for path in paths {
        let Ok(json) = std::fs::read(path.with_extension("json")) else { continue };
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let Some(expected) = json["guilty_file"].as_str() else { continue };
        let log = kwhy_oops::parse(&std::fs::read(&path).unwrap());
        let found = log.crashes.first().and_then(|crash| crash.guilty_file.as_deref()).unwrap_or("");
        all += 1;
        right += usize::from(found == expected);
        if found != expected {
            println!("{} want {expected} have {found:?}", path.display());
        }
    }
    println!("guilty files {right}/{all}");
}
