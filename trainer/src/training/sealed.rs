//! What a fit keeps for a later one, as bytes that are read only if they are undamaged and of this version.

use std::io;

use postcard::ser_flavors::Size;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::mismatch::{CheckpointMismatch, VERSION};

const DIGEST: usize = 32;

/// The value's bytes, followed by their SHA-256. The value's first field is the program's [`VERSION`].
pub(super) fn seal(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let bytes = append(Vec::with_capacity(size(value)? + DIGEST), value)?;
    Ok(with_digest(bytes))
}

/// The sealed bytes of a value whose last field is the bytes of `last`. They are written once, and `last` does not outlive
/// them: the state of an optimiser is as large as three networks.
pub(super) fn seal_with(head: &impl Serialize, last: impl Serialize) -> io::Result<Vec<u8>> {
    let length = size(&last)?;
    let bytes = Vec::with_capacity(size(head)? + size(&length)? + length + DIGEST);
    let bytes = append(append(append(bytes, head)?, &length)?, &last)?;
    drop(last);
    Ok(with_digest(bytes))
}

fn size(value: &impl Serialize) -> io::Result<usize> {
    postcard::serialize_with_flavor(value, Size::default()).map_err(io::Error::other)
}

fn append(bytes: Vec<u8>, value: &impl Serialize) -> io::Result<Vec<u8>> {
    postcard::to_extend(value, bytes).map_err(io::Error::other)
}

fn with_digest(mut bytes: Vec<u8>) -> Vec<u8> {
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_field_by_itself_makes_the_bytes_of_the_whole_and_no_room_is_left() {
        for length in [0, 1, 127, 128, 70_000] {
            let last = (length, vec![7u8; length]);
            let whole = seal(&(VERSION, 3u64, postcard::to_stdvec(&last).unwrap())).unwrap();
            let parts = seal_with(&(VERSION, 3u64), &last).unwrap();
            assert!(parts == whole, "{length}");
            assert_eq!((parts.capacity(), whole.capacity()), (parts.len(), whole.len()));
            let (_, number, state): (String, u64, Vec<u8>) = unseal(&parts).unwrap();
            assert_eq!((number, postcard::from_bytes::<(usize, Vec<u8>)>(&state).unwrap()), (3, last));
        }
    }
}
