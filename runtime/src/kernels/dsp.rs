//! Sums for cores with the DSP extension (Cortex-M4 and M7; M33 and M55 with feature `dsp`): three rows and eight
//! columns at a time, with two products per instruction.
//!
//! SXTB16 sign-extends bytes 0 and 2 of a word, or bytes 1 and 3. The inputs are put into that order once, so that
//! SMLAD can multiply pairs.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::Width;
use super::blocks::{DenseKernel, Rescaling, tiled};

/// Number of columns per step.
const STEP: usize = 8;

/// Three rows at a time, with 31 instructions and 37 cycles for 24 products.
#[derive(Clone, Copy, Debug)]
pub struct Dsp;

impl DenseKernel for Dsp {
    const TILE: usize = 3;
    const MIN_INPUTS: usize = STEP;

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
        // LDM needs an aligned address. LDR does not, unless unaligned loads trap, and then compiled Rust traps as
        // well.
        let tiles_of_three = if x.as_ptr().addr().is_multiple_of(4) { aligned } else { unaligned };
        let is_done = tiled::<Self>([weights.len(), columns, bias.len(), sums.len()], |row, tiles| {
            // SAFETY: `tiled` has checked that each row of the `tiles` tiles from `row` has `columns` weights, a bias
            // and a sum, and that there are at least one tile and one step of inputs. `aligned` is chosen only for
            // aligned inputs.
            unsafe {
                tiles_of_three(
                    weights.as_ptr().add(row * columns),
                    columns,
                    x.as_ptr(),
                    x.as_ptr().add(steps),
                    bias.as_ptr().add(row),
                    sums.as_mut_ptr().add(row),
                    sums.as_ptr().add(row + Self::TILE * tiles),
                    Self::TILE * columns - steps,
                );
            }
        });
        if is_done && steps < columns {
            remainder(weights, x, sums, steps);
        }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        let rows = sums.len().min(by.multipliers.len()).min(by.shifts.len()).min(outputs.len());
        let Some(shifts @ [_, ..]) = by.shifts.get(..rows / 4 * 4) else { return 0 };
        let of_four = match (by.width, by.is_relu) {
            (Width::Narrow, false) => identity_outputs,
            (Width::Narrow, true) => relu_outputs,
            (Width::Wide, false) => wide_outputs,
            (Width::Wide, true) => return 0,
        };
        let shifts = shifts.as_ptr_range();
        // SAFETY: there are as many sums, multipliers and outputs as these shifts, a multiple of 4 and not 0.
        let end = unsafe {
            of_four(
                sums.as_ptr(),
                by.multipliers.as_ptr(),
                shifts.start,
                outputs.as_mut_ptr(),
                shifts.end,
                by.zero_point.into(),
            )
        };
        end.addr() - shifts.start.addr()
    }
}

/// Adds the products of the columns from `first` to the end, which do not fill a step.
fn remainder(weights: &[i8], x: &[i16], sums: &mut [i32], first: usize) {
    for (sum, row) in sums.iter_mut().zip(weights.chunks_exact(x.len().max(1))) {
        let products = row.iter().zip(x).skip(first).map(|(&w, &x)| i32::from(w) * i32::from(x));
        *sum += products.sum::<i32>();
    }
}

/// Four columns of a row: `$weights` holds four weights, `$even` and `$odd` two inputs each. Changes lr and `$weights`.
macro_rules! row {
    ($weights:literal, $even:literal, $odd:literal, $sum:literal) => {
        concat!(
            "sxtb16 lr, ",
            $weights,
            "\nsmlad ",
            $sum,
            ", lr, ",
            $even,
            ", ",
            $sum,
            "\nsxtb16 ",
            $weights,
            ", ",
            $weights,
            ", ror #8\nsmlad ",
            $sum,
            ", ",
            $weights,
            ", ",
            $odd,
            ", ",
            $sum,
            "\n"
        )
    };
}

/// Four columns of three rows: r0 points to the weights of the first row, r1 is the length of a row; r4 to r6 are the
/// sums. The loads stand together because a load right after another takes one cycle.
macro_rules! columns {
    ($even:literal, $odd:literal) => {
        concat!(
            "ldr r11, [r0, r1]\nldr r12, [r0, r1, lsl #1]\nldr r2, [r0], #4\n",
            row!("r2", $even, $odd, "r4"),
            row!("r11", $even, $odd, "r5"),
            row!("r12", $even, $odd, "r6"),
        )
    };
}

/// One step of three rows, 124 bytes: r3 points to the inputs, which are aligned to words.
macro_rules! aligned_step {
    () => {
        concat!("ldm r3!, {{r7-r10}}\n", columns!("r7", "r8"), columns!("r9", "r10"))
    };
}

/// The same for unaligned inputs, 136 bytes.
macro_rules! unaligned_step {
    () => {
        concat!(
            "ldr r7, [r3], #4\nldr r8, [r3], #4\nldr r9, [r3], #4\nldr r10, [r3], #4\n",
            columns!("r7", "r8"),
            columns!("r9", "r10")
        )
    };
}

