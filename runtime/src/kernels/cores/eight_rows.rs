//! Sums and outputs for 32-bit RISC-V with multiplication, where code need not be small: eight rows at a time, so that an
//! input is loaded once for eight products, and pointers advance once for 32 columns.
#![allow(unsafe_code)]

use core::arch::naked_asm;

use super::super::Width;
use super::super::blocks::{DenseKernel, Rescaling};
use super::riscv::tile_of_four;

/// Number of rows of a large tile. A layer's last rows are a small one of [`EightRows::TILE`], if they fit.
const LARGE_TILE: usize = 8;

/// Eight rows at a time, with 25 instructions for eight products.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EightRows;

impl DenseKernel for EightRows {
    const TILE: usize = 4;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; 128];

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let (rows, columns) = (sums.len(), x.len());
        let is_whole = rows.checked_mul(columns) == Some(weights.len()) && rows == bias.len();
        if rows < Self::TILE || columns < Self::MIN_INPUTS || !is_whole {
            return;
        }
        let sums = sums.as_mut_ptr();
        // SAFETY: each row has `columns` weights, a bias and a sum, there is at least one input, and the calls below name only
        // rows among the `rows` rows.
        let large = |row: usize, tiles: usize| unsafe {
            let (weights, bias) = (weights.as_ptr().add(row * columns), bias.as_ptr().add(row));
            tiles_of_eight(weights, columns, x.as_ptr(), bias, sums.add(row), tiles);
        };
        // SAFETY: the same.
        let small = |row: usize| unsafe {
            let (weights, bias) = (weights.as_ptr().add(row * columns), bias.as_ptr().add(row));
            tile_of_four(weights, columns, x.as_ptr(), bias, sums.add(row));
        };
        if rows >= LARGE_TILE {
            large(0, rows / LARGE_TILE);
        } else {
            small(0);
        }
        // Rows that are left over are computed with some of those before them.
        match rows % LARGE_TILE {
            5.. if rows > LARGE_TILE => large(rows - LARGE_TILE, 1),
            1.. if rows > Self::TILE => small(rows - Self::TILE),
            _ => {}
        }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        let rows = sums.len().min(by.multipliers.len()).min(by.shifts.len()).min(outputs.len());
        let Some(shifts @ [_, ..]) = by.shifts.get(..rows / 4 * 4) else { return 0 };
        let zero = i32::from(by.zero_point);
        let (low, high) = match by.width {
            Width::Narrow => (i8::MIN.into(), i8::MAX.into()),
            Width::Wide => (i16::MIN.into(), i16::MAX.into()),
        };
        let low = if by.is_relu { zero } else { low };
        let shifts = shifts.as_ptr_range();
        // A block of rows begins at a multiple of four rows, unless it is the last one of few rows.
        if !shifts.start.addr().is_multiple_of(4) {
            return 0;
        }
        // SAFETY: there are as many sums, multipliers and outputs as these shifts, a multiple of 4 and not 0, and the shifts
        // are aligned.
        let end = unsafe {
            outputs_of_four(
                sums.as_ptr(),
                by.multipliers.as_ptr(),
                shifts.start,
                outputs.as_mut_ptr(),
                shifts.end,
                2 * zero + 1,
                low,
                high,
            )
        };
        end.addr() - shifts.start.addr()
    }
}

/// Two rows of a column: adds the products of s5 with the weights at `$first` and `$second`.
macro_rules! two_rows {
    ($first:literal, $second:literal, $first_sum:literal, $second_sum:literal) => {
        concat!(
            "lb s6, \\column(",
            $first,
            ")\nlb s7, \\column(",
            $second,
            ")\nmul s6, s6, s5\nmul s7, s7, s5\nadd ",
            $first_sum,
            ", ",
            $first_sum,
            ", s6\nadd ",
            $second_sum,
            ", ",
            $second_sum,
            ", s7"
        )
    };
}

