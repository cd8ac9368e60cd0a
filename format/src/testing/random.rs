//! Random numbers that are the same on every host.

use alloc::vec::Vec;

/// SplitMix64: small, seeded with any number, the same on every host.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator that starts at `seed`.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// An integer from `low` to `high`, both included; the slight bias of a remainder doesn't matter here.
    pub const fn between(&mut self, low: i32, high: i32) -> i32 {
        let span = (high as i64 - low as i64 + 1) as u64;
        (low as i64 + (self.next_u64() % span) as i64) as i32
    }

    /// `len` integers from `low` to `high`, both included.
    pub fn many(&mut self, len: usize, low: i32, high: i32) -> Vec<i32> {
        (0..len).map(|_| self.between(low, high)).collect()
    }

    pub(super) fn i8s(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| self.between(-128, 127) as i8).collect()
    }

    pub(super) fn i16s(&mut self, len: usize) -> Vec<i16> {
        (0..len).map(|_| self.between(-32768, 32767) as i16).collect()
    }

    pub(super) fn u8s(&mut self, len: usize, low: i32, high: i32) -> Vec<u8> {
        (0..len).map(|_| self.between(low, high) as u8).collect()
    }
}
