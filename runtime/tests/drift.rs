//! The drift monitor's bound on false alarms and its power by Monte Carlo, and its running shares.

use edgemix_format::testing::{HeadSpec, Spec, SplitMix64};
use edgemix_format::write::{AlignedBytes, Blob, write};
use edgemix_format::{Tensor, description};
use edgemix_runtime::{DriftError, DriftMonitor, Model, Novelty};

/// A model with novelty tables of so many held-out samples, with an entry for each rank. Only the levels matter here.
fn model(samples: &[u32], tables: &[u16]) -> AlignedBytes {
    let spec = Spec { head: HeadSpec::Softmax, components: tables.len() as u16, ..Spec::default() };
    let (mut description, mut blob) = spec.parts();
    let mut held_out = (vec![], vec![], vec![]);
    for &n in samples {
        held_out.0.extend((1..=n).map(|rank| rank as i32));
        held_out.1.extend((1..=n).map(|rank| level(rank, n)));
        held_out.2.push(held_out.0.len() as u16);
    }
    description.calibration = description::CalibrationRecord::HeldOut(description::HeldOutRecord {
        n_tables: samples.len() as u16,
        len: held_out.0.len() as u16,
        tables: push(&mut blob, tables),
        ends: push(&mut blob, &held_out.2),
        samples: blob.push(samples),
        thresholds: blob.push(&held_out.0),
        levels: push(&mut blob, &held_out.1),
        margin_weight: 0,
        inverse_temperature: 1.0,
    });
    write(&description, &blob).unwrap()
}

fn push(blob: &mut Blob, values: &[u16]) -> Tensor<u16> {
    blob.push(values)
}

fn level(rank: u32, n: u32) -> u16 {
    (u64::from(rank) * 65535).div_ceil(u64::from(n) + 1) as u16
}

/// The sorted scores of held-out samples, which give the novelty of another score.
struct Held(Vec<u64>);

impl Held {
    fn draw(n: u32, random: &mut SplitMix64) -> Self {
        let mut scores: Vec<u64> = (0..n).map(|_| random.next_u64()).collect();
        scores.sort_unstable();
        Self(scores)
    }

    fn novelty(&self, score: u64) -> Novelty {
        let below = self.0.partition_point(|&x| x <= score) as u32;
        Novelty(level(below + 1, self.0.len() as u32))
    }
}

/// The number of samples after which the monitor raises an alarm, if any. `draw` draws a cluster and a score.
fn alarm(
    drift: &mut DriftMonitor<3>,
    held: &[Held],
    tables: &[u16],
    steps: u64,
    mut draw: impl FnMut(u64) -> (u16, u64),
) -> Option<u64> {
    for step in 0..steps {
        let (cluster, score) = draw(step);
        drift.observe(cluster, held[usize::from(tables[usize::from(cluster)])].novelty(score));
        if drift.has_drifted() {
            return Some(step);
        }
    }
    None
}

/// Over tables and streams together, one stream in `one_in` may raise an alarm, however long it is: with few held-out
/// samples, with many, and with one table per cluster when the shares of the clusters change.
#[test]
fn without_drift_alarms_are_as_rare_as_requested() {
    let mut random = SplitMix64::new(21);
    let cases: [(&[u32], &[u16]); 4] =
        [(&[20], &[0; 3]), (&[179], &[0; 3]), (&[3000], &[0; 3]), (&[40, 300], &[0, 1, 1])];
    let (streams, one_in) = (400, 10);
    for (samples, tables) in cases {
        let bytes = model(samples, tables);
        let model = Model::from_bytes(&bytes).unwrap();
        let mut alarms = 0;
        for stream in 0..streams {
            let held: Vec<Held> = samples.iter().map(|&n| Held::draw(n, &mut random)).collect();
            let mut drift = DriftMonitor::<3>::new(&model, one_in).unwrap();
            // One cluster is seen far more often than the others.
            let often = stream % 3;
            let draw = |_| {
                let cluster = if random.next_u64().is_multiple_of(4) { random.between(0, 2) as u16 } else { often };
                (cluster, random.next_u64())
            };
            alarms += u32::from(alarm(&mut drift, &held, tables, 20_000, draw).is_some());
        }
        // Four deviations above what is allowed: a true rate of 1 in 10 would pass.
        assert!(alarms <= 40 + 24, "{samples:?}: {alarms} of {streams} streams");
    }
}

