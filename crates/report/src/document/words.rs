//! The contract's keys in words. A key that has none here is shown as it is.

use crate::model::{Grade, Outcome};
use kwhy_base::catalogue::faces as f;
use kwhy_base::{Lang, Message};

/// A catalogue message without arguments, in `lang`.
#[must_use]
pub fn say(lang: Lang, message: &Message) -> &'static str {
    match lang {
        Lang::En => message.en,
        Lang::Zh => message.zh,
    }
}

/// `proved`, `likely`, `possible`.
#[must_use]
pub fn grade(lang: Lang, grade: Grade) -> &'static str {
    say(
        lang,
        match grade {
            Grade::Proved => &f::GRADE_PROVED,
            Grade::Likely => &f::GRADE_LIKELY,
            Grade::Possible => &f::GRADE_POSSIBLE,
        },
    )
}

/// The mark and the word of a check's outcome.
#[must_use]
pub fn outcome(lang: Lang, outcome: Outcome) -> (&'static str, &'static str) {
    match outcome {
        Outcome::Agrees => ("✓", say(lang, &f::AGREES)),
        Outcome::Disagrees => ("✗", say(lang, &f::DISAGREES)),
        Outcome::Unavailable => ("–", say(lang, &f::UNAVAILABLE)),
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $keys:ident, $words:ident: $($key:literal => $message:ident),* $(,)?) => {
        words! { $(#[$doc])* $name, $keys: $($key => $message),* }
        const $words: &[(&str, &Message)] = &[$(($key, &f::$message)),*];
    };
    ($(#[$doc:meta])* $name:ident, $keys:ident: $($key:literal => $message:ident),* $(,)?) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(lang: Lang, key: &str) -> &str {
            match key {
                $($key => say(lang, &f::$message),)*
                other => other,
            }
        }
        #[cfg(test)]
        pub(crate) const $keys: &[&str] = &[$($key),*];
    };
}

words! {
    /// What kind of access it was.
    access, ACCESSES:
    "read" => ACCESS_READ,
    "write" => ACCESS_WRITE,
    "execute" => ACCESS_EXECUTE,
}

words! {
    /// What a check looks at.
    check, CHECKS:
    "address" => CHECK_ADDRESS,
    "access" => CHECK_ACCESS,
    "code-bytes" => CHECK_CODE_BYTES,
    "function-size" => CHECK_FUNCTION_SIZE,
    "type" => CHECK_TYPE,
    "architecture" => CHECK_ARCHITECTURE,
    "release" => CHECK_RELEASE,
    "version" => CHECK_VERSION,
    "build-id" => CHECK_BUILD_ID,
}

words! {
    /// A class of addresses or of values.
    class, CLASSES:
    "null" => CLASS_NULL,
    "near-null" => CLASS_NEAR_NULL,
    "user" => CLASS_USER,
    "non-canonical" => CLASS_NON_CANONICAL,
    "linear-map" => CLASS_LINEAR_MAP,
    "vmalloc" => CLASS_VMALLOC,
    "kernel-text" => CLASS_KERNEL_TEXT,
    "kernel-data" => CLASS_KERNEL_DATA,
    "module" => CLASS_MODULE,
    "vmemmap" => CLASS_VMEMMAP,
    "fixmap" => CLASS_FIXMAP,
    "error-pointer" => CLASS_ERROR_POINTER,
    "poison" => CLASS_POISON,
    "kernel-other" => CLASS_KERNEL_OTHER,
    "small-integer" => CLASS_SMALL_INTEGER,
    "list-poison" => CLASS_LIST_POISON,
    "slab-poison" => CLASS_SLAB_POISON,
    "machine-code" => CLASS_MACHINE_CODE,
    "ascii-text" => CLASS_ASCII_TEXT,
    "user-pointer" => CLASS_USER_POINTER,
    "kernel-pointer" => CLASS_KERNEL_POINTER,
    "bit-flip" => CLASS_BIT_FLIP,
    "tagged-pointer" => CLASS_TAGGED_POINTER,
    "integer" => CLASS_INTEGER,
    "stack" => CLASS_STACK,
}

words! {
    /// Where a value came from.
    origin, ORIGINS:
    "member-store" => ORIGIN_MEMBER_STORE,
    "missing-store" => ORIGIN_MISSING_STORE,
    "call-result" => ORIGIN_CALL_RESULT,
    "parameter" => ORIGIN_PARAMETER,
    "global" => ORIGIN_GLOBAL,
    "constant" => ORIGIN_CONSTANT,
    "code" => ORIGIN_CODE,
    "unknown" => ORIGIN_UNKNOWN,
}

words! {
    /// How a value got on from a step of its way.
    how, HOWS:
    "followed" => HOW_FOLLOWED,
    "loaded" => HOW_LOADED,
    "handed-on" => HOW_HANDED_ON,
    "returned" => HOW_RETURNED,
    "made" => HOW_MADE,
}

/// A cause in words, for prose that names one.
#[must_use]
pub fn cause_message(key: &str) -> Option<&'static Message> {
    CAUSE_WORDS.iter().find(|(known, _)| *known == key).map(|(_, message)| *message)
}

words! {
    /// A cause.
    cause, CAUSES, CAUSE_WORDS:
    "null-pointer" => CAUSE_NULL_POINTER,
    "error-pointer" => CAUSE_ERROR_POINTER,
    "use-after-free" => CAUSE_USE_AFTER_FREE,
    "list-poison" => CAUSE_LIST_POISON,
    "wild-pointer" => CAUSE_WILD_POINTER,
    "memory-corruption" => CAUSE_MEMORY_CORRUPTION,
    "buffer-overrun" => CAUSE_BUFFER_OVERRUN,
    "out-of-bounds" => CAUSE_OUT_OF_BOUNDS,
    "user-access" => CAUSE_USER_ACCESS,
    "bad-call-target" => CAUSE_BAD_CALL_TARGET,
    "write-protect" => CAUSE_WRITE_PROTECT,
    "execute-protect" => CAUSE_EXECUTE_PROTECT,
    "stack-corruption" => CAUSE_STACK_CORRUPTION,
    "stack-overflow" => CAUSE_STACK_OVERFLOW,
    "divide-by-zero" => CAUSE_DIVIDE_BY_ZERO,
    "assertion" => CAUSE_ASSERTION,
    "warning" => CAUSE_WARNING,
    "refcount" => CAUSE_REFCOUNT,
    "list-corruption" => CAUSE_LIST_CORRUPTION,
    "double-free" => CAUSE_DOUBLE_FREE,
    "sleep-in-atomic" => CAUSE_SLEEP_IN_ATOMIC,
    "soft-lockup" => CAUSE_SOFT_LOCKUP,
    "hard-lockup" => CAUSE_HARD_LOCKUP,
    "rcu-stall" => CAUSE_RCU_STALL,
    "hung-task" => CAUSE_HUNG_TASK,
    "deadlock" => CAUSE_DEADLOCK,
    "invalid-opcode" => CAUSE_INVALID_OPCODE,
    "hardware" => CAUSE_HARDWARE,
    "undetermined" => CAUSE_UNDETERMINED,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function from a contract's key to its words.
    type Words = fn(Lang, &str) -> &str;

    #[test]
    fn every_key_has_words_in_chinese_and_an_unknown_one_stays() {
        let tables: [(&[&str], Words); 6] = [
            (ACCESSES, access),
            (CHECKS, check),
            (CLASSES, class),
            (ORIGINS, origin),
            (HOWS, how),
            (CAUSES, cause),
        ];
        for (keys, words) in tables {
            for key in keys {
                // Some names are the same in every language (`build-id`).
                assert!(*key == "build-id" || words(Lang::Zh, key) != *key, "{key}");
            }
            assert_eq!(words(Lang::Zh, "no-such-key"), "no-such-key");
        }
        assert_eq!(CAUSES.len(), 29, "the contract's causes");
        assert_eq!(cause_message("deadlock").map(|message| message.key), Some("CAUSE_DEADLOCK"));
    }
}
