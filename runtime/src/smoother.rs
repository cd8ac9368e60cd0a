//! A smoother of clusters: [`ClusterFilter`] with memory for a constant number of clusters.

use crate::{Assignment, ClusterBelief, ClusterFilter, Model, SmootherError};

/// Corrects the cluster of a window by the windows before it. `CLUSTERS` is at least the model's
/// [`n_clusters`](crate::n_clusters).
///
/// It is the forward algorithm of a hidden Markov model whose states are the clusters (L. Rabiner, "A Tutorial on Hidden
/// Markov Models and Selected Applications in Speech Recognition", 1989), in integers; `docs/FORMAT.md` defines each bit.
/// The model knows from its training how long a cluster lasts, and how large its share is.
///
/// ```
/// # let bytes = edgemix_format::testing::Spec { transitions: true, ..Default::default() }.build().unwrap();
/// use edgemix_runtime::{Model, Smoother, Workspace};
///
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut workspace = Workspace::<64>::new();
/// let mut smoother = Smoother::<3>::new(&model).unwrap();
/// let found = model.assign_raw(&[40u8; 6], &mut workspace).unwrap();
/// let cluster = smoother.observe(&found);
/// assert!(smoother.probability(cluster) > 1.0 / 3.0);
/// // A window was lost: what was known tells ever less of what comes next.
/// smoother.miss();
/// // Behind a gap or a restart it tells nothing.
/// smoother.restart();
/// ```
#[derive(Clone, Debug)]
pub struct Smoother<'m, const CLUSTERS: usize> {
    filter: ClusterFilter<'m>,
    clusters: [ClusterBelief; CLUSTERS],
}

impl<'m, const CLUSTERS: usize> Smoother<'m, CLUSTERS> {
    /// A smoother that has seen no windows.
    ///
    /// # Errors
    /// [`SmootherError::NoTransitions`] if the model does not know how its clusters follow each other, and
    /// [`SmootherError::TooManyClusters`] if it has more than `CLUSTERS` clusters.
    pub fn new(model: &Model<'m>) -> Result<Self, SmootherError> {
        let mut clusters = [ClusterBelief::default(); CLUSTERS];
        Ok(Self { filter: ClusterFilter::new(model, &mut clusters)?, clusters })
    }

    /// Observes the assignment of the next window. Returns the most probable cluster, the first of several.
    pub fn observe(&mut self, found: &Assignment) -> u16 {
        self.filter.observe(found, &mut self.clusters)
    }

    /// A window that was not observed: lost, or too novel to say anything of the clusters.
    pub fn miss(&mut self) {
        self.filter.miss(&mut self.clusters);
    }

    /// Forgets all windows, as after a gap or a restart.
    pub fn restart(&mut self) {
        self.filter.restart(&mut self.clusters);
    }

    /// The most probable cluster, the first of several.
    pub fn cluster(&self) -> u16 {
        self.filter.cluster(&self.clusters)
    }

    /// What is known of each cluster.
    pub fn beliefs(&self) -> &[ClusterBelief; CLUSTERS] {
        &self.clusters
    }

    /// The probability of a cluster, from 0 to 1; 0 for one that does not exist.
    pub fn probability(&self, cluster: u16) -> f32 {
        self.clusters.get(usize::from(cluster)).map_or(0.0, ClusterBelief::probability)
    }
}

#[cfg(feature = "defmt")]
impl<const CLUSTERS: usize> defmt::Format for Smoother<'_, CLUSTERS> {
    fn format(&self, f: defmt::Formatter) {
        let cluster = self.cluster();
        defmt::write!(f, "cluster {=u16}, probability {=f32}", cluster, self.probability(cluster));
    }
}
