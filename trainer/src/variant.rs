//! Which form of a method's mathematics.

use serde::{Deserialize, Serialize};

/// As the paper prints it, or corrected, where both are defined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// As printed.
    Paper,
    /// Corrected.
    #[default]
    Corrected,
}
