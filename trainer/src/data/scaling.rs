//! Brings the values of samples to the range that networks train well on.

use serde::{Deserialize, Serialize};

use super::error::DataError;
use super::samples::{Layout, Samples};

/// `input = value * gain + offset`. Gain and offset have one entry for all values, one per feature, or one per channel:
/// value `i` of a sample uses entry `i` modulo their number.
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
    /// What a value is multiplied by.
    pub gain: Vec<f32>,
    /// What is added then.
    pub offset: Vec<f32>,
}

/// A table has the columns of a picture or a histogram if it has at least so many.
const PIXELS: usize = 16;

impl Scaling {
    /// Learns the scaling of samples:
    /// - images, and tables of integers whose columns have like ranges, are divided by their greatest value, or brought from
    ///   their least and greatest value to 0 and 1 if the least is more than half of the greatest;
    /// - other tables are standardised: the mean of each column becomes 0 and its standard deviation 1;
    /// - windows of a recording are standardised channel by channel, features of windows one by one.
    ///
    /// A standardised column that is the same in every sample has gain 0: it is left out, whatever its values become.
    ///
    /// # Errors
    /// If several samples are all the same, or the file that holds them can't be read.
    pub fn fit(samples: &Samples) -> Result<Self, DataError> {
        if samples.are_all_equal() {
            return Err(DataError::AllEqual { name: samples.name().into() });
        }
        match samples.layout() {
            Layout::Images(_) => Ok(Self::to_unit(samples)),
            Layout::Table if has_like_ranges(samples) => Ok(Self::to_unit(samples)),
            Layout::Table | Layout::Features => Self::standard(samples, samples.n_features()),
            Layout::Windows { channels } => Self::standard(samples, channels),
        }
    }

    /// Divides by the greatest magnitude. Values that are far from 0 and near to each other, as those of a thermal camera
    /// with 16 bits, become 0 to 1.
    fn to_unit(samples: &Samples) -> Self {
        let (least, greatest) = (samples.least(), samples.greatest());
        let span = greatest - least;
        if least > 0.5 * greatest && span > 0.0 {
            return Self { gain: vec![span.recip()], offset: vec![-least / span] };
        }
        let most = greatest.max(-least);
        Self { gain: vec![if most > 0.0 { most.recip() } else { 1.0 }], offset: vec![0.0] }
    }

    /// Subtracts the mean of each column and divides by its standard deviation. Value `i` of a sample is of column `i`
    /// modulo their number.
    fn standard(samples: &Samples, columns: usize) -> Result<Self, DataError> {
        let columns = columns.max(1);
        let n = (samples.n_samples() * samples.n_features() / columns).max(1) as f64;
        let mut mean = vec![0f64; columns];
        let mut square = vec![0f64; columns];
        for block in samples.blocks() {
            for row in block?.chunks_exact(columns) {
                mean.iter_mut().zip(row).for_each(|(m, &x)| *m += f64::from(x) / n);
            }
        }
        for block in samples.blocks() {
            for row in block?.chunks_exact(columns) {
                square.iter_mut().zip(row).zip(&mean).for_each(|((s, &x), m)| *s += (f64::from(x) - m).powi(2) / n);
            }
        }
        for column in samples.constant_columns() {
            square[column] = 0.0;
        }
        let gain = square.iter().map(|&s| if s > 0.0 { s.sqrt().recip() as f32 } else { 0.0 });
        let gain: Vec<f32> = gain.collect();
        let offset = mean.iter().zip(&gain).map(|(m, &g)| if g > 0.0 { (-m * f64::from(g)) as f32 } else { 0.0 });
        Ok(Self { offset: offset.collect(), gain })
    }

