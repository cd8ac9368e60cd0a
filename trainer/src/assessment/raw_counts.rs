//! Samples as the raw counts that a chip takes.

use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;
use rayon::prelude::*;
use serde::Serialize;

use super::inference::map_chunks;
use crate::data::{DataError, Samples};

/// How samples fare as the raw counts that a chip takes, compared with their values in the unit of the data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RawCounts {
    /// The share of the samples whose raw counts are assigned to the cluster of their values.
    pub agreement: f64,
    /// The share of the samples with a value beyond the range of its raw counts, which saturates.
    pub beyond: f64,
    /// The columns with such values.
    pub columns: Vec<String>,
}

/// Of one sample: whether both clusters are the same, and which of its elements are beyond their counts.
struct Compared {
    is_same: bool,
    beyond: Vec<usize>,
}

impl RawCounts {
    /// Assigns all samples twice with the chip's arithmetic: as raw counts, and as values in the unit of the data.
    ///
    /// ```
    /// use edgemix::assessment::raw_counts::RawCounts;
    ///
    /// # use edgemix_format::write::AlignedBytes;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
    /// # let bytes = AlignedBytes::from(&std::fs::read(path)?[..]);
    /// # let model = edgemix_runtime::Model::from_bytes(&bytes)?;
    /// let found = RawCounts::compare(&model, &edgemix::data::digits().samples)?;
    /// assert_eq!((found.agreement, found.beyond), (1.0, 0.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If a file that contains the samples can't be read.
    ///
    /// # Panics
    /// If the samples do not have `model.input_len()` features each.
    pub fn compare(model: &Model, samples: &Samples) -> Result<Self, DataError> {
        let all = map_chunks(samples, |values| {
            let each = values.par_chunks_exact(model.input_len());
            each.map_init(|| AlignedBytes::zeroed(model.arena_len()), |workspace, x| compare(model, x, workspace))
                .collect()
        })?;
        let share = |n: usize| n as f64 / all.len().max(1) as f64;
        let mut columns: Vec<usize> = all.iter().flat_map(|one| &one.beyond).map(|&i| samples.column_of(i)).collect();
        columns.sort_unstable();
        columns.dedup();
        Ok(Self {
            agreement: share(all.iter().filter(|one| one.is_same).count()),
            beyond: share(all.iter().filter(|one| !one.beyond.is_empty()).count()),
            columns: columns.into_iter().map(|column| samples.column_name(column)).collect(),
        })
    }
}

fn compare(model: &Model, values: &[f32], workspace: &mut AlignedBytes) -> Compared {
    let mut counts = vec![0i16; values.len()];
    model.counts(values, &mut counts).unwrap_or_else(|error| panic!("samples that were read are finite: {error}"));
    let raw = model.assign_raw(&counts, workspace).map(|found| found.cluster);
    let is_same = raw == model.assign(values, workspace).map(|found| found.cluster);
    let channels = model.file().sample.origin.iter().zip(model.file().sample.count).cycle();
    let is_beyond = |(&x, (&origin, &count)): (&f32, (&f32, &f32))| {
        let count = (f64::from(x) - f64::from(origin)) / f64::from(count);
        !(f64::from(i16::MIN) - 0.5..f64::from(i16::MAX) + 0.5).contains(&count)
    };
    let beyond = values.iter().zip(channels).enumerate().filter(|(_, element)| is_beyond(*element));
    Compared { is_same, beyond: beyond.map(|(index, _)| index).collect() }
}
