//! What is read from whole reports, field by field. A change here is a change of what people see.

fn show(bytes: &[u8]) -> String {
    let log = kwhy_oops::parse(bytes);
    let mut text = String::new();
    for crash in &log.crashes {
        text.push_str(&format!("{crash:#?}\n"));
    }
    for note in &log.notes {
        text.push_str(&format!("{:?} {}\n", note.line, note.text.render(kwhy_base::Lang::En)));
    }
    text
}

#[test]
fn ubuntu_arm64_insmod() {
    insta::assert_snapshot!(show(include_bytes!("../../../examples/ubuntu-arm64-insmod.log")));
}

#[test]
fn x86_list_corruption_with_callers() {
    insta::assert_snapshot!(show(include_bytes!("shapes/x86-gpf.log")));
}

#[test]
fn several_reports_of_several_kernels() {
    insta::assert_snapshot!(show(include_bytes!("shapes/mixed.log")));
}

#[test]
fn damage_in_words() {
    let log = kwhy_oops::parse(include_bytes!("../../../examples/ubuntu-arm64-insmod.log"));
    let lines = log.crashes.iter().flat_map(|crash| &crash.damage).map(|damage| {
        let both =
            [kwhy_base::Lang::En, kwhy_base::Lang::Zh].map(|lang| damage.reason.render(lang)).join("\n    ");
        let head = format!(
            "{} {} {:?} -> {:?} {:?}",
            damage.line, damage.field, damage.printed, damage.likely, damage.grade
        );
        format!("{head}\n    {both}\n")
    });
    insta::assert_snapshot!(lines.collect::<String>());
}
