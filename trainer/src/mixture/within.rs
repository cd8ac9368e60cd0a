//! Components of samples whose clusters are known.
//!
//! Components are grown within each cluster, so that none of them spans two clusters. Then one iteration of expectation
//! maximisation over all samples lets samples at a border move to where they are more probable.

use ndarray::ArrayView2;
use rand::Rng;

use super::covariance::NotPositiveDefinite;
use super::gaussian_mixture::Mixture;
use super::split_merge::SplitMerge;
use super::subspace::{FULL, Subspace};
use crate::base::arrays::{row_slices, select_rows};
use crate::base::stop::StopFlag;

/// Iterations over all samples. With more of them the borders would follow the density instead of the clusters.
const ROUNDS: usize = 1;

impl SplitMerge {
    /// A mixture of `N x D` latents whose components belong to the clusters of their samples. Clusters without samples have
    /// no components. Each cluster gets its share of [`Self::max_components`], and at least one. Beyond [`FULL`] dimensions
    /// covariances are full along the leading axes only.
    ///
    /// ```
    /// use edgemix::mixture::split_merge::SplitMerge;
    /// use edgemix::random::{normal, stream};
    /// use ndarray::Array2;
    ///
    /// // The two ends of a line are one cluster, its middle is another.
    /// let noise = normal(600, &mut stream(0, "example", 0));
    /// let z = Array2::from_shape_fn((600, 1), |(i, _)| [-4.0, 0.0, 4.0][i % 3] + 0.3 * f64::from(noise[i]));
    /// let clusters: Vec<u16> = (0..600).map(|i| [0, 1, 0][i % 3]).collect();
    /// let mixture = SplitMerge::default().fit_within(z.view(), &clusters, &mut stream(0, "example", 1))?;
    /// assert_eq!(mixture.clusters, [0, 0, 1]);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    ///
    /// # Errors
    /// [`NotPositiveDefinite`] if a covariance is not positive definite, which the prior prevents for finite latents.
    pub fn fit_within(
        &self,
        z: ArrayView2<f64>,
        clusters: &[u16],
        rng: &mut impl Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        self.fit_within_until(&StopFlag::default(), z, clusters, rng)
    }

    /// Like [`fit_within`](Self::fit_within). Once the flag is raised, what has been found is of no use.
    ///
    /// # Errors
    /// As for [`fit_within`](Self::fit_within).
    pub fn fit_within_until(
        &self,
        stop: &StopFlag,
        z: ArrayView2<f64>,
        clusters: &[u16],
        rng: &mut impl Rng,
    ) -> Result<Mixture, NotPositiveDefinite> {
        let z = z.as_standard_layout();
        let z = z.view();
        let moves = self.with_covariances_for(z);
        if z.ncols() <= FULL {
            return Ok(moves.grown_within(stop, z, clusters, rng)?.0);
        }
        let subspace = Subspace::fit(row_slices(z), z.ncols());
        let projected = subspace.project(z);
        let (mixture, components) = moves.grown_within(stop, projected.view(), clusters, rng)?;
        let components: Vec<usize> = components.into_iter().map(|component| component as usize).collect();
        Ok(subspace.lift(mixture, z, &components))
    }

    /// The mixture, and each sample's component before expectation maximisation.
    fn grown_within(
        &self,
        stop: &StopFlag,
        z: ArrayView2<f64>,
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
            let own = select_rows(z, members.iter().copied());
            let most = self.max_components * members.len() / clusters.len();
            let grown =
                Self { min_components: 1, max_components: most.max(1), ..*self }.fit_full(stop, own.view(), rng);
            let mut names = vec![None; grown.n_components()];
            for (row, component) in members.into_iter().zip(grown.components(own.view())?) {
                labels[row] = *names[component].get_or_insert_with(|| {
                    owners.push(cluster);
                    owners.len() as u32 - 1
                });
            }
        }
        Ok((Mixture { clusters: owners, ..self.soften(z, &labels, ROUNDS) }, labels))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arrays::from_rows;
    use crate::base::random::{normal, stream};

    /// One wide Gaussian, cut at zero, in few and in many dimensions: one component by itself, two with these clusters.
    #[test]
    fn no_component_spans_two_clusters() {
        for (dims, least) in [(2, 900), (FULL + 8, 750)] {
            let noise = normal(1000 * dims, &mut stream(3, "within", dims as u64));
            let mut z = from_rows(noise.into_iter().map(f64::from).collect(), dims);
            z.column_mut(0).iter_mut().for_each(|x| *x *= 5.0);
            let clusters: Vec<u16> = z.column(0).iter().map(|&x| if x > 0.0 { 2 } else { 1 }).collect();
            let rng = &mut stream(3, "within", 99);
            assert_eq!(SplitMerge::default().fit(z.view(), rng).unwrap().n_components(), 1, "{dims}");
            let mixture = SplitMerge::default().fit_within(z.view(), &clusters, rng).unwrap();
            assert_eq!(mixture.clusters.iter().min(), Some(&1), "{dims}");
            assert!(mixture.n_dims() == dims && mixture.clusters.contains(&2), "{dims}");
            let found = mixture.components(z.view()).unwrap();
            let agree = found.iter().zip(&clusters).filter(|(k, cluster)| mixture.clusters[**k] == **cluster).count();
            assert!(agree > least, "{dims}: {agree}");
        }
    }

    #[test]
    fn every_cluster_has_at_most_its_share_of_the_components() {
        let noise = normal(4000, &mut stream(4, "within", 0));
        let z = noise.iter().enumerate().map(|(i, x)| 20.0 * (i % 40) as f64 + f64::from(*x));
        let z = from_rows(z.collect(), 1);
        let clusters: Vec<u16> = (0..4000).map(|i| u16::from(i % 40 >= 30)).collect();
        let few = SplitMerge { max_components: 8, ..SplitMerge::default() };
        let mixture = few.fit_within(z.view(), &clusters, &mut stream(4, "within", 1)).unwrap();
        let count = |cluster| mixture.clusters.iter().filter(|of| **of == cluster).count();
        assert!((1..=6).contains(&count(0)) && (1..=2).contains(&count(1)), "{:?}", mixture.clusters);
    }
}
