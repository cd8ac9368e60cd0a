//! Brings the values of samples to the range that networks train well on.

use serde::{Deserialize, Serialize};

use super::error::DataError;
use super::far_values::{near_range_of_all, near_ranges};
use super::samples::{Layout, Samples};
use super::survey::ValueRange;

/// `input = value * gain + offset`, within limits if there are any. Gain and offset have one entry for all values, one per
/// feature, or one per channel: value `i` of a sample uses entry `i` modulo their number.
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
    /// The least and the greatest input, where values beyond them saturate: those of samples that have values far from all
    /// others.
    pub limits: Option<[f32; 2]>,
}

/// The range of the inputs of images, and of tables that are scaled like images.
///
/// ```
/// use edgemix::data::InputRange;
/// use edgemix::methods::FitConfig;
///
/// let config: FitConfig = toml::from_str("input-range = \"symmetric\"")?;
/// assert_eq!(config.input_range, InputRange::Symmetric);
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputRange {
    /// From 0 to 1, or from -1 where there are negative values.
    #[default]
    Auto,
    /// From -1 to 1, where they would be from 0 to 1.
    Symmetric,
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
    /// Values that are far from all others of their column decide nothing. They become as great as the greatest of the
    /// others, on the workstation and on a chip.
    ///
    /// # Errors
    /// If several samples are all the same, or the file that holds them can't be read.
    pub fn fit(samples: &Samples) -> Result<Self, DataError> {
        if samples.are_all_equal() {
            return Err(DataError::AllEqual { name: samples.name().into() });
        }
        let is_table = samples.layout() == Layout::Table;
        let whole = samples.survey().range();
        if is_table && has_like_ranges(samples, &samples.column_ranges()) {
            let near = near_range_of_all(samples)?;
            if near.has_ends_of(whole) {
                return Ok(Self::to_unit(near, whole));
            }
        }
        let near = near_ranges(samples)?;
        let joint = near.iter().fold(ValueRange::EMPTY, |all, range| all.union(*range));
        let is_changed = !near.iter().zip(samples.column_ranges()).all(|(near, whole)| near.has_ends_of(whole));
        match samples.layout() {
            Layout::Images(_) => Ok(Self::to_unit(joint, whole)),
            Layout::Table if is_changed && has_like_ranges(samples, &near) => Ok(Self::to_unit(joint, whole)),
            Layout::Table | Layout::Features | Layout::Windows { .. } => Self::standard(samples, &near, is_changed),
        }
    }

    /// Whether the samples become numbers from 0 to 1, as images and tables that are scaled like images do.
    pub(crate) fn gives_shares(&self, samples: &Samples) -> bool {
        self.gain.len() == 1 && self.least(samples) >= 0.0
    }

    /// The least input, if all values have the same gain.
    fn least(&self, samples: &Samples) -> f32 {
        self.limits.map_or_else(|| samples.survey().range().least * self.gain[0] + self.offset[0], |limits| limits[0])
    }

    /// This scaling with another range of inputs. Standardised samples keep theirs, and so do images with negative values.
    pub(crate) fn within(self, range: InputRange, samples: &Samples) -> Self {
        if range == InputRange::Auto || !self.gives_shares(samples) {
            return self;
        }
        let symmetric = |x: f32| 2.0 * x - 1.0;
        Self {
            gain: vec![2.0 * self.gain[0]],
            offset: vec![symmetric(self.offset[0])],
            limits: self.limits.map(|limits| limits.map(symmetric)),
        }
    }

    /// Divides by the greatest magnitude of the near values. Values that are far from 0 and near to each other, as those of a
    /// thermal camera with 16 bits, become 0 to 1.
    fn to_unit(near: ValueRange, whole: ValueRange) -> Self {
        let ValueRange { least, greatest, .. } = near;
        let span = greatest - least;
        let (gain, offset) = if least > 0.5 * greatest && span > 0.0 {
            (span.recip(), -least / span)
        } else {
            let most = greatest.max(-least);
            (if most > 0.0 { most.recip() } else { 1.0 }, 0.0)
        };
        let limits = (!near.has_ends_of(whole)).then(|| [least, greatest].map(|x| x * gain + offset));
        Self { gain: vec![gain], offset: vec![offset], limits }
    }

    /// Subtracts the mean of each column and divides by its standard deviation, of the values that are near. Value `i` of a
    /// sample is of column `i` modulo their number.
    fn standard(samples: &Samples, near: &[ValueRange], is_limited: bool) -> Result<Self, DataError> {
        let columns = near.len().max(1);
        let n = (samples.n_samples() * samples.n_features() / columns).max(1) as f64;
        let mut left_out = vec![0.0; columns];
        if is_limited {
            for block in samples.blocks() {
                for row in block?.chunks_exact(columns) {
                    left_out
                        .iter_mut()
                        .zip(row)
                        .zip(near)
                        .for_each(|((n, &x), near)| *n += f64::from(u8::from(!near.holds(x))));
                }
            }
        }
        let n: Vec<f64> = left_out.iter().map(|far| (n - far).max(1.0)).collect();
        let mut mean = vec![0f64; columns];
        let mut square = vec![0f64; columns];
        for block in samples.blocks() {
            for row in block?.chunks_exact(columns) {
                for (column, &x) in row.iter().enumerate().filter(|(column, x)| near[*column].holds(**x)) {
                    mean[column] += f64::from(x) / n[column];
                }
            }
        }
        for block in samples.blocks() {
            for row in block?.chunks_exact(columns) {
                for (column, &x) in row.iter().enumerate().filter(|(column, x)| near[*column].holds(**x)) {
                    square[column] += (f64::from(x) - mean[column]).powi(2) / n[column];
                }
            }
        }
        for column in samples.constant_columns() {
            square[column] = 0.0;
        }
        let gain = square.iter().map(|&s| if s > 0.0 { s.sqrt().recip() as f32 } else { 0.0 });
        let gain: Vec<f32> = gain.collect();
        let offset = mean.iter().zip(&gain).map(|(m, &g)| if g > 0.0 { (-m * f64::from(g)) as f32 } else { 0.0 });
        let offset: Vec<f32> = offset.collect();
        let ends = near.iter().zip(gain.iter().zip(&offset)).filter(|(_, (gain, _))| **gain > 0.0);
        let greatest = ends.map(|(near, (gain, offset))| {
            (near.least * gain + offset).abs().max((near.greatest * gain + offset).abs())
        });
        let limit = is_limited.then(|| greatest.fold(0.0, f32::max));
        Ok(Self { gain, offset, limits: limit.map(|limit| [-limit, limit]) })
    }

    /// This scaling, followed by `(x - mean) / deviation`, where the mean has an entry for each feature.
    pub(crate) fn standardised(&self, mean: &[f64], deviation: f64) -> Self {
        let gain = self.gain.iter().cycle().take(mean.len()).map(|&g| (f64::from(g) / deviation) as f32).collect();
        let offset = self.offset.iter().cycle().zip(mean);
        let offset = offset.map(|(&o, m)| ((f64::from(o) - m) / deviation) as f32).collect();
        let (least, most) = mean.iter().fold((f64::MAX, f64::MIN), |(least, most), &m| (least.min(m), most.max(m)));
        // One pair of limits for all features, wide enough for each.
        let limits = self.limits.map(|[low, high]| {
            [(f64::from(low) - most) / deviation, (f64::from(high) - least) / deviation].map(|x| x as f32)
        });
        Self { gain, offset, limits }
    }

    /// This scaling, followed by `factor x + shift` with an entry for each feature.
    pub(crate) fn then(&self, factor: &[f32], shift: &[f32]) -> Self {
        let own = self.gain.iter().cycle().zip(self.offset.iter().cycle());
        let maps = own.zip(factor.iter().zip(shift));
        let (gain, offset) = maps.map(|((g, o), (f, s))| (g * f, o * f + s)).unzip();
        // One pair of limits for all features, wide enough for each.
        let ends = |limits: [f32; 2]| factor.iter().zip(shift).flat_map(move |(f, s)| limits.map(|x| f * x + s));
        let limits = self
            .limits
            .map(|limits| [ends(limits).fold(f32::INFINITY, f32::min), ends(limits).fold(f32::NEG_INFINITY, f32::max)]);
        Self { gain, offset, limits }
    }

    /// The values of a column that the limits become, if there are limits: values beyond them saturate. None of a column that
    /// is left out.
    pub(crate) fn saturates_at(&self, column: usize) -> Option<[f32; 2]> {
        let at = column % self.gain.len().max(1);
        let (gain, offset) = (*self.gain.get(at)?, *self.offset.get(at)?);
        self.limits.filter(|_| gain > 0.0).map(|limits| limits.map(|x| (x - offset) / gain))
    }

    /// The values of whole samples that become these inputs. A column that is left out has the value from `left_out`, which has
    /// one for each such column, in their order.
    ///
    /// ```
    /// use edgemix::data::Scaling;
    ///
    /// let scaling = Scaling { gain: vec![0.5, 0.0], offset: vec![1.0, 0.0], limits: Some([-2.0, 2.0]) };
    /// let inputs = scaling.apply(&[-4.0, 7.0, 9.0, 7.0]);
    /// assert_eq!(inputs, [-1.0, 0.0, 2.0, 0.0]);
    /// // The third one saturated.
    /// assert_eq!(scaling.undo(&inputs, &[7.0]), [-4.0, 7.0, 2.0, 7.0]);
    /// ```
    pub fn undo(&self, inputs: &[f32], left_out: &[f32]) -> Vec<f32> {
        let [low, high] = self.limits.unwrap_or([f32::NEG_INFINITY, f32::INFINITY]);
        let mut left_out = left_out.iter().copied();
        let columns = self.gain.iter().zip(&self.offset);
        let columns: Vec<(f32, f32)> = columns
            .map(|(&gain, &offset)| match gain {
                0.0 => (0.0, left_out.next().unwrap_or(0.0)),
                gain => (gain.recip(), -offset / gain),
            })
            .collect();
        let value = |(x, (factor, origin)): (&f32, &(f32, f32))| x.max(low).min(high) * factor + origin;
        inputs.iter().zip(columns.iter().cycle()).map(value).collect()
    }

    /// Scales the values of whole samples.
    pub fn apply(&self, values: &[f32]) -> Vec<f32> {
        let mut scaled: Vec<f32> = match (&self.gain[..], &self.offset[..]) {
            ([gain], [offset]) => values.iter().map(|x| x * gain + offset).collect(),
            (gains, offsets) => {
                let mut scaled = values.to_vec();
                for row in scaled.chunks_mut(gains.len().max(1)) {
                    row.iter_mut().zip(gains).zip(offsets).for_each(|((x, gain), offset)| *x = *x * gain + offset);
                }
                scaled
            }
        };
        if let Some([low, high]) = self.limits {
            scaled.iter_mut().for_each(|x| *x = x.max(low).min(high));
        }
        scaled
    }
}

/// Whether the columns of a table of integers can share a gain without one of them being lost: no value is negative, and
/// either each column that changes spans at least half of the greatest value, or the table looks like pixels or the bins
/// of a histogram, many columns that all begin at 0 and half of which span half of the greatest value.
///
/// Rare pixels would be blown up by a gain of their own. Columns of different units need one each.
fn has_like_ranges(samples: &Samples, ranges: &[ValueRange]) -> bool {
    let all = ranges.iter().fold(ValueRange::EMPTY, |all, range| all.union(*range));
    if samples.count().is_none() || all.least < 0.0 {
        return false;
    }
    let changing: Vec<_> = ranges.iter().filter(|range| !range.is_constant()).collect();
    let half = 0.5 * f64::from(all.greatest);
    let wide = changing.iter().filter(|range| range.span() >= half).count();
    let are_pixels = ranges.len() >= PIXELS && ranges.iter().all(|range| range.least == 0.0);
    !changing.is_empty() && (wide == changing.len() || are_pixels && 2 * wide >= changing.len())
}

#[cfg(test)]
mod tests;
