//! Compares a report with the truth, field by field.

use serde_json::Value;
use std::fmt;

/// What is compared, in the order of the table's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// File, line and the whole inline chain.
    Location,
    /// The driver's frame that called the core function that faulted.
    Caller,
    /// The C expression.
    Expression,
    /// The pointer that was followed.
    Pointer,
    /// The struct it points to.
    Struct,
    /// The member.
    Member,
    /// Its offset.
    Offset,
    /// The bad value, or its class.
    Value,
    /// read, write or execute.
    Access,
    /// The cause.
    Cause,
    /// Whose mistake: the function, in its module.
    Function,
    /// Whose mistake: the module alone.
    Module,
    /// Where the bad value was stored or left, among the first three that the report names.
    Origin,
    /// What kind of place that is.
    Kind,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 14] = [
        Field::Location,
        Field::Caller,
        Field::Expression,
        Field::Pointer,
        Field::Struct,
        Field::Member,
        Field::Offset,
        Field::Value,
        Field::Access,
        Field::Cause,
        Field::Function,
        Field::Module,
        Field::Origin,
        Field::Kind,
    ];

    /// The column's head.
    pub fn head(self) -> &'static str {
        match self {
            Field::Location => "loc",
            Field::Caller => "caller",
            Field::Expression => "expr",
            Field::Pointer => "ptr",
            Field::Struct => "struct",
            Field::Member => "member",
            Field::Offset => "offset",
            Field::Value => "value",
            Field::Access => "access",
            Field::Cause => "cause",
            Field::Function => "blame",
            Field::Module => "module",
            Field::Origin => "origin",
            Field::Kind => "kind",
        }
    }

    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Field::Location => "file, line and inline chain",
            Field::Caller => "the driver's frame that called the core",
            Field::Expression => "expression",
            Field::Pointer => "pointer followed",
            Field::Struct => "struct",
            Field::Member => "member",
            Field::Offset => "offset",
            Field::Value => "bad value",
            Field::Access => "access",
            Field::Cause => "cause",
            Field::Function => "blamed function",
            Field::Module => "blamed module",
            Field::Origin => "origin, among the first three",
            Field::Kind => "kind of the origin",
        }
    }
}

/// One field of one case.
pub struct Mark {
    /// Which.
    pub field: Field,
    /// Whether it is right.
    pub right: bool,
    /// The truth.
    pub want: String,
    /// What the report says.
    pub got: String,
}

/// Something that a report says with a grade.
pub struct Claim {
    /// `cause`.
    pub what: &'static str,
    /// `proved`, `likely` or `possible`.
    pub grade: String,
    /// Whether it is right.
    pub right: bool,
}

/// One case, judged.
pub struct Card {
    /// `arm64-6.1`.
    pub kernel: String,
    /// `c02_null_chain`.
    pub case: String,
    /// The fields that the truth speaks of.
    pub marks: Vec<Mark>,
    /// What is wrong although it is graded proved.
    pub proved_wrong: Vec<String>,
    /// What was said with a grade.
    pub claims: Vec<Claim>,
    /// The kind of the true origin, where the truth tells it.
    pub origin_kind: Option<String>,
    /// The true cause.
    pub cause: String,
    /// The reported cause.
    pub cause_got: String,
    /// Whether something was dereferenced or called through a pointer.
    pub dereferences: bool,
    /// What kept the case from being judged.
    pub broken: Option<String>,
}

impl Card {
    /// A field's mark, where the truth speaks of it.
    pub fn right(&self, field: Field) -> Option<bool> {
        self.marks.iter().find(|mark| mark.field == field).map(|mark| mark.right)
    }

    /// Whether expression, struct, member and offset are all right.
    pub fn expression_right(&self) -> bool {
        use Field::{Expression, Member, Offset, Pointer, Struct};
        [Expression, Pointer, Struct, Member, Offset].iter().all(|field| self.right(*field) != Some(false))
    }
}

/// Judges a report.
pub fn judge(truth: &Value, report: &Value) -> Card {
    let mut card = Card {
        kernel: text(truth, "kernel").unwrap_or_default(),
        case: text(truth, "case").unwrap_or_default(),
        marks: Vec::new(),
        proved_wrong: Vec::new(),
        claims: Vec::new(),
        origin_kind: text(truth.get("origin").unwrap_or(&Value::Null), "what"),
        cause: String::new(),
        cause_got: String::new(),
        dereferences: false,
        broken: None,
    };
    let Some(crash) = report.pointer("/crashes/0") else {
        card.broken = Some("no crash was found in the log".to_owned());
        return card;
    };
    location(truth, crash, &mut card);
    expression(truth, crash, &mut card);
    rest(truth, crash, &mut card);
    card
}

