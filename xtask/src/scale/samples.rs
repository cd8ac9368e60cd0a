//! Gaussian clusters of any size, as an NPY file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};

/// Writes samples: `[samples, features, clusters]`.
///
/// # Errors
/// If the file can't be written.
pub(super) fn write(path: &Path, [samples, features, clusters]: [usize; 3]) -> Result<()> {
    let unwritable = || format!("{} can't be written", path.display());
    let mut out = BufWriter::new(File::create(path).with_context(unwritable)?);
    out.write_all(&header(samples, features)).with_context(unwritable)?;
    let mut random = Random(1);
    let centres: Vec<f32> = (0..clusters * features).map(|_| 3.0 * random.normal()).collect();
    for sample in 0..samples {
        let first = sample % clusters * features;
        for centre in &centres[first..first + features] {
            out.write_all(&(centre + random.normal()).to_le_bytes()).with_context(unwritable)?;
        }
    }
    out.flush().with_context(unwritable)
}

/// The header of version 1.0, whose length with all before it is a multiple of 64.
fn header(samples: usize, features: usize) -> Vec<u8> {
    const BEFORE: usize = 10;
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({samples}, {features}), }}");
    let length = (BEFORE + text.len() + 1).next_multiple_of(64) - BEFORE;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(text.bytes());
    bytes.resize(BEFORE + length - 1, b' ');
    bytes.push(b'\n');
    bytes
}

/// Numbers by SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Nearly normal, of variance 1: the sum of twelve uniform numbers.
    fn normal(&mut self) -> f32 {
        let uniform = |bits: u64| (bits & 0xffff) as f32 / 65536.0;
        let twelve = (0..3).map(|_| self.next()).flat_map(|bits| (0..4).map(move |part| uniform(bits >> (16 * part))));
        twelve.sum::<f32>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_its_header_and_all_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        write(&path, [7, 3, 2]).unwrap();
        let bytes = std::fs::read(path).unwrap();
        assert_eq!((bytes.len(), bytes[127]), (128 + 4 * 21, b'\n'));
        assert!(String::from_utf8_lossy(&bytes[..128]).contains("'shape': (7, 3)"));
    }

    #[test]
    fn numbers_have_mean_0_and_variance_1() {
        let mut random = Random(3);
        let numbers: Vec<f32> = (0..10_000).map(|_| random.normal()).collect();
        let mean = numbers.iter().sum::<f32>() / 1e4;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / 1e4;
        assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
