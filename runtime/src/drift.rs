//! A monitor that watches the assignments of a model for drift: [`DriftTest`] with memory for a constant number of clusters.

use crate::{ClusterDrift, DriftError, DriftTest, Model, Novelty};

/// Watches the assignments of a model for drift. `CLUSTERS` is at least the model's [`n_clusters`](crate::n_clusters).
///
/// ```
/// # use edgemix_format::testing::Spec;
/// # let bytes = Spec { held_out: 1, ..Spec::default() }.build().unwrap();
/// use edgemix_runtime::{DriftMonitor, Model, Workspace};
///
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut workspace = Workspace::<64>::new();
/// // The probability that it ever raises a false alarm is at most 1 in 1000.
/// let mut drift = DriftMonitor::<3>::new(&model, 1000).unwrap();
/// let found = model.assign_raw(&[40u8; 6], &mut workspace).unwrap();
/// drift.observe(found.cluster, found.novelty);
/// assert!(!drift.has_drifted());
/// ```
///
/// The bound on false alarms holds for samples that are exchangeable with the held-out ones and with each other.
/// Overlapping windows of a recording are not, and raise false alarms: pass samples that lie apart in time.
#[derive(Clone, Debug)]
pub struct DriftMonitor<'m, const CLUSTERS: usize> {
    test: DriftTest<'m>,
    clusters: [ClusterDrift; CLUSTERS],
}

impl<'m, const CLUSTERS: usize> DriftMonitor<'m, CLUSTERS> {
    /// Creates a monitor that has seen no samples. Without drift, the probability that it ever raises an alarm is at
    /// most `1 / one_in`.
    ///
    /// # Errors
    /// [`DriftError::NoHeldOutSamples`] if the model has no novelty table of held-out samples, and
    /// [`DriftError::TooManyClusters`] if it has more than `CLUSTERS` clusters.
    pub fn new(model: &Model<'m>, one_in: u32) -> Result<Self, DriftError> {
        let mut clusters = [ClusterDrift::default(); CLUSTERS];
        Ok(Self { test: DriftTest::new(model, one_in, &mut clusters)?, clusters })
    }

    /// Sets the p-value up to which a sample counts as novel in the running shares, 0.01 by default, and the number of
    /// samples that the shares remember, about `2^log2_window`: 2^10 by default, at most 2^31. The test depends on
    /// neither.
    ///
    /// ```
    /// # let bytes = edgemix_format::testing::Spec { held_out: 1, ..Default::default() }.build().unwrap();
    /// use edgemix_runtime::{DriftMonitor, Model, Novelty};
    ///
    /// let model = Model::from_bytes(&bytes).unwrap();
    /// let mut drift = DriftMonitor::<3>::new(&model, 1000).unwrap().with_running_shares(0.05, 8);
    /// // A p-value of 3 %.
    /// drift.observe(1, Novelty(1966));
    /// assert_eq!((drift.seen(), drift.novel_share(), drift.cluster_share(1)), (1, 1.0, 1.0));
    /// ```
    #[must_use]
    pub fn with_running_shares(mut self, rate: f32, log2_window: u32) -> Self {
        self.test = self.test.with_running_shares(rate, log2_window);
        self
    }

    /// Observes the assignment of one sample. Unknown clusters are ignored.
    pub fn observe(&mut self, cluster: u16, novelty: Novelty) {
        self.test.observe(cluster, novelty, &mut self.clusters);
    }

    /// Whether the test has ever raised an alarm. An alarm stays; to start over, create a new monitor.
    pub fn has_drifted(&self) -> bool {
        self.test.has_drifted()
    }

    /// The present evidence of drift and the evidence that raises an alarm, both in units of 2^-16 bit. The former may
    /// be negative.
    ///
    /// ```
    /// # let bytes = edgemix_format::testing::Spec { held_out: 1, ..Default::default() }.build().unwrap();
    /// # let model = edgemix_runtime::Model::from_bytes(&bytes).unwrap();
    /// let drift = edgemix_runtime::DriftMonitor::<3>::new(&model, 1000).unwrap();
    /// let (evidence, alarm) = drift.evidence();
    /// // One third of the capital for each bet, and 1000 to 1: log2 3000 is between 11 and 12 bits.
    /// assert!(evidence == 0 && (11 << 16..12 << 16).contains(&alarm));
    /// ```
    pub fn evidence(&self) -> (i32, i32) {
        self.test.evidence()
    }

    /// Number of observed samples, without those of unknown clusters.
    pub fn seen(&self) -> u64 {
        self.test.seen()
    }

    /// The running share of novel samples, from 0 to 1.
    pub fn novel_share(&self) -> f32 {
        self.test.novel_share()
    }

    /// The running share of a cluster, from 0 to 1. It is 0 for a cluster that does not exist.
    pub fn cluster_share(&self, cluster: u16) -> f32 {
        self.clusters.get(usize::from(cluster)).map_or(0.0, ClusterDrift::share)
    }
}

#[cfg(feature = "defmt")]
impl<const CLUSTERS: usize> defmt::Format for DriftMonitor<'_, CLUSTERS> {
    fn format(&self, f: defmt::Formatter) {
        let (evidence, alarm) = self.evidence();
        defmt::write!(
            f,
            "{=u64} samples, {=f32} of the last novel, evidence {=f32} of {=f32} bits, drifted {=bool}",
            self.seen(),
            self.novel_share(),
            evidence as f32 / 65536.0,
            alarm as f32 / 65536.0,
            self.has_drifted()
        );
    }
}
