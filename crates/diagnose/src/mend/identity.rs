//! Whose log it is: the release and the build-ids, by the images that the rest of the log fits.

use super::Mender;
use super::likeness::{self, FAR, SLIP};
use kwhy_base::catalogue::damage as say;
use kwhy_base::prose;
use kwhy_image::Image;
use kwhy_oops::{CrashRecord, Damage, Grade};

/// What the rest of the version says of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    Agrees,
    Silent,
    Disagrees,
}

/// Whether the words with digits of the log's version (`#1 Debian 6.1.192-2`) are in the banner.
/// Releases of neighbouring builds differ in a digit, as misread ones do; the versions tell.
fn version(image: &Image<'_>, record: &CrashRecord) -> Version {
    let (Some(version), Some(banner)) = (&record.version, image.banner()) else { return Version::Silent };
    let mut answer = Version::Silent;
    for word in version.split_whitespace() {
        let telling = word.len() >= 5 && word.bytes().any(|byte| byte.is_ascii_digit());
        if !telling || word.starts_with('#') {
            continue;
        }
        let words = banner.split([' ', '(', ')', ',']);
        match words.map(|other| likeness::cost(word, other)).min().unwrap_or(FAR) {
            0 => answer = Version::Agrees,
            1..=12 => {}
            _ => return Version::Disagrees,
        }
    }
    answer
}

impl Mender<'_, '_> {
    /// The release, where the kernel image's is one that may be misread so.
    pub(super) fn release(&mut self) {
        let (Some(image), Some(printed)) = (self.pool.image(None), &self.record.release) else { return };
        let Some(release) = image.release().filter(|release| *release != printed.value) else { return };
        if !self.pool.trusted || likeness::cost(&printed.value, &release) > 3 * SLIP {
            return;
        }
        let grade = match version(image, &self.record) {
            Version::Agrees => Grade::Proved,
            Version::Silent => Grade::Likely,
            Version::Disagrees => return,
        };
        let reason = prose!(say::MEND_RELEASE, release = &release);
        self.mends.push(Damage {
            line: printed.line,
            field: "release".to_owned(),
            printed: printed.value.clone(),
            likely: Some(release.clone()),
            grade,
            reason,
        });
        if let Some(printed) = &mut self.record.release {
            printed.value = release;
        }
    }

    /// Build-ids in frames, where the image's is one that may be misread so.
    pub(super) fn build_ids(&mut self) {
        let pool = &self.pool;
        let mut mends = Vec::new();
        let pc = self.record.pc.iter_mut().map(|pc| (pc.line, &mut pc.value));
        let lr = self.record.lr.iter_mut().map(|lr| (lr.line, &mut lr.value));
        let frames = self.record.frames.iter_mut().map(|frame| (frame.line, &mut frame.at));
        for (line, at) in pc.chain(lr).chain(frames) {
            let Some(printed) = at.build_id.as_ref().map(ToString::to_string) else { continue };
            let image = pool.image(at.module.as_deref());
            let Some(meant) = image.and_then(|image| image.build_id()) else { continue };
            let likely = meant.to_string();
            let cost = likeness::cost(&printed, &likely);
            if cost == 0 || cost > 3 * SLIP {
                continue;
            }
            at.build_id = Some(meant.clone());
            let reason = prose!(say::MEND_BUILD_ID);
            let (field, likely) = ("build-id".to_owned(), Some(likely));
            // Of 160 random bits all but a few agree: no other build has them.
            mends.push(Damage { line, field, printed, likely, grade: Grade::Proved, reason });
        }
        self.mends.extend(mends);
    }
}
