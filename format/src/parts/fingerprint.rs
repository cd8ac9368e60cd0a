//! Which run made a model.

use serde::{Deserialize, Serialize};

use crate::cursor::decode_fields;

/// The run that made a model: enough to tell two models apart and to train one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fingerprint<'a> {
    /// First eight bytes of the SHA-256 of the training samples.
    pub data: [u8; 8],
    /// First eight bytes of the SHA-256 of the run's complete configuration.
    pub config: [u8; 8],
    /// The run's seed.
    pub seed: u64,
    /// The trainer's version.
    pub version: &'a str,
}

decode_fields!(Fingerprint<'a>: data, config, seed, version);
