//! Names in frames.

use super::Row;

/// To come.
pub(super) fn mend(_rows: &mut [Row]) {}
