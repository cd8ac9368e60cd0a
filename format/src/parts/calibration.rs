//! What turns a score into a novelty: one table, or tables of held-out samples.

use serde::{Deserialize, Serialize};

use super::affine::is_scale;
use crate::cursor::{Cursor, decode_fields};
use crate::error::{Fault, ensure};
use crate::features::{Feature, HELD_OUT};
use crate::tensor::Tensor;

/// What turns a log-density into a novelty, and scores into a posterior, as the description encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum CalibrationRecord {
    /// The model gives no novelty.
    None,
    /// One table for all clusters.
    Marginal(QuantileTableRecord),
    /// Tables of samples that were held out of training, and a temperature.
    HeldOut(HeldOutRecord),
}

/// A novelty table as the description encodes it: a log-density of at most `log_densities[i]` has a p-value of at most
/// `levels[i]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantileTableRecord {
    /// Number of entries, at least 1.
    pub len: u16,
    /// Thresholds in units of 2^-16 nat, ascending.
    pub log_densities: Tensor<i32>,
    /// p-values in units of 1/65535, ascending.
    pub levels: Tensor<u16>,
}

decode_fields!(QuantileTableRecord: len, log_densities, levels);

/// Novelty tables of samples that were held out of training, one after the other, each for some of the clusters; and a
/// temperature. As the description encodes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutRecord {
    /// Number of tables, at least 1.
    pub n_tables: u16,
    /// Entries of all tables together.
    pub len: u16,
    /// The table of each cluster.
    pub tables: Tensor<u16>,
    /// The end of each table's entries. No table is empty; the end of the last one is `len`.
    pub ends: Tensor<u16>,
    /// The number of held-out samples that each table is made of.
    pub samples: Tensor<u32>,
    /// Thresholds in units of 2^-16 nat, ascending in each table. They are compared with the log-density plus
    /// `floor(margin * margin_weight / 4)`, where the margin is the best score minus the best score of another cluster, 16
    /// nats at most.
    pub thresholds: Tensor<i32>,
    /// p-values in units of 1/65535, ascending in each table.
    pub levels: Tensor<u16>,
    /// The weight of the margin, in quarters.
    pub margin_weight: u8,
    /// The factor of the scores in the posterior: one over a temperature. Finite and above 0.
    pub inverse_temperature: f32,
}

decode_fields!(
    HeldOutRecord: n_tables, len, tables, ends, samples, thresholds, levels, margin_weight, inverse_temperature
);

/// What turns a log-density into a novelty, and scores into a posterior.
///
/// ```
/// use edgemix_format::{File, testing::Spec, view::Calibration};
///
/// // Two tables of eight entries each for three clusters.
/// let bytes = Spec { held_out: 2, ..Spec::default() }.build().unwrap();
/// let calibration = File::from_bytes(&bytes).unwrap().calibration;
/// assert_eq!(calibration.table(0).0.len(), 8);
/// assert_eq!(calibration.flash(), 3 * 2 + 2 * (2 + 4) + 2 * 8 * (4 + 2));
/// let Calibration::HeldOut(held_out) = calibration else { panic!("no tables") };
/// assert_eq!((held_out.ends, held_out.table(2).0.len()), (&[8, 16][..], 0));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Calibration<'a> {
    /// The model gives no novelty.
    None,
    /// One table for all clusters. Both slices ascend and have the same length.
    Marginal {
        /// Thresholds in units of 2^-16 nat.
        log_densities: &'a [i32],
        /// p-values in units of 1/65535.
        levels: &'a [u16],
    },
    /// Tables of held-out samples.
    HeldOut(HeldOut<'a>),
}

/// Tables of held-out samples, one after the other. Thresholds and p-values ascend in each.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a> {
    /// The table of each cluster, less than `ends.len()`.
    pub tables: &'a [u16],
    /// The end of each table's entries, ascending. No table is empty.
    pub ends: &'a [u16],
    /// The number of held-out samples that each table is made of.
    pub samples: &'a [u32],
    /// Thresholds in units of 2^-16 nat, of log-densities plus the weighted margin.
    pub thresholds: &'a [i32],
    /// p-values in units of 1/65535, as many as thresholds.
    pub levels: &'a [u16],
    /// The weight of the margin, in quarters.
    pub margin_weight: u8,
    /// The factor of the scores in the posterior.
    pub inverse_temperature: f32,
}

impl<'a> HeldOut<'a> {
    /// A table's thresholds and p-values; empty if there is no such table.
    pub fn table(&self, table: u16) -> (&'a [i32], &'a [u16]) {
        let end = |table: u16| self.ends.get(usize::from(table)).map_or(0, |&end| usize::from(end));
        let entries = table.checked_sub(1).map_or(0, end)..end(table);
        let thresholds = self.thresholds.get(entries.clone()).unwrap_or_default();
        (thresholds, self.levels.get(entries).unwrap_or_default())
    }
}

