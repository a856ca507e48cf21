//! The images that a damaged log may be mended against. That a log's release or build-id is
//! damaged must not keep the very image away that mends it, so this choice is wider than the
//! one that conclusions rest on, and asks for agreement instead.

use super::likeness::{self, SLIP};
use crate::images::{Opened, normal, role};
use crate::location::choose;
use kwhy_image::{Image, Symbol};
use kwhy_oops::{CodeRef, CrashRecord};

/// The images.
#[derive(Default)]
pub struct Pool<'o, 'd> {
    /// Role (`None` the kernel) and image.
    list: Vec<(Option<String>, &'o Image<'d>)>,
    /// Whether what the log says and is not damaged agrees with them by far.
    pub trusted: bool,
}

impl<'o, 'd> Pool<'o, 'd> {
    /// Of `opened`, what may be this crash's; `None` where none of it is.
    pub fn new(opened: &'o [Opened<'d>], record: &CrashRecord) -> Option<Pool<'o, 'd>> {
        // Of several builds the one of which most agrees as it is printed: to another the log could
        // be mended as well.
        let fits = |role: &Option<String>, image: &Image<'_>| {
            let (agree, disagree) =
                agreement(record, |module| (module.map(normal) == *role).then_some(image));
            (agree, std::cmp::Reverse(disagree))
        };
        let mut list: Vec<(Option<String>, &'o Image<'d>)> = Vec::new();
        for one in opened.iter().filter(|one| one.completes.is_none()) {
            let (Ok(image), Some(role)) = (&one.image, role(one)) else { continue };
            let foreign = record.arch.is_some_and(|arch| arch != image.arch());
            if foreign || (role.is_none() && !release_near(image, record)) {
                continue;
            }
            match list.iter_mut().find(|(known, _)| *known == role) {
                None => list.push((role, image)),
                Some((_, best)) if fits(&role, image) > fits(&role, best) => *best = image,
                Some(_) => {}
            }
        }
        let mut pool = Pool { list, trusted: false };
        let (agree, disagree) = agreement(record, |module| pool.image(module));
        pool.trusted = agree >= 3 && agree >= disagree * 3;
        (agree > 0 && agree >= disagree).then_some(pool)
    }

    /// The image of the kernel (`None`) or a module.
    pub fn image(&self, module: Option<&str>) -> Option<&'o Image<'d>> {
        let wanted = module.map(normal);
        self.list.iter().find(|(role, _)| *role == wanted).map(|(_, image)| *image)
    }

    /// Every image, with the module it is of.
    pub fn all(&self) -> impl Iterator<Item = (Option<&str>, &'o Image<'d>)> {
        self.list.iter().map(|(role, image)| (role.as_deref(), *image))
    }

    /// The names of the modules there are images of.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.list.iter().filter_map(|(role, _)| role.as_deref())
    }

    /// The symbol that a place names, where exactly one of that name has the size printed.
    pub fn exact(&self, at: &CodeRef) -> Option<(&'o Image<'d>, Symbol)> {
        let image = self.image(at.module.as_deref())?;
        let symbol = choose(image.symbols_named(at.symbol.as_deref()?), Some(at.size?))?;
        (Some(symbol.size) == at.size || Some(symbol.elf_size) == at.size).then_some((image, symbol))
    }
}

/// How many of the log's places have a size that their image's symbol has, and how many another.
fn agreement<'i, 'd: 'i>(
    record: &CrashRecord,
    image_of: impl Fn(Option<&str>) -> Option<&'i Image<'d>>,
) -> (usize, usize) {
    let (mut agree, mut disagree) = (0_usize, 0_usize);
    for at in super::places_of(record) {
        let (Some(image), Some(name)) = (image_of(at.module.as_deref()), &at.symbol) else { continue };
        let symbols = image.symbols_named(name);
        let same = |s: &Symbol| Some(s.size) == at.size || Some(s.elf_size) == at.size;
        if symbols.iter().any(same) {
            agree += 1;
        } else if !symbols.is_empty() {
            disagree += 1;
        }
    }
    (agree, disagree)
}

/// Whether the log's release is the kernel image's, or may be a misreading of it.
fn release_near(image: &Image<'_>, record: &CrashRecord) -> bool {
    let (Some(of_image), Some(of_log)) = (image.release(), &record.release) else { return true };
    likeness::cost(&of_log.value, &of_image) <= 3 * SLIP
}
