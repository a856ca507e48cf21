//! Functions analysed for one crash, each once.

use crate::images::Images;
use crate::location::Place;
use crate::origin::memory::Survey;
use kwhy_base::ImageAddr;
use kwhy_flow::kin::Kinship;
use kwhy_flow::scene::Scene;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The functions analysed so far.
pub struct Scenes<'o, 'd> {
    images: &'o Images<'o, 'd>,
    made: RefCell<Vec<(usize, Rc<Scene<'o, 'd>>)>>,
    kinships: RefCell<BTreeMap<usize, Rc<Kinship<'o, 'd>>>>,
    survey: OnceCell<Rc<Survey<'o, 'd>>>,
}

impl<'o, 'd> Scenes<'o, 'd> {
    /// None yet.
    pub fn new(images: &'o Images<'o, 'd>) -> Scenes<'o, 'd> {
        Scenes {
            images,
            made: RefCell::new(Vec::new()),
            kinships: RefCell::new(BTreeMap::new()),
            survey: OnceCell::new(),
        }
    }

    /// The function of a place and the address in it (inside the call, for a return address).
    pub fn at(&self, place: &Place) -> Option<(Rc<Scene<'o, 'd>>, ImageAddr)> {
        let address = place.address?;
        Some((self.of(place.image?, address)?, address))
    }

    /// The function of an image that covers `address`.
    pub fn of(&self, index: usize, address: ImageAddr) -> Option<Rc<Scene<'o, 'd>>> {
        let known = self
            .made
            .borrow()
            .iter()
            .find(|(image, scene)| *image == index && scene.code.index_of(address).is_some())
            .map(|(_, scene)| Rc::clone(scene));
        if known.is_some() {
            return known;
        }
        let image = self.images.image(index)?;
        let scene = Rc::new(Scene::new(image, address)?);
        if !image.has_dwarf() {
            scene.join(self.kinships.borrow_mut().entry(index).or_insert_with(|| Kinship::of(image)));
        }
        self.made.borrow_mut().push((index, Rc::clone(&scene)));
        Some(scene)
    }

    /// The function of an image with this very symbol, where there is but one.
    pub fn symbol(&self, index: usize, name: &str) -> Option<Rc<Scene<'o, 'd>>> {
        match self.images.image(index)?.symbols_named(name).as_slice() {
            [one] => self.of(index, one.address),
            _ => None,
        }
    }

    /// What was read of the log's modules, by `read` where they were not read yet.
    pub fn survey(&self, read: impl FnOnce() -> Survey<'o, 'd>) -> Rc<Survey<'o, 'd>> {
        Rc::clone(self.survey.get_or_init(|| Rc::new(read())))
    }

    /// The kernel image's index.
    pub fn kernel(&self) -> Option<usize> {
        self.images.used_for(None).map(|(index, _)| index)
    }
}