fn location(truth: &Value, crash: &Value, card: &mut Card) {
    let stack = ["/pc/inline_stack", "/call_site/stack"].iter().find_map(|at| truth.pointer(at));
    let chain = crash.pointer("/location/inline_chain").unwrap_or(&Value::Null);
    if let Some(stack) = stack {
        card.add(Field::Location, same_stack(stack, chain), shown_stack(stack), shown_stack(chain));
    }
    if let Some(stack) = truth.pointer("/caller_frame/stack") {
        let frames = crash.get("frames").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let found =
            frames.iter().filter_map(|frame| frame.get("inline_chain")).any(|chain| same_stack(stack, chain));
        let is_location = same_stack(stack, chain);
        let got: Vec<String> =
            frames.iter().take(4).filter_map(|frame| frame.get("inline_chain")).map(shown_stack).collect();
        card.add(Field::Caller, found || is_location, shown_stack(stack), got.join(" | "));
    }
}

fn expression(truth: &Value, crash: &Value, card: &mut Card) {
    let said = crash.get("expression").unwrap_or(&Value::Null);
    let mut entries = vec![said];
    entries.extend(said.get("also").and_then(Value::as_array).into_iter().flatten());
    let access = text(truth, "access");
    let asserted = access.is_none();
    let list = |key: &str| -> Vec<&str> {
        truth.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (others, pointers) = (list("expression_also"), list("pointer_also"));
    let fields: [(Field, &str, &str); 5] = [
        (Field::Expression, "expression", "text"),
        (Field::Pointer, "bad_pointer_expression", "pointer"),
        (Field::Struct, "struct", "struct"),
        (Field::Member, "member", "member"),
        (Field::Offset, "offset", "offset"),
    ];
    for (field, want, key) in fields {
        let Some(wanted) = text(truth, want) else { continue };
        // What an assertion tests is no dereference: only its expression is a fact about the crash.
        if asserted && field != Field::Expression {
            continue;
        }
        let said: Vec<String> = entries.iter().filter_map(|entry| text(entry, key)).collect();
        let mut right = said.iter().any(|got| match field {
            Field::Expression => {
                same_expression(&wanted, got) || others.iter().any(|one| same_expression(one, got))
            }
            Field::Pointer => {
                same_expression(&wanted, got) || pointers.iter().any(|one| same_expression(one, got))
            }
            Field::Member => same_member(&wanted, got),
            _ => &wanted == got,
        });
        // The offset of a member, or that of the access with its index worked out.
        if field == Field::Offset && !right {
            right = text(truth, "access_offset").is_some_and(|effective| said.contains(&effective));
        }
        card.add(field, right, wanted, said.join(" | "));
    }
    card.dereferences = access.is_some()
        && (text(truth, "expression").is_some() || text(truth, "bad_pointer_expression").is_some());
    if card.dereferences {
        let right = card.expression_right();
        card.claim("expression", said.get("grade"), right);
    }
}

fn rest(truth: &Value, crash: &Value, card: &mut Card) {
    let value = text(truth, "bad_value");
    let class = text(truth, "bad_class");
    if value.is_some() || class.is_some() {
        let got = crash.pointer("/bad_value/value").and_then(Value::as_str).unwrap_or("-");
        let got_class = crash.pointer("/bad_value/class").and_then(Value::as_str).unwrap_or("-");
        let right = value.as_deref().is_none_or(|value| value == got)
            && class.as_deref().is_none_or(|class| class == got_class);
        let want = format!("{} {}", value.unwrap_or_default(), class.unwrap_or_default());
        card.add(Field::Value, right, want, format!("{got} {got_class}"));
    }
    if let Some(access) = text(truth, "access") {
        let got = crash.pointer("/fault/access").and_then(Value::as_str).unwrap_or("-");
        // An atomic read-modify-write is reported as either, by CPU and kernel.
        let right = access.split('/').any(|one| got == one || (one == "exec" && got == "execute"));
        card.add(Field::Access, right, access, got.to_owned());
    }
    let got = text(crash, "cause").unwrap_or_default();
    let wanted = causes(truth);
    if let Some(first) = wanted.first() {
        let right = wanted.contains(&got);
        card.cause = first.clone();
        card.cause_got = got.clone();
        card.add(Field::Cause, right, wanted.join("/"), got);
        card.claim("cause", crash.pointer("/hypotheses/0/grade"), right);
    }
    blame(truth, crash, card);
    origin(truth, crash, card);
}

/// Function and module are judged apart: a report may well know the module and not the function.
fn blame(truth: &Value, crash: &Value, card: &mut Card) {
    let said = crash.get("blame").unwrap_or(&Value::Null);
    let module = text(truth, "blame_module").unwrap_or_default();
    let got_module = text(said, "module").unwrap_or_default();
    if let Some(function) = text(truth, "blame_function") {
        let want = format!("{function} [{module}]");
        let got = format!("{} [{got_module}]", plain(&text(said, "function").unwrap_or_default()));
        let right = want == got;
        card.add(Field::Function, right, want, got);
        card.claim("blamed function", said.get("grade"), right);
    }
    if !module.is_empty() {
        let right = module == got_module;
        card.add(Field::Module, right, module, got_module);
        card.claim("blamed module", said.get("grade"), right);
    }
}

fn origin(truth: &Value, crash: &Value, card: &mut Card) {
    // Who reads a report looks at a few; a list of everything would always hold the right one.
    const LOOKED_AT: usize = 3;
    let Some(origin) = truth.get("origin").filter(|origin| origin.is_object()) else { return };
    let said = crash.get("origin").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let said = said.get(..LOOKED_AT).unwrap_or(said);
    let show = |one: &Value| {
        format!(
            "{} {}:{}",
            text(one, "function").unwrap_or_default(),
            text(one, "file").unwrap_or_default(),
            one.get("line").and_then(Value::as_u64).unwrap_or(0)
        )
    };
    let kinds = || said.iter().filter_map(|one| text(one, "what"));
    if let Some(line) = origin.get("line").and_then(Value::as_u64) {
        let mut places = vec![(text(origin, "file").unwrap_or_default(), line)];
        for also in origin.get("also").and_then(Value::as_array).into_iter().flatten() {
            let place = also.as_str().and_then(|place| place.rsplit_once(':'));
            places.extend(place.and_then(|(file, line)| Some((file.to_owned(), line.parse().ok()?))));
        }
        let right = said.iter().any(|one| {
            let (at, file) = (one.get("line").and_then(Value::as_u64), text(one, "file").unwrap_or_default());
            places.iter().any(|(want, line)| at == Some(*line) && same_file(want, &file))
        });
        card.add(Field::Origin, right, show(origin), said.iter().map(show).collect::<Vec<_>>().join(" | "));
    }
    if let Some(kind) = text(origin, "what") {
        let right = kinds().any(|got| kind.split('/').any(|one| one == got));
        card.add(Field::Kind, right, kind, kinds().collect::<Vec<_>>().join(" | "));
    }
}

impl Card {
    fn add(&mut self, field: Field, right: bool, want: String, got: String) {
        self.marks.push(Mark { field, right, want, got });
    }

    fn claim(&mut self, what: &'static str, grade: Option<&Value>, right: bool) {
        let Some(grade) = grade.and_then(Value::as_str) else { return };
        if grade == "proved" && !right {
            self.proved_wrong.push(what.to_owned());
        }
        self.claims.push(Claim { what, grade: grade.to_owned(), right });
    }
}

/// The causes that count as right. Truths of other labs use the words of the log instead of the contract's.
fn causes(truth: &Value) -> Vec<String> {
    if let Some(cause) = text(truth, "cause") {
        return cause.split('/').map(str::to_owned).collect();
    }
    let kind = text(truth, "kind").unwrap_or_default();
    let list: &[&str] = match kind.as_str() {
        "null-deref" => &["null-pointer"],
        "err-ptr" => &["error-pointer"],
        "BUG" => &["assertion", "list-corruption", "double-free"],
        "WARN" | "WARNING" => &["warning", "refcount", "list-corruption"],
        "" => &[],
        other => return vec![other.to_owned()],
    };
    list.iter().map(|cause| (*cause).to_owned()).collect()
}

fn same_stack(want: &Value, got: &Value) -> bool {
    let (Some(want), Some(got)) = (want.as_array(), got.as_array()) else { return false };
    want.len() == got.len() && want.iter().zip(got).all(|(want, got)| same_frame(want, got))
}

fn same_frame(want: &Value, got: &Value) -> bool {
    let name = |frame: &Value| plain(&text(frame, "function").unwrap_or_default()).to_owned();
    want.get("line").and_then(Value::as_u64) == got.get("line").and_then(Value::as_u64)
        && name(want) == name(got)
        && same_file(&text(want, "file").unwrap_or_default(), &text(got, "file").unwrap_or_default())
}

/// A symbol's source name: without what compilers and the linker add.
fn plain(symbol: &str) -> &str {
    symbol.split('.').next().unwrap_or(symbol).trim_start_matches("__pi_")
}

/// One path ends with the other.
fn same_file(a: &str, b: &str) -> bool {
    let parts = |path: &str| {
        path.split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .rev()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (a, b) = (parts(a), parts(b));
    !a.is_empty() && !b.is_empty() && a.iter().zip(&b).all(|(a, b)| a == b)
}

/// Equal but for spelling: spaces, redundant parentheses, a call's arguments.
fn same_expression(want: &str, got: &str) -> bool {
    let tidy = |text: &str| {
        let mut text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        while let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
            && balanced(inner)
        {
            text = inner.to_owned();
        }
        text
    };
    // A call through a pointer may be given with its arguments or without.
    let called = |text: &str| match text.split_once('(') {
        Some((head, _))
            if text.ends_with(')') && head.ends_with(|c: char| c.is_alphanumeric() || c == '_') =>
        {
            head.to_owned()
        }
        _ => text.to_owned(),
    };
    let (want, got) = (tidy(want), tidy(got));
    let assertion = want.starts_with("BUG_ON") || want.starts_with("WARN_ON");
    want == got || (!assertion && called(&want) == called(&got))
}

fn balanced(text: &str) -> bool {
    let mut depth = 0i32;
    for c in text.chars() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth < 0 {
            return false;
        }
    }
    depth == 0
}

/// `tx.stats.dropped` is also found under its last name, and an array with or without its index.
pub fn same_member(want: &str, got: &str) -> bool {
    let bare = |text: &str| {
        let mut out = String::new();
        let mut depth = 0;
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                c if depth == 0 => out.push(c),
                _ => {}
            }
        }
        out
    };
    let (want, got) = (bare(want), bare(got));
    // Or under the name of what lies first in it, as an atomic's counter does; the offset is compared as well.
    want == got
        || want.ends_with(&format!(".{got}"))
        || got.ends_with(&format!(".{want}"))
        || got.starts_with(&format!("{want}."))
}

