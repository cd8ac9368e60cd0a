//! Batches with AVX2: one instruction multiplies two int16 of a row by two weights of eight outputs, and another adds the sums of
//! the two products.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_blend_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_max_epi16,
    _mm256_max_epi32, _mm256_min_epi16, _mm256_mul_epi32, _mm256_packs_epi32, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_shuffle_epi32, _mm256_sllv_epi32, _mm256_srav_epi32, _mm256_storeu_si256,
};
use core::hint::black_box;

use super::instructions::GROUP;
use super::packed_dense::{PackedDense, Scale, Sixteen};

/// Number of rows whose sums the registers hold.
const ROWS: usize = 6;
/// Number of outputs in a register.
const OUTPUTS: usize = GROUP / 2;

/// Computes all outputs. The caller has checked that there are `n_rows` rows of both, each long enough.
pub(super) fn run(
    packed: &PackedDense,
    n_rows: usize,
    inputs: (&[u8], usize),
    outputs: (&mut [u8], usize),
) -> Option<()> {
    // SAFETY: `Instructions::available` has found AVX2, without which nothing is packed for it.
    unsafe { groups(packed, n_rows, inputs, outputs) }
}

#[target_feature(enable = "avx2")]
fn groups(
    packed: &PackedDense,
    n_rows: usize,
    (inputs, step): (&[u8], usize),
    (outputs, stride): (&mut [u8], usize),
) -> Option<()> {
    for index in 0..packed.bias.len() {
        let group = Group::new(packed, index)?;
        let mut row = 0;
        while n_rows - row >= ROWS {
            let to = outputs.get_mut(row * stride..(row + ROWS) * stride)?;
            group.tile::<ROWS>((inputs.get(row * step..(row + ROWS) * step)?, step), (to, stride))?;
            row += ROWS;
        }
        while row < n_rows {
            let to = outputs.get_mut(row * stride..(row + 1) * stride)?;
            group.tile::<1>((inputs.get(row * step..(row + 1) * step)?, step), (to, stride))?;
            row += 1;
        }
    }
    Some(())
}

/// Sixteen outputs.
struct Group<'p, 'm> {
    packed: &'p PackedDense<'m>,
    index: usize,
    weights: &'p [Sixteen],
    bias: &'p Sixteen,
    scale: &'p Scale,
}

impl<'p, 'm> Group<'p, 'm> {
    fn new(packed: &'p PackedDense<'m>, index: usize) -> Option<Self> {
        let weights = packed.weights.get(index * packed.words..(index + 1) * packed.words)?;
        Some(Self { packed, index, weights, bias: packed.bias.get(index)?, scale: packed.scales.get(index)? })
    }

