//! Signed models: a trailer after the model says who made it, and which of several models is the newest. Feature
//! `signature`.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 4 | magic `EMXS` |
//! | 4 | 2 | version, 1 |
//! | 6 | 2 | reserved, zero |
//! | 8 | 4 | counter |
//! | 12 | 4 | reserved, zero |
//! | 16 | 64 | Ed25519 signature of the model and of the 16 bytes above |
//!
//! The trailer starts where the model ends, so that a program without the feature reads a signed model as any other.

use core::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use crate::budget::Limits;
use crate::error::{LoadError, ensure};
use crate::header::Header;

/// Bytes of a public key, and of the secret that a key pair is made from.
pub const KEY_LEN: usize = 32;
/// Bytes of the trailer.
pub const TRAILER_LEN: usize = 80;
/// The four bytes that a trailer starts with.
const MAGIC: [u8; 4] = *b"EMXS";
/// Version 1, and zeros.
const VERSION: [u8; 4] = [1, 0, 0, 0];
/// Bytes of the trailer that are signed with the model.
const SIGNED_LEN: usize = 16;

/// Whose models a program accepts, how old they may be, and how costly.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'k> {
    /// The Ed25519 public key of whoever signs the models, as RFC 8032 encodes it.
    pub key: &'k [u8; KEY_LEN],
    /// The lowest counter that is accepted.
    pub least_counter: u32,
    /// What one inference may take.
    pub limits: Limits,
}

/// Why a signed model is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SignatureError {
    /// The model itself is refused: it is above the limits, not whole or not valid.
    Load(LoadError),
    /// No trailer follows the model.
    NotSigned,
    /// The public key is not one.
    Key,
    /// Someone else signed the model, or it was altered since.
    Mismatch,
    /// The model is older than what is accepted.
    Old {
        /// The counter of the model.
        counter: u32,
        /// The lowest counter that is accepted.
        least: u32,
    },
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load(error) => error.fmt(f),
            Self::NotSigned => f.write_str("the model is not signed"),
            Self::Key => f.write_str("the public key is not a valid Ed25519 key"),
            Self::Mismatch => f.write_str("the model was signed with another key, or altered since"),
            Self::Old { counter, least } => {
                write!(f, "the model is too old: its counter is {counter}, but the lowest that is accepted is {least}")
            }
        }
    }
}

impl core::error::Error for SignatureError {}

impl From<LoadError> for SignatureError {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

/// Checks the limits and the signature of a model, and gives its counter. The model's bytes are not looked at beyond their
/// header; they may continue after the trailer.
///
/// # Errors
/// See [`SignatureError`].
pub fn verify(bytes: &[u8], trust: &Trust) -> Result<u32, SignatureError> {
    let header = Header::read(bytes, trust.limits)?;
    let (model, rest) = bytes.split_at_checked(header.total_len as usize).ok_or(SignatureError::NotSigned)?;
    let counter = counter(rest).ok_or(SignatureError::NotSigned)?;
    let (least, signed) = (trust.least_counter, model.len() + SIGNED_LEN);
    ensure(counter >= least, SignatureError::Old { counter, least })?;
    let signature = rest.get(SIGNED_LEN..).and_then(|rest| rest.first_chunk()).ok_or(SignatureError::NotSigned)?;
    let message = bytes.get(..signed).ok_or(SignatureError::NotSigned)?;
    let key = VerifyingKey::from_bytes(trust.key).map_err(|_| SignatureError::Key)?;
    key.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| SignatureError::Mismatch)?;
    Ok(counter)
}

/// The counter that a signed model states, which nothing vouches for: [`verify`] checks the signature. `None` if the model is
/// not signed, or the bytes are no model.
///
/// ```
/// use edgemix_format::signature::{sign, stated_counter};
/// use edgemix_format::testing::Spec;
///
/// let model = Spec::default().build().unwrap();
/// assert_eq!(stated_counter(&model), None);
/// assert_eq!(stated_counter(&sign(&model, &[7; 32], 3).unwrap()), Some(3));
/// ```
pub fn stated_counter(bytes: &[u8]) -> Option<u32> {
    let header = Header::read(bytes, Limits::NONE).ok()?;
    let trailer = bytes.get(header.total_len as usize..)?;
    counter(trailer).filter(|_| trailer.len() >= TRAILER_LEN)
}

/// The counter of a trailer, which nothing vouches for before the signature was checked. `None` if there is no trailer.
fn counter(trailer: &[u8]) -> Option<u32> {
    let (magic, rest) = trailer.split_first_chunk()?;
    let (version, rest) = rest.split_first_chunk()?;
    let (counter, rest) = rest.split_first_chunk()?;
    let reserved = rest.first_chunk::<4>()?;
    let is_trailer = *magic == MAGIC && *version == VERSION && *reserved == [0; 4];
    is_trailer.then_some(u32::from_le_bytes(*counter))
}

/// Signs a model: its bytes, and the trailer. A trailer that is there already is replaced.
///
/// ```
/// use edgemix_format::signature::{SignatureError, Trust, public_key, sign, verify};
/// use edgemix_format::{Limits, testing::Spec};
///
/// let model = Spec::default().build().unwrap();
/// let secret = [7; 32];
/// let signed = sign(&model, &secret, 3).unwrap();
///
/// let key = public_key(&secret);
/// let trust = Trust { key: &key, least_counter: 3, limits: Limits::NONE };
/// assert_eq!(verify(&signed, &trust), Ok(3));
/// assert_eq!(verify(&model, &trust), Err(SignatureError::NotSigned));
/// ```
///
/// # Errors
/// [`SignatureError::Load`] if the bytes are not a model.
#[cfg(feature = "alloc")]
pub fn sign(model: &[u8], secret: &[u8; KEY_LEN], counter: u32) -> Result<crate::write::AlignedBytes, SignatureError> {
    use ed25519_dalek::{Signer, SigningKey};

    let model = crate::write::AlignedBytes::from(model);
    let total_len = crate::File::from_bytes(&model)?.header.total_len as usize;
    let mut signed = model[..total_len].to_vec();
    signed.extend(MAGIC);
    signed.extend(VERSION);
    signed.extend(counter.to_le_bytes());
    signed.extend([0; 4]);
    let signature = SigningKey::from_bytes(secret).sign(&signed);
    signed.extend(signature.to_bytes());
    Ok(signed[..].into())
}

/// The public key of a secret.
#[cfg(feature = "alloc")]
pub fn public_key(secret: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
    ed25519_dalek::SigningKey::from_bytes(secret).verifying_key().to_bytes()
}