/// After ten thousand samples without drift, a bound of 1 in 1000 requires about 40 bits of evidence.
#[test]
fn a_late_drift_is_noticed_soon() {
    let mut random = SplitMix64::new(6);
    let tables = [0; 3];
    let bytes = model(&[179], &tables);
    let model = Model::from_bytes(&bytes).unwrap();
    // One sample in ten is more novel than all held-out ones; all scores are lower; all are in the upper half.
    type Draw = fn(&mut SplitMix64) -> u64;
    let drifts: [(u64, Draw); 3] = [
        (1500, |random| if random.next_u64().is_multiple_of(10) { 0 } else { random.next_u64() }),
        (200, |random| random.next_u64().min(random.next_u64()).min(random.next_u64())),
        (200, |random| random.next_u64() | 1 << 63),
    ];
    let mut early = 0;
    for (soon, drifted) in drifts {
        for _ in 0..50 {
            let held = [Held::draw(179, &mut random)];
            let mut drift = DriftMonitor::<3>::new(&model, 1000).unwrap();
            let begin = 10_000;
            let draw = |step| (0, if step < begin { random.next_u64() } else { drifted(&mut random) });
            let noticed = alarm(&mut drift, &held, &tables, begin + soon, draw);
            assert!(noticed.is_some(), "nothing after {soon} samples");
            early += u32::from(noticed.is_some_and(|step| step < begin));
        }
    }
    assert!(early <= 1, "{early} of 150 alarmed before anything had drifted");
}

#[test]
fn running_shares_follow_what_is_seen() {
    let bytes = model(&[100], &[0; 3]);
    let model = Model::from_bytes(&bytes).unwrap();
    let mut drift = DriftMonitor::<3>::new(&model, 100).unwrap().with_running_shares(0.05, 8);
    assert_eq!((drift.seen(), drift.novel_share(), drift.cluster_share(0)), (0, 0.0, 0.0));
    let mut random = SplitMix64::new(2);
    let novelty = |random: &mut SplitMix64, share| Novelty(if random.between(0, 99) < share { 3276 } else { 3277 });
    for (shares, novel) in [([70, 20, 10], 10), ([10, 20, 70], 50)] {
        for _ in 0..4000 {
            let at = random.between(0, 99);
            let cluster = if at < shares[0] {
                0
            } else if at < shares[0] + shares[1] {
                1
            } else {
                2
            };
            drift.observe(cluster, novelty(&mut random, novel));
        }
        for (cluster, share) in (0..).zip(shares) {
            let off = drift.cluster_share(cluster) - share as f32 / 100.0;
            assert!(off.abs() < 0.1, "{cluster} is off by {off}");
        }
        assert!((drift.novel_share() - novel as f32 / 100.0).abs() < 0.1, "{}", drift.novel_share());
        let sum: f32 = (0..3).map(|cluster| drift.cluster_share(cluster)).sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }
    // Unknown clusters are ignored.
    let before = drift.seen();
    for cluster in [3, u16::MAX] {
        drift.observe(cluster, Novelty(0));
        assert_eq!((drift.seen(), drift.cluster_share(cluster)), (before, 0.0));
    }
}

#[test]
fn models_without_held_out_samples_or_with_too_many_clusters_are_refused() {
    for spec in [Spec::default(), Spec { calibration: 0, ..Spec::default() }] {
        let bytes = spec.build().unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        assert_eq!(DriftMonitor::<3>::new(&model, 10).err(), Some(DriftError::NoHeldOutSamples));
    }
    let bytes = model(&[10], &[0; 3]);
    let model = Model::from_bytes(&bytes).unwrap();
    assert_eq!(DriftMonitor::<2>::new(&model, 10).err(), Some(DriftError::TooManyClusters { needed: 3, given: 2 }));
    assert!(DriftMonitor::<9>::new(&model, 10).is_ok());
}

/// Neither extreme tables nor extreme observations overflow.
#[test]
fn extremes_do_not_overflow() {
    let mut random = SplitMix64::new(8);
    for n in [0, 1, u32::MAX] {
        let (mut description, blob) = Spec { held_out: 1, ..Spec::default() }.parts();
        let description::CalibrationRecord::HeldOut(held_out) = &mut description.calibration else { panic!() };
        let at = held_out.samples.offset as usize;
        let mut bytes = write(&description, &blob).unwrap();
        let start = edgemix_format::File::from_bytes(&bytes).unwrap().header.blob_offset as usize + at;
        bytes.as_mut()[start..start + 4].copy_from_slice(&n.to_le_bytes());
        edgemix_format::write::mend(bytes.as_mut());
        let model = Model::from_bytes(&bytes).unwrap();
        let mut drift = DriftMonitor::<3>::new(&model, u32::MAX).unwrap().with_running_shares(f32::NAN, u32::MAX);
        for _ in 0..3000 {
            drift.observe(random.between(0, 3) as u16, Novelty(random.next_u64() as u16));
        }
        let (evidence, alarm) = drift.evidence();
        assert!(evidence < i32::MAX && alarm > 0);
    }
}
