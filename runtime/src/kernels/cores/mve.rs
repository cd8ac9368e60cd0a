//! Sums and outputs for Cortex-M55 with its vector extension, MVE or Helium: 16 products or four outputs per instruction.
//!
//! A loop's last round leaves out the columns that are not there: DLSTP and LETP count elements, and loads read no more than
//! those.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use edgemix_format::view::Conv2d;

use super::super::Width;
use super::super::blocks::{self, DenseKernel, Rescaling};
use super::super::gather::{gather, positions};

/// Number of rows of a tile.
const TILE: usize = 4;

/// Number of sums of a block of rows.
const SUMS: usize = 128;
/// Smaller shifts are rare.
const LEAST_SHIFT: u32 = 33;

/// Four rows at a time, with ten instructions for 64 products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mve;

impl DenseKernel for Mve {
    const TILE: usize = 1;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; SUMS];
    const SCALES_NEGATIVE: bool = true;

    fn arrange(x: &mut [i16]) {
        if !x.is_empty() {
            // SAFETY: there are so many inputs, and at least one.
            unsafe { pack(x.as_mut_ptr(), x.len()) }
        }
    }

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let (rows, columns) = (sums.len(), x.len());
        let is_whole = rows.checked_mul(columns) == Some(weights.len()) && rows == bias.len();
        if rows == 0 || columns == 0 || !is_whole {
            return;
        }
        let (x, sums) = (x.as_ptr().cast::<i8>(), sums.as_mut_ptr());
        let (weights, bias) = (weights.as_ptr(), bias.as_ptr());
        // SAFETY: there are `rows` rows of `columns` weights, a bias and a sum for each, and as many inputs as columns, not 0.
        // The calls name only rows among them.
        unsafe {
            if rows >= TILE {
                tiles_of_four(weights, columns, x, bias, sums, rows / TILE);
            }
            match rows % TILE {
                0 => {}
                // Rows that are left over are computed with some of those before them.
                _ if rows > TILE => {
                    let row = rows - TILE;
                    tiles_of_four(weights.add(row * columns), columns, x, bias.add(row), sums.add(row), 1);
                }
                _ => {
                    for row in 0..rows {
                        *sums.add(row) = *bias.add(row) + product(weights.add(row * columns), columns, x);
                    }
                }
            }
        }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        let rows = sums.len().min(by.multipliers.len()).min(by.shifts.len()).min(outputs.len());
        if rows == 0 {
            return 0;
        }
        let zero = i32::from(by.zero_point);
        let (low, high) = match by.width {
            Width::Narrow => (i8::MIN.into(), i8::MAX.into()),
            Width::Wide => (i16::MIN.into(), i16::MAX.into()),
        };
        let low = if by.is_relu { zero } else { low };
        let (multipliers, shifts) = (by.multipliers.as_ptr(), by.shifts.as_ptr());
        let range = Range { zero_point: zero, low, high };
        let (sums, outputs) = (sums.as_ptr(), outputs.as_mut_ptr());
        let negative = by.negative.filter(|negative| rows <= negative.multiplier.len().min(negative.shift.len()));
        // SAFETY: there are `rows` sums, multipliers, shifts and outputs, at least one, and so many of those for negative sums
        // if there are any.
        unsafe {
            if least(shifts, rows) < LEAST_SHIFT {
                return 0;
            }
            match negative {
                None if by.negative.is_some() => return 0,
                None => all_outputs(sums, multipliers, shifts, outputs, rows, &range),
                Some(negative) => {
                    let (slopes, slope_shifts) = (negative.multiplier.as_ptr(), negative.shift.as_ptr());
                    if least(slope_shifts, rows) < LEAST_SHIFT {
                        return 0;
                    }
                    leaky_outputs(sums, multipliers, shifts, outputs, rows, &range, slopes, slope_shifts);
                }
            }
        }
        rows
    }
}

/// The zero point of outputs, and the range to which they saturate, in the order in which the assembly loads them.
#[repr(C)]
struct Range {
    zero_point: i32,
    low: i32,
    high: i32,
}

