//! Brings the values of samples to the range that networks train well on.

use serde::{Deserialize, Serialize};

use super::error::DataError;
use super::samples::{Layout, Samples};

/// `input = value * gain + offset`; both have length 1 (one for all features) or one entry per feature, or one per channel.
///
/// Feature `i` uses entry `i` modulo their number.
///
/// ```
/// use edgemix::data::{Samples, Scaling};
///
/// let samples = Samples::new("table", vec![10.0, 0.5, 30.0, 1.5], 2);
/// let scaling = Scaling::fit(&samples)?;
/// assert_eq!(scaling.apply(&[10.0, 0.5, 30.0, 1.5]), [-1.0, -1.0, 1.0, 1.0]);
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Multiplies.
    pub gain: Vec<f32>,
    /// Is added.
    pub offset: Vec<f32>,
}

impl Scaling {
    /// Images, and integers that are never negative, are divided by their largest value; everything else is
    /// standardised feature by feature, and windows of recordings always channel by channel. A feature that never changes
    /// is left where it is, at 0. See [`Scaling`] for an example.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    pub fn fit(samples: &Samples) -> Result<Self, DataError> {
        match samples.layout() {
            Layout::Images(_) => Ok(Self::to_unit(samples)),
            Layout::Table if samples.count().is_some() && samples.least() >= 0.0 => Ok(Self::to_unit(samples)),
            Layout::Table => Self::standard(samples, samples.n_features()),
            Layout::Windows { channels } => Self::standard(samples, channels),
        }
    }

    /// Divides by the largest magnitude.
    fn to_unit(samples: &Samples) -> Self {
        let most = samples.greatest().max(-samples.least());
        Self { gain: vec![if most > 0.0 { most.recip() } else { 1.0 }], offset: vec![0.0] }
    }

    /// Subtracts the mean of each channel and divides by its standard deviation. Value `i` of a sample is of channel `i`
    /// modulo their number.
    fn standard(samples: &Samples, channels: usize) -> Result<Self, DataError> {
        let channels = channels.max(1);
        let n = (samples.n_samples() * samples.n_features() / channels).max(1) as f64;
        let mut mean = vec![0f64; channels];
        let mut square = vec![0f64; channels];
        for block in samples.blocks() {
            for row in block?.chunks_exact(channels) {
                mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x) / n);
            }
        }
        for block in samples.blocks() {
            for row in block?.chunks_exact(channels) {
                square.iter_mut().zip(row).zip(&mean).for_each(|((s, &x), m)| *s += (f64::from(x) - m).powi(2) / n);
            }
        }
        let gain = square.iter().map(|&s| if s > 0.0 { s.sqrt().recip() as f32 } else { 1.0 });
        let gain: Vec<f32> = gain.collect();
        let offset = mean.iter().zip(&gain).map(|(m, &g)| (-m * f64::from(g)) as f32).collect();
        Ok(Self { gain, offset })
    }

    /// The scaled values of whole samples. See [`Scaling`] for an example.
    pub fn apply(&self, values: &[f32]) -> Vec<f32> {
        match (&self.gain[..], &self.offset[..]) {
            ([gain], [offset]) => values.iter().map(|x| x * gain + offset).collect(),
            (gains, offsets) => {
                let mut scaled = values.to_vec();
                for row in scaled.chunks_mut(gains.len().max(1)) {
                    row.iter_mut().zip(gains).zip(offsets).for_each(|((x, gain), offset)| *x = *x * gain + offset);
                }
                scaled
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_standardised_and_a_constant_feature_becomes_zero() {
        let values = vec![1.0, 5.0, -2.0, 2.0, 5.0, 0.5, 6.0, 5.0, 7.0];
        let samples = Samples::new("table", values, 3);
        let scaled = Scaling::fit(&samples).unwrap().apply(&samples.all().unwrap());
        for feature in 0..3 {
            let column: Vec<f32> = scaled.chunks(3).map(|row| row[feature]).collect();
            let mean = column.iter().sum::<f32>() / 3.0;
            let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 3.0;
            let expected = if feature == 1 { 0.0 } else { 1.0 };
            assert!(mean.abs() < 1e-6 && (variance - expected).abs() < 1e-5, "{feature}: {mean} {variance}");
        }
    }

    #[test]
    fn windows_are_standardised_channel_by_channel_even_if_counts() {
        // Two windows of three instants of two channels; the second channel is a hundred times the first, and offset.
        let values: Vec<f32> = (0..6).flat_map(|t| [t as f32, 100.0 * t as f32 + 7.0]).collect();
        let samples = Samples::new("windows", values, 6).with_layout(Layout::Windows { channels: 2 }).with_count(1.0);
        let scaling = Scaling::fit(&samples).unwrap();
        assert_eq!(scaling.gain.len(), 2);
        for pair in scaling.apply(&samples.all().unwrap()).chunks(2) {
            assert!((pair[0] - pair[1]).abs() < 1e-4, "{pair:?}");
        }
    }

    #[test]
    fn counts_that_are_not_negative_go_to_the_unit_interval() {
        let samples = Samples::new("counts", vec![0.0, 4.0, 16.0, 8.0], 2).with_count(1.0);
        assert_eq!(Scaling::fit(&samples).unwrap().apply(&samples.all().unwrap()), [0.0, 0.25, 1.0, 0.5]);
    }
}
