//! What a log prints of a kernel's version against the kernel's own banner.

/// Whether the words that a log prints after the release (`#1 Debian 6.1.192-2`) stand in this
/// order in a banner (`Linux version … #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-07-04)`): an
/// oops leaves out what stands between. What it adds, the preemption model of the running kernel
/// (`PREEMPT(voluntary)`, `preempt_model_str()` in kernel/sched/core.c), is no part of the version.
#[must_use]
pub fn same_version(version: &str, banner: &str) -> bool {
    let mut banner = banner.split_ascii_whitespace();
    words(version).all(|word| banner.any(|other| other == word))
}

/// Whether a version tells builds of one release apart: the number of the build alone does so
/// unless it is the first.
#[must_use]
pub fn is_telling(version: &str) -> bool {
    let mut words = words(version);
    match words.next() {
        None => false,
        Some("#1" | "#0") => words.next().is_some(),
        Some(_) => true,
    }
}

fn words(version: &str) -> impl Iterator<Item = &str> {
    version.split_ascii_whitespace().filter(|word| !word.starts_with("PREEMPT") && *word != "SMP")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oops_prints_a_part_of_the_banner() {
        let banner = "Linux version 6.1.0-56-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) \
                      12.2.0) #1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-07-04)";
        for same in [
            "#1 Debian 6.1.192-2",
            "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-07-04)",
            "#1 PREEMPT(lazy) Debian 6.1.192-2",
            "#1",
        ] {
            assert!(same_version(same, banner), "{same}");
        }
        for other in ["#1 Debian 6.1.190-1", "#2 Debian 6.1.192-2", "#2"] {
            assert!(!same_version(other, banner), "{other}");
        }
    }

    #[test]
    fn the_first_build_is_everybody_s() {
        for telling in ["#1 Debian 6.1.192-2", "#25-Ubuntu", "#7"] {
            assert!(is_telling(telling), "{telling}");
        }
        for vague in ["", "#1", "#1 PREEMPT(voluntary)", "#0"] {
            assert!(!is_telling(vague), "{vague}");
        }
    }
}
