//! What a fit keeps for a later one, as bytes that are read only if they are undamaged and of this version.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::mismatch::{CheckpointMismatch, VERSION};

const DIGEST: usize = 32;

/// The value's bytes, followed by their SHA-256. The value's first field is the program's [`VERSION`].
pub(super) fn seal(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = postcard::to_stdvec(value).map_err(io::Error::other)?;
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    Ok(bytes)
}

/// The value of [sealed](seal) bytes.
pub(super) fn unseal<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CheckpointMismatch> {
    let (body, digest) = bytes.split_at(bytes.len().saturating_sub(DIGEST));
    if Sha256::digest(body)[..] != *digest {
        return Err(CheckpointMismatch::Damaged);
    }
    // The version can be read whatever follows.
    let (version, _) = postcard::take_from_bytes::<String>(body).map_err(CheckpointMismatch::State)?;
    if version != VERSION {
        return Err(CheckpointMismatch::Version { found: version });
    }
    postcard::from_bytes(body).map_err(CheckpointMismatch::State)
}
