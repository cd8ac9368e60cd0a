//! Sums for cores with the DSP extension (Cortex-M4, M7; M33 and M55 with feature `dsp`): three rows at a time, eight
//! columns after eight, two products per instruction.
//!
//! SXTB16 widens the bytes 0 and 2 of a word, or 1 and 3. The inputs are put into that order once, so that SMLAD finds
//! the partners of both.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::blocks::{Sums, tiled};

/// Columns that are done together.
const STEP: usize = 8;

/// Three rows at a time, 28 instructions for 24 products.
#[derive(Clone, Copy, Debug)]
pub struct Dsp;

impl Sums for Dsp {
    const TILE: usize = 3;
    const LEAST_INPUTS: usize = STEP;

    fn arrange(x: &mut [i16]) {
        let steps = x.len() / STEP * STEP;
        let (fours, _) = x.get_mut(..steps).unwrap_or_default().as_chunks_mut::<4>();
        for [_, b, c, _] in fours {
            core::mem::swap(b, c);
        }
    }

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let columns = x.len();
        let steps = columns / STEP * STEP;
        // Loads of several words at once need aligned words; those of single words don't, as the compiler's don't.
        let is_aligned = weights.as_ptr().addr() | columns | x.as_ptr().addr();
        let tiles_of_three = if is_aligned.is_multiple_of(4) { aligned } else { unaligned };
        let is_done = tiled::<Self>([weights.len(), columns, bias.len(), sums.len()], |row, tiles| {
            // SAFETY: there are `tiles` tiles of whole rows, at least one, from `row` on, and as many biases and sums;
            // there is at least one step of inputs; words are aligned where they have to be.
            unsafe {
                tiles_of_three(
                    weights.as_ptr().add(row * columns),
                    columns,
                    x.as_ptr(),
                    x.as_ptr().add(steps),
                    bias.as_ptr().add(row),
                    sums.as_mut_ptr().add(row),
                    tiles,
                    Self::TILE * columns - steps,
                );
            }
        });
        if is_done && steps < columns {
            remainder(weights, x, sums, steps);
        }
    }
}

/// Adds the columns from `first` on.
fn remainder(weights: &[i8], x: &[i16], sums: &mut [i32], first: usize) {
    for (sum, row) in sums.iter_mut().zip(weights.chunks_exact(x.len().max(1))) {
        let products = row.iter().zip(x).skip(first).map(|(&w, &x)| i32::from(w) * i32::from(x));
        *sum += products.sum::<i32>();
    }
}

/// Eight columns of a row: r11 and r12 hold its weights, r7 to r10 the inputs.
macro_rules! row {
    ($load:literal, $sum:literal) => {
        concat!(
            $load,
            "\nsxtb16 lr, r11\nsmlad ",
            $sum,
            ", lr, r7, ",
            $sum,
            "\nsxtb16 r11, r11, ror #8\nsmlad ",
            $sum,
            ", r11, r8, ",
            $sum,
            "\nsxtb16 lr, r12\nsmlad ",
            $sum,
            ", lr, r9, ",
            $sum,
            "\nsxtb16 r12, r12, ror #8\nsmlad ",
            $sum,
            ", r12, r10, ",
            $sum,
            "\n"
        )
    };
}

/// Eight columns of three rows, 112 bytes: r0 to r2 point to the weights, r3 to the inputs; r4 to r6 are the sums.
macro_rules! aligned_step {
    () => {
        concat!(
            "ldm r3!, {{r7-r10}}\n",
            row!("ldrd r11, r12, [r0], #8", "r4"),
            row!("ldrd r11, r12, [r1], #8", "r5"),
            row!("ldrd r11, r12, [r2], #8", "r6"),
        )
    };
}

/// The same with loads of single words, 136 bytes.
macro_rules! unaligned_step {
    () => {
        concat!(
            "ldr r7, [r3], #4\nldr r8, [r3], #4\nldr r9, [r3], #4\nldr r10, [r3], #4\n",
            row!("ldr r11, [r0], #4\nldr r12, [r0], #4", "r4"),
            row!("ldr r11, [r1], #4\nldr r12, [r1], #4", "r5"),
            row!("ldr r11, [r2], #4\nldr r12, [r2], #4", "r6"),
        )
    };
}

/// Defines a function that computes tiles of three rows; its loop does `$n` steps of `$bytes` each, and begins later in
/// the loop for what is above a multiple of `$n`.
macro_rules! tiles_of_three {
    ($name:ident, $mask:literal, $bytes:literal, $($step:expr),+) => {
        /// # Safety
        /// From `weights` on there are `3 * tiles` rows of `columns` weights, from `bias` and `sums` on `3 * tiles`
        /// elements, and from `x` to `x_end` a multiple of 8 inputs, at most `columns`; `next` is `3 * columns` less
        /// that number. Neither `tiles` nor that number is 0. Where the name says so, `weights`, `columns` and `x`
        /// are multiples of 4.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            weights: *const i8,
            columns: usize,
            x: *const i16,
            x_end: *const i16,
            bias: *const i32,
            sums: *mut i32,
            tiles: usize,
            next: usize,
        ) {
            naked_asm!(
                extension!(),
                // On the stack: 0 entry, 4 columns, 8 x, 12 x_end, then what is restored; 52 bias, 56 sums, 60 tiles,
                // 64 next.
                "push {{r0-r11, lr}}",
                "sub r12, r3, r2",
                "lsr r12, r12, #4",
                "rsb r12, r12, #0",
                concat!("and r12, r12, #", $mask),
                concat!("mov r7, #", $bytes),
                "adr r8, 3f",
                "mla r12, r12, r7, r8",
                "orr r12, r12, #1",
                "str r12, [sp]",
                "2:",
                "ldr r1, [sp, #4]",
                "ldr r3, [sp, #8]",
                "ldr lr, [sp, #52]",
                "add r2, r0, r1, lsl #1",
                "add r1, r0, r1",
                "ldm lr!, {{r4-r6}}",
                "str lr, [sp, #52]",
                "ldr lr, [sp]",
                "bx lr",
                ".p2align 2",
                "3:",
                $($step,)+
                "ldr lr, [sp, #12]",
                "cmp r3, lr",
                "bne 3b",
                "ldr r7, [sp, #56]",
                "ldr r8, [sp, #64]",
                "ldr r9, [sp, #60]",
                "stm r7!, {{r4-r6}}",
                "add r0, r0, r8",
                "str r7, [sp, #56]",
                "subs r9, r9, #1",
                "str r9, [sp, #60]",
                "bne 2b",
                "add sp, sp, #16",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

tiles_of_three!(aligned, 3, 112, aligned_step!(), aligned_step!(), aligned_step!(), aligned_step!());
tiles_of_three!(unaligned, 0, 136, unaligned_step!());
