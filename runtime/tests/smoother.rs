//! The smoother against the forward algorithm in real numbers.
#![cfg(feature = "smoother")]

use edgemix_format::File;
use edgemix_format::testing::{HeadSpec, Spec, SplitMix64};
use edgemix_format::view::Covariance;
use edgemix_format::write::{mend, write};
use edgemix_runtime::{Model, Smoother, SmootherError, Workspace};

const CLUSTERS: usize = 4;

/// Several components a cluster, and a temperature.
fn model() -> Spec {
    Spec {
        components: 7,
        clusters: CLUSTERS as u16,
        head: HeadSpec::Mixture(Covariance::Diagonal),
        held_out: 1,
        transitions: true,
        ..Spec::default()
    }
}

fn sample(model: &Model, random: &mut SplitMix64) -> Vec<i16> {
    random.many(model.input_len(), -300, 300).into_iter().map(|count| count as i16).collect()
}

/// The forward algorithm: predicted, times posterior over share, normalised.
struct Reference {
    follows: [[f64; CLUSTERS]; CLUSTERS],
    shares: [f64; CLUSTERS],
    belief: [f64; CLUSTERS],
}

impl Reference {
    fn new(model: &Model) -> Self {
        let transitions = model.file().transitions.unwrap();
        let probability = |i, j| f64::from(transitions.probability(i as u16, j as u16));
        let follows = std::array::from_fn(|i| std::array::from_fn(|j| probability(i, j)));
        let shares = std::array::from_fn(|j| f64::from(transitions.shares[j]) / 65536.0);
        Self { follows, shares, belief: shares }
    }

    fn miss(&mut self) {
        let before = self.belief;
        self.belief = std::array::from_fn(|j| before.iter().zip(&self.follows).map(|(b, row)| b * row[j]).sum());
    }

    /// `likelihoods` are relative to that of the best component.
    fn observe(&mut self, likelihoods: [f64; CLUSTERS]) {
        self.miss();
        let products: [f64; CLUSTERS] =
            std::array::from_fn(|j| self.belief[j] * (likelihoods[j] + 2f64.powi(-24)) / self.shares[j]);
        let total: f64 = products.iter().sum();
        self.belief = products.map(|product| product / total);
    }
}

#[test]
fn beliefs_are_those_of_the_forward_algorithm() {
    let bytes = model().build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    let mut smoother = Smoother::<{ CLUSTERS + 1 }>::new(&model).unwrap();
    let (mut reference, mut workspace) = (Reference::new(&model), Workspace::<256>::new());
    let mut random = SplitMix64::new(5);
    let inverse_temperature = f64::from(model.file().calibration.inverse_temperature());
    let mut changed = 0;
    for turn in 0..2000 {
        if turn % 50 == 49 {
            smoother.miss();
            reference.miss();
        }
        if turn % 400 == 399 {
            smoother.restart();
            reference = Reference::new(&model);
        }
        let found = model.assign_raw(&sample(&model, &mut random), &mut workspace).unwrap();
        let cluster = smoother.observe(&found);
        changed += u32::from(cluster != found.cluster);
        let mut likelihoods = [0.0; CLUSTERS];
        for (&score, &cluster) in found.scores().iter().zip(model.file().head.clusters()) {
            let nats = (f64::from(score) - f64::from(found.log_density.0)) / 65536.0;
            likelihoods[usize::from(cluster)] += (nats * inverse_temperature).exp();
        }
        reference.observe(likelihoods);
        for (j, &expected) in (0..).zip(&reference.belief) {
            let belief = f64::from(smoother.probability(j));
            assert!((belief - expected).abs() < 1e-3, "{turn}: {belief} {:?}", reference.belief);
        }
        let sum: f32 = (0..CLUSTERS as u16).map(|j| smoother.probability(j)).sum();
        assert!((sum - 1.0).abs() < 1e-5 && smoother.probability(CLUSTERS as u16) == 0.0);
    }
    assert!(changed > 0, "no window was corrected");
}

/// A lone window of another cluster is outvoted if clusters last, and is believed if they do not.
#[test]
fn clusters_that_last_outvote_a_window() {
    let with = |renewals: u16| {
        let (description, blob) = model().parts();
        let mut bytes = write(&description, &blob).unwrap();
        let blob = File::from_bytes(&bytes).unwrap().header.blob_offset as usize;
        let start = blob + description.transitions.unwrap().renewals.offset as usize;
        bytes.as_mut()[start..start + 2 * CLUSTERS].as_chunks_mut().0.fill(renewals.to_le_bytes());
        mend(bytes.as_mut());
        let model = Model::from_bytes(&bytes).unwrap();
        let mut smoother = Smoother::<CLUSTERS>::new(&model).unwrap();
        let mut workspace = Workspace::<256>::new();
        let (mut random, mut changed) = (SplitMix64::new(6), 0);
        for _ in 0..500 {
            let found = model.assign_raw(&sample(&model, &mut random), &mut workspace).unwrap();
            changed += u32::from(smoother.observe(&found) != found.cluster);
        }
        changed
    };
    let (lasting, fleeting) = (with(1), with(u16::MAX));
    assert!(lasting > 2 * fleeting, "{lasting} {fleeting}");
}

/// However long nothing is seen, beliefs stay beliefs, and become the shares.
#[test]
fn what_is_not_observed_is_forgotten() {
    let bytes = model().build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    let mut smoother = Smoother::<CLUSTERS>::new(&model).unwrap();
    let mut workspace = Workspace::<256>::new();
    let found = model.assign_raw(&[40i16; 6], &mut workspace).unwrap();
    smoother.observe(&found);
    (0..1_000_000).for_each(|_| smoother.miss());
    let sum: f32 = (0..CLUSTERS as u16).map(|j| smoother.probability(j)).sum();
    assert!((0.9..1.01).contains(&sum), "{sum}");
    smoother.restart();
    let shares = model.file().transitions.unwrap().shares;
    for (j, &share) in (0..).zip(shares) {
        assert_eq!(smoother.probability(j), f32::from(share) / 65536.0);
    }
}

#[test]
fn what_can_not_be_smoothed_is_said() {
    let bytes = model().build().unwrap();
    let known = Model::from_bytes(&bytes).unwrap();
    let error = Smoother::<3>::new(&known).unwrap_err();
    assert_eq!(error, SmootherError::TooManyClusters { needed: CLUSTERS, given: 3 });
    assert_eq!(error.to_string(), "the model has 4 clusters, but the smoother holds 3: use n_clusters(MODEL)");
    let bytes = Spec { transitions: false, ..model() }.build().unwrap();
    let unknown = Model::from_bytes(&bytes).unwrap();
    assert_eq!(Smoother::<CLUSTERS>::new(&unknown).unwrap_err(), SmootherError::NoTransitions);
}
