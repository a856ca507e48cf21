//! What was learned about images, in the cache: `index/IMAGE/NAME`, where IMAGE is the image's
//! build-id and fingerprint, and NAME one of its tables; the answers to questions about it, which
//! are many and small, share the file `answers`.
//!
//! A file is a header of 64 bytes and the bytes, which check themselves as they are read
//! ([`kwhy_image::index`]). The header is little-endian: 8 bytes of magic, the writer's version
//! (u32), the CRC-32 of image and name (u32), the length of the bytes (u64), zeros. So a file that
//! was cut off, renamed or written by another version is known without reading it.
//!
//! What a run learns is written when it ends, each file under another name first and then renamed.
//! Of two processes that write at once the later one wins. Before the answers are written, what
//! another process wrote meanwhile is read again and kept as well.
//!
//! Nothing is flushed to the disk: what a power cut leaves of a file is noticed as damage.

use super::{Cache, Kind, temporary, touch};
use kwhy_image::index::{Kept, Shelf, seal};
use kwhy_mmap::Mapping;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

const MAGIC: &[u8; 8] = b"kwhyindx";
const HEADER: usize = 64;
/// The file of all answers about an image.
const ANSWERS: &str = "answers";
/// What begins with this is an answer.
const QUESTION: char = '?';
/// More bytes of answers about one image are not kept: those that nobody asked for in the run
/// that would exceed this are forgotten.
const MAX_ANSWERS: usize = 8 << 20;

/// The cache as the shelf of images. What is put there is had back at once, and reaches the cache
/// when the shelf is dropped.
pub struct Shelved {
    cache: Option<Cache>,
    version: u32,
    images: Mutex<BTreeMap<String, About>>,
}

/// What is known of one image.
#[derive(Default)]
struct About {
    /// By name: what the cache has, `None` where it was looked for in vain.
    tables: BTreeMap<String, Option<Kept>>,
    /// The file of answers, when first asked for one.
    answers: Option<Answers>,
    /// What this process learned.
    fresh: BTreeMap<String, Kept>,
}

/// A file of answers: after the header, for each the lengths of question and answer (u32 each), the
/// question, and the answer.
#[derive(Default)]
struct Answers {
    file: Option<Arc<File>>,
    /// Where each answer is, and whether it was asked for.
    places: BTreeMap<String, (usize, usize, bool)>,
}

/// A mapped file without its header.
struct File(Mapping);

impl AsRef<[u8]> for File {
    fn as_ref(&self) -> &[u8] {
        self.0.get(HEADER..).unwrap_or_default()
    }
}

/// An answer in the file of all.
struct Slice {
    file: Arc<File>,
    start: usize,
    len: usize,
}

impl AsRef<[u8]> for Slice {
    fn as_ref(&self) -> &[u8] {
        let all = (*self.file).as_ref();
        all.get(self.start..self.start.saturating_add(self.len)).unwrap_or_default()
    }
}

impl Shelved {
    /// The cache's index as its writers of one `version` see it. Without a cache, what one image
    /// learned is known to the others of this process only.
    #[must_use]
    pub fn new(cache: Option<Cache>, version: u32) -> Shelved {
        Shelved { cache, version, images: Mutex::default() }
    }

    fn path(&self, image: &str, name: &str) -> Option<PathBuf> {
        let folder = self.cache.as_ref()?.path(Kind::Index, image)?;
        let plain = !name.is_empty()
            && name.len() < 64
            && !name.starts_with('.')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        plain.then(|| folder.join(name))
    }

    /// Maps a file of the index, if it is whole, of this version, and what its name says.
    fn open(&self, image: &str, name: &str) -> Option<File> {
        let file = File(Mapping::open(&self.path(image, name)?).ok()?);
        let length = file.as_ref().len();
        (file.0.get(..HEADER)? == header(image, name, self.version, length)).then_some(file)
    }

    fn write(&self, image: &str, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let path = self.path(image, name).ok_or(io::ErrorKind::InvalidInput)?;
        let length = parts.iter().map(|part| part.len()).sum();
        if let (Some(cache), Some(folder)) = (&self.cache, path.parent()) {
            cache.prepare(Kind::Index)?;
            fs::create_dir_all(folder)?;
        }
        let scratch = temporary(&path);
        let write = || -> io::Result<()> {
            let mut file = io::BufWriter::with_capacity(1 << 16, fs::File::create(&scratch)?);
            file.write_all(&header(image, name, self.version, length))?;
            for part in parts {
                file.write_all(part)?;
            }
            file.into_inner().map_err(io::IntoInnerError::into_error)?;
            fs::rename(&scratch, &path)
        };
        write().inspect_err(|_| drop(fs::remove_file(&scratch)))
    }

    fn answers(&self, image: &str) -> Answers {
        self.open(image, ANSWERS).map(Arc::new).map(Answers::read).unwrap_or_default()
    }

