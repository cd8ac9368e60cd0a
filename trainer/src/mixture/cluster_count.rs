//! How a number of clusters was found.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::levels::{Level, NumberTrial};

/// A number of clusters and what it was derived from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterCountReport {
    /// The number of clusters.
    pub clusters: usize,
    /// The number of components of all samples.
    pub components: usize,
    /// The confusion threshold that was chosen.
    pub threshold: f64,
    /// How well random halves of the samples agree at each threshold.
    pub curve: Vec<ThresholdTrial>,
    /// How well the halves agree on each number of clusters; empty if there are none.
    #[serde(default)]
    pub by_number: Vec<NumberTrial>,
    /// The numbers of clusters that the model lists, from few to many; empty until it is trained.
    #[serde(default)]
    pub levels: Vec<Level>,
    /// For each merge of two groups of components, the number of groups that it leaves, and the share of the halves that
    /// agree with it.
    pub merges: Vec<(usize, f64)>,
    /// The numbers of samples and dimensions that these were found in.
    #[serde(default)]
    pub latents: (usize, usize),
    /// Whether halves were made of whole groups, such as people, and not of any samples.
    #[serde(default)]
    pub halves_of_groups: bool,
    /// The time that all of this took, in seconds.
    pub seconds: f64,
}

/// How well random halves of the samples agree at a confusion threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdTrial {
    /// The confusion threshold.
    pub threshold: f64,
    /// The adjusted Rand index of two halves, averaged over pairs.
    pub agreement: f64,
    /// The fewest, the mean and the most clusters of a half that hold at least one percent of the samples.
    pub clusters: (usize, f64, usize),
}

/// Why a number of clusters is doubtful.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Doubt {
    /// There is a single cluster. Random halves of the samples then agree because each of them sees one.
    SingleCluster,
    /// Random halves of the samples hardly agree.
    Unsteady {
        /// The number of clusters.
        clusters: usize,
        /// The number of components that these were grouped from.
        components: usize,
        /// The adjusted Rand index of two halves.
        agreement: f64,
    },
    /// The samples are too few to show the shape of a component, and so whether two of them are parts of one cluster.
    FewSamples {
        /// The number of clusters.
        clusters: usize,
        /// The samples of a component, on average.
        each: usize,
        /// The number of dimensions.
        dimensions: usize,
    },
}

/// The adjusted Rand index below which halves hardly agree.
const HARDLY: f64 = 0.7;

impl ClusterCountReport {
    /// The trial of the threshold that was chosen; `None` if there were no halves.
    pub fn chosen(&self) -> Option<&ThresholdTrial> {
        self.curve.iter().find(|trial| trial.threshold == self.threshold)
    }

    /// Why the number is doubtful, if it is.
    ///
    /// ```
    /// use edgemix::mixture::{consensus::Grouping, split_merge::SplitMerge, Doubt};
    /// use edgemix::random::{normal, stream};
    /// use ndarray::Array2;
    ///
    /// let noise = normal(200, &mut stream(0, "example", 0));
    /// let z = Array2::from_shape_fn((200, 1), |(i, _)| f64::from(noise[i]));
    /// let grouping = Grouping { halves: 4, ..Grouping::default() };
    /// let (_, report) = grouping.find(&SplitMerge::default(), z.view(), &mut stream(0, "example", 1))?;
    /// assert_eq!(report.doubt(), Some(Doubt::SingleCluster));
    /// # Ok::<(), edgemix::mixture::NotPositiveDefinite>(())
    /// ```
    pub fn doubt(&self) -> Option<Doubt> {
        let Self { clusters, components, latents: (samples, dimensions), .. } = *self;
        if clusters <= 1 {
            return Some(Doubt::SingleCluster);
        }
        let agreement = self.chosen().map(|trial| trial.agreement);
        if let Some(agreement) = agreement.filter(|agreement| *agreement < HARDLY) {
            return Some(Doubt::Unsteady { clusters, components, agreement });
        }
        let each = samples / components.max(1);
        (each <= dimensions && samples > 0).then_some(Doubt::FewSamples { clusters, each, dimensions })
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SingleCluster => f.write_str(
                "the model has a single cluster, to which it assigns every sample; there may be nothing to tell apart, or too few samples to show it",
            ),
            Self::Unsteady { clusters, components, agreement } => {
                write!(
                    f,
                    "random halves of the samples agree by {agreement:.2} only, so the number of {clusters} clusters is uncertain"
                )?;
                if components > clusters {
                    write!(f, ": they were grouped from {components} components")?;
                }
                Ok(())
            }
            Self::FewSamples { clusters, each, dimensions } => write!(
                f,
                "the number of {clusters} clusters is uncertain: {each} samples of a component in {dimensions} dimensions are too few \
                 to show its shape, and so whether two of them are one cluster"
            ),
        }
    }
}
