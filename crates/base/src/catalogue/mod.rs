//! Everything kwhy says in prose, in each of its languages, in one place.
//!
//! One file per part of the product; [`all`] lists them for the test that holds every message
//! complete. A message is used with [`crate::prose!`].

use crate::prose::Message;

/// Declares messages: `NAME = "English {arg}" / "中文 {arg}";`
macro_rules! messages {
    ($($name:ident = $en:literal / $zh:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: $crate::prose::Message = $crate::prose::Message { key: stringify!($name), en: $en, zh: $zh };
        )*
        /// Every message of this file.
        pub const MESSAGES: &[&$crate::prose::Message] = &[$(&$name),*];
    };
}

pub mod arch;
pub mod arch_cpus;
pub mod arch_errno;
pub mod arch_esr;
pub mod arch_state;
pub mod arch_taint;
pub mod arch_x86;
pub mod blame;
pub mod checks;
pub mod cli;
pub mod damage;
pub mod details;
pub mod evidence;
pub mod expression;
pub mod faces;
pub mod fetch;
pub mod fetch_cmd;
pub mod fixup;
pub mod input;
pub mod listing;
pub mod meaning;
pub mod memory;
pub mod origin;
pub mod reports;
pub mod story;
pub mod suspects;
pub mod verdict;
pub mod writers;

/// Every message there is, by file.
#[must_use]
pub fn all() -> Vec<(&'static str, &'static [&'static Message])> {
    vec![
        ("arch", arch::MESSAGES),
        ("arch_cpus", arch_cpus::MESSAGES),
        ("arch_errno", arch_errno::MESSAGES),
        ("arch_esr", arch_esr::MESSAGES),
        ("arch_state", arch_state::MESSAGES),
        ("arch_taint", arch_taint::MESSAGES),
        ("arch_x86", arch_x86::MESSAGES),
        ("blame", blame::MESSAGES),
        ("checks", checks::MESSAGES),
        ("cli", cli::MESSAGES),
        ("damage", damage::MESSAGES),
        ("details", details::MESSAGES),
        ("evidence", evidence::MESSAGES),
        ("expression", expression::MESSAGES),
        ("faces", faces::MESSAGES),
        ("fetch", fetch::MESSAGES),
        ("fetch_cmd", fetch_cmd::MESSAGES),
        ("fixup", fixup::MESSAGES),
        ("input", input::MESSAGES),
        ("listing", listing::MESSAGES),
        ("meaning", meaning::MESSAGES),
        ("memory", memory::MESSAGES),
        ("origin", origin::MESSAGES),
        ("reports", reports::MESSAGES),
        ("story", story::MESSAGES),
        ("suspects", suspects::MESSAGES),
        ("verdict", verdict::MESSAGES),
        ("writers", writers::MESSAGES),
    ]
}

#[cfg(test)]
mod tests {
    use crate::prose::placeholders;
    use std::collections::BTreeSet;

    #[test]
    fn every_message_is_complete_in_both_languages() {
        let mut keys = BTreeSet::new();
        for (file, messages) in super::all() {
            for message in messages {
                assert!(keys.insert((file, message.key)), "{file}: {} twice", message.key);
                assert!(!message.en.is_empty() && !message.zh.is_empty(), "{}", message.key);
                assert_eq!(
                    placeholders(message.en),
                    placeholders(message.zh),
                    "{file}: {} names other arguments in Chinese",
                    message.key
                );
                let plain = |text: &str| {
                    text.split('{').map(|p| p.split_once('}').map_or(p, |(_, t)| t)).collect::<String>()
                };
                assert!(
                    plain(message.zh).chars().any(|c| c as u32 > 0x2e80)
                        || !plain(message.en)
                            .split_whitespace()
                            .any(|w| w.len() > 3 && w.chars().all(char::is_alphabetic)),
                    "{file}: {} is not translated",
                    message.key
                );
            }
        }
    }
}
