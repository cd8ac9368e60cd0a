//! Front ends: integer features of a raw window, computed before the input is scaled.
//!
//! The features take the place of the raw sample that [`Input`](super::input::Input) scales. A new front end is a variant
//! of [`FrontEndRecord`] and of [`FrontEnd`] and a file beside this one.

use serde::{Deserialize, Serialize};

use super::spectrum::{self, Spectrum, SpectrumRecord};
use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::features::{Feature, SPECTRUM};
use crate::limits::MAX_FRONT_ENDS;
use crate::plan::FrontEndMemory;

/// Front ends as the description encodes them, in the order they run.
pub type FrontEndRecords = heapless::Vec<FrontEndRecord, MAX_FRONT_ENDS>;

/// Front ends in the order they run.
pub type FrontEnds<'a> = heapless::Vec<FrontEnd<'a>, MAX_FRONT_ENDS>;

/// A front end as the description encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrontEndRecord {
    /// Statistics and band energies of each channel.
    Spectrum(SpectrumRecord),
}

/// A front end.
#[derive(Clone, Copy, Debug)]
pub enum FrontEnd<'a> {
    /// Statistics and band energies of each channel.
    Spectrum(Spectrum<'a>),
}

/// Decodes and checks the list, in place.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8], list: &mut FrontEnds<'a>) -> Result<(), Fault> {
    let n_front_ends: u32 = cursor.next()?;
    ensure(n_front_ends as usize <= MAX_FRONT_ENDS, Fault::FrontEndCount)?;
    for _ in 0..n_front_ends {
        let front_end = match cursor.next::<u32>()? {
            0 if SPECTRUM => FrontEnd::Spectrum(spectrum::decode(cursor, blob)?),
            0 => return Err(Fault::Disabled(Feature::Spectrum)),
            _ => return Err(Fault::UnknownVariant),
        };
        // The count was checked, so the list has space.
        list.push(front_end).map_err(|_| Fault::FrontEndCount)?;
    }
    Ok(())
}

// Guards keep the code of a disabled feature out of a program. No front end of its kind is ever made, so the arm that
// answers it then is never reached.
impl FrontEnd<'_> {
    /// The kind of front end, as a page or a command shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Spectrum(_) => "spectrum",
        }
    }

    /// Number of raw counts of one window.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Spectrum(spectrum) if SPECTRUM => spectrum.inputs(),
            Self::Spectrum(_) => 0,
        }
    }

    /// Number of features of one window.
    pub fn outputs(&self) -> usize {
        self.memory().features
    }

    /// Words of 32 bits of scratch memory.
    pub fn scratch(&self) -> usize {
        self.memory().scratch
    }

    /// The memory that the front end needs.
    pub fn memory(&self) -> FrontEndMemory {
        match self {
            Self::Spectrum(spectrum) if SPECTRUM => spectrum.memory(),
            Self::Spectrum(_) => FrontEndMemory::default(),
        }
    }

    /// Multiply-accumulates of one window.
    pub fn macs(&self) -> u64 {
        match self {
            Self::Spectrum(spectrum) if SPECTRUM => spectrum.macs(),
            Self::Spectrum(_) => 0,
        }
    }

    /// Bytes in the blob.
    pub fn flash(&self) -> usize {
        match self {
            Self::Spectrum(spectrum) => spectrum.flash(),
        }
    }
}
