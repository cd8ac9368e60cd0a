//! Sums for cores with the DSP extension (Cortex-M4 and M7; M33 and M55 with feature `dsp`): four rows and four columns
//! at a time, with two products per instruction.
//!
//! SXTB16 sign-extends bytes 0 and 2 of a word, or bytes 1 and 3. The inputs are put into that order once, so that
//! SMLAD can multiply pairs.
//!
//! An address is a register and another one times 1, 2 or 4. So the four rows are 0, 1, 2 and 4 of a tile, which takes two
//! registers for their addresses and leaves enough to load all operands of a step one after another. The other four rows
//! of eight are 7, 6, 5 and 3: the same, backwards.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::super::blocks::{DenseKernel, Rescaling};
use super::outputs_arm;

/// Number of columns per step.
const STEP: usize = 4;
/// Number of rows from the first to the last of a half tile.
const SPAN: usize = 5;
/// Number of rows of a tile, which are those of a half tile forwards from the first and of one backwards from the last.
const TILE: usize = 8;

/// Four rows at a time, with 22 instructions and 23 cycles for 16 products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dsp;

impl DenseKernel for Dsp {
    const TILE: usize = SPAN;
    const MIN_INPUTS: usize = STEP;
    type Sums = [i32; 128];

    fn arrange(x: &mut [i16]) {
        let (fours, _) = x.as_chunks_mut::<STEP>();
        for [_, b, c, _] in fours {
            core::mem::swap(b, c);
        }
    }

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let (rows, columns) = (sums.len(), x.len());
        let is_whole = rows.checked_mul(columns) == Some(weights.len()) && rows == bias.len();
        if rows < SPAN || columns < STEP || !is_whole {
            return;
        }
        let steps = columns / STEP * STEP;
        // Half tiles forwards from row `first`, or one backwards from row `first + 7`, of which the rows 7, 6, 5 and 3 exist.
        let mut half_tiles = |first: isize, half_tiles: usize, is_backwards: bool| {
            let stride = columns.cast_signed();
            let row = if is_backwards { first + TILE.cast_signed() - 1 } else { first };
            // SAFETY: there are `rows` rows of `columns` weights, biases and sums, and the calls below name only rows among
            // them.
            unsafe {
                half_tiles_of_four(
                    weights.as_ptr().offset(row * stride),
                    if is_backwards { -stride } else { stride },
                    x.as_ptr(),
                    x.as_ptr().add(steps),
                    bias.as_ptr().wrapping_offset(first),
                    sums.as_mut_ptr().wrapping_offset(first),
                    half_tiles,
                );
            }
        };
        let last = rows.cast_signed() - TILE.cast_signed();
        if rows >= TILE {
            half_tiles(0, 2 * (rows / TILE), false);
        } else {
            // Rows 0, 1, 2 and 4, of seven also rows 1, 2, 3 and 5, and the last but those.
            half_tiles(0, 1, false);
            if rows == TILE - 1 {
                half_tiles(1, 1, false);
            }
        }
        // Rows that are left over are computed with some of those before them: the last three by half a tile.
        match rows % TILE {
            0 => {}
            4.. if rows > TILE => half_tiles(last, 2, false),
            _ => half_tiles(last, 1, true),
        }
        if steps < columns {
            remainder(weights, x, sums, steps);
        }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        outputs_arm::outputs(by, sums, outputs)
    }
}

/// Adds the products of the columns from `first` to the end, which do not fill a step.
fn remainder(weights: &[i8], x: &[i16], sums: &mut [i32], first: usize) {
    for (sum, row) in sums.iter_mut().zip(weights.chunks_exact(x.len().max(1))) {
        let products = row.iter().zip(x).skip(first).map(|(&w, &x)| i32::from(w) * i32::from(x));
        *sum += products.sum::<i32>();
    }
}

