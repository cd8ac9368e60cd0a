//! The state of a fit as bytes, with the fingerprints of the run that it belongs to.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::mismatch::{CheckpointMismatch, VERSION};
use super::sealed::{seal_with, unseal};

/// Stores checkpoints, each completely or not at all. A run's directory is such a store; `()` stores nothing.
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
    /// The error of the storage.
    fn save(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The last checkpoint, if there is one.
    ///
    /// # Errors
    /// The error of the storage.
    fn load(&self) -> io::Result<Option<Vec<u8>>>;

    /// Keeps the autoencoder after its reconstruction, so that other fits can start from it. A store that does not override
    /// this keeps none.
    ///
    /// # Errors
    /// The error of the storage.
    fn save_autoencoder(&mut self, bytes: &[u8]) -> io::Result<()> {
        let _ = bytes;
        Ok(())
    }

    /// The autoencoder that was kept, if there is one. A fit whose settings say so starts from it.
    ///
    /// # Errors
    /// The error of the storage.
    fn load_autoencoder(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }
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

/// The progress of a fit, the state of its phase, and the fingerprints of samples and settings.
#[derive(Deserialize)]
pub(super) struct Checkpoint {
    version: String,
    data: [u8; 32],
    settings: [u8; 32],
    /// The phase's name.
    pub(super) phase: String,
    /// The number of completed epochs of the phase.
    pub(super) epochs: usize,
    pub(super) findings: Vec<Finding>,
    #[serde(with = "serde_bytes")]
    state: Vec<u8>,
}

impl Checkpoint {
    /// A checkpoint to which [`into_bytes`](Self::into_bytes) adds the phase's state.
    pub(super) fn new(data: [u8; 32], settings: [u8; 32], phase: &str, epochs: usize, findings: &[Finding]) -> Self {
        let findings = findings.to_vec();
        Self { version: VERSION.into(), data, settings, phase: phase.into(), epochs, findings, state: vec![] }
    }

    /// The checkpoint's bytes with a phase's state, followed by their SHA-256, because reading a state assumes that it
    /// is undamaged.
    pub(super) fn into_bytes(self, state: impl Serialize) -> io::Result<Vec<u8>> {
        let Self { version, data, settings, phase, epochs, findings, state: _ } = self;
        seal_with(&(version, data, settings, phase, epochs, findings), state)
    }

    /// The phase's state.
    pub(super) fn state<S: DeserializeOwned>(&self) -> Result<S, CheckpointMismatch> {
        postcard::from_bytes(&self.state).map_err(CheckpointMismatch::State)
    }

    /// Reads a checkpoint of this run. The error for any other checkpoint says how it differs.
    pub(super) fn from_bytes(bytes: &[u8], data: [u8; 32], settings: [u8; 32]) -> Result<Self, CheckpointMismatch> {
        let found: Self = unseal(bytes)?;
        if found.data != data {
            return Err(CheckpointMismatch::Samples);
        }
        if found.settings != settings {
            return Err(CheckpointMismatch::Settings);
        }
        Ok(found)
    }
}
