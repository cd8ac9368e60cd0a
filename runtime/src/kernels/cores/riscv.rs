//! A tile of four rows in the instructions of 32-bit RISC-V with multiplication: thirteen instructions for four
//! products.
#![allow(unsafe_code)]

use core::arch::naked_asm;

/// One column: a0, a5, a6 and a7 point to the four rows, a2 to the inputs; t0 to t3 are the sums.
macro_rules! column {
    ($weight:literal, $input:literal) => {
        concat!(
            "lh t4, ",
            $input,
            "(a2)\nlb t5, ",
            $weight,
            "(a0)\nlb t6, ",
            $weight,
            "(a5)\nmul t5, t5, t4\nmul t6, t6, t4\nadd t0, t0, t5\nadd t1, t1, t6\nlb t5, ",
            $weight,
            "(a6)\nlb t6, ",
            $weight,
            "(a7)\nmul t5, t5, t4\nmul t6, t6, t4\nadd t2, t2, t5\nadd t3, t3, t6\n"
        )
    };
}

/// `sums[i] = bias[i] + sum_j weights[i][j] * x[j]` for four rows.
///
/// # Safety
/// `weights` points to four rows of `columns` weights, `x` to `columns` inputs, and `bias` and `sums` to four elements.
/// The pointers are aligned for their types, and `columns` is not 0.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn tile_of_four(
    weights: *const i8,
    columns: usize,
    x: *const i16,
    bias: *const i32,
    sums: *mut i32,
) {
    naked_asm!(
        // The target's multiplication extension is not passed on to the assembler.
        ".option push",
        ".option arch, +m",
        "add a5, a0, a1",
        "add a6, a5, a1",
        "add a7, a6, a1",
        "lw t0, 0(a3)",
        "lw t1, 4(a3)",
        "lw t2, 8(a3)",
        "lw t3, 12(a3)",
        // a3 is the end of all inputs, a1 the end of those that the loop takes eight at a time.
        "slli a1, a1, 1",
        "add a3, a2, a1",
        "andi a1, a1, -16",
        "add a1, a2, a1",
        "beq a2, a1, 3f",
        "2:",
        column!("0", "0"),
        column!("1", "2"),
        column!("2", "4"),
        column!("3", "6"),
        column!("4", "8"),
        column!("5", "10"),
        column!("6", "12"),
        column!("7", "14"),
        "addi a0, a0, 8",
        "addi a5, a5, 8",
        "addi a6, a6, 8",
        "addi a7, a7, 8",
        "addi a2, a2, 16",
        "bne a2, a1, 2b",
        "3:",
        "beq a2, a3, 5f",
        "4:",
        column!("0", "0"),
        "addi a0, a0, 1",
        "addi a5, a5, 1",
        "addi a6, a6, 1",
        "addi a7, a7, 1",
        "addi a2, a2, 2",
        "bne a2, a3, 4b",
        "5:",
        "sw t0, 0(a4)",
        "sw t1, 4(a4)",
        "sw t2, 8(a4)",
        "sw t3, 12(a4)",
        "ret",
        ".option pop",
    )
}