/// Defines a function that computes tiles of three rows. Its loop does `$mask + 1` steps of `$bytes` bytes each. If the
/// number of steps is not a multiple of that, the first round is entered late.
macro_rules! tiles_of_three {
    ($name:ident, $mask:literal, $bytes:literal, $($step:expr),+) => {
        /// Adds the products of the steps to the biases. `next` is the distance in bytes from the end of a tile's steps
        /// in its first row to the next tile: `3 * columns` less the number of inputs.
        ///
        /// # Safety
        /// Between `sums` and `sums_end` lie `n` elements, where `n` is a multiple of 3 and not 0. `bias` points to `n`
        /// elements and `weights` to `n` rows of `columns` weights. Between `x` and `x_end` lie at most `columns`
        /// inputs, a multiple of 8 and not 0. The pointers are aligned for their types; for `aligned`, `x` is aligned
        /// to 4 bytes.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            weights: *const i8,
            columns: usize,
            x: *const i16,
            x_end: *const i16,
            bias: *const i32,
            sums: *mut i32,
            sums_end: *const i32,
            next: usize,
        ) {
            naked_asm!(
                extension!(),
                // On the stack: 0 the loop's entry, 8 x, 12 x_end, 16 saved registers, 52 bias, 56 sums, 60 sums_end,
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
                "ldr r3, [sp, #8]",
                "ldr lr, [sp, #52]",
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
                "cmp r7, r9",
                "bne 2b",
                "add sp, sp, #16",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

tiles_of_three!(
    aligned,
    7,
    124,
    aligned_step!(),
    aligned_step!(),
    aligned_step!(),
    aligned_step!(),
    aligned_step!(),
    aligned_step!(),
    aligned_step!(),
    aligned_step!()
);
tiles_of_three!(unaligned, 0, 136, unaligned_step!());

/// One output: `$sum` is its sum, `$multiplier` its multiplier, the lowest byte of r12 its shift less 32, and lr the
/// zero point. The last bit that is shifted out lands in the carry, and adding the carry rounds.
macro_rules! output {
    ($sum:literal, $multiplier:literal, $bits:literal, $negative:literal) => {
        concat!(
            "smmul ",
            $sum,
            ", ",
            $sum,
            ", ",
            $multiplier,
            "\n",
            $negative,
            "\nasrs ",
            $sum,
            ", ",
            $sum,
            ", r12\nadc ",
            $sum,
            ", ",
            $sum,
            ", lr\nssat ",
            $sum,
            ", #",
            $bits,
            ", ",
            $sum,
            "\n",
        )
    };
}

/// Defines a function that computes outputs of `$bits` bits, four at a time. The remaining arguments are instructions
/// that treat the negative values of each of the four.
macro_rules! outputs_of_four {
    ($name:ident, $bits:literal, $first:literal, $second:literal, $third:literal, $fourth:literal) => {
        /// [`requantize`](super::wide::requantize) of many sums, for shifts of at most 62, as the format has them.
        /// Returns the position in `shifts` at which it stopped: the end, or the first four shifts of which one is
        /// below 33.
        ///
        /// # Safety
        /// Between `shifts` and `shifts_end` lie `n` elements, where `n` is a multiple of 4 and not 0. `sums`,
        /// `multipliers` and `outputs` point to `n` elements each and are aligned for their types.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(
            sums: *const i32,
            multipliers: *const i32,
            shifts: *const u8,
            outputs: *mut i16,
            shifts_end: *const u8,
            zero_point: i32,
        ) -> *const u8 {
            naked_asm!(
                extension!(),
                // On the stack: 0 saved registers, 36 shifts_end, 40 zero point.
                "push {{r4-r11, lr}}",
                "ldr lr, [sp, #40]",
                "2:",
                "ldr r12, [r2], #4",
                "ldm r0!, {{r4-r7}}",
                "ldm r1!, {{r8-r11}}",
                // Four shifts less 33 in one subtraction. The lowest one that is below 33 sets its own highest bit.
                "sub r12, r12, #0x21212121",
                "tst r12, #0x80808080",
                "bne 3f",
                "add r12, r12, #0x01010101",
                output!("r4", "r8", $bits, $first),
                "lsr r12, r12, #8",
                output!("r5", "r9", $bits, $second),
                "lsr r12, r12, #8",
                output!("r6", "r10", $bits, $third),
                "lsr r12, r12, #8",
                output!("r7", "r11", $bits, $fourth),
                "strh r4, [r3]",
                "strh r5, [r3, #2]",
                "strh r6, [r3, #4]",
                "strh r7, [r3, #6]",
                "ldr r12, [sp, #36]",
                "add r3, r3, #8",
                "cmp r2, r12",
                "bne 2b",
                "mov r0, r2",
                "pop {{r4-r11, pc}}",
                "3:",
                "sub r0, r2, #4",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

outputs_of_four!(identity_outputs, "8", "", "", "", "");
outputs_of_four!(wide_outputs, "16", "", "", "", "");
outputs_of_four!(
    relu_outputs,
    "8",
    "bic r4, r4, r4, asr #31",
    "bic r5, r5, r5, asr #31",
    "bic r6, r6, r6, asr #31",
    "bic r7, r7, r7, asr #31"
);