/// One step, 88 bytes: r0 points to the weights of row 0, r1 is the distance to row 1, r2 points to the inputs; r4 to r7
/// are the sums of rows 0, 1, 2 and 4. The loads stand together because a load right after another takes one cycle.
macro_rules! step {
    () => {
        "ldr.w r3, [r0, r1]
        ldr.w r10, [r0, r1, lsl #1]
        ldr.w r11, [r0, r1, lsl #2]
        ldr.w r12, [r0], #4
        ldr.w r8, [r2], #4
        ldr.w r9, [r2], #4
        sxtb16 lr, r12
        smlad r4, lr, r8, r4
        sxtb16 lr, r3
        smlad r5, lr, r8, r5
        sxtb16 lr, r10
        smlad r6, lr, r8, r6
        sxtb16 lr, r11
        smlad r7, lr, r8, r7
        sxtb16 r12, r12, ror #8
        smlad r4, r12, r9, r4
        sxtb16 r3, r3, ror #8
        smlad r5, r3, r9, r5
        sxtb16 r10, r10, ror #8
        smlad r6, r10, r9, r6
        sxtb16 r11, r11, ror #8
        smlad r7, r11, r9, r7
        "
    };
}

macro_rules! eight_steps {
    () => {
        concat!(step!(), step!(), step!(), step!(), step!(), step!(), step!(), step!())
    };
}

/// The steps of a round of the loop, and their number less 1.
#[cfg(edgemix_small)]
macro_rules! round {
    (steps) => {
        eight_steps!()
    };
    (mask) => {
        "7"
    };
}
#[cfg(not(edgemix_small))]
macro_rules! round {
    (steps) => {
        concat!(eight_steps!(), eight_steps!(), eight_steps!(), eight_steps!())
    };
    (mask) => {
        "31"
    };
}

/// Adds the products of the steps to the biases, for one half tile after another: rows 0, 1, 2 and 4, then rows 7, 6, 5 and 3,
/// then those of the next eight rows. With a negative `stride` it begins with rows 7, 6, 5 and 3.
///
/// LDR needs no aligned address, unless unaligned loads trap, and then compiled Rust traps as well.
///
/// # Safety
/// `weights` points to row 0, or to row 7 with a negative `stride`; `bias` and `sums` point to the elements of row 0. The rows
/// of the half tiles have as many weights as inputs lie between `x` and `x_end`, a multiple of 4 and not 0, or more, a bias
/// and a sum; the absolute value of `stride` is their distance in bytes. The pointers are aligned for their types, and
/// `half_tiles` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn half_tiles_of_four(
    weights: *const i8,
    stride: isize,
    x: *const i16,
    x_end: *const i16,
    bias: *const i32,
    sums: *mut i32,
    half_tiles: usize,
) {
    naked_asm!(
        extension!(),
        // On the stack: 0 the loop's entry, 4 bytes of a row that the steps take, 8 x, 12 x_end, 16 saved registers, 52 bias,
        // 56 sums less bias, 60 half tiles.
        "push {{r0-r11, lr}}",
        "ldr lr, [sp, #52]",
        "ldr r5, [sp, #56]",
        "sub r5, r5, lr",
        "str r5, [sp, #56]",
        // If the number of steps is not a multiple of those of a round, which take 88 bytes each, the first round is entered
        // late.
        "sub r6, r3, r2",
        "lsr r6, r6, #1",
        "rsb r12, r6, #0",
        "lsr r12, r12, #2",
        concat!("and r12, r12, #", round!(mask)),
        "mov r7, #88",
        "adr r8, 3f",
        "mla r12, r12, r7, r8",
        "orr r12, r12, #1",
        "strd r12, r6, [sp]",
        "cmp r1, #0",
        "blt 4f",
        "2:",
        "ldr r2, [sp, #8]",
        "ldr r12, [sp]",
        "ldr r4, [lr]",
        "ldr r5, [lr, #4]",
        "ldr r6, [lr, #8]",
        "ldr r7, [lr, #16]",
        "bx r12",
        ".p2align 2",
        "3:",
        round!(steps),
        "ldr lr, [sp, #12]",
        "cmp r2, lr",
        "bne 3b",
        "ldr lr, [sp, #52]",
        "ldr r8, [sp, #56]",
        "ldr r3, [sp, #60]",
        "ldr r10, [sp, #4]",
        "add r12, lr, r8",
        "sub r3, r3, #1",
        "sub r0, r0, r10",
        "cmp r1, #0",
        "blt 5f",
        "str r4, [r12]",
        "str r5, [r12, #4]",
        "str r6, [r12, #8]",
        "str r7, [r12, #16]",
        "str r3, [sp, #60]",
        "cbz r3, 6f",
        // From row 0 to row 7.
        "rsb r8, r1, r1, lsl #3",
        "add r0, r0, r8",
        "rsb r1, r1, #0",
        "4:",
        "ldr r2, [sp, #8]",
        "ldr r12, [sp]",
        "ldr r4, [lr, #28]",
        "ldr r5, [lr, #24]",
        "ldr r6, [lr, #20]",
        "ldr r7, [lr, #12]",
        "bx r12",
        "5:",
        "add lr, lr, #32",
        "str r4, [r12, #28]",
        "str r5, [r12, #24]",
        "str r6, [r12, #20]",
        "str r7, [r12, #12]",
        "str r3, [sp, #60]",
        "str lr, [sp, #52]",
        // From row 7 to the first row of the next eight.
        "sub r0, r0, r1",
        "rsb r1, r1, #0",
        "cmp r3, #0",
        "bne 2b",
        "6:",
        "add sp, sp, #16",
        "pop {{r4-r11, pc}}",
    )
}
