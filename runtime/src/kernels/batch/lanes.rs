//! Sums of sixteen samples in the registers of a set of instructions.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::{
    __m256i, __m512i, _mm_cvtsi32_si128, _mm256_add_epi32, _mm256_add_epi64, _mm256_loadu_si256, _mm256_mul_epi32,
    _mm256_mullo_epi32, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_sra_epi32, _mm256_srli_epi64,
    _mm256_storeu_si256, _mm512_add_epi32, _mm512_add_epi64, _mm512_loadu_si512, _mm512_mul_epi32, _mm512_mullo_epi32,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_sra_epi32, _mm512_srli_epi64, _mm512_storeu_si512,
};

use super::instructions::{GROUP, Instructions, Set};

/// Sixteen sums of 64 bits. Compilers, left to themselves, put the dimensions of a sample side by side instead of the samples.
pub(super) trait Lanes: Copy {
    /// No sums yet.
    fn zero() -> Self;

    /// Adds the squares of `(a z + b) >> shift`, which fits 32 bits.
    fn add_squares(self, a: i16, z: &[i32; GROUP], b: i32, shift: u8) -> Self;

    /// Adds the products `a z`.
    fn add_products(self, a: i16, z: &[i32; GROUP]) -> Self;

    /// The sums.
    fn sums(self) -> [i64; GROUP];
}

/// Something to compute with [`Lanes`]. [`run`](Self::run) and what it calls have to be `inline(always)`, so that they are compiled
/// for the instructions.
pub(super) trait Vectorised {
    /// What comes of it.
    type Output;

    /// Computes it.
    fn run<L: Lanes>(self) -> Self::Output;
}

/// Computes something with the instructions.
pub(super) fn compute<T: Vectorised>(instructions: Instructions, what: T) -> T::Output {
    match instructions.0 {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Instructions::available` has found AVX-512 with VNNI.
        Set::Vnni => unsafe { avx512(what) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: `Instructions::available` has found AVX2.
        Set::Avx2 => unsafe { avx2(what) },
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2")]
fn avx512<T: Vectorised>(what: T) -> T::Output {
    what.run::<Avx512>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2<T: Vectorised>(what: T) -> T::Output {
    what.run::<Avx2>()
}

/// The sums of samples with even numbers, then with odd ones. Only [`compute`] uses it, once it has found the instructions.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx512([__m512i; 2]);

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx512 {
    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: `compute` has found AVX-512.
        unsafe { Self([_mm512_setzero_si512(); 2]) }
    }

    #[inline(always)]
    fn add_squares(self, a: i16, z: &[i32; GROUP], b: i32, shift: u8) -> Self {
        // SAFETY: `compute` has found AVX-512, and `z` has 64 bytes.
        unsafe {
            let z = _mm512_loadu_si512(z.as_ptr().cast());
            let row = _mm512_add_epi32(_mm512_mullo_epi32(z, _mm512_set1_epi32(a.into())), _mm512_set1_epi32(b));
            let even = _mm512_sra_epi32(row, _mm_cvtsi32_si128(shift.into()));
            let odd = _mm512_srli_epi64::<32>(even);
            let [evens, odds] = self.0;
            let evens = _mm512_add_epi64(evens, _mm512_mul_epi32(even, even));
            Self([evens, _mm512_add_epi64(odds, _mm512_mul_epi32(odd, odd))])
        }
    }

    #[inline(always)]
    fn add_products(self, a: i16, z: &[i32; GROUP]) -> Self {
        // SAFETY: as above.
        unsafe {
            let (a, even) = (_mm512_set1_epi32(a.into()), _mm512_loadu_si512(z.as_ptr().cast()));
            let odd = _mm512_srli_epi64::<32>(even);
            let [evens, odds] = self.0;
            let evens = _mm512_add_epi64(evens, _mm512_mul_epi32(even, a));
            Self([evens, _mm512_add_epi64(odds, _mm512_mul_epi32(odd, a))])
        }
    }

    #[inline(always)]
    fn sums(self) -> [i64; GROUP] {
        let mut halves = [[0i64; GROUP / 2]; 2];
        for (half, sums) in halves.iter_mut().zip(self.0) {
            // SAFETY: `compute` has found AVX-512, and `half` has 64 bytes.
            unsafe { _mm512_storeu_si512(half.as_mut_ptr().cast(), sums) }
        }
        let mut all = [0; GROUP];
        for (sample, place) in all.iter_mut().enumerate() {
            *place = halves[sample % 2][sample / 2];
        }
        all
    }
}

/// As [`Avx512`], of the first eight samples and of the last.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2([[__m256i; 2]; 2]);

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    #[inline(always)]
    fn zero() -> Self {
        // SAFETY: `compute` has found AVX2.
        unsafe { Self([[_mm256_setzero_si256(); 2]; 2]) }
    }

    #[inline(always)]
    fn add_squares(mut self, a: i16, z: &[i32; GROUP], b: i32, shift: u8) -> Self {
        for ([evens, odds], z) in self.0.iter_mut().zip(z.as_chunks::<{ GROUP / 2 }>().0) {
            // SAFETY: `compute` has found AVX2, and `z` has 32 bytes.
            unsafe {
                let z = _mm256_loadu_si256(z.as_ptr().cast());
                let row = _mm256_add_epi32(_mm256_mullo_epi32(z, _mm256_set1_epi32(a.into())), _mm256_set1_epi32(b));
                let even = _mm256_sra_epi32(row, _mm_cvtsi32_si128(shift.into()));
                let odd = _mm256_srli_epi64::<32>(even);
                *evens = _mm256_add_epi64(*evens, _mm256_mul_epi32(even, even));
                *odds = _mm256_add_epi64(*odds, _mm256_mul_epi32(odd, odd));
            }
        }
        self
    }

    #[inline(always)]
    fn add_products(mut self, a: i16, z: &[i32; GROUP]) -> Self {
        for ([evens, odds], z) in self.0.iter_mut().zip(z.as_chunks::<{ GROUP / 2 }>().0) {
            // SAFETY: as above.
            unsafe {
                let (a, even) = (_mm256_set1_epi32(a.into()), _mm256_loadu_si256(z.as_ptr().cast()));
                let odd = _mm256_srli_epi64::<32>(even);
                *evens = _mm256_add_epi64(*evens, _mm256_mul_epi32(even, a));
                *odds = _mm256_add_epi64(*odds, _mm256_mul_epi32(odd, a));
            }
        }
        self
    }

    #[inline(always)]
    fn sums(self) -> [i64; GROUP] {
        let mut quarters = [[[0i64; GROUP / 4]; 2]; 2];
        for (place, sums) in quarters.iter_mut().flatten().zip(self.0.iter().flatten()) {
            // SAFETY: `compute` has found AVX2, and `place` has 32 bytes.
            unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), *sums) }
        }
        let mut all = [0; GROUP];
        for (sample, place) in all.iter_mut().enumerate() {
            *place = quarters[sample / 8][sample % 2][sample % 8 / 2];
        }
        all
    }
}
