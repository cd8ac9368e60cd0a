//! What people should know of a fit that succeeded.

use std::fmt;

use super::fit::FitSummary;
use crate::assessment::collapse::Collapse;
use crate::assessment::lone::LoneCluster;
use crate::data::split::MIN_HELD_OUT;
use crate::mixture::{ClusterCountReport, Doubt};
use crate::quantize::QuantizeError;

/// Something that people should know of a fit that succeeded.
///
/// ```
/// # use edgemix::data::{self, Source};
/// # use edgemix::methods::FitConfig;
/// # use edgemix::workflow::{ExistingRun, FitOptions, Plan, fit, start};
/// use edgemix::workflow::Remark;
///
/// # let folder = tempfile::tempdir()?;
/// # let dataset = data::digits();
/// # let epochs = edgemix::training::PhaseSettings::with_epochs(1);
/// // Two in a hundred digits are too few to be held out.
/// # let config = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
/// let config = FitConfig { holdout: 0.02, ..config };
/// let plan = Plan::new(&Source::new("digits"), &dataset, config)?;
/// # let run = start(folder.path(), &plan, ExistingRun::Refuse)?;
/// # let options = FitOptions { allow_disagreement: true, ..FitOptions::default() };
/// let summary = fit(&run, &plan, &options, &mut ())?;
/// let remarks = summary.remarks(plan.config().holdout);
/// assert!(remarks.iter().any(|remark| matches!(remark, Remark::NoneHeldOut { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Remark<'a> {
    /// The integers disagree with the trained model, which was allowed.
    Disagreement(&'a QuantizeError),
    /// No samples are held out, although some should be.
    NoneHeldOut {
        /// The share of the samples that should be held out, in per cent.
        percent: f64,
    },
    /// One group of the samples shows a cluster alone.
    Lone(&'a LoneCluster),
    /// The clustering collapsed.
    Collapse(&'a Collapse),
    /// The number of clusters is doubtful.
    Doubt(Doubt),
    /// Halves of the samples agree for a reason that says nothing of the number of clusters.
    SingleInHalves,
}

impl fmt::Display for Remark<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disagreement(error) => error.fmt(f),
            Self::NoneHeldOut { percent } => write!(
                f,
                "no samples were held out, since {percent:.0} % of them are fewer than {MIN_HELD_OUT}, or no group is small enough: the \
                 p-values of novelty come from the training samples, and are too small for new ones"
            ),
            Self::Lone(lone) => write!(f, "{lone}: it may show the group, and not a kind of sample"),
            Self::Collapse(collapse) => collapse.fmt(f),
            Self::Doubt(doubt) => doubt.fmt(f),
            Self::SingleInHalves => f.write_str(
                "the random halves of the samples agree only because each of them is a single cluster: this agreement says nothing \
                 about the number of clusters",
            ),
        }
    }
}

impl Remark<'_> {
    /// Whether the result may be of no use. Other remarks are only good to know.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Self::NoneHeldOut { .. } | Self::Lone(_))
    }
}

impl FitSummary {
    /// What people should know of the fit. `holdout` is the share of the samples that should be held out.
    pub fn remarks(&self, holdout: f64) -> Vec<Remark<'_>> {
        let disagreement = self.disagreement.iter().map(Remark::Disagreement);
        let is_none_held_out = self.held_out == 0 && holdout > 0.0;
        let none_held_out = is_none_held_out.then_some(Remark::NoneHeldOut { percent: 100.0 * holdout });
        let lone = self.lone.iter().map(Remark::Lone);
        let collapse = self.collapse.iter().map(Remark::Collapse);
        disagreement.chain(none_held_out).chain(lone).chain(collapse).collect()
    }
}

/// What people should know of a number of clusters, of which the search may have a report.
///
/// ```
/// use edgemix::mixture::Doubt;
/// use edgemix::workflow::{Remark, remarks_on_count};
///
/// assert!(matches!(remarks_on_count(1, None)[..], [Remark::Doubt(Doubt::SingleCluster)]));
/// assert!(remarks_on_count(7, None).is_empty());
/// ```
pub fn remarks_on_count(n_clusters: usize, search: Option<&ClusterCountReport>) -> Vec<Remark<'static>> {
    let doubt = match n_clusters {
        1 => Some(Doubt::SingleCluster),
        _ => search.and_then(ClusterCountReport::doubt),
    };
    let chosen = search.and_then(ClusterCountReport::chosen);
    let is_single = chosen.is_some_and(|choice| choice.clusters.2 == 1);
    doubt.map(Remark::Doubt).into_iter().chain(is_single.then_some(Remark::SingleInHalves)).collect()
}
