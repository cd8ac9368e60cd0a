//! Sums and outputs for hosts with AVX-512 VNNI or AVX2, chosen when the program runs.
//!
//! One VNNI instruction computes 64 products of unsigned by signed bytes. The weights become unsigned as `w + 128`, and
//! `sum w x = sum (w + 128) x - 128 sum x`, where the last sum is the same for every row. Intermediate sums may wrap
//! around; the result does not, because it fits 32 bits.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_add_epi32, _mm_loadu_si128, _mm_set1_epi32, _mm_storeu_si128, _mm_sub_epi32,
    _mm256_add_epi32, _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_hadd_epi32, _mm512_castsi512_si256,
    _mm512_dpbusd_epi32, _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_maskz_loadu_epi8,
    _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_xor_si512,
};

use core_detect::is_x86_feature_detected;
use edgemix_format::view::Dense;

use super::super::blocks::{self, DenseKernel, Rescaling};
use super::super::{Width, portable};
use super::{outputs_host, packed};

/// A function that runs a dense layer, as [`portable::dense`] does.
pub type DenseFn = fn(&Dense, Width, &mut [i16], &mut [i16]);

/// Runs a dense layer with the fastest function for this machine.
pub fn dense(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    let fastest = available().next().unwrap_or(plain);
    fastest(layer, width, input, output);
}

/// The functions whose instructions this machine has, the fastest first.
pub fn available() -> impl Iterator<Item = DenseFn> {
    let vnni: Option<DenseFn> = has_vnni().then_some(blocks::dense::<Vnni>);
    let avx2: Option<DenseFn> = has_avx2().then_some(blocks::dense::<Avx2>);
    [vnni, avx2, Some(plain)].into_iter().flatten()
}

fn plain(layer: &Dense, width: Width, input: &mut [i16], output: &mut [i16]) {
    portable::dense(layer, width, input, output);
}

pub(crate) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
}

/// AVX-512 with VNNI. It implies AVX2.
pub(crate) fn has_vnni() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
}

/// 64 products at a time. Only [`available`] uses it, once it has found the instructions.
#[derive(Clone, Copy, Debug)]
struct Vnni;

/// 16 products at a time, vectorised by the compiler. Only [`available`] uses it, once it has found the instructions.
#[derive(Clone, Copy, Debug)]
struct Avx2;

impl DenseKernel for Vnni {
    const TILE: usize = 1;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; 48];

    fn arrange(x: &mut [i16]) {
        packed::pack(x);
    }

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        // SAFETY: `available` has found AVX-512 with VNNI, and AVX-512 implies AVX2.
        unsafe { vnni_sums(weights, packed::bytes(x), bias, sums) }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        // SAFETY: `available` has found AVX-512.
        unsafe { vnni_outputs(by, sums, outputs) }
    }
}

impl DenseKernel for Avx2 {
    const TILE: usize = 1;
    const MIN_INPUTS: usize = 1;
    type Sums = [i32; 48];

    fn sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
        // SAFETY: `available` has found AVX2.
        unsafe { avx2_sums(weights, x, bias, sums) }
    }

    fn outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
        // SAFETY: `available` has found AVX2.
        unsafe { avx2_outputs(by, sums, outputs) }
    }
}

/// Number of products of one instruction.
const COLUMNS: usize = 64;
/// Number of rows whose sums are reduced together.
const ROWS: usize = 4;

/// Loads `columns` bytes and fills the rest with zeros.
///
/// # Safety
/// `pointer` points to `columns` bytes, and `columns` is from 1 to 64.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn load(pointer: *const i8, columns: usize) -> __m512i {
    let mask = u64::MAX >> (COLUMNS - columns);
    // SAFETY: the mask has `columns` bits, and bytes that it excludes are not read.
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
        // SAFETY: `rows` holds four rows of the length of `x`.
        let four = unsafe { four_rows(rows.as_ptr(), x) };
        let excess = _mm_set1_epi32(excess);
        // SAFETY: `bias` and `sums` are arrays of four elements, and these loads and stores need no alignment.
        unsafe {
            let four = _mm_sub_epi32(_mm_add_epi32(four, _mm_loadu_si128(bias.as_ptr().cast())), excess);
            _mm_storeu_si128(sums.as_mut_ptr().cast(), four);
        }
    }
    for ((row, bias), sum) in last.zip(last_bias).zip(last_sums) {
        *sum = one_row(row, x).wrapping_add(*bias).wrapping_sub(excess);
    }
}

/// `128 sum x`, wrapping.
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
/// `weights` points to four rows of the length of `x`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni,avx2")]
unsafe fn four_rows(weights: *const i8, x: &[i8]) -> __m128i {
    let flip = _mm512_set1_epi8(i8::MIN);
    let mut sums = [_mm512_setzero_si512(); ROWS];
    let columns = x.len();
    let whole = columns / COLUMNS * COLUMNS;
    let mut at = 0;
    while at < whole {
        // SAFETY: at least 64 inputs are left, and as many weights in each row.
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
        // SAFETY: `columns - at` inputs are left, fewer than 64 and at least one, and as many weights in each row.
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

/// The sum of the two halves.
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
        // SAFETY: `n` is from 1 to 64, and at least `n` inputs and weights are left.
        let (x, weights) = unsafe { (load(x.as_ptr().add(at), n), load(row.as_ptr().add(at), n)) };
        sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(weights, flip), x);
        at += COLUMNS;
    }
    _mm512_reduce_add_epi32(sum)
}

#[target_feature(enable = "avx2")]
fn avx2_sums(weights: &[i8], x: &[i16], bias: &[i32], sums: &mut [i32]) {
    blocks::plain_sums(weights, x, bias, sums);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
fn vnni_outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
    outputs_host::by_sixteen(by, sums, outputs)
}

#[target_feature(enable = "avx2")]
fn avx2_outputs(by: &Rescaling, sums: &[i32], outputs: &mut [i16]) -> usize {
    outputs_host::by_sixteen(by, sums, outputs)
}
