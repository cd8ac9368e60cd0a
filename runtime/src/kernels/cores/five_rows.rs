//! Sums and outputs in the instructions of ARMv6-M, where code need not be small: five rows at a time.
//!
//! LDMIA loads an input and advances its pointer by four bytes. The same register is the index of the weights, so that it takes
//! no instruction of its own: the inputs are widened to words, and of the columns the first, the fifth and so on come first, then
//! the second, the sixth and so on.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::super::Width;
use super::super::blocks::{DenseKernel, Rescaling};
use super::four_rows::FourRows;

/// Number of rows of a large tile. The last rows of a layer are small ones of [`FourRows::TILE`].
const LARGE_TILE: usize = 5;
/// Number of bytes by which LDMIA advances a pointer, and so the distance of columns that follow each other.
const PASSES: usize = 4;
/// Number of inputs that lie on the stack as words. The assembly knows a quarter of it.
const CHUNK: usize = 128;
/// Fewer columns are not worth widening, nor are those that don't fill the passes unless there are [`MANY`].
const FEW: usize = 32;
const MANY: usize = 64;

/// Five rows at a time, with 16 instructions for five products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FiveRows;

impl DenseKernel for FiveRows {
    const TILE: usize = FourRows::TILE;
    const MIN_INPUTS: usize = FourRows::MIN_INPUTS;
    type Sums = [i32; 128];

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let (rows, columns) = (sums.len(), x.len());
        let is_worth = columns >= MANY || columns >= FEW && columns.is_multiple_of(PASSES);
        let is_whole = rows.checked_mul(columns) == Some(weights.len()) && rows == bias.len();
        let tiles = if is_worth && is_whole { large_tiles(rows) } else { 0 };
        if tiles == 0 {
            return FourRows::sums(weights, x, bias, sums);
        }
        let large_rows = LARGE_TILE * tiles;
        let Some((weights, last_weights)) = weights.split_at_checked(large_rows * columns) else { return };
        let Some((bias, last_bias)) = bias.split_at_checked(large_rows) else { return };
        let Some((sums, last_sums)) = sums.split_at_mut_checked(large_rows) else { return };
        large(weights, x, bias, sums, tiles);
        if !last_sums.is_empty() {
            FourRows::sums(last_weights, x, last_bias, last_sums);
        }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        let rows = sums.len().min(by.multipliers.len()).min(by.shifts.len()).min(outputs.len());
        let Some(sums @ [_, ..]) = sums.get(..rows / 4 * 4) else { return 0 };
        let zero = i32::from(by.zero_point);
        let (low, high) = match by.width {
            Width::Narrow => (i8::MIN.into(), i8::MAX.into()),
            Width::Wide => (i16::MIN.into(), i16::MAX.into()),
        };
        let low = if by.is_relu { zero } else { low };
        let sums = sums.as_ptr_range();
        // SAFETY: there are as many multipliers, shifts and outputs as these sums, a multiple of 4 and not 0.
        let end = unsafe {
            outputs_of_four(
                sums.start,
                by.multipliers.as_ptr(),
                by.shifts.as_ptr(),
                outputs.as_mut_ptr(),
                sums.end,
                2 * zero + 1,
                low,
                high,
                if by.is_relu { 0 } else { i32::MIN },
            )
        };
        end.addr() - by.shifts.as_ptr().addr()
    }
}

/// The number of large tiles after which small ones fit without a rest, 0 if there is none. A byte is divided without a call.
fn large_tiles(rows: usize) -> usize {
    const TILE: u8 = LARGE_TILE as u8;
    let Ok(rows) = u8::try_from(rows) else { return 0 };
    let (tiles, rest) = (rows / TILE, rows % TILE);
    // A small tile leaves one row more than a large one.
    let tiles = if rest == 0 { tiles } else { (tiles + rest).saturating_sub(TILE - 1) };
    tiles.into()
}

