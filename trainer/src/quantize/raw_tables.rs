//! Random tables of mixed units: what a chip makes of their raw counts is what the f32 model makes of their values.

use edgemix_runtime::Model;
use edgemix_runtime::view::Sample;
use ndarray::Array2;
use proptest::prelude::*;

use super::{Provenance, check_raw_counts, quantize};
use crate::base::metrics::agreement;
use crate::base::random::{normal, stream};
use crate::data::{Samples, Scaling};
use crate::mixture::{Covariance, Mixture};
use crate::trained::{Head, Trained};

/// A column: its unit, where it is, and how it is written.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// A step from one cluster to the next.
    unit: f64,
    offset: f64,
    written: Written,
}

#[derive(Clone, Copy, Debug)]
enum Written {
    Float,
    Integer,
    Constant,
    /// The same in all samples but a few.
    Rare,
}

fn column() -> impl Strategy<Value = Column> {
    let written = prop_oneof![Just(Written::Float), Just(Written::Integer)];
    let own = (-6.0..6.0f64, -3.0..3.0f64, written).prop_map(|(unit, offset, written)| {
        // Integers far enough apart to tell the clusters apart; an offset of up to a thousand units.
        let unit = 10f64.powf(if matches!(written, Written::Integer) { unit.abs().max(1.0) } else { unit });
        Column { unit, offset: offset.signum() * unit * 10f64.powf(offset.abs()), written }
    });
    let typical = prop_oneof![
        Just(Column { unit: 10_000.0, offset: 22_000.0, written: Written::Integer }),
        Just(Column { unit: 300.0, offset: 101_325.0, written: Written::Integer }),
        Just(Column { unit: 1.0, offset: 0.0, written: Written::Float }),
        Just(Column { unit: 1.0, offset: 77.0, written: Written::Constant }),
        Just(Column { unit: 1.0, offset: 1e9, written: Written::Constant }),
        Just(Column { unit: 1.0, offset: 0.0, written: Written::Rare }),
    ];
    prop_oneof![own, typical]
}

const N: usize = 300;
const CLUSTERS: usize = 3;

/// Sample `i` is of cluster `i` modulo three.
fn table(columns: &[Column], seed: u64) -> Samples {
    let noise = normal(N * columns.len(), &mut stream(seed, "table", 0));
    let values = noise.iter().enumerate().map(|(index, &noise)| {
        let (sample, column) = (index / columns.len(), index % columns.len());
        let Column { unit, offset, written } = columns[column];
        let cluster = (sample + column * (sample % CLUSTERS)) % CLUSTERS;
        let value = offset + unit * (cluster as f64 - 1.0 + 0.1 * f64::from(noise));
        match written {
            Written::Float => value as f32,
            Written::Integer => value.round() as f32,
            Written::Constant => offset as f32,
            Written::Rare => (offset + unit * f64::from(u8::from(sample < 2))) as f32,
        }
    });
    Samples::new("table", values.collect(), columns.len())
}

/// A component at the mean of each cluster.
fn fitted(samples: &Samples) -> Trained {
    let scaling = Scaling::fit(samples).unwrap();
    let (values, dims) = (scaling.apply(&samples.all().unwrap()), samples.n_features());
    let mut means = Array2::zeros((CLUSTERS, dims));
    for (index, row) in values.chunks(dims).enumerate() {
        let share = CLUSTERS as f64 / N as f64;
        means.row_mut(index % CLUSTERS).iter_mut().zip(row).for_each(|(mean, &x)| *mean += share * f64::from(x));
    }
    let head = Head::Mixture(Mixture {
        log_weights: vec![0.0; CLUSTERS],
        means,
        covariance: Covariance::Spherical(vec![1.0; CLUSTERS]),
        clusters: (0..CLUSTERS as u16).collect(),
    });
    Trained {
        method: "by hand".into(),
        front_end: None,
        scaling,
        encoder: vec![],
        head,
        hierarchy: None,
        decoder: None,
    }
}

/// The raw counts of samples, from what a file says of them.
fn raw(sample: &Sample, values: &[f32]) -> Vec<i16> {
    let channels = sample.origin.iter().zip(sample.count).cycle();
    let count = |(&x, (&origin, &count)): (&f32, (&f32, &f32))| {
        let count = ((f64::from(x) - f64::from(origin)) / f64::from(count)).round();
        assert!((-32768.0..=32767.0).contains(&count), "{x} is {count} counts");
        count as i16
    };
    values.iter().zip(channels).map(count).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn raw_counts_find_the_clusters_of_values(columns in prop::collection::vec(column(), 1..12), seed: u64) {
        let samples = table(&columns, seed);
        prop_assume!(!samples.are_all_equal());
        let trained = fitted(&samples);
        let provenance = Provenance { name: "table".into(), config: [0; 32], seed: 0 };
        let file = quantize(&trained, &samples, None, &provenance).unwrap();
        let model = Model::from_bytes(&file).unwrap();
        let counts = raw(&model.file().sample, &samples.all().unwrap());
        let mut workspace = edgemix_format::write::AlignedBytes::zeroed(model.arena_len());
        let found: Vec<u16> = counts
            .chunks(columns.len())
            .map(|counts| model.assign_raw(counts, &mut workspace).unwrap().cluster)
            .collect();
        let share = agreement(&trained.assign(&samples).unwrap(), &found);
        prop_assert!(share >= 0.995, "{share} of the clusters of the f32 model");
        let compared = check_raw_counts(&model, &samples).unwrap();
        prop_assert_eq!((compared.agreement, compared.beyond), (1.0, 0.0));
    }
}
