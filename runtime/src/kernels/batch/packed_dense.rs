//! The weights of a dense layer in the order in which a batch multiplies them.

use alloc::vec::Vec;
use core::ops::Range;

use edgemix_format::view::{Activation, Dense};

use super::super::Width;
use super::super::blocks::finish_rows;
use super::instructions::{GROUP, Instructions, PANEL};

/// A number for each output of a group, aligned for vector registers.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Sixteen(pub(super) [i32; GROUP]);

/// A dense layer whose weights are packed for a set of instructions.
///
/// ```
/// use edgemix_runtime::kernels::batch::{Instructions, PackedDense};
/// use edgemix_runtime::kernels::{Width, portable};
/// use edgemix_runtime::view::{Activation, Affine, Dense, Requantize};
///
/// let layer = Dense {
///     inputs: 3,
///     weights: &[1, 2, 3, -4, -5, -6],
///     bias: &[10, 20],
///     requantize: Requantize { multiplier: &[1 << 30, 1 << 30], shift: &[33, 34] },
///     activation: Activation::Relu,
///     output: Affine { scale: 1.0, zero_point: -100 },
/// };
/// let samples = [[1, 2, 3], [40, 50, 60]];
/// for instructions in Instructions::available() {
///     let packed = PackedDense::new(&layer, Width::Narrow, instructions);
///     let mut rows = vec![0; 2 * packed.row()];
///     for (row, sample) in rows.chunks_exact_mut(packed.row()).zip(&samples) {
///         instructions.write(sample, row);
///     }
///     let stride = packed.outputs_row();
///     let mut outputs = vec![0; 2 * stride];
///     packed.run((&rows, packed.row()), (&mut outputs, stride));
///     for (row, sample) in outputs.chunks_exact(stride).zip(&samples) {
///         let mut expected = [0; 2];
///         portable::dense(&layer, Width::Narrow, sample, &mut expected);
///         assert!(instructions.read(row).take(2).eq(expected));
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct PackedDense<'m> {
    layer: Dense<'m>,
    pub(super) width: Width,
    pub(super) instructions: Instructions,
    /// Number of words of a row of inputs.
    pub(super) words: usize,
    /// Of each group, the weights of each word.
    pub(super) weights: Vec<Sixteen>,
    /// Of each group, what is added to the products.
    pub(super) bias: Vec<Sixteen>,
    pub(super) scales: Vec<Scale>,
    /// Whether vectors compute the outputs. Leaky ReLUs, tables and curves are left to compiled code, and so are shifts so far below
    /// 33 that the sums would have to be shifted beyond 32 bits, or shifts below 33 at all for outputs of bytes.
    pub(super) is_rescaled: bool,
}

/// How the sums of a group become outputs: `(upper half of (sum << left) * multiplier + rounding) >> shift`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scale {
    /// 0 but for shifts below 33.
    pub(super) left: Sixteen,
    pub(super) multiplier: Sixteen,
    pub(super) rounding: Sixteen,
    pub(super) shift: Sixteen,
}

impl<'m> PackedDense<'m> {
    /// Packs the weights of a layer, whose outputs are `width` wide.
    pub fn new(layer: &Dense<'m>, width: Width, instructions: Instructions) -> Self {
        let words = layer.inputs.div_ceil(instructions.elements_of_a_word());
        let n_groups = layer.bias.len().div_ceil(GROUP);
        let can_shift_left = width == Width::Wide || instructions.shifts_bytes_left();
        let mut rows = layer.requantize.shift.iter().zip(largest_sums(layer));
        let has_vectors = matches!(layer.activation, Activation::Identity | Activation::Relu);
        let is_rescaled = has_vectors
            && rows.all(|(&shift, largest)| match 33u32.saturating_sub(shift.into()) {
                0 => true,
                left => can_shift_left && largest << left < 1 << 31,
            });
        let mut packed = Self {
            layer: *layer,
            width,
            instructions,
            words,
            weights: alloc::vec![Sixteen::default(); n_groups * words],
            bias: alloc::vec![Sixteen::default(); n_groups],
            scales: alloc::vec![Scale::default(); n_groups],
            is_rescaled,
        };
        for group in 0..n_groups {
            for element in 0..GROUP {
                let output = instructions.output(group, element, n_groups, width);
                // Elements beyond the last output stay 0.
                let _ = packed.place(group, element, output);
            }
        }
        packed
    }

