//! Sums and outputs for 64-bit Arm with the instruction SDOT, found when the program runs: 16 products an instruction.
//!
//! The intrinsic for SDOT is not stable, so that it is written in assembly; the loads around it are intrinsics.
#![allow(unsafe_code)]

use core::arch::aarch64::{
    int8x16_t, int32x4_t, vaddq_s32, vaddvq_s32, vdupq_n_s32, vld1q_s8, vld1q_s32, vpaddq_s32, vst1q_s32,
};
use core::arch::asm;
use core::sync::atomic::{AtomicU8, Ordering};

use edgemix_format::view::Dense;

use super::super::blocks::{self, DenseKernel, Rescaling};
use super::super::{Width, portable};
use super::{outputs_host, packed};

/// Runs a dense layer with the fastest function for this machine.
pub(crate) fn dense(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    if has_sdot() {
        blocks::dense::<Sdot>(layer, width, input, output);
    } else {
        // Compilers make good code of the definition, because vectors are always there.
        portable::dense(layer, width, input, output);
    }
}

/// Whether the machine has SDOT. Where the target doesn't say so, the system is asked, once.
fn has_sdot() -> bool {
    static FOUND: AtomicU8 = AtomicU8::new(UNKNOWN);
    const UNKNOWN: u8 = 2;
    if cfg!(target_feature = "dotprod") {
        return true;
    }
    match FOUND.load(Ordering::Relaxed) {
        UNKNOWN => {
            let found = register_says_so();
            FOUND.store(found.into(), Ordering::Relaxed);
            found
        }
        found => found == 1,
    }
}

/// Field DP of the register that lists instructions. Linux lets programs read it since version 4.11, and without a system
/// nothing forbids it.
#[cfg(any(target_os = "linux", target_os = "none"))]
fn register_says_so() -> bool {
    let register: u64;
    // SAFETY: reads a register, without side effects.
    unsafe { asm!("mrs {}, ID_AA64ISAR0_EL1", out(reg) register, options(pure, nomem, nostack, preserves_flags)) };
    (register >> 44) & 15 > 0
}

/// Other systems may forbid it.
#[cfg(not(any(target_os = "linux", target_os = "none")))]
fn register_says_so() -> bool {
    false
}

/// 16 products at a time. Only [`dense`] uses it, once it has found the instruction.
#[derive(Clone, Copy, Debug)]
struct Sdot;

impl DenseKernel for Sdot {
    const TILE: usize = 1;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; 48];

    fn arrange(x: &mut [i16]) {
        packed::pack(x);
    }

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        // SAFETY: `dense` has found the instruction.
        unsafe { sdot_sums(weights, packed::bytes(x), bias, sums) }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        outputs_host::by_sixteen(by, sums, outputs)
    }
}

/// Number of products of one instruction.
const COLUMNS: usize = 16;
/// Number of rows whose sums are reduced together.
const ROWS: usize = 4;

#[target_feature(enable = "neon,dotprod")]
fn sdot_sums(weights: &[i8], x: &[i8], bias: &[i32], sums: &mut [i32]) {
    let columns = x.len().max(1);
    let rows = weights.chunks_exact(ROWS * columns);
    let last = rows.remainder().chunks_exact(columns);
    let (bias, last_bias) = bias.as_chunks::<ROWS>();
    let (sums, last_sums) = sums.as_chunks_mut::<ROWS>();
    for ((tile, bias), sums) in rows.zip(bias).zip(sums) {
        let [a, b, c, d] = products(tile, x);
        let four = vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d));
        // SAFETY: `bias` and `sums` are arrays of four elements.
        unsafe { vst1q_s32(sums.as_mut_ptr(), vaddq_s32(four, vld1q_s32(bias.as_ptr()))) }
    }
    for ((row, bias), sum) in last.zip(last_bias).zip(last_sums) {
        let [row] = products(row, x);
        *sum = vaddvq_s32(row).wrapping_add(*bias);
    }
}

/// Of each of `N` rows as long as `x`, which `tile` consists of, four numbers whose sum is that of the products. Nothing is read
/// of a tile that is too short.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn products<const N: usize>(tile: &[i8], x: &[i8]) -> [int32x4_t; N] {
    let mut sums = [vdupq_n_s32(0); N];
    let columns = x.len();
    if columns.checked_mul(N) != Some(tile.len()) {
        return sums;
    }
    let whole = columns / COLUMNS * COLUMNS;
    for at in (0..whole).step_by(COLUMNS) {
        // SAFETY: at least 16 inputs are left, and as many weights in each row.
        unsafe {
            let x = vld1q_s8(x.as_ptr().add(at));
            for (row, sum) in sums.iter_mut().enumerate() {
                *sum = sdot(*sum, vld1q_s8(tile.as_ptr().add(row * columns + at)), x);
            }
        }
    }
    if whole < columns {
        let x = last(x, whole..columns);
        for (row, sum) in sums.iter_mut().enumerate() {
            let begin = row * columns;
            *sum = sdot(*sum, last(tile, begin + whole..begin + columns), x);
        }
    }
    sums
}

/// Less than 16 bytes, and zeros after them.
#[inline]
#[target_feature(enable = "neon")]
fn last(bytes: &[i8], range: core::ops::Range<usize>) -> int8x16_t {
    let mut filled = [0; COLUMNS];
    filled.iter_mut().zip(bytes.get(range).unwrap_or_default()).for_each(|(to, &from)| *to = from);
    // SAFETY: an array of 16 bytes.
    unsafe { vld1q_s8(filled.as_ptr()) }
}

/// `sum[i] + a[4i] b[4i] + ... + a[4i + 3] b[4i + 3]`.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot(mut sum: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: the function has the feature of this instruction, which changes only its target.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}