/// Puts `n` inputs as bytes into the first half of `x`.
///
/// # Safety
/// `x` points to `n` inputs, and `n` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn pack(x: *mut i16, n: usize) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4, lr}}",
        "mov r2, r0",
        "dlstp.16 lr, r1",
        "2:",
        "vldrh.u16 q0, [r0], #16",
        // The bytes written lie before the inputs still to be read.
        "vstrb.16 q0, [r2], #8",
        "letp lr, 2b",
        "pop {{r4, pc}}",
    )
}

/// `sum_j weights[j] * x[j]`.
///
/// # Safety
/// `weights` and `x` point to `n` elements, and `n` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn product(weights: *const i8, n: usize, x: *const i8) -> i32 {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4, lr}}",
        "mov r3, r0",
        "movs r0, #0",
        "dlstp.8 lr, r1",
        "2:",
        "vldrb.u8 q0, [r2], #16",
        "vldrb.u8 q1, [r3], #16",
        "vmlava.s8 r0, q0, q1",
        "letp lr, 2b",
        "pop {{r4, pc}}",
    )
}

/// `sums[i] = bias[i] + sum_j weights[i][j] * x[j]` for `4 * tiles` rows.
///
/// # Safety
/// `weights` points to `4 * tiles` rows of `columns` weights, `x` to `columns` inputs, and `bias` and `sums` to `4 * tiles`
/// elements. The pointers are aligned for their types, and neither `tiles` nor `columns` is 0.
#[unsafe(naked)]
unsafe extern "C" fn tiles_of_four(
    weights: *const i8,
    columns: usize,
    x: *const i8,
    bias: *const i32,
    sums: *mut i32,
    tiles: usize,
) {
    naked_asm!(
        ".cpu cortex-m55",
        // On the stack: 0 saved registers, 36 sums, 40 tiles.
        "push {{r4-r11, lr}}",
        "2:",
        // Sums are added up in registers of even numbers.
        "ldm r3!, {{r4, r6, r8, r10}}",
        "mov r12, r0",
        "add r5, r0, r1",
        "add r7, r5, r1",
        "add r9, r7, r1",
        "mov r11, r2",
        "dlstp.8 lr, r1",
        "3:",
        "vldrb.u8 q0, [r11], #16",
        "vldrb.u8 q1, [r12], #16",
        "vmlava.s8 r4, q0, q1",
        "vldrb.u8 q2, [r5], #16",
        "vmlava.s8 r6, q0, q2",
        "vldrb.u8 q1, [r7], #16",
        "vmlava.s8 r8, q0, q1",
        "vldrb.u8 q2, [r9], #16",
        "vmlava.s8 r10, q0, q2",
        "letp lr, 3b",
        "ldrd r11, r12, [sp, #36]",
        "stm r11!, {{r4, r6, r8, r10}}",
        "subs r12, r12, #1",
        "strd r11, r12, [sp, #36]",
        "add r0, r0, r1, lsl #2",
        "bne 2b",
        "pop {{r4-r11, pc}}",
    )
}

/// The least of `n` shifts.
///
/// # Safety
/// `shifts` points to `n` elements, and `n` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn least(shifts: *const u8, n: usize) -> u32 {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4, lr}}",
        "movs r2, #255",
        "dlstp.8 lr, r1",
        "2:",
        "vldrb.u8 q0, [r0], #16",
        "vminv.u8 r2, q0",
        "letp lr, 2b",
        "mov r0, r2",
        "pop {{r4, pc}}",
    )
}

/// Four outputs: the sums in q0, multipliers in q1 and shifts in q2. VMULH gives the upper half of a product, and VRSHL shifts it
/// right by the rest, 1 to 30, and rounds.
macro_rules! output {
    () => {
        "vsub.i32 q2, q3, q2
        vmulh.s32 q0, q0, q1
        vrshl.s32 q0, q0, q2
        vadd.i32 q0, q0, r5
        vmax.s32 q0, q0, q4
        vmin.s32 q0, q0, q5
        vstrh.32 q0, [r3], #8"
    };
}

