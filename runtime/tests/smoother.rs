//! The smoother against the forward algorithm in real numbers.

use edgemix_format::testing::{HeadSpec, Spec, SplitMix64};
use edgemix_format::view::Covariance;
use edgemix_runtime::{Model, OtherClusters, Smoother, Transitions, Workspace};

const CLUSTERS: usize = 4;
static COUNTS: [[u32; CLUSTERS]; CLUSTERS] = [[300, 3, 0, 2], [2, 80, 7, 0], [1, 5, 500, 1], [3, 0, 1, 40]];

/// Several components a cluster, and a temperature.
fn model() -> Spec {
    Spec {
        components: 7,
        clusters: CLUSTERS as u16,
        head: HeadSpec::Mixture(Covariance::Diagonal),
        held_out: 1,
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
    fn new() -> Self {
        let total = |row: &[u32]| f64::from(row.iter().sum::<u32>());
        let share = |n: f64, total: f64| (n + 0.5) / (total + CLUSTERS as f64 / 2.0);
        // As the chip rounds them.
        let rounded = Transitions::from_counts(&COUNTS);
        let row = |i| std::array::from_fn(|j| f64::from(rounded.probability(i, j)));
        let follows = std::array::from_fn(row);
        let all: f64 = COUNTS.iter().map(|row| total(row)).sum();
        let shares = COUNTS.map(|row| share(total(&row), all));
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
    let transitions = Transitions::from_counts(&COUNTS);
    let mut smoother = Smoother::new(&model, &transitions).unwrap();
    let (mut reference, mut workspace) = (Reference::new(), Workspace::<256>::new());
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
            reference = Reference::new();
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
        for (j, &belief) in smoother.beliefs().iter().enumerate() {
            let belief = f64::from(belief) / f64::from(1 << 30);
            assert!((belief - reference.belief[j]).abs() < 1e-3, "{turn}: {belief} {:?}", reference.belief);
        }
        let sum: u64 = smoother.beliefs().iter().map(|&belief| u64::from(belief)).sum();
        assert!((sum as f64 / f64::from(1 << 30) - 1.0).abs() < 1e-6);
    }
    assert!(changed > 0, "no window was corrected");
}

#[test]
fn without_habits_the_greatest_posterior_wins() {
    let bytes = model().build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    let transitions = Transitions::from_counts(&[[0; CLUSTERS]; CLUSTERS]);
    let mut uniform = Smoother::new(&model, &transitions).unwrap();
    let mut workspace = Workspace::<256>::new();
    let mut random = SplitMix64::new(6);
    for _ in 0..200 {
        let found = model.assign_raw(&sample(&model, &mut random), &mut workspace).unwrap();
        let cluster = uniform.observe(&found);
        let best = (0..CLUSTERS as u16).map(|j| found.posterior(j)).fold(0.0, f32::max);
        assert!(found.posterior(cluster) > best - 1e-3);
    }
}

#[test]
fn transitions_of_other_clusters_are_refused() {
    let bytes = model().build().unwrap();
    let model = Model::from_bytes(&bytes).unwrap();
    let transitions = Transitions::from_counts(&[[1; 3]; 3]);
    let error = Smoother::new(&model, &transitions).unwrap_err();
    assert_eq!(error, OtherClusters { needed: CLUSTERS, given: 3 });
    assert_eq!(error.to_string(), "the model has 4 clusters, and the transitions are of 3");
}
