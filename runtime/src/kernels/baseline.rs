//! Sums for Cortex-M0 and M0+, and M23: four rows at a time with the instructions of ARMv6-M.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::blocks::{Sums, tiled};

/// Four rows at a time, fourteen instructions for four products.
#[derive(Clone, Copy, Debug)]
pub struct Baseline;

impl Sums for Baseline {
    const TILE: usize = 4;
    const LEAST_INPUTS: usize = 1;

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let columns = x.len();
        tiled::<Self>([weights.len(), columns, bias.len(), sums.len()], |row, tiles| {
            for begin in (row..).step_by(Self::TILE).take(tiles) {
                // SAFETY: four rows, biases and sums begin at `begin`; the inputs are not empty.
                unsafe {
                    tile_of_four(
                        weights.as_ptr().add(begin * columns),
                        columns,
                        x.as_ptr(),
                        bias.as_ptr().add(begin),
                        sums.as_mut_ptr().add(begin),
                    );
                }
            }
        });
    }
}

/// One column. r4 is half the address of the input, so that the input lies at r4 + r4; r0 to r3 are the rows' addresses
/// less half that of the inputs, so that the weights lie at r4 after them. r8 to r11 are the sums.
macro_rules! column {
    () => {
        "ldrsh r5, [r4, r4]
        ldrsb r6, [r0, r4]
        ldrsb r7, [r1, r4]
        muls r6, r5, r6
        add r8, r6
        muls r7, r5, r7
        add r9, r7
        ldrsb r6, [r2, r4]
        ldrsb r7, [r3, r4]
        muls r6, r5, r6
        add r10, r6
        muls r7, r5, r7
        add r11, r7
        adds r4, #1
        "
    };
}

/// # Safety
/// From `weights` on there are four rows of `columns` weights, from `bias` and `sums` on four elements, and from `x` on
/// `columns` inputs, which are not 0.
#[unsafe(naked)]
unsafe extern "C" fn tile_of_four(weights: *const i8, columns: usize, x: *const i16, bias: *const i32, sums: *mut i32) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        "ldmia r3!, {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        // Where the loop ends, then where it is entered: it does four columns of 28 bytes each, and what is above a
        // multiple of four is done by entering late.
        "lsrs r4, r2, #1",
        "adds r5, r4, r1",
        "mov r12, r5",
        "rsbs r5, r1, #0",
        "movs r6, #3",
        "ands r5, r6",
        "movs r6, #28",
        "muls r5, r6, r5",
        "adr r6, 3f",
        "adds r5, r5, r6",
        "adds r5, #1",
        "subs r0, r0, r4",
        "adds r6, r0, r1",
        "adds r2, r6, r1",
        "adds r3, r2, r1",
        "mov r1, r6",
        "bx r5",
        ".p2align 2",
        "3:",
        column!(),
        column!(),
        column!(),
        column!(),
        "cmp r4, r12",
        "bne 3b",
        "ldr r0, [sp, #36]",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "stmia r0!, {{r4-r7}}",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
