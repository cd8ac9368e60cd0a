//! Models in two flash slots: which one a program starts with, and how an update replaces the other one. Feature
//! `signature`.
//!
//! The signature is the only sign that an update is complete, so there is no flag that could be wrong: at every moment at
//! least one slot holds a whole model, whenever the power fails.

use core::fmt;

use edgemix_format::signature::{SignatureError, Trust};

use crate::Model;

/// The model to start with.
#[derive(Clone, Debug)]
pub struct Newest<'m> {
    /// The slot that holds it, 0 or 1.
    pub slot: usize,
    /// Its counter.
    pub counter: u32,
    /// The model.
    pub model: Model<'m>,
}

/// Finds the model with the highest counter in two slots. `None` if neither holds a model that is trusted.
///
/// A slot may be erased, half-written, or longer than its model.
pub fn newest<'m>(slots: [&'m [u8]; 2], trust: &Trust) -> Option<Newest<'m>> {
    let [first, second] = slots.map(|bytes| Model::from_signed_bytes(bytes, trust).ok());
    let first = first.map(|(model, counter)| Newest { slot: 0, counter, model });
    let second = second.map(|(model, counter)| Newest { slot: 1, counter, model });
    match (first, second) {
        (Some(first), Some(second)) => Some(if second.counter > first.counter { second } else { first }),
        (first, second) => first.or(second),
    }
}

/// Flash with two slots for models. Each starts at a multiple of 16 bytes.
pub trait Slots {
    /// Why flash cannot be erased or written.
    type Error;

    /// The bytes of both slots.
    fn bytes(&self) -> [&[u8]; 2];

    /// Erases a slot.
    ///
    /// # Errors
    /// Those of the flash.
    fn erase(&mut self, slot: usize) -> Result<(), Self::Error>;

    /// Writes bytes to an erased part of a slot.
    ///
    /// # Errors
    /// Those of the flash, also where the slot ends before the bytes do.
    fn write(&mut self, slot: usize, offset: usize, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// Why an update fails. The model that the program started with is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum UpdateError<E> {
    /// The flash failed.
    Flash(E),
    /// What was written is not a model that is trusted, or it is not newer than the one in the other slot.
    Refused(SignatureError),
}

impl<E: fmt::Display> fmt::Display for UpdateError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "the flash failed: {error}"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for UpdateError<E> {}

/// Writes a new model, as it arrives in pieces, to the slot that does not hold the newest one, and checks it there. Gives
/// its slot, with which the program starts from now on.
///
/// A model that is refused is erased again. Should the power fail before it is, [`newest`] does not choose it either, unless
/// its owner signed two models with one counter.
///
/// # Errors
/// See [`UpdateError`].
pub fn update<'p, S: Slots>(
    slots: &mut S,
    trust: &Trust,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> Result<usize, UpdateError<S::Error>> {
    let (slot, least_counter) = match newest(slots.bytes(), trust) {
        Some(current) => (1 - current.slot.min(1), current.counter.saturating_add(1)),
        None => (0, trust.least_counter),
    };
    slots.erase(slot).map_err(UpdateError::Flash)?;
    let mut offset = 0usize;
    for piece in pieces {
        slots.write(slot, offset, piece).map_err(UpdateError::Flash)?;
        offset = offset.saturating_add(piece.len());
    }
    let [first, second] = slots.bytes();
    let written = if slot == 0 { first } else { second };
    let newer = Trust { least_counter, ..*trust };
    match Model::from_signed_bytes(written, &newer).map(drop) {
        Ok(()) => Ok(slot),
        Err(error) => {
            slots.erase(slot).map_err(UpdateError::Flash)?;
            Err(UpdateError::Refused(error))
        }
    }
}
