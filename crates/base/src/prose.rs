//! Prose in two languages: a message of the catalogue with its arguments filled in.
//!
//! Everything kwhy says in words is a [`Prose`] value, carried unrendered inside the report,
//! so that one report can be shown in either language. Code, symbols, numbers and the
//! kernel's own terms are arguments and are never translated.

use std::fmt;

/// The languages kwhy speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Chinese, simplified.
    Zh,
}

/// One entry of the catalogue: the same sentence in each language, with `{name}` for arguments.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The constant's name, unique in the catalogue.
    pub key: &'static str,
    /// English.
    pub en: &'static str,
    /// Chinese.
    pub zh: &'static str,
}

/// An argument of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arg {
    /// Code, names, numbers: the same in every language.
    Plain(String),
    /// Prose within prose.
    Prose(Prose),
    /// Several, joined by the language's comma.
    List(Vec<Prose>),
}

/// A sentence or a part of one, in any language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prose {
    /// A message of the catalogue and its arguments, in the order given.
    Message(&'static Message, Vec<(&'static str, Arg)>),
    /// Text that is the same in every language (code, a quotation of the log).
    Verbatim(String),
    /// Sentences one after another.
    Sequence(Vec<Prose>),
}

impl Prose {
    /// Text that is the same in every language.
    pub fn verbatim(text: impl Into<String>) -> Prose {
        Prose::Verbatim(text.into())
    }

    /// The text in `lang`.
    #[must_use]
    pub fn render(&self, lang: Lang) -> String {
        let mut out = String::new();
        self.render_into(lang, &mut out);
        out
    }

    fn render_into(&self, lang: Lang, out: &mut String) {
        match self {
            Prose::Verbatim(text) => out.push_str(text),
            Prose::Sequence(parts) => {
                for (i, part) in parts.iter().enumerate() {
                    if i > 0 && lang == Lang::En {
                        out.push(' ');
                    }
                    part.render_into(lang, out);
                }
            }
            Prose::Message(message, args) => {
                let mut rest = match lang {
                    Lang::En => message.en,
                    Lang::Zh => message.zh,
                };
                while let Some((before, after)) = rest.split_once('{') {
                    out.push_str(before);
                    let Some((name, tail)) = after.split_once('}') else {
                        out.push('{');
                        rest = after;
                        continue;
                    };
                    match args.iter().find(|(key, _)| *key == name) {
                        Some((_, arg)) => arg.render_into(lang, out),
                        None => {
                            out.push('{');
                            out.push_str(name);
                            out.push('}');
                        }
                    }
                    rest = tail;
                }
                out.push_str(rest);
            }
        }
    }
}

impl Arg {
    fn render_into(&self, lang: Lang, out: &mut String) {
        match self {
            Arg::Plain(text) => out.push_str(text),
            Arg::Prose(prose) => prose.render_into(lang, out),
            Arg::List(items) => {
                let comma = match lang {
                    Lang::En => ", ",
                    Lang::Zh => "、",
                };
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push_str(comma);
                    }
                    item.render_into(lang, out);
                }
            }
        }
    }
}

/// Makes an [`Arg`] of whatever a `prose!` call names: prose stays prose, all else is shown.
///
/// `Prose` deliberately has no `Display`: to show it, a language must be chosen.
pub trait IntoArg {
    /// The argument.
    fn into_arg(self) -> Arg;
}

impl IntoArg for Prose {
    fn into_arg(self) -> Arg {
        Arg::Prose(self)
    }
}

impl IntoArg for Vec<Prose> {
    fn into_arg(self) -> Arg {
        Arg::List(self)
    }
}

macro_rules! plain_args {
    ($($t:ty),*) => { $(impl IntoArg for $t {
        fn into_arg(self) -> Arg { Arg::Plain(self.to_string()) }
    })* };
}
plain_args!(
    &str,
    String,
    &String,
    char,
    u8,
    u16,
    u32,
    u64,
    usize,
    i32,
    i64,
    std::borrow::Cow<'_, str>,
    fmt::Arguments<'_>
);

/// `prose!(MESSAGE)` or `prose!(MESSAGE, name = value, …)`: a catalogue message filled in.
///
/// Values are anything [`IntoArg`]: text, numbers, other prose, lists of prose, and
/// `format_args!(…)`.
#[macro_export]
macro_rules! prose {
    ($message:expr $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::prose::filled(&$message, vec![$((stringify!($name), $crate::prose::IntoArg::into_arg($value))),*])
    };
}

/// What `prose!` calls. In debug builds it checks that the arguments are those the message names.
#[must_use]
pub fn filled(message: &'static Message, args: Vec<(&'static str, Arg)>) -> Prose {
    debug_assert!(
        args.iter().all(|(name, _)| message.en.contains(&format!("{{{name}}}"))),
        "{}: an argument that the message does not name: {args:?}",
        message.key,
    );
    debug_assert_eq!(placeholders(message.en).len(), args.len(), "{}: arguments missing", message.key);
    Prose::Message(message, args)
}

/// The distinct names in braces of a message text, sorted.
#[must_use]
pub fn placeholders(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> =
        text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
