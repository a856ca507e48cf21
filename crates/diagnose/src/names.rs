//! Function names as the compiler and the kernel decorate them.

/// The name without the compiler's suffixes: `cr_route` for `cr_route.constprop.0`.
///
/// GCC clones functions as `.isra.N`, `.constprop.N`, `.part.N`, `.cold`, `.llvm.N`, `.lto_priv.N`.
pub fn base_name(symbol: &str) -> &str {
    match symbol.split_once('.') {
        Some((base, rest))
            if !base.is_empty()
                && ["isra", "constprop", "part", "cold", "llvm", "lto_priv"]
                    .iter()
                    .any(|suffix| rest.starts_with(suffix)) =>
        {
            base
        }
        _ => symbol,
    }
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn suffixes_are_cut_and_nothing_else() {
        assert_eq!(base_name("cr_route.constprop.0"), "cr_route");
        assert_eq!(base_name("__list_del_entry_valid.cold"), "__list_del_entry_valid");
        assert_eq!(base_name("foo.isra.0.part.1"), "foo");
        assert_eq!(base_name(".text"), ".text");
        assert_eq!(base_name("my.symbol"), "my.symbol");
    }
}
