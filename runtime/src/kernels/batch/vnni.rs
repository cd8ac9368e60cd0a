//! Batches with AVX-512 VNNI: one instruction adds the products of four bytes of a row by four weights of sixteen outputs.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_storeu_si128, _mm256_storeu_si256, _mm512_add_epi32, _mm512_adds_epi16,
    _mm512_cvtsepi32_epi16, _mm512_cvtusepi32_epi8, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_mask_shuffle_epi32,
    _mm512_max_epi16, _mm512_max_epi32, _mm512_mul_epi32, _mm512_packs_epi32, _mm512_packus_epi16, _mm512_set1_epi16,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_epi32, _mm512_sllv_epi32, _mm512_srav_epi32,
    _mm512_storeu_si512,
};

use super::super::Width;
use super::instructions::{GROUP, PANEL};
use super::packed_dense::{PackedDense, Scale, Sixteen};

/// Computes all outputs. The caller has checked that there are `n_rows` rows of both, each long enough.
pub(super) fn run(
    packed: &PackedDense,
    n_rows: usize,
    inputs: (&[u8], usize),
    outputs: (&mut [u8], usize),
) -> Option<()> {
    // SAFETY: `Instructions::available` has found AVX-512 with VNNI, without which nothing is packed for it.
    unsafe { panels(packed, n_rows, inputs, outputs) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
fn panels(
    packed: &PackedDense,
    n_rows: usize,
    inputs: (&[u8], usize),
    (outputs, stride): (&mut [u8], usize),
) -> Option<()> {
    let n_groups = packed.bias.len();
    for first in (0..n_groups).step_by(PANEL) {
        let to = (&mut *outputs, stride);
        // As many sums as the registers hold.
        match n_groups - first {
            1 => rows::<12, 1>(packed, first, n_rows, inputs, to)?,
            2 => rows::<12, 2>(packed, first, n_rows, inputs, to)?,
            3 => rows::<8, 3>(packed, first, n_rows, inputs, to)?,
            _ => rows::<6, PANEL>(packed, first, n_rows, inputs, to)?,
        }
    }
    Some(())
}

/// A panel of all rows, `M` at a time.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
fn rows<const M: usize, const V: usize>(
    packed: &PackedDense,
    first: usize,
    n_rows: usize,
    (inputs, step): (&[u8], usize),
    (outputs, stride): (&mut [u8], usize),
) -> Option<()> {
    let panel = Panel::<V>::new(packed, first)?;
    let mut row = 0;
    while n_rows - row >= M {
        let to = outputs.get_mut(row * stride..(row + M) * stride)?;
        panel.tile::<M>((inputs.get(row * step..(row + M) * step)?, step), (to, stride))?;
        row += M;
    }
    while row < n_rows {
        let to = outputs.get_mut(row * stride..(row + 1) * stride)?;
        panel.tile::<1>((inputs.get(row * step..(row + 1) * step)?, step), (to, stride))?;
        row += 1;
    }
    Some(())
}

/// Groups whose outputs are computed together.
struct Panel<'p, 'm, const V: usize> {
    packed: &'p PackedDense<'m>,
    first: usize,
    weights: [&'p [Sixteen]; V],
    bias: &'p [Sixteen; V],
    scales: &'p [Scale; V],
}

impl<'p, 'm, const V: usize> Panel<'p, 'm, V> {
    fn new(packed: &'p PackedDense<'m>, first: usize) -> Option<Self> {
        let words = packed.words;
        let mut weights = [&[][..]; V];
        for (v, place) in weights.iter_mut().enumerate() {
            *place = packed.weights.get((first + v) * words..(first + v + 1) * words)?;
        }
        let bias = packed.bias.get(first..)?.first_chunk()?;
        Some(Self { packed, first, weights, bias, scales: packed.scales.get(first..)?.first_chunk()? })
    }

    /// The outputs of `M` rows.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
    fn tile<const M: usize>(
        &self,
        (inputs, step): (&[u8], usize),
        (outputs, stride): (&mut [u8], usize),
    ) -> Option<()> {
        let sums = self.sums::<M>(inputs, step);
        let rows = outputs.chunks_exact_mut(stride.max(1));
        if !self.packed.is_rescaled {
            for (sums, row) in sums.iter().zip(rows) {
                let mut stored = [Sixteen::default(); V];
                for (place, &sum) in stored.iter_mut().zip(sums) {
                    *place = store(sum);
                }
                self.packed.write_slowly(self.first..self.first + V, &stored, row)?;
            }
            return Some(());
        }
        match self.packed.width {
            Width::Wide => self.wide(&sums, rows),
            Width::Narrow if V == PANEL => self.narrow_panel(&sums, rows),
            Width::Narrow => self.narrow(&sums, rows),
        }
    }

    /// `bias + sum w (x + 128)` of each row, 16 outputs in a register.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
    fn sums<const M: usize>(&self, inputs: &[u8], step: usize) -> [[__m512i; V]; M] {
        let words = self.packed.words;
        let mut bias = [_mm512_setzero_si512(); V];
        for (place, bias) in bias.iter_mut().zip(self.bias) {
            *place = load(bias);
        }
        let mut sums = [bias; M];
        if inputs.len() < M * step || step < words * size_of::<i32>() {
            return sums;
        }
        for word in 0..words {
            // SAFETY: each group has `words` words, as `new` has sliced them, and so has each of `M` rows, as checked above.
            unsafe {
                let mut weights = [_mm512_setzero_si512(); V];
                for (place, weights) in weights.iter_mut().zip(&self.weights) {
                    *place = load(weights.get_unchecked(word));
                }
                for (row, sums) in sums.iter_mut().enumerate() {
                    let x = inputs.as_ptr().add(row * step + word * size_of::<i32>()).cast::<i32>();
                    let x = _mm512_set1_epi32(x.read_unaligned());
                    for (sum, &weights) in sums.iter_mut().zip(&weights) {
                        *sum = _mm512_dpbusd_epi32(*sum, x, weights);
                    }
                }
            }
        }
        sums
    }

    /// 64 outputs of each row as bytes.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
    fn narrow_panel<'o, const M: usize>(
        &self,
        sums: &[[__m512i; V]; M],
        rows: impl Iterator<Item = &'o mut [u8]>,
    ) -> Option<()> {
        let (low, zero) = self.packed.bounds();
        let (low, zero) = (_mm512_set1_epi16(low as i16 + 128), _mm512_set1_epi16(zero as i16 + 128));
        let scales = Loaded::all(self.scales);
        let at = self.first * GROUP;
        let n = (self.packed.outputs() - at).min(PANEL * GROUP);
        for (sums, row) in sums.iter().zip(rows) {
            let (&[a, b, c, d], &[by_a, by_b, by_c, by_d]) = (sums.first_chunk()?, scales.first_chunk()?);
            // Packing to int16 saturates, and so does what follows: as if nothing had before the last step.
            let first = _mm512_packs_epi32(by_a.rescale(a), by_b.rescale(b));
            let last = _mm512_packs_epi32(by_c.rescale(c), by_d.rescale(d));
            let first = _mm512_max_epi16(_mm512_adds_epi16(first, zero), low);
            let last = _mm512_max_epi16(_mm512_adds_epi16(last, zero), low);
            let bytes = _mm512_packus_epi16(first, last);
            if let Some(to) = row.get_mut(at..at + PANEL * GROUP) {
                // SAFETY: `to` has 64 bytes, and the store needs no alignment.
                unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), bytes) }
            } else {
                let bytes = store(bytes);
                row.get_mut(at..at + n)?.copy_from_slice(bytemuck::cast_slice(&bytes.0).get(..n)?);
            }
        }
        Some(())
    }

    /// Outputs of each row as bytes, 16 at a time.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
    fn narrow<'o, const M: usize>(
        &self,
        sums: &[[__m512i; V]; M],
        rows: impl Iterator<Item = &'o mut [u8]>,
    ) -> Option<()> {
        let (low, zero) = self.packed.bounds();
        let (low, zero) = (_mm512_set1_epi32(low + 128), _mm512_set1_epi32(zero + 128));
        let scales = Loaded::all(self.scales);
        for (sums, row) in sums.iter().zip(rows) {
            for ((&sum, by), group) in sums.iter().zip(&scales).zip(self.first..) {
                let outputs = _mm512_max_epi32(_mm512_add_epi32(by.rescale(sum), zero), low);
                let bytes: __m128i = _mm512_cvtusepi32_epi8(outputs);
                let at = group * GROUP;
                if let Some(to) = row.get_mut(at..at + GROUP) {
                    // SAFETY: `to` has 16 bytes, and the store needs no alignment.
                    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), bytes) }
                } else {
                    let mut sixteen = [0u8; GROUP];
                    // SAFETY: the array has 16 bytes, and the store needs no alignment.
                    unsafe { _mm_storeu_si128(sixteen.as_mut_ptr().cast(), bytes) }
                    let n = self.packed.outputs() - at;
                    row.get_mut(at..at + n)?.copy_from_slice(sixteen.get(..n)?);
                }
            }
        }
        Some(())
    }

    /// Outputs of each row as int16, 16 at a time.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
    fn wide<'o, const M: usize>(
        &self,
        sums: &[[__m512i; V]; M],
        rows: impl Iterator<Item = &'o mut [u8]>,
    ) -> Option<()> {
        const BYTES: usize = 2 * GROUP;
        let (low, zero) = self.packed.bounds();
        let (low, zero) = (_mm512_set1_epi32(low), _mm512_set1_epi32(zero));
        let scales = Loaded::all(self.scales);
        for (sums, row) in sums.iter().zip(rows) {
            for ((&sum, by), group) in sums.iter().zip(&scales).zip(self.first..) {
                let sum = _mm512_sllv_epi32(sum, by.left);
                let outputs = _mm512_max_epi32(_mm512_add_epi32(by.rescale(sum), zero), low);
                let words: __m256i = _mm512_cvtsepi32_epi16(outputs);
                let at = group * BYTES;
                if let Some(to) = row.get_mut(at..at + BYTES) {
                    // SAFETY: `to` has 32 bytes, and the store needs no alignment.
                    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), words) }
                } else {
                    let mut sixteen = [0u8; BYTES];
                    // SAFETY: the array has 32 bytes, and the store needs no alignment.
                    unsafe { _mm256_storeu_si256(sixteen.as_mut_ptr().cast(), words) }
                    let n = 2 * self.packed.outputs() - at;
                    row.get_mut(at..at + n)?.copy_from_slice(sixteen.get(..n)?);
                }
            }
        }
        Some(())
    }
}