fn shown_stack(stack: &Value) -> String {
    let frames = stack.as_array().map(Vec::as_slice).unwrap_or_default();
    let one = |frame: &Value| {
        format!(
            "{} {}:{}",
            text(frame, "function").unwrap_or_default(),
            text(frame, "file").unwrap_or_default(),
            frame.get("line").and_then(Value::as_u64).unwrap_or(0)
        )
    };
    frames.iter().map(one).collect::<Vec<_>>().join(" < ")
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: want {} · got {}",
            self.field.head(),
            self.want,
            if self.got.is_empty() { "-" } else { &self.got }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spelling_does_not_count_but_everything_else_does() {
        assert!(same_expression("use->target", "( use->target )"));
        assert!(same_expression("s->ops->start(s, s->rate)", "s->ops->start"));
        assert!(!same_expression("a->b", "a->c"));
        assert!(!same_expression("(*a)->b", "a->b"));
        assert!(!same_expression("BUG_ON(a > b)", "BUG_ON(a > c)"));
        assert!(same_member("cal[chan].gain", "cal[5].gain"));
        assert!(!same_member("gain", "again"));
        assert!(same_file("list.h", "include/linux/list.h"));
        assert!(!same_file("klist.h", "include/linux/list.h"));
    }

    #[test]
    fn a_wrong_expression_with_grade_proved_is_counted() {
        let truth = json!({ "kernel": "k", "case": "c", "access": "read", "expression": "a->b",
            "struct": "struct a", "cause": "null-pointer",
            "pc": { "inline_stack": [ { "function": "f", "file": "a.c", "line": 3 } ] } });
        let report = json!({ "crashes": [ {
            "location": { "inline_chain": [ { "function": "f.isra.0", "file": "x/a.c", "line": 3 } ] },
            "expression": { "text": "a->c", "struct": "struct a", "grade": "proved" },
            "cause": "null-pointer" } ] });
        let card = judge(&truth, &report);
        assert_eq!(card.right(Field::Location), Some(true));
        assert_eq!(card.right(Field::Expression), Some(false));
        assert_eq!(card.proved_wrong, ["expression"]);
        assert!(card.dereferences && !card.expression_right());
    }

    #[test]
    fn blame_is_judged_as_function_and_as_module_and_an_origin_only_among_the_first_three() {
        let truth = json!({ "blame_function": "f", "blame_module": "m",
            "origin": { "file": "a.c", "line": 4, "what": "global" } });
        let place = |line: u64, what: &str| json!({ "file": "a.c", "line": line, "what": what });
        let report = |origins: Value| {
            json!({ "crashes": [ { "blame": { "function": "g", "module": "m", "grade": "likely" },
                "origin": origins } ] })
        };
        let first = ["parameter", "code", "global"].map(|what| place(1, what));
        let mut late: Vec<Value> = first.to_vec();
        late.push(place(4, "global"));
        let card = judge(&truth, &report(json!(late)));
        assert_eq!(card.right(Field::Function), Some(false));
        assert_eq!(card.right(Field::Module), Some(true));
        assert_eq!(card.right(Field::Origin), Some(false));
        assert_eq!(card.right(Field::Kind), Some(true));
        assert!(card.proved_wrong.is_empty());
        assert_eq!(card.claims.iter().filter(|claim| claim.right).count(), 1);
        let card = judge(&truth, &report(json!([place(4, "constant")])));
        assert_eq!((card.right(Field::Origin), card.right(Field::Kind)), (Some(true), Some(false)));
    }
}
