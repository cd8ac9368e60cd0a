//! Tables as people have them: repeated rows, few distinct values, constant columns.

use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use rand::RngExt;

use crate::base::random::{normal, stream};
use crate::mixture::consensus::{Criterion, Grouping};
use crate::mixture::split_merge::SplitMerge;
use crate::mixture::{Covariance, Mixture};

/// What a column holds.
#[derive(Clone, Copy, Debug)]
enum Column {
    Constant(f64),
    /// One of so many values.
    Levels(u8),
    /// Zero for six in ten samples, else one of three values.
    MostlyZero,
    /// A Gaussian, in another unit.
    Gaussian(f64),
    /// A copy of the first column.
    Copy,
}

fn column() -> impl Strategy<Value = Column> {
    prop_oneof![
        (-1e3..1e3f64).prop_map(Column::Constant),
        (2..6u8).prop_map(Column::Levels),
        Just(Column::MostlyZero),
        (-3..4i32).prop_map(|exponent| Column::Gaussian(10f64.powi(exponent))),
        Just(Column::Copy),
    ]
}

/// `n` rows of these columns, of which the last `repeated` are copies of the first.
fn table(columns: &[Column], n: usize, repeated: usize, seed: u64) -> Array2<f64> {
    let mut rng = stream(seed, "table", 0);
    let mut table = Array2::zeros((n, columns.len()));
    for row in 0..n {
        for (d, column) in columns.iter().enumerate() {
            table[[row, d]] = match *column {
                Column::Constant(value) => value,
                Column::Levels(k) => f64::from(rng.random_range(0..k)),
                Column::MostlyZero => [0.0, 0.0, 0.0, 1.0, 2.0][rng.random_range(0..5)],
                Column::Gaussian(unit) => unit * f64::from(normal(1, &mut rng)[0]),
                Column::Copy => table[[row, 0]],
            };
        }
    }
    for row in n - repeated.min(n - 1)..n {
        let copy = table.row(0).to_owned();
        table.row_mut(row).assign(&copy);
    }
    table
}

/// Mean 0 and deviation 1 in each column that varies, as the latents of a network are standardised.
fn standardised(mut table: Array2<f64>) -> Array2<f64> {
    for mut column in table.columns_mut() {
        let mean = column.mean().unwrap();
        let deviation = column.std(0.0).max(1e-6);
        column.mapv_inplace(|x| (x - mean) / deviation);
    }
    table
}

fn assert_sound(mixture: &Mixture, z: ArrayView2<f64>) {
    assert!(mixture.log_weights.iter().chain(&mixture.means).all(|x| x.is_finite()), "{mixture:?}");
    assert!(matches!(mixture.covariance, Covariance::Full(_)));
    assert!(mixture.covariance.values().iter().all(|x| x.is_finite()), "{mixture:?}");
    let responsibilities = mixture.responsibilities(z).unwrap();
    assert!(responsibilities.iter().all(|r| r.is_finite()));
}

fn search(z: ArrayView2<f64>, criterion: Criterion, seed: u64) {
    let grouping = Grouping { halves: 3, criterion, ..Grouping::default() };
    let (mixture, report) = grouping.find(&SplitMerge::default(), z, &mut stream(seed, "search", 0)).unwrap();
    assert_sound(&mixture, z);
    assert!(report.clusters >= 1 && report.components >= report.clusters);
    assert!(report.curve.iter().all(|trial| trial.agreement.is_finite()));
    let clusters: Vec<u16> = (0..z.nrows()).map(|row| (row % 2) as u16).collect();
    let within = SplitMerge::default().fit_within(z, &clusters, &mut stream(seed, "search", 1)).unwrap();
    assert_sound(&within, z);
}

#[test]
fn repeated_rows_one_hot_columns_and_mostly_zero_columns_are_searched() {
    let one_hot = Array2::from_shape_fn((240, 6), |(row, d)| f64::from(u8::from(row * row % 7 % 6 == d)));
    let sparse = table(&[Column::MostlyZero; 5], 300, 0, 1);
    let repeated = table(&[Column::Gaussian(1.0); 4], 200, 10, 2);
    let mostly_repeated = table(&[Column::Gaussian(1.0); 4], 200, 150, 3);
    let few_rows = table(&[Column::Levels(2); 3], 2, 1, 4);
    let wide = table(&[Column::Levels(3); 40], 120, 60, 5);
    for (seed, z) in [one_hot, sparse, repeated, mostly_repeated, few_rows, wide].into_iter().enumerate() {
        search(z.view(), Criterion::Confusion, seed as u64);
        search(standardised(z).view(), Criterion::Dip, seed as u64);
    }
}

#[test]
fn equal_rows_are_one_cluster() {
    for value in [0.0, 1.0, 0.1, -1e6, 1e-12] {
        for (n, dims) in [(1, 1), (2, 3), (400, 3), (90, 40)] {
            let z = Array2::from_elem((n, dims), value);
            let grouping = Grouping { halves: 3, ..Grouping::default() };
            let (mixture, _) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "equal", 0)).unwrap();
            assert_sound(&mixture, z.view());
            assert_eq!(mixture.n_clusters(), 1, "{n} rows of {value}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]
    #[test]
    fn tables_of_any_columns_are_searched_without_panics_and_with_finite_results(
        columns in prop::collection::vec(column(), 1..7),
        n in 2..260usize,
        repeated in 0..260usize,
        seed in 0..1000u64,
        dip in prop::bool::weighted(0.2),
    ) {
        let criterion = if dip { Criterion::Dip } else { Criterion::Confusion };
        let z = table(&columns, n, repeated, seed);
        search(z.view(), criterion, seed);
        search(standardised(z).view(), criterion, seed);
    }
}
