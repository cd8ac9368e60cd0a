//! The bytes of a file of another program.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::ImportError;
use super::limits::LARGEST;
use crate::data::DataError;

/// The bytes of a file, if there are not more than any microcontroller holds.
pub(super) fn file_bytes(path: &Path) -> Result<Vec<u8>, ImportError> {
    let file = File::open(path).map_err(DataError::io(path))?;
    let length = file.metadata().map_err(DataError::io(path))?.len();
    if length > LARGEST {
        return Err(ImportError::TooLarge { path: path.into(), length });
    }
    let mut bytes = vec![];
    // A file that grows meanwhile is not followed.
    file.take(LARGEST).read_to_end(&mut bytes).map_err(DataError::io(path))?;
    Ok(bytes)
}
