//! The filter: second-order sections on each channel of a window, of whose instants one in several is kept.

use serde::{Deserialize, Serialize};

use crate::cursor::Cursor;
use crate::error::{Fault, ensure};
use crate::limits::{MAX_INPUTS, MAX_INSTANTS, MAX_SECTIONS};
use crate::plan::FrontEndMemory;
use crate::tensor::Tensor;

/// One in the units of a section's factors.
const ONE: i64 = 1 << 30;

/// A filter as the description encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterRecord {
    /// Instants of a window, 1 to 32768. Count `t * channels + c` of the window is that of channel `c` at instant `t`.
    pub instants: u32,
    /// Channels of an instant, 1 to 32.
    pub channels: u16,
    /// The last of so many instants is kept.
    pub factor: u16,
    /// Five factors for each section, in units of 2^-30: see [`Filter::sections`].
    pub sections: Tensor<i32>,
}

/// Second-order sections on each channel of a window, of whose instants one in several is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter<'a> {
    /// Instants of a window.
    pub instants: usize,
    /// Channels of an instant.
    pub channels: usize,
    /// The last of so many instants is kept.
    pub factor: usize,
    /// The factors of each section in units of 2^-30, in the order b0, b1, b2, a1, a2: its output is
    /// `b0 x[t] + b1 x[t-1] + b2 x[t-2] + a1 y[t-1] + a2 y[t-2]`.
    pub sections: &'a [[i32; 5]],
}

/// Decodes and checks a filter.
#[inline(never)]
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8]) -> Result<Filter<'a>, Fault> {
    let [instants, channels, factor]: [u32; 3] = cursor.next()?;
    let sections: Tensor<i32> = cursor.next()?;
    let sections = sections.resolve(blob, sections.len as usize)?;
    let (sections, rest) = sections.as_chunks::<5>();
    ensure(rest.is_empty(), Fault::TensorLength)?;
    let filter = Filter { instants: instants as usize, channels: channels as usize, factor: factor as usize, sections };
    filter.check()?;
    Ok(filter)
}

/// Sizes are those of a filter that [`check`](Filter::check) accepts; others may have any.
impl Filter<'_> {
    /// Checks the sizes and the factors.
    ///
    /// # Errors
    /// What is wrong: see [`Fault`]. Readers refuse such a filter, and writers do not write it.
    pub fn check(&self) -> Result<(), Fault> {
        ensure((1..=MAX_INSTANTS).contains(&self.instants), Fault::Size)?;
        ensure((1..=32).contains(&self.channels) && self.inputs() <= MAX_INPUTS, Fault::Size)?;
        ensure((1..=self.instants).contains(&self.factor), Fault::Size)?;
        ensure((1..=MAX_SECTIONS).contains(&self.sections.len()), Fault::SectionCount)?;
        ensure(self.sections.iter().all(is_stable), Fault::Section)
    }

    /// Number of raw counts of one window.
    pub fn inputs(&self) -> usize {
        self.instants.wrapping_mul(self.channels)
    }

    /// Instants that are kept of a window.
    pub fn kept(&self) -> usize {
        self.instants.checked_div(self.factor).unwrap_or(0)
    }

    /// Number of filtered counts of one window.
    pub fn outputs(&self) -> usize {
        self.kept().wrapping_mul(self.channels)
    }

    /// Scratch memory holds, for each channel, two words before the first section and after every section.
    pub(crate) fn memory(&self) -> FrontEndMemory {
        let words = 2usize.wrapping_mul(self.sections.len().wrapping_add(1)).wrapping_mul(self.channels);
        FrontEndMemory { features: self.outputs(), scratch: words }
    }

    /// Multiply-accumulates of one channel.
    pub(crate) fn macs_of_a_channel(&self) -> u64 {
        // Below 2^21 within the limits.
        self.instants.wrapping_mul(5).wrapping_mul(self.sections.len()) as u64
    }
}

/// Whether the poles of a section are within the unit circle, and it lets a constant pass unchanged or blocks it.
///
/// The roots of z^2 - a1 z - a2 lie within the circle if `abs(a2) < 1` and `abs(a1) < 1 - a2` (Jury, "Theory and
/// application of the z-transform method", 1964).
fn is_stable(section: &[i32; 5]) -> bool {
    let [b0, b1, b2, a1, a2] = section.map(i64::from);
    let poles = ONE - a1 - a2;
    let zeros = b0 + b1 + b2;
    a2.abs() < ONE && a1.abs() < ONE - a2 && (zeros == poles || zeros == 0)
}
