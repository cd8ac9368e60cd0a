//! `--clusters`: how many there are to be.

use std::fmt;
use std::str::FromStr;

use super::CliError;
use crate::methods::MethodConfig;

/// How many clusters are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clusters {
    /// As many as the method finds.
    Auto,
    /// At least and at most.
    Within(usize, usize),
}

impl FromStr for Clusters {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let number = |part: &str| {
            let refused = |_| "expected auto, a number as in 10, or a range as in 8..12".to_owned();
            part.trim().parse::<usize>().map_err(refused)
        };
        let (least, most) = match text.split_once("..") {
            Some((least, most)) => (number(least)?, number(most)?),
            None => (number(text)?, number(text)?),
        };
        if most < least {
            Err(format!("no number is at least {least} and at most {most}"))
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
    /// Tells the method; one that can't find a number is not asked to.
    pub(super) fn tell(self, method: &mut MethodConfig) -> Result<(), CliError> {
        let name = method.name();
        let told = match self {
            Self::Auto => method.set_cluster_bounds(1, None),
            Self::Within(least, most) if least == most => {
                method.set_n_clusters(most);
                true
            }
            Self::Within(least, most) => method.set_cluster_bounds(least, Some(most)),
        };
        if told {
            return Ok(());
        }
        Err(CliError::Use(format!("--clusters {self}: {name} must be told one number; grow and alpha-jsd find it")))
    }

    /// As far as the samples allow it.
    pub(super) fn check(self, n_samples: usize) -> Result<(), CliError> {
        match self {
            Self::Within(0, _) => Err(CliError::Use(format!("--clusters {self}: there must be at least one"))),
            Self::Within(_, most) if most > n_samples => Err(CliError::Use(format!(
                "--clusters {self}: there are {n_samples} samples, and no more clusters than those"
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
            assert!(text.parse::<Clusters>().unwrap_err().contains("as in 8..12"), "{text}");
        }
        for text in ["auto", "7", "8..12"] {
            assert_eq!(text.parse::<Clusters>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn only_methods_that_find_a_number_are_asked_for_one() {
        for &name in MethodConfig::NAMES {
            let mut method = MethodConfig::named(name).unwrap();
            assert!(Clusters::Within(4, 4).tell(&mut method).is_ok(), "{name}");
            assert_eq!(
                Clusters::Within(4, 6).tell(&mut method).is_ok(),
                ["grow", "alpha-jsd"].contains(&name),
                "{name}"
            );
        }
    }
}
