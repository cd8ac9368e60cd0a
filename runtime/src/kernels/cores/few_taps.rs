//! Convolutions of few weights a filter, for cores with the DSP extension. A filter's weights stay in registers while a
//! strip of positions passes by, so that neither a position nor a filter costs a call for its few products.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use edgemix_format::ACTIVATIONS;
use edgemix_format::view::{Activation, Conv2d, Dense, Requantize};

use super::super::Width;
use super::super::blocks::DenseKernel;
use super::super::gather::{gather, positions};
use super::dsp::Dsp;

/// The most weights of a filter: eight registers hold them.
const TAPS: usize = 16;
/// The most positions of a strip, whose inputs lie on the stack.
const STRIP: usize = 16;
/// With fewer positions, loading a filter's weights into registers doesn't pay.
const LEAST: usize = 4;
/// The part of a shift that taking the upper half of a product does.
const SHIFT: u8 = 32;

/// The inputs under the window, for one position after another, each filled up with zeros and put into the order of
/// [`Dsp::arrange`].
#[repr(align(4))]
struct Patches([[i16; TAPS]; STRIP]);

/// Computes a convolution as [`portable::convolution`](super::super::portable::convolution) does. Returns false, and computes
/// nothing, if the layer has too many weights a filter, too few positions, or outputs of a rare kind.
pub(super) fn run(layer: &Conv2d, width: Width, input: &[i16], output: &mut [i16]) -> bool {
    let (taps, n_filters) = (layer.filters.inputs, layer.filters.bias.len());
    let (Some(negative), 1..=TAPS, 1..) = (negative_sums(&layer.filters, width), taps, n_filters) else { return false };
    if layer.window.rows() * layer.window.columns() < LEAST {
        return false;
    }
    let mut patches = Patches([[0; TAPS]; STRIP]);
    let mut positions = positions(&layer.window);
    for outputs in output.chunks_mut((STRIP * n_filters).max(1)) {
        let mut n_positions = 0;
        for (patch, (row, column)) in patches.0.iter_mut().take(outputs.len() / n_filters).zip(&mut positions) {
            let Some((inputs, rest)) = patch.split_at_mut_checked(taps) else { return false };
            if !gather_inside(layer, row, column, input, inputs) {
                gather(layer, row, column, input, inputs, |x| x);
            }
            rest.fill(0);
            Dsp::arrange(patch);
            n_positions += 1;
        }
        if let Some(patches) = patches.0.get(..n_positions) {
            strip(&layer.filters, negative, patches, outputs);
        }
    }
    true
}

/// The multipliers and shifts of negative sums, `None` for a ReLU, which makes them 0. The whole is `None` unless the
/// outputs are int8 without a table and all shifts are above 32, as nearly all are.
fn negative_sums<'a>(filters: &Dense<'a>, width: Width) -> Option<Option<Requantize<'a>>> {
    let negative = match (filters.activation, width) {
        (Activation::Identity, Width::Narrow) => Some(filters.requantize),
        (Activation::Relu, Width::Narrow) => None,
        (Activation::LeakyRelu(slopes), Width::Narrow) if ACTIVATIONS => Some(slopes),
        _ => return None,
    };
    let is_usual = |by: &Requantize| by.shift.iter().all(|&shift| shift > SHIFT);
    (is_usual(&filters.requantize) && negative.as_ref().is_none_or(is_usual)).then_some(negative)
}

/// Copies the input under a window that begins at `row` and `column` of the padded image. Returns false, and copies
/// nothing, if padding is under it.
fn gather_inside(layer: &Conv2d, row: usize, column: usize, input: &[i16], patch: &mut [i16]) -> bool {
    let window = &layer.window;
    let [above, left, _, _] = window.padding.map(usize::from);
    let [rows, columns] = window.kernel.map(usize::from);
    let [height, width, channels] = [window.height, window.width, window.channels].map(usize::from);
    // Above or left of the image, the differences wrap and are too large.
    let (top, start) = (row.wrapping_sub(above), column.wrapping_sub(left));
    if top >= height || start >= width || top + rows > height || start + columns > width {
        return false;
    }
    let (line, taps) = (width * channels, columns * channels);
    let (first, last) = (top * line + start * channels, (top + rows - 1) * line + start * channels + taps);
    let Some(source) = input.get(first..last) else { return false };
    if rows == 0 || taps == 0 || patch.len() != rows * taps {
        return false;
    }
    // SAFETY: `source` ends with the last of `rows` rows that begin `line` elements apart, and `patch` has room for them.
    unsafe { copy_rows(source.as_ptr(), 2 * (line - taps), patch.as_mut_ptr(), taps, rows) }
    true
}

