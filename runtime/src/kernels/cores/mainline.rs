//! Sums for Cortex-M3, and for M33 without the DSP extension: four rows at a time. One instruction loads and
//! sign-extends a weight, another multiplies and adds.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::super::blocks::{DenseKernel, Rescaling, tiled};
use super::outputs_arm;

/// Four rows at a time, with nine instructions for four products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mainline;

impl DenseKernel for Mainline {
    const TILE: usize = 4;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; 48];

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let columns = x.len();
        let inputs = x.as_ptr_range();
        tiled::<Self>([weights.len(), columns, bias.len(), sums.len()], |row, tiles| {
            // SAFETY: `tiled` has checked that each row of the `tiles` tiles from `row` has `columns` weights, a bias
            // and a sum, and that there are at least one tile and one input.
            unsafe {
                tiles_of_four(
                    weights.as_ptr().add(row * columns),
                    columns,
                    inputs.start,
                    inputs.end,
                    bias.as_ptr().add(row),
                    sums.as_mut_ptr().add(row),
                    tiles,
                );
            }
        });
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        // Small code has the outputs in plain Rust, which it needs for other activations as well.
        if cfg!(edgemix_small) { 0 } else { outputs_arm::outputs(by, sums, outputs) }
    }
}

/// One column, 36 bytes: r0 points to the weight of the first row, r1 is the length of a row, r2 three times that, and
/// r3 points to the input; r4 to r7 are the sums.
macro_rules! column {
    () => {
        "ldrsh r8, [r3], #2
        ldrsb r10, [r0, r1]
        ldrsb r11, [r0, r1, lsl #1]
        ldrsb r12, [r0, r2]
        ldrsb r9, [r0], #1
        mla r5, r10, r8, r5
        mla r6, r11, r8, r6
        mla r7, r12, r8, r7
        mla r4, r9, r8, r4
        "
    };
}

macro_rules! eight_columns {
    () => {
        concat!(column!(), column!(), column!(), column!(), column!(), column!(), column!(), column!())
    };
}

/// The columns of a round of the loop, and their number less 1.
#[cfg(edgemix_small)]
macro_rules! round {
    (columns) => {
        eight_columns!()
    };
    (mask) => {
        "7"
    };
}
#[cfg(not(edgemix_small))]
macro_rules! round {
    (columns) => {
        concat!(eight_columns!(), eight_columns!(), eight_columns!(), eight_columns!())
    };
    (mask) => {
        "31"
    };
}

/// `sums[i] = bias[i] + sum_j weights[i][j] * x[j]` for `4 * tiles` rows.
///
/// # Safety
/// `weights` points to `4 * tiles` rows of `columns` weights, `bias` and `sums` to `4 * tiles` elements, and `columns`
/// inputs lie between `x` and `x_end`. The pointers are aligned for their types, and neither `tiles` nor `columns` is
/// 0.
#[unsafe(naked)]
unsafe extern "C" fn tiles_of_four(
    weights: *const i8,
    columns: usize,
    x: *const i16,
    x_end: *const i16,
    bias: *const i32,
    sums: *mut i32,
    tiles: usize,
) {
    naked_asm!(
        // On the stack: 0 the loop's entry, 4 columns, 8 x, 12 x_end, 16 saved registers, 52 bias, 56 sums, 60 tiles.
        "push {{r0-r11, lr}}",
        "add r2, r1, r1, lsl #1",
        // If the number of columns is not a multiple of those of a round, which take 36 bytes each, the first round is entered
        // late.
        "rsb r12, r1, #0",
        concat!("and r12, r12, #", round!(mask)),
        "mov r8, #36",
        "adr r9, 3f",
        "mla r12, r12, r8, r9",
        "orr r12, r12, #1",
        "str r12, [sp]",
        "2:",
        "ldr r3, [sp, #8]",
        "ldr r8, [sp, #52]",
        "ldm r8!, {{r4-r7}}",
        "str r8, [sp, #52]",
        "ldr lr, [sp, #12]",
        "ldr r8, [sp]",
        "bx r8",
        ".p2align 2",
        "3:",
        round!(columns),
        "cmp r3, lr",
        "bne 3b",
        "ldr r8, [sp, #56]",
        "stm r8!, {{r4-r7}}",
        "str r8, [sp, #56]",
        "add r0, r0, r2",
        "ldr r8, [sp, #60]",
        "subs r8, r8, #1",
        "str r8, [sp, #60]",
        "bne 2b",
        "add sp, sp, #16",
        "pop {{r4-r11, pc}}",
    )
}
