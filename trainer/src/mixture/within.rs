//! Components of samples whose clusters are known.
//!
//! They are grown in each cluster by itself, so that none of them is of two clusters; then an iteration of expectation
//! maximisation over all samples lets those at a border go where they are more probable.

use rand::Rng;

use super::split_merge::SplitMerge;
use super::subspace::{FULL, Subspace};
use super::{Mixture, NotPositiveDefinite};

/// Iterations over all samples. With more of them a border follows the density and forgets what the clusters say.
const ROUNDS: usize = 1;

impl SplitMerge {
    /// A mixture of `N x D` latents, row-major, whose components stand in the clusters that their samples had; clusters
    /// without samples have none. Of [`Self::max_components`] each cluster has its share, one at least; of more than
    /// [`FULL`] dimensions covariances are full along the leading axes only.
    ///
    /// ```
    /// use edgemix::mixture::split_merge::SplitMerge;
    /// use edgemix::random::{normal, stream};
    ///
    /// // The two ends of a line are one cluster, its middle is another.
    /// let noise = normal(600, &mut stream(0, "example", 0));
    /// let z: Vec<f64> = (0..600).map(|i| [-4.0, 0.0, 4.0][i % 3] + 0.3 * f64::from(noise[i])).collect();
    /// let clusters: Vec<u16> = (0..600).map(|i| [0, 1, 0][i % 3]).collect();
    /// let mixture = SplitMerge::default().fit_within(&z, 1, &clusters, &mut stream(0, "example", 1))?;
    /// assert_eq!(mixture.clusters, [0, 0, 1]);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a covariance is not, which the prior keeps from happening.
    pub fn fit_within(
        &self,
        z: &[f64],
        dims: usize,
        clusters: &[u16],
        rng: &mut impl Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        if dims <= FULL {
            return Ok(self.grown_within(z, dims, clusters, rng)?.0);
        }
        let subspace = Subspace::of(z.chunks_exact(dims), dims);
        let projected = subspace.project(z);
        let (mixture, components) = self.grown_within(&projected, subspace.rank(), clusters, rng)?;
        let components: Vec<usize> = components.into_iter().map(|component| component as usize).collect();
        Ok(subspace.lift(mixture, z, &components))
    }

    /// The mixture, and each sample's component before expectation maximisation.
    fn grown_within(
        &self,
        z: &[f64],
        dims: usize,
        clusters: &[u16],
        rng: &mut impl Rng,
    ) -> Result<(Mixture, Vec<u32>), NotPositiveDefinite> {
        let mut labels = vec![0u32; clusters.len()];
        let mut owners = vec![];
        for cluster in 0..=clusters.iter().copied().max().unwrap_or(0) {
            let members: Vec<usize> = (0..clusters.len()).filter(|&row| clusters[row] == cluster).collect();
            if members.is_empty() {
                continue;
            }
            let own: Vec<f64> = members.iter().flat_map(|&row| &z[row * dims..(row + 1) * dims]).copied().collect();
            let most = self.max_components * members.len() / clusters.len();
            let grown = Self { min_components: 1, max_components: most.max(1), ..*self }.fit_full(&own, dims, rng);
            let mut names = vec![None; grown.n_components()];
            for (row, component) in members.into_iter().zip(grown.components(&own)?) {
                labels[row] = *names[component].get_or_insert_with(|| {
                    owners.push(cluster);
                    owners.len() as u32 - 1
                });
            }
        }
        Ok((Mixture { clusters: owners, ..self.soften(z, dims, &labels, ROUNDS) }, labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{normal, stream};

    /// One wide Gaussian, cut at zero, in few and in many dimensions: what is one component by itself is two here.
    #[test]
    fn no_component_is_of_two_clusters() {
        for (dims, least) in [(2, 900), (FULL + 8, 750)] {
            let noise = normal(1000 * dims, &mut stream(3, "within", dims as u64));
            let mut z: Vec<f64> = noise.into_iter().map(f64::from).collect();
            z.chunks_exact_mut(dims).for_each(|row| row[0] *= 5.0);
            let clusters: Vec<u16> = z.chunks_exact(dims).map(|row| if row[0] > 0.0 { 2 } else { 1 }).collect();
            let rng = &mut stream(3, "within", 99);
            assert_eq!(SplitMerge::default().fit(&z, dims, rng).n_components(), 1, "{dims}");
            let mixture = SplitMerge::default().fit_within(&z, dims, &clusters, rng).unwrap();
            assert_eq!(mixture.clusters.iter().min(), Some(&1), "{dims}");
            assert!(mixture.n_dims() == dims && mixture.clusters.contains(&2), "{dims}");
            let found = mixture.components(&z).unwrap();
            let agree = found.iter().zip(&clusters).filter(|(k, cluster)| mixture.clusters[**k] == **cluster).count();
            assert!(agree > least, "{dims}: {agree}");
        }
    }

    #[test]
    fn every_cluster_has_its_share_of_the_components_at_most() {
        let noise = normal(4000, &mut stream(4, "within", 0));
        let z: Vec<f64> = noise.iter().enumerate().map(|(i, x)| 20.0 * (i % 40) as f64 + f64::from(*x)).collect();
        let clusters: Vec<u16> = (0..4000).map(|i| u16::from(i % 40 >= 30)).collect();
        let few = SplitMerge { max_components: 8, ..SplitMerge::default() };
        let mixture = few.fit_within(&z, 1, &clusters, &mut stream(4, "within", 1)).unwrap();
        let count = |cluster| mixture.clusters.iter().filter(|of| **of == cluster).count();
        assert!((1..=6).contains(&count(0)) && (1..=2).contains(&count(1)), "{:?}", mixture.clusters);
    }
}
