//! What turns a score into a novelty: one table, or tables of held-out samples.

use crate::check::{Rest, ensure, is_scale};
use crate::description;
use crate::{Fault, HELD_OUT, LoadError};

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
/// assert_eq!(calibration.margin_weight(), held_out.margin_weight);
/// assert_eq!(calibration.inverse_temperature(), held_out.inverse_temperature);
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Calibration<'a> {
    /// Nothing.
    None,
    /// One table for all clusters; both slices ascend and are equally long.
    Marginal {
        /// Thresholds in units of 2^-16 nat.
        log_densities: &'a [i32],
        /// p-values in units of 1/65535.
        levels: &'a [u16],
    },
    /// Tables of held-out samples.
    HeldOut(HeldOut<'a>),
}

/// Tables one behind the other; in each one thresholds and p-values ascend. See [`Calibration`] for an example.
#[derive(Clone, Copy, Debug)]
pub struct HeldOut<'a> {
    /// The table of each cluster, all of them less than `ends.len()`.
    pub tables: &'a [u16],
    /// Where each table ends; ascending, none of them empty, the last one at the end.
    pub ends: &'a [u16],
    /// Of how many held-out samples each table is.
    pub samples: &'a [u32],
    /// Thresholds in units of 2^-16 nat, of log-densities with what the margin adds.
    pub thresholds: &'a [i32],
    /// p-values in units of 1/65535; as many.
    pub levels: &'a [u16],
    /// What the margin counts, in quarters.
    pub margin_weight: u8,
    /// What scores are multiplied by before the posterior is taken of them.
    pub inverse_temperature: f32,
}

impl<'a> HeldOut<'a> {
    /// A table's thresholds and p-values; empty where there is no such table. See [`Calibration`] for an example.
    pub fn table(&self, table: u16) -> (&'a [i32], &'a [u16]) {
        let end = |table: u16| self.ends.get(usize::from(table)).map_or(0, |&end| usize::from(end));
        let entries = table.checked_sub(1).map_or(0, end)..end(table);
        let thresholds = self.thresholds.get(entries.clone()).unwrap_or_default();
        (thresholds, self.levels.get(entries).unwrap_or_default())
    }
}

impl<'a> Calibration<'a> {
    /// The thresholds of a cluster, in units of 2^-16 nat, and as many p-values, in units of 1/65535; both ascend. Empty
    /// where there is no table. See [`Calibration`] for an example.
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

    /// What the margin to the next cluster counts beside the log-density, in quarters.
    /// See [`Calibration`] for an example.
    pub fn margin_weight(&self) -> u8 {
        match self {
            Self::HeldOut(held_out) if HELD_OUT => held_out.margin_weight,
            _ => 0,
        }
    }

    /// What scores are multiplied by before the posterior is taken of them. See [`Calibration`] for an example.
    pub fn inverse_temperature(&self) -> f32 {
        match self {
            Self::HeldOut(held_out) if HELD_OUT => held_out.inverse_temperature,
            _ => 1.0,
        }
    }

    /// Bytes in the blob. See [`Calibration`] for an example.
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

pub(crate) fn check<'a>(rest: &mut Rest<'a>, n_clusters: u16, blob: &'a [u8]) -> Result<Calibration<'a>, LoadError> {
    // By number, as with heads.
    let number: u32 = rest.next()?;
    match number {
        0 => Ok(Calibration::None),
        1 => {
            let table: description::QuantileTable = rest.next()?;
            marginal(&table, blob).map_err(LoadError::Calibration)
        }
        2 if rest.minor >= 2 => {
            ensure(HELD_OUT, LoadError::Calibration(Fault::Unsupported))?;
            let tables: description::HeldOut = rest.next()?;
            held_out(&tables, n_clusters, blob).map_err(LoadError::Calibration)
        }
        _ => Err(rest.refused()),
    }
}

fn marginal<'a>(table: &description::QuantileTable, blob: &'a [u8]) -> Result<Calibration<'a>, Fault> {
    let len = table.len.into();
    let (log_densities, levels) = (table.log_densities.resolve(blob, len)?, table.levels.resolve(blob, len)?);
    check_table(log_densities, levels)?;
    Ok(Calibration::Marginal { log_densities, levels })
}

/// Each cluster has a table, and the tables have all the entries between them.
fn held_out<'a>(held_out: &description::HeldOut, n_clusters: u16, blob: &'a [u8]) -> Result<Calibration<'a>, Fault> {
    let (n_tables, len) = (held_out.n_tables.into(), held_out.len.into());
    let view = HeldOut {
        tables: held_out.tables.resolve(blob, n_clusters.into())?,
        ends: held_out.ends.resolve(blob, n_tables)?,
        samples: held_out.samples.resolve(blob, n_tables)?,
        thresholds: held_out.thresholds.resolve(blob, len)?,
        levels: held_out.levels.resolve(blob, len)?,
        margin_weight: held_out.margin_weight,
        inverse_temperature: held_out.inverse_temperature,
    };
    ensure(is_scale(view.inverse_temperature), Fault::Scale)?;
    ensure(view.ends.last() == Some(&held_out.len), Fault::Shape)?;
    ensure(view.tables.iter().all(|&table| table < held_out.n_tables), Fault::Cluster)?;
    for table in 0..held_out.n_tables {
        // Empty where it ends before it begins or behind the last entry.
        let (thresholds, levels) = view.table(table);
        check_table(thresholds, levels)?;
    }
    Ok(Calibration::HeldOut(view))
}

/// A table has entries, which ascend.
#[inline(never)]
fn check_table(thresholds: &[i32], levels: &[u16]) -> Result<(), Fault> {
    ensure(!levels.is_empty(), Fault::Shape)?;
    ensure(ascends(thresholds) && ascends(levels), Fault::Order)
}

/// `slice::is_sorted` is written with indices, whose check the compiler keeps: a panic that could be reached.
fn ascends<T: PartialOrd>(values: &[T]) -> bool {
    values.iter().zip(values.iter().skip(1)).all(|(a, b)| a <= b)
}
