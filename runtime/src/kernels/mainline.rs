//! Sums for Cortex-M3, and M33 without DSP extension: four rows at a time, a weight loaded and sign-extended by one
//! instruction, a product added by another.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::blocks::{Sums, tiled};

/// Four rows at a time, nine instructions for four products.
#[derive(Clone, Copy, Debug)]
pub struct Mainline;

impl Sums for Mainline {
    const TILE: usize = 4;
    const LEAST_INPUTS: usize = 1;

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let columns = x.len();
        let inputs = x.as_ptr_range();
        tiled::<Self>([weights.len(), columns, bias.len(), sums.len()], |row, tiles| {
            // SAFETY: there are `tiles` tiles of whole rows, at least one, from `row` on, and as many biases and sums;
            // the inputs are not empty.
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
}

/// One column: r0 points to the first row's weight, r1 is a row's length, r2 three times that, r3 points to the input;
/// r4 to r7 are the sums.
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

/// # Safety
/// From `weights` on there are `4 * tiles` rows of `columns` weights, from `bias` and `sums` on `4 * tiles` elements,
/// and from `x` to `x_end` `columns` inputs. Neither `tiles` nor `columns` is 0.
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
        // On the stack: 0 entry, 4 columns, 8 x, 12 x_end, then what is restored; 52 bias, 56 sums, 60 tiles.
        "push {{r0-r11, lr}}",
        "add r2, r1, r1, lsl #1",
        // The loop does eight columns of 36 bytes each; what is above a multiple of eight is done by entering late.
        "rsb r12, r1, #0",
        "and r12, r12, #7",
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
        column!(),
        column!(),
        column!(),
        column!(),
        column!(),
        column!(),
        column!(),
        column!(),
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