    /// Scales the values of whole samples.
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

/// Whether the columns of a table of integers can share a gain without one of them being lost: no value is negative, and
/// either each column that changes spans at least half of the greatest value, or the table looks like pixels or the bins
/// of a histogram, many columns that all begin at 0 and half of which span half of the greatest value.
///
/// Rare pixels would be blown up by a gain of their own. Columns of different units need one each.
fn has_like_ranges(samples: &Samples) -> bool {
    if samples.count().is_none() || samples.least() < 0.0 {
        return false;
    }
    let ranges = samples.column_ranges();
    let changing: Vec<_> = ranges.iter().filter(|range| !range.is_constant()).collect();
    let half = 0.5 * f64::from(samples.greatest());
    let wide = changing.iter().filter(|range| range.span() >= half).count();
    let are_pixels = ranges.len() >= PIXELS && ranges.iter().all(|range| range.least == 0.0);
    !changing.is_empty() && (wide == changing.len() || are_pixels && 2 * wide >= changing.len())
}

#[cfg(test)]
mod tests {
    use super::super::image_shape::ImageShape;
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
    fn integers_of_like_ranges_go_to_the_unit_interval() {
        let samples = Samples::new("counts", vec![0.0, 12.0, 16.0, 4.0], 2).with_count(1.0);
        assert_eq!(Scaling::fit(&samples).unwrap().apply(&samples.all().unwrap()), [0.0, 0.75, 1.0, 0.25]);
    }

    #[test]
    fn images_that_are_far_from_zero_keep_their_contrast() {
        let image = ImageShape { channels: 1, height: 1, width: 2 };
        let samples = Samples::new("thermal", vec![30_000.0, 30_050.0, 30_010.0, 30_000.0], 2).with_count(1.0);
        let samples = samples.with_layout(Layout::Images(image));
        let scaled = Scaling::fit(&samples).unwrap().apply(&samples.all().unwrap());
        for (found, expected) in scaled.iter().zip([0.0, 1.0, 0.2, 0.0]) {
            assert!((found - expected).abs() < 1e-4, "{scaled:?}");
        }
    }

    /// A gain for each column, or one for all.
    fn n_gains(columns: &[&[f32]]) -> usize {
        let n = columns.iter().map(|column| column.len()).max().unwrap();
        let values = (0..n).flat_map(|i| columns.iter().map(move |column| column[i % column.len()])).collect();
        Scaling::fit(&Samples::new("counts", values, columns.len()).with_count(1.0)).unwrap().gain.len()
    }

    #[test]
    fn columns_of_different_units_have_a_gain_each() {
        // Degrees, percent, pascal, lux.
        let units: [&[f32]; 4] = [&[18.0, 25.0], &[30.0, 60.0], &[100_900.0, 101_600.0], &[0.0, 20_000.0]];
        assert_eq!(n_gains(&units), 4);
        // As wide as each other, but far from 0: nothing would be left of them.
        assert_eq!(n_gains(&[&[1000.0, 1010.0], &[1002.0, 1012.0]]), 2);
        assert_eq!(n_gains(&[&[0.0, 250.0], &[0.0, 20.0]]), 2);
    }

    #[test]
    fn columns_of_like_ranges_share_a_gain() {
        // Answers from 1 to 5, bytes, flags one of which is never set.
        assert_eq!(n_gains(&[&[1.0, 5.0], &[2.0, 5.0], &[1.0, 4.0]]), 1);
        assert_eq!(n_gains(&[&[3.0, 250.0], &[0.0, 255.0]]), 1);
        assert_eq!(n_gains(&[&[0.0, 1.0], &[1.0, 0.0], &[0.0]]), 1);
    }

    #[test]
    fn pixels_in_a_table_share_a_gain_and_rare_ones_are_not_blown_up() {
        let mut columns: Vec<&[f32]> = vec![&[0.0, 200.0]; 40];
        columns.extend([&[0.0, 3.0][..]; 20]);
        columns.extend([&[0.0][..]; 4]);
        assert_eq!(n_gains(&columns), 1);
        // The same of a few columns, or with one that is far from 0, is a table of different units.
        assert_eq!(n_gains(&columns[34..44]), 10);
        columns[50] = &[90.0, 95.0];
        assert_eq!(n_gains(&columns), 64);
    }

    #[test]
    fn a_column_that_differs_by_rounding_alone_is_left_out() {
        let values = vec![1.0, 101_325.0, 2.0, 101_325.01, 4.0, 101_325.0];
        let scaling = Scaling::fit(&Samples::new("table", values, 2)).unwrap();
        assert!(scaling.gain[0] > 0.0);
        assert_eq!((scaling.gain[1], scaling.offset[1]), (0.0, 0.0));
        // Whatever the sensor shows later.
        assert_eq!(scaling.apply(&[1.0, -7.0])[1], 0.0);
    }
}
