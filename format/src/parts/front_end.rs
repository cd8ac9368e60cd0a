//! Front ends: integer features of a raw window, computed before the input is scaled.
//!
//! The features take the place of the raw sample that [`Input`](super::input::Input) scales. A new front end is a variant
//! of [`FrontEndRecord`] and of [`FrontEnd`] and a file beside this one.

use serde::{Deserialize, Serialize};

use super::filter::{self, Filter, FilterRecord};
use super::spectrum::{self, Spectrum, SpectrumRecord};
use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::features::{FILTER, Feature, SPECTRUM};
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
    /// Sections on each channel, and instants left out. A spectrum may follow.
    Filter(FilterRecord),
}

/// A front end.
#[derive(Clone, Copy, Debug)]
pub enum FrontEnd<'a> {
    /// Statistics and band energies of each channel.
    Spectrum(Spectrum<'a>),
    /// Sections on each channel, and instants left out. A spectrum may follow.
    Filter(Filter<'a>),
}

/// Decodes and checks the list, in place.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8], list: &mut FrontEnds<'a>) -> Result<(), Fault> {
    let n_front_ends: u32 = cursor.next()?;
    ensure(n_front_ends as usize <= MAX_FRONT_ENDS, Fault::FrontEndCount)?;
    for _ in 0..n_front_ends {
        let front_end = match cursor.next::<u32>()? {
            0 if SPECTRUM => FrontEnd::Spectrum(spectrum::decode(cursor, blob)?),
            0 => return Err(Fault::Disabled(Feature::Spectrum)),
            1 if FILTER => FrontEnd::Filter(filter::decode(cursor, blob)?),
            1 => return Err(Fault::Disabled(Feature::Filter)),
            _ => return Err(Fault::UnknownVariant),
        };
        // The count was checked, so the list has space.
        list.push(front_end).map_err(|_| Fault::FrontEndCount)?;
    }
    // Without spectra there is nothing in the list.
    if SPECTRUM { check_order(list) } else { Ok(()) }
}

/// A filter may be followed by the spectrum of the window that it gives.
fn check_order(list: &[FrontEnd]) -> Result<(), Fault> {
    ensure(
        match list {
            [] | [_] => true,
            [FrontEnd::Filter(filter), FrontEnd::Spectrum(spectrum)] => {
                (filter.kept(), filter.channels) == (spectrum.instants, spectrum.channels)
            }
            _ => false,
        },
        Fault::FrontEndOrder,
    )
}

/// Words of 32 bits of scratch memory that front ends need which run one after another.
pub fn scratch(front_ends: &[FrontEnd]) -> usize {
    front_ends.iter().map(FrontEnd::scratch).sum()
}

/// Multiply-accumulates of front ends for one window. A channel is filtered for each signal of the spectrum that it is part
/// of, or once if there is no spectrum.
pub fn macs(front_ends: &[FrontEnd]) -> u64 {
    let (mut reads, mut of_a_channel, mut of_spectrum) = (0, 0, 0);
    for front_end in front_ends {
        match front_end {
            FrontEnd::Filter(filter) if FILTER => {
                (reads, of_a_channel) = (filter.channels as u64, filter.macs_of_a_channel());
            }
            FrontEnd::Spectrum(spectrum) if SPECTRUM => {
                (reads, of_spectrum) = (spectrum.reads(), spectrum.macs());
            }
            FrontEnd::Filter(_) | FrontEnd::Spectrum(_) => {}
        }
    }
    reads * of_a_channel + of_spectrum
}

// Guards keep the code of a disabled feature out of a program. No front end of its kind is ever made, so the arm that
// answers it then is never reached.
impl FrontEnd<'_> {
    /// The kind of front end, as a page or a command shows it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Spectrum(_) => "spectrum",
            Self::Filter(_) => "filter",
        }
    }

    /// Number of raw counts of one window.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Spectrum(spectrum) if SPECTRUM => spectrum.inputs(),
            Self::Filter(filter) if FILTER => filter.inputs(),
            Self::Spectrum(_) | Self::Filter(_) => 0,
        }
    }

    /// Number of features of one window, or of filtered counts.
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
            Self::Filter(filter) if FILTER => filter.memory(),
            Self::Spectrum(_) | Self::Filter(_) => FrontEndMemory::default(),
        }
    }

    /// Bytes in the blob.
    pub fn flash(&self) -> usize {
        match self {
            Self::Spectrum(spectrum) => spectrum.flash(),
            Self::Filter(filter) => size_of_val(filter.sections),
        }
    }
}
