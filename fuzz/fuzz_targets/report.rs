//! A log and an image to a report and every face of it: never a panic, and the same twice.
#![no_main]

use kwhy_base::Lang;
use kwhy_diagnose::{ImageInput, Inputs, analyze};
use kwhy_report::{Format, Options, render};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fn faces(log: &[u8], image: &[u8]) -> Vec<String> {
    let images = match image {
        [] => Vec::new(),
        data => vec![ImageInput { name: "shapes.ko".into(), data }],
    };
    let report = analyze(&Inputs { log, images, sources: None });
    for crash in &report.crashes {
        assert!(crash.hypotheses.iter().all(|hypothesis| !hypothesis.for_.is_empty()), "no evidence");
    }
    let options = Options { width: 60 + log.len() % 60, color: log.len() % 2 == 0 };
    let mut faces = vec![render(&report, Format::Json, Lang::En, &options)];
    for lang in [Lang::En, Lang::Zh] {
        for format in [Format::Text, Format::Markdown, Format::Html] {
            faces.push(render(&report, format, lang, &options));
        }
    }
    faces
}

fuzz_target!(|data: &[u8]| {
    let (log, image) = kwhy_fuzz::pack::unpack(data);
    assert!(faces(log, image) == faces(log, image), "not the same twice");
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    kwhy_fuzz::change::pair(data, size, max_size, seed)
});