/// `sums[i] = bias[i] + sum_j weights[i][j] * x[j]` for `8 * tiles` rows.
///
/// # Safety
/// `weights` points to `8 * tiles` rows of `columns` weights, `x` to `columns` inputs, and `bias` and `sums` to `8 * tiles`
/// elements. The pointers are aligned for their types, and neither `tiles` nor `columns` is 0.
#[unsafe(naked)]
unsafe extern "C" fn tiles_of_eight(
    weights: *const i8,
    columns: usize,
    x: *const i16,
    bias: *const i32,
    sums: *mut i32,
    tiles: usize,
) {
    naked_asm!(
        // The target's multiplication extension is not passed on to the assembler. Each instruction takes four bytes.
        ".option push",
        ".option arch, +m",
        ".option norvc",
        "addi sp, sp, -64",
        "sw ra, 0(sp)",
        "sw s0, 4(sp)",
        "sw s1, 8(sp)",
        "sw s2, 12(sp)",
        "sw s3, 16(sp)",
        "sw s4, 20(sp)",
        "sw s5, 24(sp)",
        "sw s6, 28(sp)",
        "sw s7, 32(sp)",
        "sw s8, 36(sp)",
        "sw s9, 40(sp)",
        "sw s10, 44(sp)",
        "sw s11, 48(sp)",
        "mv ra, a5",
        "mv s4, a0",
        // The loop does 32 columns of 100 bytes each. If the number of columns is not a multiple of 32, the first round is
        // entered late, at the address in s9, with pointers that lie s11 columns before the first.
        "neg s11, a1",
        "andi s11, s11, 31",
        "li s6, 100",
        "mul s9, s11, s6",
        "lla s6, 3f",
        "add s9, s9, s6",
        "slli s6, s11, 1",
        "sub s10, a2, s6",
        "slli s8, a1, 1",
        "add s8, a2, s8",
        // Rows begin at a0, a5, a6, a7 and s1 to s4; their sums are t0 to t6 and s0.
        "2:",
        // The last row of a tile ends where the next tile begins.
        "sub a0, s4, s11",
        "add a5, a0, a1",
        "add a6, a5, a1",
        "add a7, a6, a1",
        "add s1, a7, a1",
        "add s2, s1, a1",
        "add s3, s2, a1",
        "add s4, s3, a1",
        "mv a2, s10",
        "lw t0, 0(a3)",
        "lw t1, 4(a3)",
        "lw t2, 8(a3)",
        "lw t3, 12(a3)",
        "lw t4, 16(a3)",
        "lw t5, 20(a3)",
        "lw t6, 24(a3)",
        "lw s0, 28(a3)",
        "addi a3, a3, 32",
        "jr s9",
        "3:",
        ".irp column, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
        "lh s5, 2*\\column(a2)",
        two_rows!("a0", "a5", "t0", "t1"),
        two_rows!("a6", "a7", "t2", "t3"),
        two_rows!("s1", "s2", "t4", "t5"),
        two_rows!("s3", "s4", "t6", "s0"),
        ".endr",
        "addi a0, a0, 32",
        "addi a5, a5, 32",
        "addi a6, a6, 32",
        "addi a7, a7, 32",
        "addi s1, s1, 32",
        "addi s2, s2, 32",
        "addi s3, s3, 32",
        "addi s4, s4, 32",
        "addi a2, a2, 64",
        "bne a2, s8, 3b",
        "sw t0, 0(a4)",
        "sw t1, 4(a4)",
        "sw t2, 8(a4)",
        "sw t3, 12(a4)",
        "sw t4, 16(a4)",
        "sw t5, 20(a4)",
        "sw t6, 24(a4)",
        "sw s0, 28(a4)",
        "addi a4, a4, 32",
        "addi ra, ra, -1",
        "bnez ra, 2b",
        "lw ra, 0(sp)",
        "lw s0, 4(sp)",
        "lw s1, 8(sp)",
        "lw s2, 12(sp)",
        "lw s3, 16(sp)",
        "lw s4, 20(sp)",
        "lw s5, 24(sp)",
        "lw s6, 28(sp)",
        "lw s7, 32(sp)",
        "lw s8, 36(sp)",
        "lw s9, 40(sp)",
        "lw s10, 44(sp)",
        "lw s11, 48(sp)",
        "addi sp, sp, 64",
        "ret",
        ".option pop",
    )
}

/// An output from the sum at `$at`, the multiplier there, and the shift less 33 in `$shift`.
macro_rules! output {
    ($at:literal, $to:literal, $shift:literal) => {
        concat!(
            "lw t0, ",
            $at,
            "(a0)\nlw t1, ",
            $at,
            "(a1)\nmulh t0, t0, t1\nsra t0, t0, ",
            $shift,
            "\nadd t0, t0, a5\nsrai t0, t0, 1\nbge t0, a6, 4f\nmv t0, a6\n4:\nbge a7, t0, 4f\nmv t0, a7\n4:\nsh t0, ",
            $to,
            "(a3)"
        )
    };
}

/// [`requantize`](super::super::wide::requantize) of many sums, with the zero point added, saturating to `low` and `high`, for
/// shifts of at most 62, as the format has them. `rounding` is twice the zero point plus 1: the zero point is added before the
/// last bit is shifted out. Returns the position in `shifts` at which it stopped: the end, or the first four shifts of which one
/// is below 33.
///
/// # Safety
/// Between `shifts` and `shifts_end` lie `n` elements, where `n` is a multiple of 4 and not 0. `sums`, `multipliers` and
/// `outputs` point to `n` elements each and are aligned for their types. `shifts` is aligned to 4 bytes.
#[allow(clippy::too_many_arguments)]
#[unsafe(naked)]
unsafe extern "C" fn outputs_of_four(
    sums: *const i32,
    multipliers: *const i32,
    shifts: *const u8,
    outputs: *mut i16,
    shifts_end: *const u8,
    rounding: i32,
    low: i32,
    high: i32,
) -> *const u8 {
    naked_asm!(
        ".option push",
        ".option arch, +m",
        "li t3, 0x21212121",
        "li t4, 0x80808080",
        "2:",
        // Four shifts less 33 in one subtraction. The lowest one that is below 33 sets its own highest bit. SRA takes the
        // lowest five bits of its shift.
        "lw t2, 0(a2)",
        "sub t2, t2, t3",
        "and t0, t2, t4",
        "bnez t0, 3f",
        output!("0", "0", "t2"),
        "srli t2, t2, 8",
        output!("4", "2", "t2"),
        "srli t2, t2, 8",
        output!("8", "4", "t2"),
        "srli t2, t2, 8",
        output!("12", "6", "t2"),
        "addi a0, a0, 16",
        "addi a1, a1, 16",
        "addi a2, a2, 4",
        "addi a3, a3, 8",
        "bne a2, a4, 2b",
        "3:",
        "mv a0, a2",
        "ret",
        ".option pop",
    )
}
