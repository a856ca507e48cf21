//! What C calls the arguments of the kernel's hand-written assembler functions.
//!
//! Assembler units have line tables but no parameters. Their callers see the declarations of
//! include/linux/string.h and the architectures' page and user-copy headers; these are those
//! declarations' parameter names, in order.

/// (function, its parameters' names).
const DECLARED: &[(&str, &[&str])] = &[
    // include/linux/string.h, lib/string.c.
    ("strlen", &["s"]),
    ("strnlen", &["s", "count"]),
    ("strcmp", &["cs", "ct"]),
    ("strncmp", &["cs", "ct", "count"]),
    ("strchr", &["s", "c"]),
    ("strrchr", &["s", "c"]),
    ("memchr", &["s", "c", "n"]),
    ("memcmp", &["cs", "ct", "count"]),
    ("memcpy", &["dest", "src", "count"]),
    ("memcpy_orig", &["dest", "src", "count"]),
    ("memcpy_erms", &["dest", "src", "count"]),
    ("memmove", &["dest", "src", "count"]),
    ("memset", &["s", "c", "count"]),
    ("memset_orig", &["s", "c", "count"]),
    ("memset_erms", &["s", "c", "count"]),
    // include/asm-generic/page.h, arch/*/include/asm/page.h.
    ("copy_page", &["to", "from"]),
    ("copy_page_regs", &["to", "from"]),
    ("clear_page", &["page"]),
    ("clear_page_rep", &["page"]),
    ("clear_page_erms", &["page"]),
    ("clear_page_orig", &["page"]),
    // arch/*/include/asm/uaccess*.h.
    ("__arch_copy_from_user", &["to", "from", "n"]),
    ("__arch_copy_to_user", &["to", "from", "n"]),
    ("__arch_clear_user", &["to", "n"]),
    ("copy_user_generic_unrolled", &["to", "from", "len"]),
    ("copy_user_generic_string", &["to", "from", "len"]),
    ("copy_user_enhanced_fast_string", &["to", "from", "len"]),
    ("rep_movs_alternative", &["to", "from", "len"]),
    // include/net/checksum.h.
    ("csum_partial", &["buff", "len", "sum"]),
];

/// The name of parameter `index` of an assembler function, by its symbol. The `__pi_` aliases of
/// ARM64 (position-independent) and the `__` ones of x86 (not instrumented) are the same code.
#[must_use]
pub fn parameter(symbol: &str, index: usize) -> Option<&'static str> {
    let find = |name: &str| DECLARED.iter().find(|(declared, _)| *declared == name);
    let plain = symbol.strip_prefix("__pi_").unwrap_or(symbol);
    let (_, names) = find(plain).or_else(|| find(plain.trim_start_matches('_')))?;
    names.get(index).copied()
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn aliases_are_the_same_function() {
        assert_eq!(parameter("__pi_strlen", 0), Some("s"));
        assert_eq!(parameter("__memcpy", 1), Some("src"));
        assert_eq!(parameter("__arch_copy_to_user", 0), Some("to"));
        assert_eq!(parameter("strlen", 1), None);
        assert_eq!(parameter("load_module", 0), None);
    }
}