    /// The outputs of `M` rows.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn tile<const M: usize>(
        &self,
        (inputs, step): (&[u8], usize),
        (outputs, stride): (&mut [u8], usize),
    ) -> Option<()> {
        let sums = self.sums::<M>(inputs, step);
        let rows = outputs.chunks_exact_mut(stride.max(1));
        if !self.packed.is_rescaled {
            for (&sums, row) in sums.iter().zip(rows) {
                self.packed.write_slowly(self.index..self.index + 1, &[store(sums)], row)?;
            }
            return Some(());
        }
        let (low, zero) = self.packed.bounds();
        let (least, greatest) = self.packed.width.range();
        let (least, greatest) = (_mm256_set1_epi16(least as i16), _mm256_set1_epi16(greatest as i16));
        let (low, zero) = (_mm256_set1_epi32(low), _mm256_set1_epi32(zero));
        let [by_first, by_last] = Loaded::both(self.scale);
        let at = 2 * GROUP * self.index;
        for (&[first, last], row) in sums.iter().zip(rows) {
            let first = _mm256_max_epi32(_mm256_add_epi32(by_first.rescale(first), zero), low);
            let last = _mm256_max_epi32(_mm256_add_epi32(by_last.rescale(last), zero), low);
            // Packing to int16 saturates.
            let outputs = _mm256_packs_epi32(first, last);
            let outputs = _mm256_min_epi16(_mm256_max_epi16(outputs, least), greatest);
            if let Some(to) = row.get_mut(at..at + 2 * GROUP) {
                // SAFETY: `to` has 32 bytes, and the store needs no alignment.
                unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), outputs) }
            } else {
                let sixteen = store([outputs, _mm256_setzero_si256()]);
                let n = 2 * self.packed.outputs() - at;
                row.get_mut(at..at + n)?.copy_from_slice(bytemuck::cast_slice(&sixteen.0).get(..n)?);
            }
        }
        Some(())
    }

    /// `bias + sum w x` of each row, eight outputs in a register.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn sums<const M: usize>(&self, inputs: &[u8], step: usize) -> [[__m256i; 2]; M] {
        let words = self.packed.words;
        let mut sums = [load(self.bias); M];
        if inputs.len() < M * step || step < words * size_of::<i32>() {
            return sums;
        }
        // A pointer for each row, so that the loop advances one index. Compilers that see how far the rows are apart add that to a
        // pointer, a row after another.
        let mut rows = [inputs.as_ptr(); M];
        for (row, pointer) in rows.iter_mut().enumerate() {
            *pointer = black_box(inputs.as_ptr().wrapping_add(row * step));
        }
        for word in 0..words {
            // SAFETY: the group has `words` words, as `new` has sliced it, and so has each of `M` rows, as checked above.
            unsafe {
                let weights = load(self.weights.get_unchecked(word));
                for (row, sums) in rows.iter().zip(&mut sums) {
                    let x = _mm256_set1_epi32(row.cast::<i32>().add(word).read_unaligned());
                    for (sum, &weights) in sums.iter_mut().zip(&weights) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(x, weights));
                    }
                }
            }
        }
        sums
    }
}

/// Half of a [`Scale`] in registers.
#[derive(Clone, Copy)]
struct Loaded {
    left: __m256i,
    multiplier: __m256i,
    odd_multiplier: __m256i,
    rounding: __m256i,
    shift: __m256i,
}

impl Loaded {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn both(scale: &Scale) -> [Self; 2] {
        let [first, last] = load(&scale.multiplier);
        let (left, rounding, shift) = (load(&scale.left), load(&scale.rounding), load(&scale.shift));
        [
            Self {
                left: left[0],
                multiplier: first,
                odd_multiplier: odd(first),
                rounding: rounding[0],
                shift: shift[0],
            },
            Self { left: left[1], multiplier: last, odd_multiplier: odd(last), rounding: rounding[1], shift: shift[1] },
        ]
    }

    /// `floor(sum * multiplier / 2^shift + 1/2)`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn rescale(self, sum: __m256i) -> __m256i {
        let sum = _mm256_sllv_epi32(sum, self.left);
        let even = _mm256_mul_epi32(sum, self.multiplier);
        let odd_product = _mm256_mul_epi32(odd(sum), self.odd_multiplier);
        // The upper halves: those of the odd products lie where they belong.
        let upper = _mm256_blend_epi32::<0b1010_1010>(odd(even), odd_product);
        _mm256_srav_epi32(_mm256_add_epi32(upper, self.rounding), self.shift)
    }
}

/// Numbers of 32 bits with odd index at even places, where products are taken from. A shift would do, too, but compilers conclude from
/// its zeros that unsigned products and corrections are better.
#[inline]
#[target_feature(enable = "avx2")]
fn odd(x: __m256i) -> __m256i {
    _mm256_shuffle_epi32::<0b11_11_01_01>(x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &Sixteen) -> [__m256i; 2] {
    // SAFETY: `Sixteen` has twice 32 bytes.
    unsafe {
        let first = _mm256_loadu_si256(from.0.as_ptr().cast());
        [first, _mm256_loadu_si256(from.0.as_ptr().add(OUTPUTS).cast())]
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(from: [__m256i; 2]) -> Sixteen {
    let mut to = Sixteen::default();
    // SAFETY: `Sixteen` has twice 32 bytes.
    unsafe {
        _mm256_storeu_si256(to.0.as_mut_ptr().cast(), from[0]);
        _mm256_storeu_si256(to.0.as_mut_ptr().add(OUTPUTS).cast(), from[1]);
    }
    to
}
