//! `kwhy writers` and `kwhy path` on a small module that was compiled for both CPUs.

#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::kwhy;
use serde_json::Value;

fn image(arch: &str) -> String {
    format!("{}/tests/writers/port-{arch}.o", env!("CARGO_MANIFEST_DIR"))
}

fn writers(member: &str, arch: &str) -> Vec<Value> {
    let run = kwhy(&["writers", member, "-f", "json", "-i", &image(arch)]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["schema"], "kwhy-writers/1");
    json["writers"].as_array().unwrap().clone()
}

/// (kind, function, line, what is written), for each writer.
fn table(found: &[Value]) -> Vec<(&str, &str, u64, &str)> {
    found
        .iter()
        .map(|writer| {
            (
                writer["kind"].as_str().unwrap(),
                writer["function"].as_str().unwrap(),
                writer["line"].as_u64().unwrap(),
                writer["value"].as_str().unwrap_or_default(),
            )
        })
        .collect()
}

#[test]
fn every_way_of_giving_a_member_a_value_is_found() {
    for arch in ["arm64", "x86_64"] {
        let found = writers("struct port.bell", arch);
        let mut rows = table(&found);
        // The compiler inlined one allocation a second time.
        rows.dedup();
        assert_eq!(
            rows,
            [
                ("assigned", "give_bell", 30, "bell"),
                ("assigned", "port_mute", 67, "NULL"),
                ("filled", "port_copy", 56, ""),
                ("filled", "port_reset", 72, ""),
                ("zeroed", "port_open", 42, ""),
                ("allocated", "port_copy", 54, ""),
                ("freed", "port_close", 77, ""),
            ],
            "{arch}"
        );
    }
}

#[test]
fn a_member_of_an_anonymous_struct_and_of_one_within_it() {
    for arch in ["arm64", "x86_64"] {
        let users = writers("port.users", arch);
        assert!(users.iter().any(|writer| writer["function"] == "port_use"), "{arch}: {users:?}");
        let volume = writers("struct port.inner.volume", arch);
        assert!(volume.iter().all(|writer| writer["kind"] != "assigned"), "{arch}: {volume:?}");
    }
}

#[test]
fn ways_lead_through_what_was_inlined() {
    for arch in ["arm64", "x86_64"] {
        let found = writers("struct port.bell", arch);
        let give = found.iter().find(|writer| writer["function"] == "give_bell").unwrap();
        let names = |way: &Value| -> Vec<String> {
            let steps = way.as_array().unwrap().iter();
            steps.map(|step| step["function"].as_str().unwrap().to_owned()).collect()
        };
        let ways: Vec<Vec<String>> = give["call_paths"].as_array().unwrap().iter().map(names).collect();
        let long = ["init_module", "port_open", "set_up", "give_bell"].map(str::to_owned).to_vec();
        assert!(ways.contains(&long), "{arch}: {ways:?}");
        let run = kwhy(&["path", "init_module", "set_up", "-f", "json", "-i", &image(arch)]);
        let json: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(names(&json["path"]), ["init_module", "port_open", "set_up"], "{arch}");
    }
}

#[test]
fn paths_lead_through_members_that_hold_functions() {
    for arch in ["arm64", "x86_64"] {
        let bell = format!("{}/tests/writers/bell-{arch}.o", env!("CARGO_MANIFEST_DIR"));
        for (from, to, through) in [
            // A table, a pointer chosen before the call, and a member that code fills.
            ("port_ring", "loud_ring", "struct port_ops.ring in loud_ops"),
            ("port_start", "loud_open", "struct port_ops.open in loud_ops"),
            ("port_run", "hooked", "struct port.hook"),
        ] {
            let run = kwhy(&["path", "entry", to, "-f", "json", "-i", &bell]);
            let json: Value = serde_json::from_str(&run.stdout).unwrap();
            let steps = json["path"].as_array().unwrap();
            let names: Vec<&str> = steps.iter().map(|step| step["function"].as_str().unwrap()).collect();
            assert_eq!(names, ["entry", from, to], "{arch}");
            assert_eq!(steps[2]["through"], through, "{arch}");
            assert_eq!((&steps[0]["through"], &steps[1]["through"]), (&Value::Null, &Value::Null));
        }
    }
}

#[test]
fn questions_without_an_answer_say_what_to_do() {
    let image = image("arm64");
    let asked = |args: &[&str]| {
        let run = kwhy(&[args, &["-i", &image, "--lang", "en"]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{args:?}");
        run.stderr
    };
    assert!(asked(&["writers", "struct port"]).contains("struct module_use.target"));
    assert!(asked(&["writers", "struct none.bell"]).contains("no image given describes a type"));
    assert!(asked(&["writers", "struct port.none"]).contains("has no member none"));
    assert!(asked(&["path", "set_up", "init_module"]).contains("no chain of calls"));
    assert!(asked(&["path", "nothing", "set_up"]).contains("no image given has a function"));
}
