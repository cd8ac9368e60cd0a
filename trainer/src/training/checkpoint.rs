//! Where a fit stands, as one string of bytes that says which run it belongs to.

use std::io;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{FitConfig, FitError, Position};
use crate::data::Samples;

/// Where checkpoints are kept: whole or not at all. [`RunDir`](crate::run::RunDir) keeps them in a directory, `()` nowhere.
///
/// ```
/// use edgemix::training::CheckpointStore;
///
/// /// In memory.
/// #[derive(Default)]
/// struct Memory(Option<Vec<u8>>);
///
/// impl CheckpointStore for Memory {
///     fn save(&mut self, bytes: &[u8]) -> std::io::Result<()> {
///         self.0 = Some(bytes.to_vec());
///         Ok(())
///     }
///
///     fn load(&self) -> std::io::Result<Option<Vec<u8>>> {
///         Ok(self.0.clone())
///     }
/// }
/// # let mut store = Memory::default();
/// # store.save(b"state").unwrap();
/// # assert_eq!(store.load().unwrap().unwrap(), b"state");
/// ```
pub trait CheckpointStore {
    /// Replaces the checkpoint.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn save(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The last checkpoint, if there is one.
    ///
    /// # Errors
    /// Whatever the medium says.
    fn load(&self) -> io::Result<Option<Vec<u8>>>;
}

/// No checkpoints.
impl CheckpointStore for () {
    fn save(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn load(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// The position of the next epoch, the method's state, and what both depend on.
#[derive(Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: String,
    data: [u8; 32],
    config: [u8; 32],
    pub(super) next: Position,
    pub(super) state: Vec<u8>,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");
const DIGEST: usize = 32;

impl Checkpoint {
    pub(super) fn new(samples: &Samples, config: &FitConfig, next: Position, state: Vec<u8>) -> Self {
        let config = fingerprint(config);
        Self { version: VERSION.into(), data: samples.fingerprint(), config, next, state }
    }

    /// The bytes, then their SHA-256: what reads a method's state takes it to be whole.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, FitError> {
        let other = |error| FitError::Checkpoint { doing: "written", source: io::Error::other(error) };
        let mut bytes = postcard::to_stdvec(self).map_err(other)?;
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        Ok(bytes)
    }

    /// Reads a checkpoint of this run; any other is refused with what is different about it.
    pub(super) fn from_bytes(bytes: &[u8], samples: &Samples, config: &FitConfig) -> Result<Self, FitError> {
        let mismatch = |problem: &str| Err(FitError::Mismatch(problem.into()));
        let (body, digest) = bytes.split_at(bytes.len().saturating_sub(DIGEST));
        if Sha256::digest(body)[..] != *digest {
            return mismatch("the checkpoint is damaged");
        }
        let found: Self = postcard::from_bytes(body).map_err(|error| FitError::Mismatch(error.to_string()))?;
        if found.version != VERSION {
            return mismatch(&format!("it was written by version {}, this is {VERSION}", found.version));
        }
        if found.data != samples.fingerprint() {
            return mismatch("the samples are others");
        }
        if found.config != fingerprint(config) {
            return mismatch("the settings are others");
        }
        Ok(found)
    }
}

/// Of all settings that decide what is learned; how often checkpoints are kept and how novelty is tabled does not.
fn fingerprint(config: &FitConfig) -> [u8; 32] {
    let decisive = FitConfig { checkpoint_every: 0, finest_rate: 0.0, ..config.clone() };
    Sha256::digest(format!("{decisive:?}")).into()
}