/// Puts numbers of 32 bits with odd index at even places, where products are taken from. A shift would do, too, but compilers conclude
/// from its zeros that unsigned products and corrections are better.
const ODD: i32 = 0b11_11_01_01;

/// A [`Scale`] in registers.
#[derive(Clone, Copy)]
struct Loaded {
    left: __m512i,
    multiplier: __m512i,
    odd_multiplier: __m512i,
    rounding: __m512i,
    shift: __m512i,
}

impl Loaded {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
    fn all<const V: usize>(scales: &[Scale; V]) -> [Self; V] {
        let zero = _mm512_setzero_si512();
        let mut loaded = [Self { left: zero, multiplier: zero, odd_multiplier: zero, rounding: zero, shift: zero }; V];
        for (place, scale) in loaded.iter_mut().zip(scales) {
            let multiplier = load(&scale.multiplier);
            *place = Self {
                left: load(&scale.left),
                multiplier,
                odd_multiplier: _mm512_shuffle_epi32::<ODD>(multiplier),
                rounding: load(&scale.rounding),
                shift: load(&scale.shift),
            };
        }
        loaded
    }

    /// `floor(sum * multiplier / 2^shift + 1/2)`; before shifts below 33, `sum` has been shifted left.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
    fn rescale(self, sum: __m512i) -> __m512i {
        let even = _mm512_mul_epi32(sum, self.multiplier);
        let odd = _mm512_mul_epi32(_mm512_shuffle_epi32::<ODD>(sum), self.odd_multiplier);
        // The upper halves: those of the odd products lie where they belong.
        let upper = _mm512_mask_shuffle_epi32::<ODD>(odd, 0x5555, even);
        _mm512_srav_epi32(_mm512_add_epi32(upper, self.rounding), self.shift)
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
fn load(from: &Sixteen) -> __m512i {
    // SAFETY: `Sixteen` has 64 bytes.
    unsafe { _mm512_loadu_si512(from.0.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx2")]
fn store(from: __m512i) -> Sixteen {
    let mut to = Sixteen::default();
    // SAFETY: `Sixteen` has 64 bytes.
    unsafe { _mm512_storeu_si512(to.0.as_mut_ptr().cast(), from) }
    to
}
