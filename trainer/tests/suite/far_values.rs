//! Values far from all others, and clusters far from each other: neither costs the clusters their resolution.

use std::error::Error;

use edgemix::data::Samples;
use edgemix::device::Device;
use edgemix::methods::{FitConfig, MethodConfig};
use edgemix::metrics::adjusted_rand;
use edgemix::quantize::{Provenance, check, check_raw_counts, quantize};
use edgemix::random::{normal, stream};
use edgemix_runtime::Model;
use rand::RngExt;

/// The clusters that `grow` finds and a chip assigns, once the integers are known to agree with the f32 model and raw counts
/// with the values.
fn clusters(samples: &Samples) -> Result<Vec<u16>, Box<dyn Error>> {
    let mut method = MethodConfig::named("grow").ok_or("no such method")?;
    if let MethodConfig::Grow(grow) = &mut method {
        grow.grouping.halves = 4;
    }
    let config = FitConfig { method, ..FitConfig::default() };
    let trained = Device::Cpu.fit(samples, &config, &mut (), &mut ())?.trained;
    let file = quantize(&trained, samples, None, &Provenance { name: "table".into(), config: [0; 32], seed: 0 })?;
    let model = Model::from_bytes(&file)?;
    check(&trained, &model, samples)?;
    check_raw_counts(&model, samples)?;
    Ok(edgemix::assessment::inference::assign_samples(&model, samples)?.iter().map(|found| found.cluster).collect())
}

fn n_different(clusters: &[u16]) -> usize {
    clusters.iter().collect::<std::collections::BTreeSet<_>>().len()
}

const N: usize = 600;
const COLUMNS: usize = 3;

/// Three clusters in columns of three units.
fn blobs(seed: u64) -> Vec<f32> {
    let noise = normal(N * COLUMNS, &mut stream(seed, "blobs", 0));
    let place = |row: usize, column: usize| [-8.0, 0.0, 8.0][(row + column * (row % 3)) % 3];
    let unit = [1.0, 50.0, 0.01];
    let value = |i: usize| unit[i % COLUMNS] * (place(i / COLUMNS, i % COLUMNS) + noise[i]);
    (0..N * COLUMNS).map(value).collect()
}

#[test]
fn a_handful_of_far_values_changes_no_cluster() {
    for (seed, far) in (0..).zip([-9999.0, 1e6, 65_535.0, 1e30, -32_768.0]) {
        let clean = blobs(seed);
        let rng = &mut stream(seed, "far rows", 0);
        let rows: Vec<usize> = (0..3).map(|_| rng.random_range(0..N)).collect();
        let mut values = clean.clone();
        for (i, &row) in rows.iter().enumerate() {
            values[row * COLUMNS + (i + seed as usize) % COLUMNS] = far;
        }
        let of = |values: Vec<f32>| clusters(&Samples::new("table", values, COLUMNS)).unwrap();
        let near = |clusters: Vec<u16>| -> Vec<u16> {
            clusters.into_iter().enumerate().filter(|(row, _)| !rows.contains(row)).map(|(_, c)| c).collect()
        };
        let (before, after) = (near(of(clean)), near(of(values)));
        assert_eq!(n_different(&before), 3, "{far}");
        assert!(adjusted_rand(&before, &after) > 0.99, "{far}: {} clusters", n_different(&after));
    }
}

#[test]
fn parts_of_clusters_that_are_far_apart_keep_their_resolution() {
    // At -1000 and at 1000 three clusters each, ten deviations apart.
    let noise = normal(N * 2, &mut stream(0, "nested", 0));
    let place = |row: usize, column: usize| match (row % 6, column) {
        (kind, 0) => {
            if kind < 3 {
                -1000.0
            } else {
                1000.0
            }
        }
        (kind, _) => 10.0 * (kind % 3) as f32 + if kind < 3 { -1000.0 } else { 1000.0 },
    };
    let values = (0..N * 2).map(|i| place(i / 2, i % 2) + noise[i]).collect();
    let found = clusters(&Samples::new("nested", values, 2)).unwrap();
    let kinds: Vec<u16> = (0..N).map(|row| (row % 6) as u16).collect();
    assert!(adjusted_rand(&found, &kinds) > 0.99, "{} clusters", n_different(&found));
}
