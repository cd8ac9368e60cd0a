//! Which values of samples saturate because they are far from all others, for people to check.

use std::collections::HashMap;
use std::fmt;

use super::error::DataError;
use super::far_values::is_code;
use super::samples::{Layout, Samples};
use super::scaling::Scaling;
use crate::base::text::{counted, significant};

/// A column some of whose values are so far from the others that they do not set its scale.
///
/// ```
/// use edgemix::data::{Samples, Saturated};
///
/// // A code for a missing value among numbers from 0 to 9.9.
/// let values = (0..100).map(|i| if i == 30 { -9999.0 } else { i as f32 / 10.0 }).collect();
/// let found = Saturated::of(&Samples::new("table", values, 1))?;
/// assert_eq!((found.len(), found[0].value, found[0].samples, found[0].is_code), (1, -9999.0, 1, true));
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Saturated {
    /// The name of the column.
    pub column: String,
    /// Number of samples with such a value.
    pub samples: usize,
    /// The most frequent of these values.
    pub value: f32,
    /// Whether it is probably a code for a missing value: a usual one, or a value that occurs again and again.
    pub is_code: bool,
    /// The least and the greatest value of the column that a model tells apart.
    pub range: [f32; 2],
}

/// At most this many different far values are told apart.
const DIFFERENT: usize = 1000;
/// An unusual value that occurs this often counts as a code.
const REPEATED: usize = 3;

impl Saturated {
    /// The columns of samples with such values. All pixels of images count as one column.
    ///
    /// # Errors
    /// If the file that holds the samples can't be read.
    pub fn of(samples: &Samples) -> Result<Vec<Self>, DataError> {
        if samples.are_all_equal() {
            return Ok(vec![]);
        }
        let scaling = Scaling::fit(samples)?;
        if scaling.limits.is_none() {
            return Ok(vec![]);
        }
        let (columns, is_image) = match samples.layout() {
            Layout::Images(_) => (1, true),
            Layout::Windows { channels } => (channels.max(1), false),
            Layout::Table | Layout::Features => (samples.n_features().max(1), false),
        };
        let bounds: Vec<_> = (0..columns).map(|column| scaling.saturates_at(column)).collect();
        // Rounding does not make a value far.
        let is_far = |x: f32, [low, high]: [f32; 2]| {
            let slack = 1e-3 * (high - low);
            x < low - slack || x > high + slack
        };
        let mut found = vec![(0, HashMap::<u32, usize>::new()); columns];
        for block in samples.blocks() {
            for sample in block?.chunks_exact(samples.n_features().max(1)) {
                let mut is_counted = vec![false; columns];
                for (index, &x) in sample.iter().enumerate() {
                    let column = index % columns;
                    if bounds[column].is_some_and(|bounds| is_far(x, bounds)) {
                        let (samples, values) = &mut found[column];
                        *samples += usize::from(!std::mem::replace(&mut is_counted[column], true));
                        if values.len() < DIFFERENT || values.contains_key(&x.to_bits()) {
                            *values.entry(x.to_bits()).or_default() += 1;
                        }
                    }
                }
            }
        }
        let each = found.into_iter().zip(bounds).enumerate().filter_map(|(column, ((n, values), range))| {
            let (times, value) = values
                .into_iter()
                .map(|(bits, times)| (times, f32::from_bits(bits)))
                .max_by(|a, b| a.0.cmp(&b.0).then(a.1.abs().total_cmp(&b.1.abs())).then(a.1.total_cmp(&b.1)))?;
            let column = if is_image { "all pixels".into() } else { samples.column_name(column) };
            let is_code = is_code(value) || times >= REPEATED;
            Some(Self { column, samples: n, value, is_code, range: range? })
        });
        Ok(each.collect())
    }
}

impl fmt::Display for Saturated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, samples, value, is_code, range: [low, high] } = self;
        let [low, high] = [low, high].map(|&x| significant(x.into()));
        let (values, do_not) =
            if *samples == 1 { ("a value is", "it does not") } else { ("values are", "they do not") };
        write!(
            f,
            "column {column}: {values} far from all others ({value}) in {}: {do_not} set the scale, and values below {low} or \
             above {high} saturate",
            counted(*samples, "sample")
        )?;
        if *is_code {
            write!(f, "; {value} is probably a code for a missing value: leave these samples or the column out")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::{normal, stream};

    #[test]
    fn columns_are_named_with_their_codes() {
        let mut values = normal(900, &mut stream(0, "saturated", 0));
        for row in [3, 70, 200] {
            values[3 * row + 1] = -9999.0;
        }
        values[3 * 5 + 2] = 1234.5;
        let samples = Samples::new("table", values, 3).with_column_names(["x", "flow", "y"].map(String::from));
        let found = Saturated::of(&samples).unwrap();
        let summary: Vec<_> = found.iter().map(|far| (&*far.column, far.samples, far.value, far.is_code)).collect();
        assert_eq!(summary, [("flow", 3, -9999.0, true), ("y", 1, 1234.5, false)]);
        let text = found[0].to_string();
        assert!(text.starts_with("column flow: values are far from all others (-9999) in 3 samples"), "{text}");
        assert!(text.ends_with("leave these samples or the column out"), "{text}");
        assert!(!found[1].to_string().contains("missing"));
    }

    #[test]
    fn usual_samples_have_none() {
        let noise = normal(900, &mut stream(0, "saturated", 1));
        assert_eq!(Saturated::of(&Samples::new("table", noise, 3)).unwrap(), []);
        assert_eq!(Saturated::of(&crate::data::digits().samples).unwrap(), []);
        assert_eq!(Saturated::of(&Samples::new("same", vec![1.0; 9], 3)).unwrap(), []);
    }
}
