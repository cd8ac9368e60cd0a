//! Another level of a trained model, without training anew.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::head::Head;
use super::model::Trained;
use crate::base::text::counted;
use crate::mixture::Mixture;

/// Which of a model's levels is meant.
///
/// ```
/// use edgemix::trained::LevelChoice;
///
/// assert_eq!("coarse".parse(), Ok(LevelChoice::Coarse));
/// assert_eq!("3".parse(), Ok(LevelChoice::Clusters(3)));
/// assert!("finest".parse::<LevelChoice>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LevelChoice {
    /// That of the clusters that were trained.
    #[default]
    Trained,
    /// The level with the fewest clusters that is listed.
    Coarse,
    /// The level with the most clusters that is listed.
    Fine,
    /// The level with so many clusters.
    Clusters(usize),
}

impl FromStr for LevelChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "coarse" => Ok(Self::Coarse),
            "fine" => Ok(Self::Fine),
            _ => {
                text.parse().map(Self::Clusters).map_err(|_| "expected coarse, fine or a number of clusters".to_owned())
            }
        }
    }
}

impl fmt::Display for LevelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trained => f.write_str("as trained"),
            Self::Coarse => f.write_str("coarse"),
            Self::Fine => f.write_str("fine"),
            Self::Clusters(n) => n.fmt(f),
        }
    }
}

/// A model has no such level.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the model has no level of {}: {}", counted(*.asked, "cluster"), listed(.levels))]
pub struct NoLevel {
    /// The number of clusters that was asked for.
    pub asked: usize,
    /// The numbers of clusters of the levels that there are.
    pub levels: Vec<usize>,
}

fn listed(levels: &[usize]) -> String {
    match levels {
        [only] => format!("its only level has {}", counted(*only, "cluster")),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(usize::to_string).collect();
            format!("its levels have {} and {last} clusters", first.join(", "))
        }
        [] => "it has none".into(),
    }
}

impl Trained {
    /// The numbers of clusters of the levels that are listed, ascending. Without a mixture there is only the model's own.
    pub fn levels(&self) -> Vec<usize> {
        self.hierarchy.as_ref().map_or_else(|| vec![self.head.n_clusters()], |hierarchy| hierarchy.numbers())
    }

    /// The same model with the clusters of another level.
    ///
    /// ```
    /// # use edgemix::data::Scaling;
    /// # use edgemix::mixture::{Covariance, Hierarchy, Mixture};
    /// # use edgemix::trained::{Head, LevelChoice, Trained};
    /// # let covariance = Covariance::Spherical(vec![1.0; 3]);
    /// # let means = ndarray::array![[0.0], [5.0], [90.0]];
    /// # let mixture = Mixture { log_weights: vec![0.0; 3], means, covariance, clusters: vec![0, 1, 2] };
    /// # let hierarchy = Some(Hierarchy::new(&mixture, &[], false));
    /// # let (method, head) = ("by hand".into(), Head::Mixture(mixture));
    /// # let scaling = Scaling { gain: vec![1.0], offset: vec![0.0], limits: None };
    /// # let trained = Trained { method, front_end: None, scaling, encoder: vec![], head, hierarchy, decoder: None };
    /// // Two of the three clusters are near each other.
    /// let coarse = trained.at_level(LevelChoice::Coarse)?;
    /// assert_eq!((trained.head.n_clusters(), coarse.head.n_clusters()), (3, 2));
    /// // Nothing is lost.
    /// assert_eq!(coarse.at_level(LevelChoice::Clusters(3))?, trained);
    /// let error = trained.at_level(LevelChoice::Clusters(7)).unwrap_err();
    /// assert_eq!(error.to_string(), "the model has no level of 7 clusters: its levels have 2 and 3 clusters");
    /// # Ok::<(), edgemix::trained::NoLevel>(())
    /// ```
    ///
    /// # Errors
    /// [`NoLevel`] if the level is not listed.
    pub fn at_level(&self, level: LevelChoice) -> Result<Self, NoLevel> {
        let (own, levels) = (self.head.n_clusters(), self.levels());
        let asked = match level {
            LevelChoice::Trained => own,
            LevelChoice::Coarse => levels.first().copied().unwrap_or(own),
            LevelChoice::Fine => levels.last().copied().unwrap_or(own),
            LevelChoice::Clusters(n) => n,
        };
        if asked == own {
            return Ok(self.clone());
        }
        let (Head::Mixture(mixture), Some(hierarchy)) = (&self.head, &self.hierarchy) else {
            return Err(NoLevel { asked, levels });
        };
        let clusters = hierarchy.clusters(mixture, asked).ok_or(NoLevel { asked, levels })?;
        Ok(Self { head: Head::Mixture(Mixture { clusters, ..mixture.clone() }), ..self.clone() })
    }
}
