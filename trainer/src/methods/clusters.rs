//! How many clusters are asked for.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::registry::MethodConfig;
use crate::base::text::counted;

/// How many clusters are asked for: `auto`, `10` or `8..12`.
///
/// ```
/// use edgemix::methods::{Clusters, MethodConfig};
///
/// assert_eq!("8..12".parse(), Ok(Clusters::Within(8, 12)));
/// let mut dec = MethodConfig::named("dec").unwrap();
/// assert!(Clusters::Within(10, 10).apply(&mut dec).is_ok());
/// assert!(Clusters::Auto.apply(&mut dec).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clusters {
    /// As many as the method finds.
    Auto,
    /// At least the first number and at most the second.
    Within(usize, usize),
}

/// Why a method, or samples, can't have so many clusters.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ClustersError {
    /// The method can't determine the number.
    #[error("{clusters}: {method} needs a single number; only grow and alpha-jsd determine the number themselves")]
    SingleNumber {
        /// What is asked for.
        clusters: Clusters,
        /// The method's name.
        method: &'static str,
    },
    /// No clusters are asked for.
    #[error("{0}: there must be at least one cluster")]
    None(Clusters),
    /// There are fewer samples.
    #[error("{clusters}: {} can't have more than {}", counted(*n_samples, "sample"), counted(*n_samples, "cluster"))]
    FewSamples {
        /// What is asked for.
        clusters: Clusters,
        /// Number of samples.
        n_samples: usize,
    },
}

impl FromStr for Clusters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let number = |part: &str| {
            let refused = |_| "expected auto, a number such as 10, or a range such as 8..12".to_owned();
            part.trim().parse::<usize>().map_err(refused)
        };
        let (least, most) = match text.split_once("..") {
            Some((least, most)) => (number(least)?, number(most)?),
            None => (number(text)?, number(text)?),
        };
        if most < least {
            Err(format!("the range is empty: no number is at least {least} and at most {most}"))
        } else {
            Ok(Self::Within(least, most))
        }
    }
}

impl fmt::Display for Clusters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Within(least, most) if least == most => write!(f, "{least}"),
            Self::Within(least, most) => write!(f, "{least}..{most}"),
        }
    }
}

impl Clusters {
    /// Passes the number on to the method.
    ///
    /// # Errors
    /// [`ClustersError::SingleNumber`] if the method must determine the number but can't.
    pub fn apply(self, method: &mut MethodConfig) -> Result<(), ClustersError> {
        let applied = match self {
            Self::Auto => method.set_cluster_bounds(1, None),
            Self::Within(least, most) if least == most => {
                method.set_n_clusters(most);
                true
            }
            Self::Within(least, most) => method.set_cluster_bounds(least, Some(most)),
        };
        let refused = || ClustersError::SingleNumber { clusters: self, method: method.name() };
        if applied { Ok(()) } else { Err(refused()) }
    }

    /// Checks that there are enough samples.
    ///
    /// # Errors
    /// [`ClustersError::None`] and [`ClustersError::FewSamples`].
    pub fn check(self, n_samples: usize) -> Result<(), ClustersError> {
        match self {
            Self::Within(0, _) => Err(ClustersError::None(self)),
            Self::Within(_, most) if most > n_samples => Err(ClustersError::FewSamples { clusters: self, n_samples }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_read() {
        assert_eq!("auto".parse(), Ok(Clusters::Auto));
        assert_eq!("7".parse(), Ok(Clusters::Within(7, 7)));
        assert_eq!("8..12".parse(), Ok(Clusters::Within(8, 12)));
        assert!("12..8".parse::<Clusters>().unwrap_err().contains("at least 12 and at most 8"));
        for text in ["", "many", "3..", "-1", "3...4"] {
            assert!(text.parse::<Clusters>().unwrap_err().contains("such as 8..12"), "{text}");
        }
        for text in ["auto", "7", "8..12"] {
            assert_eq!(text.parse::<Clusters>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_methods_that_determine_the_number_accept_a_range() {
        for &name in MethodConfig::NAMES {
            let mut method = MethodConfig::named(name).unwrap();
            assert!(Clusters::Within(4, 4).apply(&mut method).is_ok(), "{name}");
            assert_eq!(
                Clusters::Within(4, 6).apply(&mut method).is_ok(),
                ["grow", "alpha-jsd"].contains(&name),
                "{name}"
            );
        }
    }
}
