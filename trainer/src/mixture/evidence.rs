//! How much the covariances of components have in common: as much as makes the samples most probable.
//!
//! Full covariances take more samples than there are dimensions. Whichever description of all samples is the most probable one
//! is chosen (type II maximum likelihood), so that neither labels nor a scale are needed. What was estimated for a description
//! is charged by the Bayesian information criterion (Schwarz, "Estimating the dimension of a model", 1978).

use ndarray::ArrayView2;

use super::points::{Points, center};
use super::prior::Covariances;
use super::split_merge::SplitMerge;
use super::subspace::{FULL, Subspace};
use crate::base::arrays::row_slices;
use crate::base::stop::StopFlag;

/// The most samples for which descriptions are compared. More of them can carry full covariances.
const FEW: usize = 1000;

impl SplitMerge {
    /// The same moves with the [`Covariances`] that are most probable for `N x D` latents, unless they are set. Random parts of
    /// the latents are then described as all of them are.
    ///
    /// ```
    /// use edgemix::mixture::split_merge::SplitMerge;
    /// use edgemix::mixture::Covariances;
    /// use edgemix::random::{normal, stream};
    /// use ndarray::Array2;
    ///
    /// // Six samples about each of ten places in ten dimensions can carry no full covariances.
    /// let noise = normal(600, &mut stream(0, "example", 0));
    /// let z = Array2::from_shape_fn((60, 10), |(i, d)| f64::from(noise[10 * i + d]) + if d == i % 10 { 20.0 } else { 0.0 });
    /// let moves = SplitMerge::default().with_covariances_for(z.view());
    /// assert_ne!(moves.covariances, Covariances::Own);
    /// assert_eq!(moves.fit(z.view(), &mut stream(0, "example", 1))?.n_components(), 10);
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    #[must_use]
    pub fn with_covariances_for(&self, z: ArrayView2<f64>) -> Self {
        if self.covariances != Covariances::Auto {
            return *self;
        }
        if z.nrows() > FEW {
            return Self { covariances: Covariances::Own, ..*self };
        }
        let z = z.as_standard_layout();
        let z = if z.ncols() > FULL {
            Subspace::fit(row_slices(z.view()), z.ncols()).project(z.view())
        } else {
            z.into_owned()
        };
        let center = center(row_slices(z.view()), z.ncols());
        let points = Points::about(&center, row_slices(z.view()));
        let mut best = (f64::NEG_INFINITY, *self);
        for covariances in [Covariances::Own, Covariances::Shrunken, Covariances::Shared] {
            let moves = Self { covariances, ..*self };
            let charge = 0.5 * covariances.n_estimated(z.ncols()) as f64 * (z.nrows() as f64).ln();
            let log_evidence = moves.grow(&StopFlag::default(), &points, 0).log_joint - charge;
            if log_evidence > best.0 {
                best = (log_evidence, moves);
            }
        }
        best.1
    }
}