// Guards keep the code of a disabled feature out of a program. No such calibration is ever made, so the arm that answers
// it then is never reached.
impl<'a> Calibration<'a> {
    /// The thresholds of a cluster, in units of 2^-16 nat, and as many p-values, in units of 1/65535; both ascend. Empty if
    /// there is no table.
    pub fn table(&self, cluster: u16) -> (&'a [i32], &'a [u16]) {
        match self {
            Self::None => Default::default(),
            Self::Marginal { log_densities, levels } => (log_densities, levels),
            Self::HeldOut(held_out) if HELD_OUT => match held_out.tables.get(usize::from(cluster)) {
                Some(&table) => held_out.table(table),
                None => Default::default(),
            },
            Self::HeldOut(_) => Default::default(),
        }
    }

    /// The weight of the margin to the next cluster beside the log-density, in quarters.
    pub fn margin_weight(&self) -> u8 {
        match self {
            Self::HeldOut(held_out) if HELD_OUT => held_out.margin_weight,
            Self::None | Self::Marginal { .. } | Self::HeldOut(_) => 0,
        }
    }

    /// The factor of the scores in the posterior.
    pub fn inverse_temperature(&self) -> f32 {
        match self {
            Self::HeldOut(held_out) if HELD_OUT => held_out.inverse_temperature,
            Self::None | Self::Marginal { .. } | Self::HeldOut(_) => 1.0,
        }
    }

    /// Bytes in the blob.
    pub fn flash(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Marginal { log_densities, levels } => size_of_val(*log_densities) + size_of_val(*levels),
            Self::HeldOut(held_out) => {
                let entries = size_of_val(held_out.thresholds) + size_of_val(held_out.levels);
                let of_tables = size_of_val(held_out.ends) + size_of_val(held_out.samples);
                size_of_val(held_out.tables) + of_tables + entries
            }
        }
    }
}

/// Decodes and checks the calibration of a model with `n_clusters` clusters.
pub(crate) fn decode<'a>(cursor: &mut Cursor<'a>, n_clusters: usize, blob: &'a [u8]) -> Result<Calibration<'a>, Fault> {
    match cursor.next::<u32>()? {
        0 => Ok(Calibration::None),
        1 => marginal(cursor, blob),
        2 if HELD_OUT => held_out(cursor, n_clusters, blob),
        2 => Err(Fault::Disabled(Feature::HeldOut)),
        _ => Err(Fault::UnknownVariant),
    }
}

fn marginal<'a>(cursor: &mut Cursor<'a>, blob: &'a [u8]) -> Result<Calibration<'a>, Fault> {
    let record: QuantileTableRecord = cursor.next()?;
    let len = record.len.into();
    let (log_densities, levels) = (record.log_densities.resolve(blob, len)?, record.levels.resolve(blob, len)?);
    check_table(log_densities, levels)?;
    Ok(Calibration::Marginal { log_densities, levels })
}

/// Each cluster has a table, and the tables have all the entries between them.
fn held_out<'a>(cursor: &mut Cursor<'a>, n_clusters: usize, blob: &'a [u8]) -> Result<Calibration<'a>, Fault> {
    let record: HeldOutRecord = cursor.next()?;
    let (n_tables, len) = (record.n_tables.into(), record.len.into());
    let held_out = HeldOut {
        tables: record.tables.resolve(blob, n_clusters)?,
        ends: record.ends.resolve(blob, n_tables)?,
        samples: record.samples.resolve(blob, n_tables)?,
        thresholds: record.thresholds.resolve(blob, len)?,
        levels: record.levels.resolve(blob, len)?,
        margin_weight: record.margin_weight,
        inverse_temperature: record.inverse_temperature,
    };
    ensure(is_scale(held_out.inverse_temperature), Fault::Scale)?;
    ensure(held_out.ends.last() == Some(&record.len), Fault::TableEnd)?;
    ensure(held_out.tables.iter().all(|&table| table < record.n_tables), Fault::UnknownTable)?;
    for table in 0..record.n_tables {
        // Empty if it ends before it begins or after the last entry.
        let (thresholds, levels) = held_out.table(table);
        check_table(thresholds, levels)?;
    }
    Ok(Calibration::HeldOut(held_out))
}

/// A table has entries, which ascend.
#[inline(never)]
fn check_table(thresholds: &[i32], levels: &[u16]) -> Result<(), Fault> {
    ensure(!levels.is_empty(), Fault::TableEnd)?;
    ensure(ascends(thresholds) && ascends(levels), Fault::NotAscending)
}

/// `slice::is_sorted` uses indices, and the compiler keeps their check: a panic that could be reached.
fn ascends<T: PartialOrd>(values: &[T]) -> bool {
    values.iter().zip(values.iter().skip(1)).all(|(a, b)| a <= b)
}
