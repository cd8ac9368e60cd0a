//! `--clusters`: how many clusters are asked for.

use std::fmt;
use std::str::FromStr;

use super::error::CliError;
use crate::base::text::counted;
use crate::methods::MethodConfig;

/// How many clusters are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clusters {
    /// As many as the method finds.
    Auto,
    /// At least the first number and at most the second.
    Within(usize, usize),
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
    /// Passes the number on to the method; fails if the method must determine the number but can't.
    pub(super) fn apply(self, method: &mut MethodConfig) -> Result<(), CliError> {
        let name = method.name();
        let applied = match self {
            Self::Auto => method.set_cluster_bounds(1, None),
            Self::Within(least, most) if least == most => {
                method.set_n_clusters(most);
                true
            }
            Self::Within(least, most) => method.set_cluster_bounds(least, Some(most)),
        };
        if applied {
            return Ok(());
        }
        Err(CliError::Usage(format!(
            "--clusters {self}: {name} needs a single number; only grow and alpha-jsd determine the number themselves"
        )))
    }

    /// Checks that there are enough samples.
    pub(super) fn check(self, n_samples: usize) -> Result<(), CliError> {
        match self {
            Self::Within(0, _) => {
                Err(CliError::Usage(format!("--clusters {self}: there must be at least one cluster")))
            }
            Self::Within(_, most) if most > n_samples => Err(CliError::Usage(format!(
                "--clusters {self}: {} can't have more than {}",
                counted(n_samples, "sample"),
                counted(n_samples, "cluster")
            ))),
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
