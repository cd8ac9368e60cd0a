//! The optical digits, embedded in the program: 1,797 images of 8 x 8 pixels with values 0 to 16, and their labels.
//!
//! E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
//! CC BY 4.0; the test part, as scikit-learn ships it.

use std::io::Cursor;

use super::dataset::Dataset;
use super::error::Unlocated;
use super::image_shape::ImageShape;
use super::memory::MemoryLimit;
use super::npy::Npz;
use super::samples::{Layout, Samples};

/// What they are called where a file is expected.
pub(super) const NAME: &str = "digits";

static DIGITS: &[u8] = include_bytes!("../../data/digits.npz");

/// The digits: 1,797 x 64 integers from 0 to 16.
///
/// ```
/// let digits = edgemix::data::digits().samples;
/// assert_eq!((digits.n_samples(), digits.n_features()), (1797, 64));
/// assert_eq!((digits.least(), digits.greatest()), (0.0, 16.0));
/// ```
///
/// # Panics
/// Never: a test reads the embedded file.
pub fn digits() -> Dataset {
    read().expect("the embedded digits are readable")
}

fn read() -> Result<Dataset, Unlocated> {
    let mut archive = Npz::new(Cursor::new(DIGITS))?;
    let mut numbers = |name| -> Result<Vec<f32>, Unlocated> {
        let store = archive.array(name, MemoryLimit(u64::MAX), &[])?.store;
        let mut values = Vec::with_capacity(store.len());
        store.read(0, store.len(), &mut values)?;
        Ok(values)
    };
    let (pixels, labels) = (numbers("images")?, numbers("labels")?);
    let shape = ImageShape { channels: 1, height: 8, width: 8 };
    let samples = Samples::new(NAME, pixels, shape.n_values()).with_layout(Layout::Images(shape)).with_count(1.0);
    Ok(Dataset { samples, labels: Some(labels.into_iter().map(|y| y as u32).collect()), groups: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_what_they_are_said_to_be() {
        let digits = read().unwrap();
        assert_eq!((digits.samples.n_samples(), digits.samples.n_features()), (1797, 64));
        assert!(digits.samples.all().unwrap().iter().all(|x| (0.0..=16.0).contains(x) && x.fract() == 0.0));
        let labels = digits.labels.unwrap();
        assert_eq!(labels.len(), 1797);
        assert!((0..10).all(|digit| labels.iter().filter(|&&y| y == digit).count() > 170));
    }
}
