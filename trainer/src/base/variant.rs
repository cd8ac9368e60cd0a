//! The form of a method's mathematics.

use serde::{Deserialize, Serialize};

/// The form of a method that its paper prints, or the corrected one, where both are defined.
///
/// ```
/// use edgemix::methods::MethodConfig;
/// use edgemix::variant::Variant;
///
/// let mut dcan = MethodConfig::named("dcan").unwrap();
/// assert!(dcan.set_variant(Variant::Paper));
/// assert!(matches!(dcan, MethodConfig::Dcan(dcan) if dcan.variant == Variant::Paper));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// As printed.
    Paper,
    /// Corrected.
    #[default]
    Corrected,
}
