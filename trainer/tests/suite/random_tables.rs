//! Random tables through training, export and assignment: none panics, none is refused, and raw counts find the clusters of
//! the values that they stand for.
//!
//! `EDGEMIX_TABLES=20000` tries more tables than usual. A table depends on its index alone.

use std::error::Error;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use edgemix::assessment::inference::{assign, assign_samples};
use edgemix::assessment::raw_counts::RawCounts;
use edgemix::data::Source;
use edgemix::methods::{FitConfig, MethodConfig};
use edgemix::random::{normal, stream};
use edgemix::training::PhaseSettings;
use edgemix::workflow::{ExistingRun, FitOptions, Plan, fit, start};
use ndarray::Array2;
use ndarray_npy::write_npy;
use rand::{Rng, RngExt};

/// How a column is written.
#[derive(Clone, Copy)]
enum Kind {
    Float,
    Integer,
    Boolean,
    /// Answers from 1 to 5.
    Likert,
    Constant,
    /// The same in all rows but two.
    Rare,
    /// Zero in six rows of ten.
    Sparse,
}

const KINDS: [Kind; 10] = [
    Kind::Float,
    Kind::Float,
    Kind::Float,
    Kind::Integer,
    Kind::Integer,
    Kind::Boolean,
    Kind::Likert,
    Kind::Constant,
    Kind::Rare,
    Kind::Sparse,
];

/// A column of samples of some kinds, `far` deviations apart.
fn column(samples: &[usize], far: f64, rng: &mut impl Rng) -> Vec<f64> {
    let kind = KINDS[rng.random_range(0..KINDS.len())];
    let unit = 10f64.powf(rng.random_range(-5.0..5.0));
    let offset = unit * [0.0, 1.0, -30.0, 2000.0][rng.random_range(0..4)];
    let places: Vec<f64> = (0..10).map(|_| far * rng.random_range(-1.0..1.0)).collect();
    let noise = normal(samples.len(), rng);
    let mut value = |(row, (sample, noise)): (usize, (&usize, f32))| {
        let x = places[*sample] + f64::from(noise);
        match kind {
            Kind::Float => offset + unit * x,
            Kind::Integer => (offset + unit.max(1.0) * x).round(),
            Kind::Boolean => f64::from(u8::from(x > 0.0)),
            Kind::Likert => (3.0 + x).round().clamp(1.0, 5.0),
            Kind::Constant => offset,
            Kind::Rare => offset + if row < 2 { unit } else { 0.0 },
            Kind::Sparse => {
                if rng.random::<f64>() < 0.6 {
                    0.0
                } else {
                    unit * x
                }
            }
        }
    };
    samples.iter().zip(noise).enumerate().map(&mut value).collect()
}

/// A table with at least two different rows.
fn table(index: u64) -> Array2<f64> {
    let rng = &mut stream(index, "random table", 0);
    let (n, clusters) = (rng.random_range(20..120), rng.random_range(1..6));
    let samples: Vec<usize> = (0..n).map(|row| row % clusters).collect();
    let far = rng.random_range(0.0..20.0);
    let columns: Vec<Vec<f64>> = (0..rng.random_range(1..9)).map(|_| column(&samples, far, rng)).collect();
    // Some rows stand for others: all for the first tenth, or half of them for one.
    let source: Vec<usize> = match rng.random_range(0..6) {
        0 => (0..n).map(|row| row % n.div_ceil(10)).collect(),
        1 => (0..n).map(|row| if row % 2 == 0 { row } else { 1 }).collect(),
        _ => (0..n).collect(),
    };
    let mut table = Array2::from_shape_fn((n, columns.len()), |(row, column)| columns[column][source[row]]);
    if table.rows().into_iter().all(|row| row == table.row(0)) {
        table[[0, 0]] += 1.0 + table[[0, 0]].abs();
    }
    // A broken reading or a code for a missing value.
    if rng.random_range(0..3) == 0 {
        let at = [rng.random_range(0..table.nrows()), rng.random_range(0..table.ncols())];
        table[at] = [-9999.0, -999.0, 1e6, 65_535.0, 1e12][rng.random_range(0..5)];
    }
    table
}

/// Writes the table in one of several storages, and returns its path.
fn write(table: &Array2<f64>, index: u64, folder: &Path) -> Result<String, Box<dyn Error>> {
    let path = folder.join(if index.is_multiple_of(2) { "x.csv" } else { "x.npy" });
    match index % 4 {
        1 => write_npy(&path, table)?,
        3 => write_npy(&path, &table.mapv(|x| x as f32))?,
        _ => {
            let names: Vec<String> = (0..table.ncols()).map(|column| format!("sensor {column}")).collect();
            let line =
                |row: ndarray::ArrayView1<f64>| row.iter().map(f64::to_string).collect::<Vec<_>>().join(",") + "\n";
            fs::write(&path, names.join(",") + "\n" + &table.rows().into_iter().map(line).collect::<String>())?;
        }
    }
    Ok(path.to_string_lossy().into_owned())
}

/// Trains on a table, exports the model, and assigns the samples.
fn run(index: u64) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let source = Source::new(write(&table(index), index, folder.path())?);
    let dataset = source.read()?;
    let name = ["grow", "ae-gmm", "ae-kmeans", "dpm", "grow"][index as usize % 5];
    let mut method = MethodConfig::named(name).ok_or("no such method")?;
    if let MethodConfig::Grow(grow) = &mut method {
        grow.grouping.halves = 3;
    }
    let is_given_two = matches!(name, "ae-gmm" | "ae-kmeans");
    if is_given_two {
        method.set_n_clusters(2);
    }
    let epoch = PhaseSettings::with_epochs(1);
    let has_encoder = index.is_multiple_of(7);
    let encoder = if has_encoder { "8-2".parse()? } else { Default::default() };
    // After one epoch of an encoder, two given clusters may cut through one kind of samples, and the integers through another
    // place of it.
    let options = FitOptions { allow_disagreement: is_given_two && has_encoder, ..FitOptions::default() };
    let config = FitConfig { encoder, method, reconstruction: epoch, clustering: epoch, ..FitConfig::default() };
    let plan = Plan::new(&source, &dataset, config)?;
    let run = start(&folder.path().join("run"), &plan, ExistingRun::Refuse)?;
    let run = fit(&run, &plan, &options, &mut ())?.run;

    let file = run.model()?;
    let model = file.model()?;
    let found = assign_samples(&model, &dataset.samples)?;
    let values = dataset.samples.all()?;
    for (row, values) in values.chunks(dataset.samples.n_features()).enumerate().step_by(7) {
        if assign(&model, values) != found[row..=row] {
            return Err(format!("row {row} by itself is assigned otherwise").into());
        }
    }
    let raw = RawCounts::compare(&model, &dataset.samples)?;
    if raw.agreement < 0.995 {
        return Err(format!("{raw:?}").into());
    }
    Ok(())
}

#[test]
fn no_table_panics_is_refused_or_is_assigned_otherwise_as_raw_counts() {
    let tables = std::env::var("EDGEMIX_TABLES").map_or(500, |n| n.parse().expect("a number of tables"));
    let failure = |index: u64| match catch_unwind(|| run(index).map_err(|error| error.to_string())) {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(format!("table {index}: {error}")),
        Err(_) => Some(format!("table {index}: panic")),
    };
    let failures: Vec<String> = (0..tables).filter_map(failure).collect();
    assert!(failures.is_empty(), "{} of {tables} tables:\n{}", failures.len(), failures.join("\n"));
}
