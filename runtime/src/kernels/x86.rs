//! Sums and outputs for hosts with AVX-512 (VNNI) or AVX2, chosen where the program runs.
//!
//! 64 products are one instruction, of unsigned and signed bytes. With `w + 128` for the weights,
//! `sum w x = sum (w + 128) x - 128 sum x`, and the last sum is every row's; what wraps around on the way comes back.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_add_epi32, _mm_loadu_si128, _mm_set1_epi32, _mm_storeu_si128, _mm_sub_epi32,
    _mm256_add_epi32, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm512_castsi512_si256,
    _mm512_dpbusd_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_maskz_loadu_epi8,
    _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_xor_si512,
};

use core_detect::is_x86_feature_detected;
use edgemix_format::view::Dense;

use super::blocks::{self, Rescaling, Sums};
use super::{Width, portable};

/// A kernel of dense layers, as [`portable::dense`] is.
pub type Kernel = fn(&Dense, Width, &mut [i16], &mut [i16]);

/// The fastest dense kernel of the machine that this runs on.
pub fn dense(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    let fastest = available().next().unwrap_or(plain);
    fastest(layer, width, input, output);
}

/// The kernels that this machine has instructions for, the fastest first.
pub fn available() -> impl Iterator<Item = Kernel> {
    let vnni: Option<Kernel> = has_vnni().then_some(blocks::dense::<Vnni>);
    let avx2: Option<Kernel> = is_x86_feature_detected!("avx2").then_some(blocks::dense::<Avx2>);
    [vnni, avx2, Some(plain)].into_iter().flatten()
}

fn plain(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    portable::dense(layer, width, input, output);
}

fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
}

/// 64 products at a time; only where [`available`] finds the instructions.
#[derive(Clone, Copy, Debug)]
struct Vnni;

/// 16 products at a time, as the compiler makes them; only where [`available`] finds the instructions.
#[derive(Clone, Copy, Debug)]
struct Avx2;

impl Sums for Vnni {
    const TILE: usize = 1;
    const LEAST_INPUTS: usize = 1;

    /// Bytes in the first half.
    fn arrange(x: &mut [i16]) {
        let mut rest = x.len();
        let mut at = 0;
        while rest > 0 {
            let mut packed = [0u8; COLUMNS];
            let n = rest.min(COLUMNS);
            let Some(values) = x.get(at..at + n) else { return };
            packed.iter_mut().zip(values).for_each(|(byte, &x)| *byte = x as u8);
            // What is written lies before what is still to be read.
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(x);
            let (Some(to), Some(from)) = (bytes.get_mut(at..at + n), packed.get(..n)) else { return };
            to.copy_from_slice(from);
            (at, rest) = (at + n, rest - n);
        }
    }

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        let Some(bytes) = bytemuck::cast_slice::<i16, i8>(x).get(..x.len()) else { return };
        // SAFETY: `available` has found the instructions.
        unsafe { vnni_sums(weights, bytes, bias, sums) }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        // SAFETY: `available` has found the instructions.
        unsafe { vnni_outputs(by, sums, outputs) }
    }
}

impl Sums for Avx2 {
    const TILE: usize = 1;
    const LEAST_INPUTS: usize = 1;

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        // SAFETY: `available` has found the instructions.
        unsafe { avx2_sums(weights, x, bias, sums) }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        // SAFETY: `available` has found the instructions.
        unsafe { avx2_outputs(by, sums, outputs) }
    }
}

/// Products of one instruction.
const COLUMNS: usize = 64;
/// Rows whose sums are added up together.
const ROWS: usize = 4;

/// `columns` bytes, at most 64, and zeros.
///
/// # Safety
/// From `pointer` on there are as many bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn load(pointer: *const i8, columns: usize) -> __m512i {
    let mask = u64::MAX >> (COLUMNS - columns);
    // SAFETY: bytes that the mask excludes are not read.
    unsafe { _mm512_maskz_loadu_epi8(mask, pointer) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
fn vnni_sums(weights: &[i8], x: &[i8], bias: &[i32], sums: &mut [i32]) {
    let columns = x.len();
    let excess = excess(x);
    let rows = weights.chunks_exact(ROWS * columns);
    let last = rows.remainder().chunks_exact(columns);
    let (bias, last_bias) = bias.as_chunks::<ROWS>();
    let (sums, last_sums) = sums.as_chunks_mut::<ROWS>();
    for ((rows, bias), sums) in rows.zip(bias).zip(sums) {
        // SAFETY: there are four rows of as many columns as there are inputs.
        let four = unsafe { four_rows(rows.as_ptr(), x) };
        let excess = _mm_set1_epi32(excess);
        // SAFETY: there are four of either.
        unsafe {
            let four = _mm_sub_epi32(_mm_add_epi32(four, _mm_loadu_si128(bias.as_ptr().cast())), excess);
            _mm_storeu_si128(sums.as_mut_ptr().cast(), four);
        }
    }
    for ((row, bias), sum) in last.zip(last_bias).zip(last_sums) {
        *sum = one_row(row, x).wrapping_add(*bias).wrapping_sub(excess);
    }
}

/// `128 sum x`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn excess(x: &[i8]) -> i32 {
    let ones = _mm512_set1_epi8(1);
    let mut sum = _mm512_setzero_si512();
    let mut at = 0;
    while at < x.len() {
        // SAFETY: as many inputs are left.
        let x = unsafe { load(x.as_ptr().add(at), COLUMNS.min(x.len() - at)) };
        sum = _mm512_dpbusd_epi32(sum, ones, x);
        at += COLUMNS;
    }
    _mm512_reduce_add_epi32(sum).wrapping_mul(128)
}

