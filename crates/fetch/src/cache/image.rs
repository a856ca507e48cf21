//! Images in the cache: `image/BUILD-ID/RELEASE/NAME`, a plain ELF file that other tools can
//! read, too. The release is a folder of its own because that is how the search tells the
//! modules of one kernel from another's.

use super::{Cache, Kind, temporary, touch};
use kwhy_base::BuildId;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where the release is not known.
const NO_RELEASE: &str = "unknown";

/// An image that the cache has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedImage {
    /// Its build-id.
    pub build_id: BuildId,
    /// The kernel release that it was kept for.
    pub release: Option<String>,
    /// The file.
    pub path: PathBuf,
}

/// An image on its way into the cache: written somewhere below it, checked by whoever wrote it.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The build-id that was read from the file.
    pub build_id: &'a BuildId,
    /// The kernel release, where known.
    pub release: Option<&'a str>,
    /// The file's name: `vmlinux`, `nf_nat.ko.debug`.
    pub name: &'a str,
}

impl Incoming<'_> {
    fn place(&self, cache: &Cache) -> Option<PathBuf> {
        let folder = cache.path(Kind::Image, &self.build_id.to_string())?;
        // A release and a name come from logs and packages: neither may lead elsewhere.
        let part = |text: &str| cache.path(Kind::Image, text).and(Some(PathBuf::from(text)));
        Some(folder.join(part(self.release.unwrap_or(NO_RELEASE))?).join(part(self.name)?))
    }
}

impl Cache {
    /// The image with a build-id; its use is noted.
    #[must_use]
    pub fn image(&self, build_id: &BuildId) -> Option<CachedImage> {
        let folder = self.path(Kind::Image, &build_id.to_string())?;
        let image = self.images_in(&folder)?.into_iter().next()?;
        touch(&image.path);
        Some(image)
    }

    /// Every image there is, by build-id. Their contents are not looked at.
    #[must_use]
    pub fn images(&self) -> Vec<CachedImage> {
        let folders = names(&self.folder(Kind::Image));
        let mut images: Vec<CachedImage> =
            folders.iter().filter_map(|folder| self.images_in(folder)).flatten().collect();
        images.sort_by(|a, b| a.path.cmp(&b.path));
        images
    }

    /// Notes that files of the cache were used, and leaves others alone.
    pub fn used(&self, path: &Path) {
        if path.starts_with(&self.root) {
            touch(path);
        }
    }

    fn images_in(&self, folder: &Path) -> Option<Vec<CachedImage>> {
        let build_id = BuildId::from_hex(folder.file_name()?.to_str()?)?;
        let mut images = Vec::new();
        for release in names(folder) {
            let name = release.file_name()?.to_str()?.to_owned();
            let named = (name != NO_RELEASE).then_some(name);
            for path in names(&release) {
                images.push(CachedImage { build_id: build_id.clone(), release: named.clone(), path });
            }
        }
        Some(images)
    }

    /// Keeps an image whose bytes are streamed from `source`.
    ///
    /// # Errors
    /// What reading or writing says.
    pub fn put_image(&self, incoming: &Incoming<'_>, source: &mut dyn Read) -> io::Result<PathBuf> {
        let scratch = temporary(&self.prepare(Kind::Partial)?.join("image"));
        let mut write = || -> io::Result<()> {
            let mut file = fs::File::create(&scratch)?;
            io::copy(source, &mut file)?;
            file.sync_data()
        };
        write().and_then(|()| self.adopt(incoming, &scratch)).inspect_err(|_| drop(fs::remove_file(&scratch)))
    }

    /// Moves a file that was written below the cache to where images are kept.
    ///
    /// # Errors
    /// What moving it says.
    pub fn adopt(&self, incoming: &Incoming<'_>, file: &Path) -> io::Result<PathBuf> {
        let place = incoming.place(self).ok_or(io::ErrorKind::InvalidInput)?;
        self.prepare(Kind::Image)?;
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(file, &place)?;
        self.shrink(&place);
        Ok(place)
    }
}

/// What is in a folder, sorted, without what is still being written; nothing where it cannot be
/// read.
pub(super) fn names(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries
        .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
        .map(|e| e.path())
        .collect();
    paths.sort();
    paths
}
