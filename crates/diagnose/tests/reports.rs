//! Whole reports of logs, as JSON: what is said, that it is said the same way twice, and that
//! no log makes the analysis fall over.

use kwhy_diagnose::{Inputs, analyze};

const SEED: &[u8] = include_bytes!("../../../examples/ubuntu-arm64-insmod.log");
const ERROR_POINTER: &[u8] = include_bytes!("logs/x86-error-pointer.log");
const NULL_CALL: &[u8] = include_bytes!("logs/arm64-null-call.log");

fn json(log: &[u8]) -> String {
    let report = analyze(&Inputs { log, images: Vec::new(), sources: None });
    serde_json::to_string_pretty(&report).unwrap_or_default()
}

#[test]
fn a_miscopied_arm64_log() {
    insta::assert_snapshot!(json(SEED));
}

#[test]
fn an_error_pointer_on_x86_64() {
    insta::assert_snapshot!(json(ERROR_POINTER));
}

#[test]
fn a_null_function_pointer_on_arm64() {
    insta::assert_snapshot!(json(NULL_CALL));
}

#[test]
fn the_miscopied_log_is_understood() {
    let report: serde_json::Value = serde_json::from_str(&json(SEED)).unwrap();
    let crash = &report["crashes"][0];
    assert_eq!(crash["fault"]["syndrome"]["value"], "0x96000004");
    assert_eq!(crash["fault"]["access"], "read");
    assert_eq!(crash["fault"]["address_class"], "non-canonical");
    assert_eq!(crash["fault"]["address_likely"], "0x323bfa8c17cc5");
    assert_eq!(crash["bad_value"]["value"], "0xd50323bfa8c17bfd");
    assert_eq!(crash["bad_value"]["class"], "machine-code");
    assert_eq!(crash["cause"], "wild-pointer");
    // A mended value is an inference: nothing that rests on it may be called proved.
    assert!(crash["hypotheses"].as_array().unwrap().iter().all(|h| h["grade"] != "proved"));
    assert_eq!(crash["blame"]["module"], serde_json::Value::Null);
}

#[test]
fn the_same_log_gives_the_same_report() {
    for log in [SEED, ERROR_POINTER, NULL_CALL] {
        assert_eq!(json(log), json(log));
    }
}

/// Bytes changed, lines dropped, doubled and cut: a report comes out of anything.
#[test]
fn mutated_logs_do_not_panic() {
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for log in [SEED, ERROR_POINTER, NULL_CALL] {
        for round in 0..60 {
            let mut bytes = log.to_vec();
            for _ in 0..=round % 12 {
                let at = next(bytes.len());
                match next(4) {
                    0 => bytes[at] = next(256) as u8,
                    1 => bytes[at] = b"0123456789abcdefx+/[]<> \n"[next(25)],
                    2 => {
                        bytes.truncate(at.max(1));
                    }
                    _ => {
                        let end = (at + next(80)).min(bytes.len());
                        bytes.drain(at..end);
                        bytes.push(b'\n');
                    }
                }
            }
            let _ = json(&bytes);
        }
    }
}