/// The sums of five times `tiles` rows, which is not 0, all of them as long as `x`, with a bias and a sum each.
fn large(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32], tiles: usize) {
    let columns = x.len();
    let mut wide = [0; CHUNK];
    let Some((whole, rest)) = x.split_at_checked(columns / PASSES * PASSES) else { return };
    let mut from = bias.as_ptr();
    for (chunk, begin) in whole.chunks(CHUNK).zip((0..).step_by(CHUNK)) {
        widen(chunk, &mut wide);
        // SAFETY: each row has the columns of `chunk` from `begin` on, a number from 1 to `CHUNK` and a multiple of `PASSES`,
        // and a bias or a sum from which the sum goes on. `sums` and `bias` are as long as there are rows, not 0.
        unsafe {
            let (weights, to) = (weights.as_ptr().add(begin), sums.as_mut_ptr());
            tiles_of_five(weights, columns, wide.as_ptr(), chunk.len() / PASSES, from, to, tiles);
        }
        from = sums.as_ptr();
    }
    if rest.is_empty() {
        return;
    }
    for (sum, row) in sums.iter_mut().zip(weights.chunks_exact(columns.max(1))) {
        let products = row.iter().skip(whole.len()).zip(rest).map(|(&w, &x)| i32::from(w) * i32::from(x));
        *sum += products.sum::<i32>();
    }
}

/// Puts the inputs of the first pass before those of the second, and so on.
#[inline(never)]
fn widen(x: &[i16], wide: &mut [i32; CHUNK]) {
    let (fours, _) = x.as_chunks::<PASSES>();
    let n = fours.len();
    let Some((first, rest)) = wide.split_at_mut_checked(n) else { return };
    let Some((second, rest)) = rest.split_at_mut_checked(n) else { return };
    let Some((third, fourth)) = rest.split_at_mut_checked(n) else { return };
    for (((([a, b, c, d], first), second), third), fourth) in fours.iter().zip(first).zip(second).zip(third).zip(fourth)
    {
        (*first, *second, *third, *fourth) = ((*a).into(), (*b).into(), (*c).into(), (*d).into());
    }
}

/// A row of a column: adds the product of r5 with the weight.
macro_rules! row {
    ($base:literal, $sum:literal) => {
        concat!("ldrsb r6, [", $base, ", r4]\nmuls r6, r5, r6\nadd ", $sum, ", r6")
    };
}

/// `to[i] = from[i] + sum_j weights[i * stride + j] * x[j]` for `5 * tiles` rows and `4 * n` columns, whose inputs are in `wide`:
/// column `4 i + pass` is element `pass * n + i`.
///
/// # Safety
/// `weights` points to the first of `4 * n` weights of `5 * tiles` rows that begin `stride` bytes apart, `wide` to `4 * n`
/// elements, and `from` and `to`, which may be the same, to `5 * tiles` elements. The pointers are aligned for their types, `n` is
/// from 1 to 32, and `tiles` is not 0.
#[unsafe(naked)]
unsafe extern "C" fn tiles_of_five(
    weights: *const i8,
    stride: usize,
    wide: *const i32,
    n: usize,
    from: *const i32,
    to: *mut i32,
    tiles: usize,
) {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        // From one pass to the next, the index grows by 4 n, and the columns by 1.
        "lsls r4, r3, #2",
        "movs r5, #1",
        "subs r5, r5, r4",
        "mov lr, r5",
        // The 32 columns of 32 bytes each are entered late if a pass has fewer.
        "lsls r4, r3, #4",
        "adds r4, r4, r2",
        "movs r5, #32",
        "subs r5, r5, r3",
        "lsls r5, r5, #5",
        "adr r3, 3f",
        "adds r3, r3, r5",
        "adds r3, r3, #1",
        "mov r5, r2",
        "mov r6, r1",
        "subs r7, r0, r2",
        "subs r7, r7, #4",
        // On the stack: 0 where columns are entered, 4 the end of the inputs, 8 the inputs, 12 stride, 16 the weights of a tile
        // less the index, 20 saved registers, 56 from, 60 to, 64 tiles.
        "push {{r3-r7}}",
        "2:",
        "ldr r7, [sp, #56]",
        "ldmia r7!, {{r0-r3, r6}}",
        "str r7, [sp, #56]",
        "mov r8, r0",
        "mov r9, r1",
        "mov r10, r2",
        "mov r11, r3",
        "mov r12, r6",
        "ldr r0, [sp, #16]",
        "ldr r5, [sp, #12]",
        "adds r1, r0, r5",
        "adds r2, r1, r5",
        "adds r3, r2, r5",
        "adds r7, r3, r5",
        "adds r6, r7, r5",
        "str r6, [sp, #16]",
        "ldr r4, [sp, #8]",
        "ldr r6, [sp, #0]",
        "bx r6",
        ".p2align 2",
        "3:",
        ".rept 32",
        "ldmia r4!, {{r5}}",
        row!("r0", "r8"),
        row!("r1", "r9"),
        row!("r2", "r10"),
        row!("r3", "r11"),
        row!("r7", "r12"),
        ".endr",
        "ldr r6, [sp, #4]",
        "cmp r4, r6",
        "beq 4f",
        "add r0, lr",
        "add r1, lr",
        "add r2, lr",
        "add r3, lr",
        "add r7, lr",
        "ldr r6, [sp, #0]",
        "bx r6",
        "4:",
        "ldr r7, [sp, #60]",
        "mov r0, r8",
        "mov r1, r9",
        "mov r2, r10",
        "mov r3, r11",
        "mov r6, r12",
        "stmia r7!, {{r0-r3, r6}}",
        "str r7, [sp, #60]",
        "ldr r6, [sp, #64]",
        "subs r6, r6, #1",
        "str r6, [sp, #64]",
        "beq 5f",
        "b 2b",
        "5:",
        "add sp, #20",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}