    /// Puts the weights, the bias and the scale of an output at an element of a group.
    fn place(&mut self, group: usize, element: usize, output: usize) -> Option<()> {
        let bias = *self.layer.bias.get(output)?;
        let weights = self.layer.weights.chunks_exact(self.layer.inputs.max(1)).nth(output)?;
        let words = self.weights.get_mut(group * self.words..(group + 1) * self.words)?;
        let is_bytes = self.instructions.element() == 1;
        let mut sum = 0i32;
        for (to, four_or_two) in words.iter_mut().zip(weights.chunks(self.instructions.elements_of_a_word())) {
            let mut word = [0; 4];
            for (at, &weight) in four_or_two.iter().enumerate() {
                sum = sum.wrapping_add(weight.into());
                if is_bytes {
                    *word.get_mut(at)? = weight as u8;
                } else {
                    word.get_mut(2 * at..2 * at + 2)?.copy_from_slice(&i16::from(weight).to_ne_bytes());
                }
            }
            *to.0.get_mut(element)? = i32::from_ne_bytes(word);
        }
        // Bytes are the values plus 128.
        let excess = if is_bytes { sum.wrapping_mul(128) } else { 0 };
        *self.bias.get_mut(group)?.0.get_mut(element)? = bias.wrapping_sub(excess);
        let scale = self.scales.get_mut(group)?;
        *scale.multiplier.0.get_mut(element)? = *self.layer.requantize.multiplier.get(output)?;
        // `((upper >> n) + 1) >> 1` in one step: the sum fits 32 bits, because the upper half is at most 2^30.
        let shift = i32::from(*self.layer.requantize.shift.get(output)?);
        let n = (shift - 33).clamp(0, 29);
        *scale.left.0.get_mut(element)? = (33 - shift).max(0);
        *scale.rounding.0.get_mut(element)? = 1 << n;
        *scale.shift.0.get_mut(element)? = n + 1;
        Some(())
    }

    /// The fewest bytes from a row of inputs to the next. Bytes beyond the last input may have any value.
    pub fn row(&self) -> usize {
        self.words * size_of::<i32>()
    }

    /// Bytes from a row of outputs to the next at which the outputs are written fastest.
    pub fn outputs_row(&self) -> usize {
        self.layer.bias.len().next_multiple_of(GROUP) * self.output_element()
    }

    /// Bytes of an element of the outputs: int16 for wide ones.
    pub fn output_element(&self) -> usize {
        match self.width {
            Width::Narrow => self.instructions.element(),
            Width::Wide => size_of::<i16>(),
        }
    }

    /// Number of inputs.
    pub fn inputs(&self) -> usize {
        self.layer.inputs
    }

    /// Number of outputs.
    pub fn outputs(&self) -> usize {
        self.layer.bias.len()
    }

    /// The least output as far as the activation goes, and the zero point.
    pub(super) fn bounds(&self) -> (i32, i32) {
        let zero = i32::from(self.layer.output.zero_point);
        let low = self.width.range().0 as i32;
        (if matches!(self.layer.activation, Activation::Relu) { zero } else { low }, zero)
    }

    /// Writes the outputs of the sums of some groups, one after another, in compiled code.
    pub(super) fn write_slowly(&self, groups: Range<usize>, sums: &[Sixteen], row: &mut [u8]) -> Option<()> {
        let n_groups = self.bias.len();
        let first = groups.start * GROUP;
        let rows = first..(groups.end * GROUP).min(self.outputs());
        let mut sorted = [0; PANEL * GROUP];
        for (group, sums) in groups.zip(sums) {
            for (element, &sum) in sums.0.iter().enumerate() {
                let output = self.instructions.output(group, element, n_groups, self.width);
                *sorted.get_mut(output.checked_sub(first)?)? = sum;
            }
        }
        let mut outputs = [0i16; PANEL * GROUP];
        let outputs = outputs.get_mut(..rows.len())?;
        finish_rows(&self.layer, self.width, sorted.get(..rows.len())?, outputs, rows.clone())?;
        let at = self.output_element();
        let row = row.get_mut(rows.start * at..rows.end * at)?;
        match self.width {
            Width::Narrow => self.instructions.write(outputs, row),
            Width::Wide => row.copy_from_slice(bytemuck::cast_slice(outputs)),
        }
        Some(())
    }
}

/// What the sum of each output is at most, in absolute value.
fn largest_sums(layer: &Dense) -> impl Iterator<Item = u64> {
    let rows = layer.weights.chunks_exact(layer.inputs.max(1));
    layer.bias.iter().zip(rows).map(|(bias, row)| {
        let weights: u64 = row.iter().map(|weight| u64::from(weight.unsigned_abs())).sum();
        u64::from(bias.unsigned_abs()) + 128 * weights
    })
}
