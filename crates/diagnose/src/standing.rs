//! What the checks of one image add up to: how sure it is that it is the crash's.

use kwhy_report::model::Grade;

/// Equal code bytes that are no accident: four instructions of ARM64.
const TELLING_BYTES: usize = 16;
/// Equal function sizes that are no accident.
const TELLING_SIZES: usize = 3;

/// The outcome of each check; `None` for what could not be compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Standing {
    /// The log prints the image's build-id.
    pub identified: bool,
    /// Both are of one release.
    pub release: Option<bool>,
    /// The kernel's banner has the version that the log prints.
    pub version: Option<bool>,
    /// That version tells builds of one release apart.
    pub telling: bool,
    /// Functions that have the size that the log prints.
    pub sizes_agree: usize,
    /// Functions that have another.
    pub sizes_differ: usize,
    /// Bytes of the `Code:` line that are the image's.
    pub code_same: usize,
    /// Bytes that are not, where nothing patches the code.
    pub code_differs: usize,
}

impl Standing {
    /// Whether the log says that it is of another build of the release.
    pub(crate) fn is_another_build(self) -> bool {
        !self.identified && self.version == Some(false)
    }

    /// Whether anything speaks against it.
    pub(crate) fn is_contradicted(self) -> bool {
        !self.identified
            && (self.release == Some(false)
                || self.version == Some(false)
                || self.sizes_differ > 0
                || self.code_differs > 0)
    }

    /// Whether the code itself, as far as it was compared, is the log's.
    pub(crate) fn code_speaks_for_it(self) -> bool {
        self.sizes_differ == 0
            && self.code_differs == 0
            && (self.code_same >= TELLING_BYTES || self.sizes_agree >= TELLING_SIZES)
    }

    /// The grade of an image that nothing disproves.
    pub(crate) fn grade(self) -> Grade {
        if self.identified {
            Grade::Proved
        } else if !self.is_contradicted()
            && (self.code_speaks_for_it()
                || self.version == Some(true) && self.telling
                || self.release == Some(true) && self.sizes_agree > 0)
        {
            Grade::Likely
        } else {
            Grade::Possible
        }
    }

    /// How much agrees, for images between which nothing else decides.
    pub(crate) fn agreeing(self) -> usize {
        self.sizes_agree.saturating_add(self.code_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grades_say_what_the_checks_add_up_to() {
        let same = Standing { release: Some(true), ..Standing::default() };
        let fits = Standing { sizes_agree: 4, code_same: 40, ..same };
        for (standing, grade) in [
            (Standing::default(), Grade::Possible),
            (same, Grade::Possible),
            (Standing { version: Some(true), telling: true, ..same }, Grade::Likely),
            (Standing { version: Some(true), ..same }, Grade::Possible),
            (Standing { sizes_agree: 1, ..same }, Grade::Likely),
            (Standing { sizes_agree: 9, sizes_differ: 1, ..same }, Grade::Possible),
            (fits, Grade::Likely),
            (Standing { code_differs: 1, ..fits }, Grade::Possible),
            (Standing { version: Some(false), ..fits }, Grade::Possible),
            // The build-id stands above all: a bit of the log may be flipped.
            (Standing { identified: true, version: Some(false), code_differs: 1, ..fits }, Grade::Proved),
            // A module of another release that is loaded all the same.
            (Standing { release: Some(false), ..fits }, Grade::Possible),
        ] {
            assert_eq!(standing.grade(), grade, "{standing:?}");
        }
    }

    #[test]
    fn another_build_needs_the_code_to_speak_for_it() {
        let other = Standing { release: Some(true), version: Some(false), ..Standing::default() };
        assert!(other.is_another_build() && !other.code_speaks_for_it());
        assert!(Standing { code_same: 16, ..other }.code_speaks_for_it());
        assert!(!Standing { code_same: 64, sizes_differ: 1, ..other }.code_speaks_for_it());
        assert!(!Standing { code_same: 4, sizes_agree: 2, ..other }.code_speaks_for_it());
    }
}