    /// Writes what was learned of an image; gives back a file that was written.
    fn write_all(&self, image: &str, about: &About) -> Option<PathBuf> {
        let mut written = None;
        let is_answer = |name: &&String| name.starts_with(QUESTION);
        for (name, bytes) in about.fresh.iter().filter(|(name, _)| !is_answer(name)) {
            if self.write(image, name, &[(**bytes).as_ref()]).is_ok() {
                written = self.path(image, name);
            }
        }
        if about.fresh.keys().any(|name| is_answer(&name)) {
            // What another process wrote meanwhile is as good as what was read.
            let before = self.answers(image);
            let asked = |name: &str| about.answers.as_ref().is_some_and(|answers| answers.asked(name));
            let mut all: BTreeMap<&str, Kept> = BTreeMap::new();
            for name in before.places.keys() {
                let whole = before.get(name).filter(|kept| is_whole(name, (**kept).as_ref()));
                all.extend(whole.map(|kept| (name.as_str(), kept)));
            }
            all.extend(
                about
                    .fresh
                    .iter()
                    .filter(|(name, _)| is_answer(name))
                    .map(|(n, k)| (n.as_str(), Arc::clone(k))),
            );
            let size =
                |all: &BTreeMap<&str, Kept>| all.values().map(|kept| (**kept).as_ref().len()).sum::<usize>();
            if size(&all) > MAX_ANSWERS {
                all.retain(|name, _| about.fresh.contains_key(*name) || asked(name));
            }
            if size(&all) <= MAX_ANSWERS && self.write(image, ANSWERS, &[&pack(&all)]).is_ok() {
                written = self.path(image, ANSWERS);
            }
        }
        written
    }
}

impl Shelf for Shelved {
    fn get(&self, image: &str, name: &str) -> Option<Kept> {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        if !images.contains_key(image) {
            images.insert(image.to_owned(), About::default());
        }
        let about = images.get_mut(image)?;
        if let Some(kept) = about.fresh.get(name) {
            return Some(Arc::clone(kept));
        }
        if name.starts_with(QUESTION) {
            if about.answers.is_none() {
                self.path(image, ANSWERS).iter().for_each(|path| touch(path));
            }
            let answers = about.answers.get_or_insert_with(|| self.answers(image));
            answers.note(name);
            return answers.get(name);
        }
        if !about.tables.contains_key(name) {
            let file = self.open(image, name).map(|file| Arc::new(file) as Kept);
            about.tables.insert(name.to_owned(), file);
        }
        about.tables.get(name)?.clone()
    }

    fn put(&self, image: &str, name: &str, bytes: Kept) {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        images.entry(image.to_owned()).or_default().fresh.insert(name.to_owned(), bytes);
    }
}

impl Drop for Shelved {
    fn drop(&mut self) {
        let images = std::mem::take(&mut *self.images.lock().unwrap_or_else(PoisonError::into_inner));
        // A cache that cannot be written makes the next run slower, and that is all.
        let written = images.iter().filter_map(|(image, about)| self.write_all(image, about)).last();
        if let (Some(cache), Some(written)) = (&self.cache, written) {
            cache.shrink(&written);
        }
    }
}

impl Answers {
    fn read(file: Arc<File>) -> Answers {
        let mut places = BTreeMap::new();
        let all = (*file).as_ref();
        let mut at = 0_usize;
        // Nothing is believed but what fits; what an answer says is checked when it is read.
        while let Some((name, start, len)) = entry(all, at) {
            at = start.saturating_add(len);
            places.insert(name, (start, len, false));
        }
        Answers { file: Some(file), places }
    }

    fn get(&self, name: &str) -> Option<Kept> {
        let (start, len, _) = *self.places.get(name)?;
        Some(Arc::new(Slice { file: Arc::clone(self.file.as_ref()?), start, len }))
    }

    fn note(&mut self, name: &str) {
        if let Some((_, _, asked)) = self.places.get_mut(name) {
            *asked = true;
        }
    }

    fn asked(&self, name: &str) -> bool {
        self.places.get(name).is_some_and(|(_, _, asked)| *asked)
    }
}

/// Whether an answer is as it was put there, and to this question: damage is not carried on.
fn is_whole(name: &str, bytes: &[u8]) -> bool {
    // Its length stands behind eight bytes of magic, and it ends the bytes.
    let length = bytes.get(8..16).and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes);
    let length = length.and_then(|length| usize::try_from(length).ok());
    let start = length.and_then(|length| bytes.len().checked_sub(length));
    start.and_then(|start| bytes.get(start..)).is_some_and(|content| seal(name, content) == bytes)
}

/// The answer whose lengths stand at `at`: its question, where it begins, its length.
fn entry(all: &[u8], at: usize) -> Option<(String, usize, usize)> {
    let length = |at: usize| {
        let bytes = all.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let name_at = at.checked_add(8)?;
    let end = name_at.checked_add(length(at)?)?;
    let name = std::str::from_utf8(all.get(name_at..end)?).ok()?.to_owned();
    let len = length(at.checked_add(4)?)?;
    all.get(end..end.checked_add(len)?)?;
    Some((name, end, len))
}

fn pack(answers: &BTreeMap<&str, Kept>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, kept) in answers {
        let bytes = (**kept).as_ref();
        let (Ok(name_len), Ok(len)) = (u32::try_from(name.len()), u32::try_from(bytes.len())) else {
            continue;
        };
        out.extend_from_slice(&name_len.to_le_bytes());
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(bytes);
    }
    out
}

fn header(image: &str, name: &str, version: u32, length: usize) -> [u8; HEADER] {
    let sum = crc32fast::hash(format!("{image}/{name}").as_bytes());
    let fields =
        [&MAGIC[..], &version.to_le_bytes(), &sum.to_le_bytes(), &(length as u64).to_le_bytes()].concat();
    let mut header = [0; HEADER];
    for (to, from) in header.iter_mut().zip(fields) {
        *to = from;
    }
    header
}