/// [`requantize`](super::super::wide::requantize) of `n` sums, with the zero point added, saturating, for shifts from 33 to 62.
///
/// # Safety
/// `sums`, `multipliers`, `shifts` and `outputs` point to `n` elements each and are aligned for their types. `n` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn all_outputs(
    sums: *const i32,
    multipliers: *const i32,
    shifts: *const u8,
    outputs: *mut i16,
    n: usize,
    range: &Range,
) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r7, r8, lr}}",
        "vpush {{d8-d11}}",
        // On the stack: 0 vectors, 32 saved registers, 56 n, 60 range.
        "ldrd r4, r8, [sp, #56]",
        "ldm r8, {{r5-r7}}",
        "mov r12, #32",
        "vdup.32 q3, r12",
        "vdup.32 q4, r6",
        "vdup.32 q5, r7",
        "dlstp.32 lr, r4",
        "2:",
        "vldrb.u32 q2, [r2], #4",
        "vldrw.u32 q0, [r0], #16",
        "vldrw.u32 q1, [r1], #16",
        output!(),
        "letp lr, 2b",
        "vpop {{d8-d11}}",
        "pop {{r4-r7, r8, pc}}",
    )
}

/// The same, with other multipliers and shifts for negative sums.
///
/// # Safety
/// As for [`all_outputs`]; `slopes` and `slope_shifts` point to `n` elements as well.
#[allow(clippy::too_many_arguments)]
#[unsafe(naked)]
unsafe extern "C" fn leaky_outputs(
    sums: *const i32,
    multipliers: *const i32,
    shifts: *const u8,
    outputs: *mut i16,
    n: usize,
    range: &Range,
    slopes: *const i32,
    slope_shifts: *const u8,
) {
    naked_asm!(
        ".cpu cortex-m55",
        "push {{r4-r8, lr}}",
        "vpush {{d8-d15}}",
        // On the stack: 0 vectors, 64 saved registers, 88 n, 92 range, 96 slopes, 100 their shifts.
        "ldr r8, [sp, #92]",
        "ldm r8, {{r5-r7}}",
        "ldrd r8, r4, [sp, #96]",
        "mov r12, #32",
        "vdup.32 q3, r12",
        "vdup.32 q4, r6",
        "vdup.32 q5, r7",
        "ldr r12, [sp, #88]",
        "dlstp.32 lr, r12",
        "2:",
        "vldrw.u32 q0, [r0], #16",
        "vldrw.u32 q1, [r1], #16",
        "vldrw.u32 q6, [r8], #16",
        "vldrb.u32 q2, [r2], #4",
        "vldrb.u32 q7, [r4], #4",
        "vcmp.s32 lt, q0, zr",
        "vpsel q1, q6, q1",
        "vpsel q2, q7, q2",
        output!(),
        "letp lr, 2b",
        "vpop {{d8-d15}}",
        "pop {{r4-r8, pc}}",
    )
}

/// Computes a convolution as [`portable::convolution`](super::super::portable::convolution) does: the inputs under the window are
/// gathered as bytes, and the sums of all positions lie in one place. `patch` has an element for each weight of a filter. Returns
/// whether it did, which a checked file makes sure of.
pub(crate) fn convolution(layer: &Conv2d, width: Width, input: &[i16], output: &mut [i16], patch: &mut [i16]) -> bool {
    let filters = &layer.filters;
    let (taps, n_filters) = (filters.inputs, filters.bias.len());
    if taps == 0 || n_filters == 0 || patch.len() != taps {
        return false;
    }
    let mut sums = [0; SUMS];
    for ((row, column), outputs) in positions(&layer.window).zip(output.chunks_exact_mut(n_filters)) {
        let Some(bytes) = bytemuck::cast_slice_mut::<i16, i8>(patch).get_mut(..taps) else { return false };
        gather(layer, row, column, input, bytes, |x| x as i8);
        let mut first = 0;
        for outputs in outputs.chunks_mut(SUMS) {
            let rows = first..first + outputs.len();
            let weights = filters.weights.get(rows.start * taps..rows.end * taps);
            let (Some(weights), Some(bias)) = (weights, filters.bias.get(rows.clone())) else { return false };
            let Some(sums) = sums.get_mut(..rows.len()) else { return false };
            Mve::sums(weights, patch, bias, sums);
            first = rows.end;
            if blocks::outputs::<Mve>(filters, width, sums, outputs, rows).is_none() {
                return false;
            }
        }
    }
    true
}
