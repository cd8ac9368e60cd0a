//! A tile of four rows in the instructions of ARMv6-M, for Cortex-M0, M0+ and M23: fourteen instructions for four
//! products.
#![allow(unsafe_code)]

use core::arch::naked_asm;

/// One column, 28 bytes. One register is the index of input and weights: r4 is half the input's address, so that the
/// input is at `[r4, r4]`, and r0 to r3 are the rows' addresses less half the address of the first input, so that the
/// weights are at `[r0, r4]` to `[r3, r4]`. r8 to r11 are the sums.
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
        // r12 is r4 at the end of the loop. The loop does four columns of 28 bytes each. If the number of columns is
        // not a multiple of four, its first round is entered late, at the address in r5.
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
