//! The prefixes of system calls: one call bears a different name on each CPU and in each kernel.

/// The wrappers that `SYSCALL_DEFINE` makes (include/linux/syscalls.h, arch/*/include/asm/
/// syscall_wrapper.h), old and new, and the helpers that kernels name after the call.
const PREFIXES: &[&str] = &[
    // up to 4.16, and compat there
    "SyS_",
    "SYSC_",
    "compat_SyS_",
    "compat_SYSC_",
    // the entry of each CPU since 4.17
    "__x64_",
    "__ia32_",
    "__arm64_",
    "__riscv_",
    "__s390x_",
    "__s390_",
    "__powerpc_",
    // the two layers below it
    "__se_",
    "__se_sys_",
    "__do_sys_",
    "__se_compat_sys_",
    "__do_compat_sys_",
    // the call itself and what kernel code calls in its stead
    "sys_",
    "__sys_",
    "___sys_",
    "____sys_",
    "ksys_",
];

/// `name` with that one prefix off that leaves the shortest name.
pub(super) fn shorten(name: &str) -> &str {
    variants(name).min_by_key(|rest| rest.len()).unwrap_or(name)
}

/// `name` itself and `name` with each prefix off that it has.
pub(super) fn variants(name: &str) -> impl Iterator<Item = &str> {
    let short =
        PREFIXES.iter().filter_map(move |prefix| name.strip_prefix(prefix)).filter(|rest| !rest.is_empty());
    std::iter::once(name).chain(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_prefix_goes() {
        for (whole, short) in [
            ("__x64_sys_rmdir", "sys_rmdir"),
            ("__arm64_sys_rmdir", "sys_rmdir"),
            ("__se_sys_rmdir", "rmdir"),
            ("__do_sys_rmdir", "rmdir"),
            ("SyS_rmdir", "rmdir"),
            ("SYSC_rmdir", "rmdir"),
            ("compat_SyS_mount", "mount"),
            ("sys_rmdir", "rmdir"),
            ("__sys_bpf", "bpf"),
            ("____sys_sendmsg", "sendmsg"),
            ("ksys_write", "write"),
            ("vfs_rmdir", "vfs_rmdir"),
            ("sys_", "sys_"),
        ] {
            assert_eq!(shorten(whole), short);
        }
        assert_eq!(
            variants("__se_sys_mremap").collect::<Vec<_>>(),
            ["__se_sys_mremap", "sys_mremap", "mremap"]
        );
    }
}
