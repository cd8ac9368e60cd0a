//! Linear functions of the latent as rows of int16 coefficients.

use edgemix_format::view::MAX_BIAS;

use super::SCORE_BITS;

/// Rows of diagonal and spherical mixtures: 32-bit sums.
pub(super) const DIAGONAL: RowFormat = RowFormat { bits: 14, shifts: (5, 31), limit: MAX_BIAS as f64 };
/// Rows of full mixtures: 64-bit sums.
pub(super) const FULL: RowFormat = RowFormat { bits: 14, shifts: (5, 40), limit: i32::MAX as f64 };
/// Rows of a softmax.
pub(super) const LOGITS: RowFormat = RowFormat { bits: SCORE_BITS, shifts: (1, 40), limit: i32::MAX as f64 };

/// The integers that the format allows for a kind of row.
#[derive(Clone, Copy)]
pub(super) struct RowFormat {
    /// Fraction bits of the row's value.
    pub(super) bits: i32,
    /// The least and the greatest shift.
    pub(super) shifts: (i32, i32),
    /// Offsets are smaller than this.
    limit: f64,
}

/// A row whose value is `coefficients (z - mean) + constant`, where z and the mean are in latent steps.
pub(super) struct Row<'a> {
    pub(super) coefficients: Vec<f64>,
    pub(super) mean: &'a [f64],
    pub(super) constant: f64,
}

/// Quantised rows that share a shift.
pub(super) struct QuantizedRows {
    coefficients: Vec<i16>,
    offsets: Vec<i32>,
    shift: u8,
}

/// The tensors of a head, to which rows are appended.
#[derive(Default)]
pub(super) struct HeadTensors {
    pub(super) coefficients: Vec<i16>,
    pub(super) offsets: Vec<i32>,
    pub(super) shifts: Vec<u8>,
}

impl<'a> Row<'a> {
    /// A row that is zero at the mean.
    pub(super) fn zero_at(mean: &'a [f64], coefficients: Vec<f64>) -> Self {
        Self { coefficients, mean, constant: 0.0 }
    }
}

impl HeadTensors {
    /// Appends rows, and at most `kept` of their coefficients: one is enough where they are all the same.
    pub(super) fn push(&mut self, rows: QuantizedRows, kept: usize) {
        self.coefficients.extend(rows.coefficients.iter().take(kept));
        self.offsets.extend(rows.offsets);
        self.shifts.push(rows.shift);
    }
}

/// The integers for which `(sum_c q_c z_c + offset) >> shift = floor(value * 2^bits + 1/2)`, with as many bits as fit; `None`
/// if none fit.
pub(super) fn quantize(rows: &[Row], format: RowFormat) -> Option<QuantizedRows> {
    let greatest = rows.iter().flat_map(|row| &row.coefficients).fold(0f64, |greatest, a| greatest.max(a.abs()));
    let widest = (f64::from(i16::MAX) / greatest.max(f64::MIN_POSITIVE)).log2().floor() as i32 - format.bits;
    let shifts = (format.shifts.0..=format.shifts.1.min(widest)).rev();
    shifts.map(|shift| with_shift(rows, format, shift)).find_map(|rows| rows)
}

/// The offset is computed from the quantised coefficients, so that a row is zero exactly at its mean. `None` if an offset
/// does not fit.
fn with_shift(rows: &[Row], format: RowFormat, shift: i32) -> Option<QuantizedRows> {
    let unit = 2f64.powi(format.bits + shift);
    let half = 2f64.powi(shift - 1);
    let mut quantized = QuantizedRows { coefficients: vec![], offsets: vec![], shift: shift as u8 };
    for row in rows {
        let q: Vec<f64> = row.coefficients.iter().map(|a| (a * unit).round()).collect();
        let at_mean: f64 = q.iter().zip(row.mean).map(|(q, m)| q * m).sum();
        let offset = (row.constant * unit - at_mean).round() + half;
        if offset.abs() >= format.limit {
            return None;
        }
        quantized.coefficients.extend(q.iter().map(|&q| q as i16));
        quantized.offsets.push(offset as i32);
    }
    Some(quantized)
}