/// Runs all filters over the patches of a strip.
fn strip(filters: &Dense, negative: Option<Requantize>, patches: &[[i16; TAPS]], outputs: &mut [i16]) {
    let n_filters = filters.bias.len();
    let by = filters.requantize;
    let slopes = negative.unwrap_or(by);
    let scales = by.multiplier.iter().zip(by.shift).zip(slopes.multiplier.iter().zip(slopes.shift));
    let rows = filters.weights.chunks_exact(filters.inputs.max(1)).zip(filters.bias).zip(scales);
    for (filter, ((row, &bias), ((&multiplier, &shift), (&slope, &slope_shift)))) in rows.enumerate() {
        let mut padded = [0; TAPS];
        let weights = row.as_array().unwrap_or_else(|| {
            padded.iter_mut().zip(row).for_each(|(place, &weight)| *place = weight);
            &padded
        });
        let scales = Scales {
            slope: if negative.is_some() { slope } else { 0 },
            slope_shift: slope_shift.wrapping_sub(SHIFT).into(),
            multiplier,
            shift: shift.wrapping_sub(SHIFT).into(),
            bias,
            zero_point: filters.output.zero_point.into(),
        };
        // The outputs of the filter from its first to its last.
        let (begin, end) = (filter, filter + patches.len().saturating_sub(1) * n_filters);
        let Some(outputs @ [_, ..]) = outputs.get_mut(begin..=end) else { return };
        let patches = patches.as_ptr_range();
        if patches.is_empty() {
            return;
        }
        // SAFETY: there are 16 weights, at least one patch of 16 inputs, and an output for each patch, `n_filters`
        // elements apart. The patches are a part of `Patches`, which begins at a multiple of 4 bytes, as do its elements
        // of 32 bytes.
        unsafe {
            let (x, x_end) = (patches.start.cast(), patches.end.cast());
            filter_outputs(weights.as_ptr(), x, outputs.as_mut_ptr(), 2 * n_filters, x_end, &scales);
        }
    }
}

/// A filter's bias, and how its sums become outputs, in the order in which the assembly loads them.
#[repr(C)]
struct Scales {
    /// The multiplier of negative sums, not negative.
    slope: i32,
    /// Their shift less 32, 1 to 30.
    slope_shift: u32,
    /// The multiplier of other sums, not negative.
    multiplier: i32,
    /// Their shift less 32, 1 to 30.
    shift: u32,
    bias: i32,
    zero_point: i32,
}

/// Two products of each of two pairs of inputs. Changes r0 and r12.
macro_rules! fours {
    ($even:literal, $odd:literal) => {
        concat!("ldrd r0, r12, [r1], #8\nsmlad lr, r0, ", $even, ", lr\nsmlad lr, r12, ", $odd, ", lr\n")
    };
}

/// The outputs of a filter: `bias + sum_j weights[j] * x[j]` of each patch, requantised as
/// [`requantize`](super::super::wide::requantize) does, with the zero point added, saturating to int8.
///
/// # Safety
/// Between `x` and `x_end` lie `n` patches of 16 inputs, where `n` is not 0, aligned to 4 bytes and arranged. `weights`
/// points to 16 weights, and `outputs` to `n` elements that are `stride` bytes apart.
#[unsafe(naked)]
unsafe extern "C" fn filter_outputs(
    weights: *const i8,
    x: *const i16,
    outputs: *mut i16,
    stride: usize,
    x_end: *const i16,
    scales: &Scales,
) {
    naked_asm!(
        extension!(),
        "push {{r4-r11, lr}}",
        "ldr r12, [sp, #40]",
        "ldm r12, {{r4-r9}}",
        // On the stack: 0 slope and its shift, 8 multiplier and shift, 16 bias, 20 zero point, 24 saved registers, 60
        // x_end.
        "push {{r4-r9}}",
        // Pairs of weights: 0 and 2, 1 and 3, and so on.
        "ldr r4, [r0]",
        "ldr r6, [r0, #4]",
        "ldr r8, [r0, #8]",
        "ldr r10, [r0, #12]",
        "sxtb16 r5, r4, ror #8",
        "sxtb16 r4, r4",
        "sxtb16 r7, r6, ror #8",
        "sxtb16 r6, r6",
        "sxtb16 r9, r8, ror #8",
        "sxtb16 r8, r8",
        "sxtb16 r11, r10, ror #8",
        "sxtb16 r10, r10",
        "2:",
        "ldr lr, [sp, #16]",
        fours!("r4", "r5"),
        fours!("r6", "r7"),
        fours!("r8", "r9"),
        fours!("r10", "r11"),
        "cmp lr, #0",
        "ite mi",
        "ldrdmi r0, r12, [sp]",
        "ldrdpl r0, r12, [sp, #8]",
        "smmul lr, lr, r0",
        // The last bit that is shifted out lands in the carry, and adding the carry rounds.
        "asrs lr, lr, r12",
        "ldr r0, [sp, #20]",
        "adc lr, lr, r0",
        "ssat lr, #8, lr",
        "ldr r0, [sp, #60]",
        "strh lr, [r2]",
        "add r2, r2, r3",
        "cmp r1, r0",
        "bne 2b",
        "add sp, sp, #24",
        "pop {{r4-r11, pc}}",
    )
}

/// Copies `rows` rows of `length` elements. After each of them, `skip` bytes of the source are left out.
///
/// # Safety
/// Neither `length` nor `rows` is 0, the source has so many elements and the target room for them.
#[unsafe(naked)]
unsafe extern "C" fn copy_rows(source: *const i16, skip: usize, target: *mut i16, length: usize, rows: usize) {
    naked_asm!(
        "push {{r4, r5, r6, lr}}",
        "ldr r4, [sp, #16]",
        "2:",
        // An odd element first, then two at a time.
        "lsrs r5, r3, #1",
        "bcc 3f",
        "ldrh r6, [r0], #2",
        "strh r6, [r2], #2",
        "beq 4f",
        "3:",
        "ldr r6, [r0], #4",
        "str r6, [r2], #4",
        "subs r5, r5, #1",
        "bne 3b",
        "4:",
        "add r0, r0, r1",
        "subs r4, r4, #1",
        "bne 2b",
        "pop {{r4, r5, r6, pc}}",
    )
}