/// `sum (w + 128) x` of four rows.
///
/// # Safety
/// From `weights` on there are four rows of the length of `x`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2")]
unsafe fn four_rows(weights: *const i8, x: &[i8]) -> __m128i {
    let flip = _mm512_set1_epi8(i8::MIN);
    let mut sums = [_mm512_setzero_si512(); ROWS];
    let columns = x.len();
    let whole = columns / COLUMNS * COLUMNS;
    let mut at = 0;
    while at < whole {
        // SAFETY: 64 inputs are left, and as many weights in each row.
        unsafe {
            let x = _mm512_loadu_si512(x.as_ptr().add(at).cast());
            for (row, sum) in sums.iter_mut().enumerate() {
                let weights = _mm512_loadu_si512(weights.add(row * columns + at).cast());
                *sum = _mm512_dpbusd_epi32(*sum, _mm512_xor_si512(weights, flip), x);
            }
        }
        at += COLUMNS;
    }
    if at < columns {
        // SAFETY: so many inputs are left, and as many weights in each row.
        unsafe {
            let x = load(x.as_ptr().add(at), columns - at);
            for (row, sum) in sums.iter_mut().enumerate() {
                let weights = load(weights.add(row * columns + at), columns - at);
                *sum = _mm512_dpbusd_epi32(*sum, _mm512_xor_si512(weights, flip), x);
            }
        }
    }
    let [a, b, c, d] = sums;
    let pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(halves(a), halves(b)), _mm256_hadd_epi32(halves(c), halves(d)));
    _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256::<1>(pairs))
}

/// The sum of both halves.
#[inline]
#[target_feature(enable = "avx512f,avx2")]
fn halves(x: __m512i) -> __m256i {
    _mm256_add_epi32(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64::<1>(x))
}

/// `sum (w + 128) x` of a row of the length of `x`.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn one_row(row: &[i8], x: &[i8]) -> i32 {
    let flip = _mm512_set1_epi8(i8::MIN);
    let mut sum = _mm512_setzero_si512();
    let columns = x.len().min(row.len());
    let mut at = 0;
    while at < columns {
        let n = COLUMNS.min(columns - at);
        // SAFETY: `n` inputs are left, and as many weights.
        let (x, weights) = unsafe { (load(x.as_ptr().add(at), n), load(row.as_ptr().add(at), n)) };
        sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(weights, flip), x);
        at += COLUMNS;
    }
    _mm512_reduce_add_epi32(sum)
}

#[target_feature(enable = "avx2")]
fn avx2_sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
    blocks::plain(weights, x, bias, sums);
}

/// Outputs made at once.
const OUTPUTS: usize = 16;

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn vnni_outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
    many(by, sums, outputs)
}

#[target_feature(enable = "avx2")]
fn avx2_outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
    many(by, sums, outputs)
}

/// [`requantize`](super::wide::requantize) of many, up to the first sixteen of which one's shift is below 33.
#[inline(always)]
fn many(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
    let (sums, _) = sums.as_chunks::<OUTPUTS>();
    let (multipliers, _) = by.multipliers.as_chunks::<OUTPUTS>();
    let (shifts, _) = by.shifts.as_chunks::<OUTPUTS>();
    let (outputs, _) = outputs.as_chunks_mut::<OUTPUTS>();
    let least = if by.is_relu { 0 } else { i32::MIN };
    let zero = i32::from(by.zero_point);
    let (low, high) = by.width.range();
    let mut done = 0;
    for (((sums, multipliers), shifts), outputs) in sums.iter().zip(multipliers).zip(shifts).zip(outputs) {
        if shifts.iter().any(|&shift| shift < 33) {
            break;
        }
        for (((sum, multiplier), shift), output) in sums.iter().zip(multipliers).zip(shifts).zip(outputs) {
            let upper = ((i64::from(*sum) * i64::from(*multiplier)) >> 32) as i32;
            let rounded = ((upper >> (u32::from(*shift) - 33).min(31)) + 1) >> 1;
            *output = (zero + rounded.max(least)).clamp(low as i32, high as i32) as i16;
        }
        done += OUTPUTS;
    }
    done
}