/// An output: the sum in r4, the multiplier in r5, the shift at `$at` from r2, the output at `$to` from r3. Of the upper half of
/// the product, four products of 16 bits are added, as in [`wide`](super::super::wide).
macro_rules! output {
    ($at:literal, $to:literal) => {
        concat!(
            "ldmia r0!, {{r4}}
            ldmia r1!, {{r5}}
            cmp r4, lr
            blt 3f
            uxth r6, r4
            asrs r4, r4, #16
            uxth r7, r5
            lsrs r5, r5, #16
            mov r12, r6
            muls r6, r7, r6
            lsrs r6, r6, #16
            muls r7, r4, r7
            adds r6, r6, r7
            mov r7, r12
            muls r7, r5, r7
            muls r4, r5, r4
            uxth r5, r6
            adds r7, r7, r5
            asrs r6, r6, #16
            asrs r7, r7, #16
            adds r4, r4, r6
            adds r4, r4, r7
            ldrb r5, [r2, #",
            $at,
            "]
            subs r5, r5, #33
            bmi 4f
            asrs r4, r5
            add r4, r8
            asrs r4, r4, #1
            cmp r4, r10
            ble 2f
            mov r4, r10
            2:
            cmp r4, r9
            bge 2f
            3:
            mov r4, r9
            2:
            strh r4, [r3, #",
            $to,
            "]"
        )
    };
}

/// [`requantize`](super::super::wide::requantize) of many sums, with the zero point added, saturating to `low` and `high`.
/// `rounding` is twice the zero point plus 1: the zero point is added before the last bit is shifted out. Sums below `least`
/// give `low` at once, as negative ones do before a ReLU. Returns the position in `shifts` at which it stopped: the end, or the
/// first four shifts of which one is below 33.
///
/// # Safety
/// Between `sums` and `sums_end` lie `n` elements, where `n` is a multiple of 4 and not 0. `multipliers`, `shifts` and `outputs` point to
/// `n` elements each and are aligned for their types.
#[allow(clippy::too_many_arguments)]
#[unsafe(naked)]
unsafe extern "C" fn outputs_of_four(
    sums: *const i32,
    multipliers: *const i32,
    shifts: *const u8,
    outputs: *mut i16,
    sums_end: *const i32,
    rounding: i32,
    low: i32,
    high: i32,
    least: i32,
) -> *const u8 {
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        "add r4, sp, #36",
        "ldmia r4!, {{r5-r7}}",
        "mov r11, r5",
        "mov r8, r6",
        "mov r9, r7",
        "ldr r5, [r4]",
        "mov r10, r5",
        "ldr r5, [r4, #4]",
        "mov lr, r5",
        "5:",
        output!("0", "0"),
        output!("1", "2"),
        output!("2", "4"),
        output!("3", "6"),
        "adds r2, r2, #4",
        "adds r3, r3, #8",
        "cmp r0, r11",
        "beq 4f",
        "b 5b",
        "4:",
        "mov r0, r2",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
