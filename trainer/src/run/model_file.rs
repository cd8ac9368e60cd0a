//! A quantised model as a file.

use std::fs;
use std::path::{Path, PathBuf};

use edgemix_format::signature::stated_counter;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;

use super::error::RunError;
use super::file::RunFile;
use super::replacement;

/// The bytes of an `.emx` file, checked once and aligned as [`Model`] needs them.
///
/// ```
/// use edgemix::run::ModelFile;
///
/// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// let file = ModelFile::read(path.as_ref())?;
/// assert_eq!((file.model()?.input_len(), file.flash()), (64, std::fs::metadata(path)?.len() as usize));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ModelFile {
    path: PathBuf,
    bytes: AlignedBytes,
}

impl ModelFile {
    /// Reads and checks a file, or the model of a run if `path` is a directory.
    ///
    /// # Errors
    /// [`RunError::Io`] if the file can't be read, [`RunError::Unfinished`] or [`RunError::NotExported`] if the run has no
    /// such file, and [`RunError::Model`] if it is not a model.
    pub fn read(path: &Path) -> Result<Self, RunError> {
        if path.is_dir() {
            let file = |file| replacement::current(path, file);
            let contains = |wanted| file(wanted).exists();
            return Self::read_file(file(RunFile::Model)).map_err(|error| error.about_missing_model(path, contains));
        }
        Self::read_file(path.into())
    }

    fn read_file(path: PathBuf) -> Result<Self, RunError> {
        let bytes = fs::read(&path).map_err(RunError::io(&path))?;
        Self::new(path, &bytes)
    }

    /// Checks bytes that were read before, from the file that messages name.
    ///
    /// # Errors
    /// [`RunError::Model`] if they are not a model.
    pub fn new(path: impl Into<PathBuf>, bytes: &[u8]) -> Result<Self, RunError> {
        let file = Self { path: path.into(), bytes: AlignedBytes::from(bytes) };
        file.model()?;
        Ok(file)
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The model.
    ///
    /// # Errors
    /// [`RunError::Model`]; never after [`ModelFile::read`] succeeded.
    pub fn model(&self) -> Result<Model<'_>, RunError> {
        let named = |source| RunError::Model { path: self.path.clone(), source };
        Model::from_bytes(&self.bytes).map_err(named)
    }

    /// The counter of the model if it is signed, which nothing vouches for until the signature is checked.
    pub fn signed_counter(&self) -> Option<u32> {
        stated_counter(&self.bytes)
    }

    /// The size of the file in bytes, which is the flash memory that it occupies.
    pub fn flash(&self) -> usize {
        self.bytes.len()
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
