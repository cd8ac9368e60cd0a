//! What turns a score into a novelty: one table, or tables of held-out samples.

use crate::check::{Rest, ensure, is_scale};
use crate::description;
use crate::view::{Calibration, HeldOut};
use crate::{Fault, HELD_OUT, LoadError};

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
