//! The images of a command that cannot do without them, as they are to be asked.

use crate::command_error::CommandError;
use crate::contents::Contents;
use crate::input::unreadable;
use kwhy_base::catalogue::cli as c;
use kwhy_base::prose;
use kwhy_image::Image;
use kwhy_image::index::Shelf;
use std::path::PathBuf;

/// Maps them.
pub fn open(paths: &[PathBuf]) -> Result<Vec<(String, Contents)>, CommandError> {
    paths
        .iter()
        .map(|path| {
            let bytes = Contents::open(path).map_err(|error| unreadable(path, &error))?;
            Ok((path.to_string_lossy().into_owned(), bytes))
        })
        .collect()
}

/// Reads them, each with its file's name: debug information that was split off with its code, under
/// the former's name, and types where they are wanted.
pub fn parse<'d>(
    mapped: &'d [(String, Contents)],
    shelf: &'d dyn Shelf,
) -> Result<Vec<(&'d str, Image<'d>)>, CommandError> {
    let mut images = Vec::new();
    for (path, data) in mapped {
        let unusable = || CommandError::unusable(prose!(c::NOT_AN_IMAGE, path = path));
        if let Some(problem) = &data.problem {
            return Err(unusable().because(problem));
        }
        let image = Image::parse(data).map_err(|error| unusable().because(error))?;
        images.push((path.as_str(), image.with_shelf(Some(shelf))));
    }
    let all: Vec<_> = images.iter().map(|(_, image)| Some(image)).collect();
    let joined = kwhy_image::join_split(&all, &|_, _| true);
    let codes: Vec<usize> = joined.iter().map(|(_, code, _)| *code).collect();
    for (debug, _, image) in joined {
        if let Some(one) = images.get_mut(debug) {
            one.1 = image;
        }
    }
    let mut at = 0..;
    images.retain(|_| at.next().is_none_or(|at| !codes.contains(&at)));
    let all: Vec<_> = images.iter().map(|(path, image)| (*path, image)).collect();
    kwhy_image::share_types(&all);
    Ok(images)
}
