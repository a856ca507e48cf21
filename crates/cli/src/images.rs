//! Finds and maps the images that `-i` names.

use crate::command_error::CommandError;
use crate::input::unreadable;
use kwhy_base::Prose;
use kwhy_mmap::Mapping;
use std::path::PathBuf;

/// The images there are, and what became of those that are not.
pub struct Images {
    /// Name and bytes of each, in the order given.
    pub mapped: Vec<(String, Mapping)>,
    /// Paths that were named and cannot be read.
    pub errors: Vec<CommandError>,
    /// What is worth a note.
    pub remarks: Vec<Prose>,
}

impl Images {
    /// Maps what `paths` name; folders are searched for what `log` wants.
    pub fn find(paths: &[PathBuf], log: &kwhy_oops::Log) -> Images {
        let _ = log;
        let mut images = Images { mapped: Vec::new(), errors: Vec::new(), remarks: Vec::new() };
        for path in paths {
            images.open(path);
        }
        images
    }

    fn open(&mut self, path: &PathBuf) {
        match Mapping::open(path) {
            Ok(bytes) => self.mapped.push((path.to_string_lossy().into_owned(), bytes)),
            Err(error) => self.errors.push(unreadable(path, &error)),
        }
    }
}
