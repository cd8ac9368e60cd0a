//! The named chips, and what operations cost on their cores.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::Deserialize;

use super::work::{OPERATIONS, Tile};

/// A microcontroller.
///
/// ```
/// use edgemix::assessment::chips::Chip;
///
/// let chip: &Chip = "stm32l476".parse::<&Chip>()?;
/// assert_eq!((chip.name.as_str(), chip.flash(), chip.ram(), chip.mhz), ("STM32L476", 1 << 20, 128 << 10, 80.0));
/// assert!("STM32".parse::<&Chip>().is_err());
/// # Ok::<(), edgemix::assessment::chips::UnknownChip>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Its name, as its maker spells it.
    pub name: String,
    /// The core of `costs.toml` whose instructions it executes.
    core: String,
    /// How many instructions it begins in a cycle at most.
    #[serde(default = "one")]
    pub(super) issues: u32,
    /// The clock.
    pub mhz: f64,
    /// KiB of flash.
    flash: usize,
    /// KiB of RAM.
    ram: usize,
    /// Cycles that the core waits for a line of constants from flash.
    pub(super) wait: u64,
    /// Bytes of a line.
    pub(super) line: u64,
    /// Bytes of constants that are kept.
    pub(super) cache: u64,
    /// The supply current in mA while it runs.
    pub(super) milliamperes: Option<f64>,
    /// The voltage at which that current is stated.
    pub(super) volts: Option<f64>,
    /// The documents that these numbers are from.
    pub sources: Vec<String>,
}

fn one() -> u32 {
    1
}

/// No chip has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownChip(String);

impl fmt::Display for UnknownChip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no chip is called `{}`; the chips are {}", self.0, Chip::names().join(", "))
    }
}

impl std::error::Error for UnknownChip {}

impl FromStr for &'static Chip {
    type Err = UnknownChip;

    fn from_str(name: &str) -> Result<Self, UnknownChip> {
        let found = Chip::all().iter().find(|chip| chip.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| UnknownChip(name.to_owned()))
    }
}

impl Chip {
    /// All chips.
    pub fn all() -> &'static [Self] {
        &CHIPS.chip
    }

    /// The names of all chips.
    pub fn names() -> Vec<&'static str> {
        Self::all().iter().map(|chip| chip.name.as_str()).collect()
    }

    /// The core, as its maker spells it.
    pub fn core(&self) -> &'static str {
        match (self.core.as_str(), self.issues) {
            ("cortex-m0plus", _) => "Cortex-M0+",
            ("cortex-m33", _) => "Cortex-M33",
            ("cortex-m4", 1) => "Cortex-M4",
            ("cortex-m4", _) => "Cortex-M7",
            _ => "RV32IMC",
        }
    }

    /// Bytes of flash.
    pub fn flash(&self) -> usize {
        self.flash * 1024
    }

    /// Bytes of RAM.
    pub fn ram(&self) -> usize {
        self.ram * 1024
    }

    /// What operations cost.
    pub(super) fn costs(&self) -> &'static Costs {
        Costs::of(&self.core)
    }
}

/// What operations cost on a core, without wait states.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Costs {
    /// The smallest layer that the core's kernel computes.
    pub(super) tile: Tile,
    /// Instructions of each operation.
    pub(super) instructions: Vec<f64>,
    /// Cycles of each operation.
    pub(super) cycles: Vec<f64>,
}

impl Costs {
    /// The costs on a core of `costs.toml`.
    ///
    /// # Panics
    /// If there are none, which a test rules out for the cores of all chips.
    fn of(core: &str) -> &'static Self {
        &COSTS[core]
    }
}

#[derive(Deserialize)]
struct Chips {
    chip: Vec<Chip>,
}

#[derive(Deserialize)]
struct CostsRecord {
    tile: [usize; 2],
    instructions: BTreeMap<String, f64>,
    cycles: BTreeMap<String, f64>,
}

impl CostsRecord {
    fn resolve(self) -> Costs {
        let of = |costs: &BTreeMap<String, f64>| OPERATIONS.iter().map(|&name| costs[name]).collect();
        let [rows, inputs] = self.tile;
        Costs { tile: Tile { rows, inputs }, instructions: of(&self.instructions), cycles: of(&self.cycles) }
    }
}

static CHIPS: LazyLock<Chips> = LazyLock::new(|| toml::from_str(include_str!("chips.toml")).expect("a test reads it"));

static COSTS: LazyLock<BTreeMap<String, Costs>> = LazyLock::new(|| {
    let records: BTreeMap<String, CostsRecord> = toml::from_str(include_str!("costs.toml")).expect("a test reads it");
    records.into_iter().map(|(core, record)| (core, record.resolve())).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chip_has_costs_sources_and_both_or_neither_of_current_and_voltage() {
        assert!(Chip::all().len() >= 12);
        for chip in Chip::all() {
            assert_eq!(chip.costs().cycles.len(), OPERATIONS.len(), "{}", chip.name);
            assert!(!chip.sources.is_empty() && chip.line > 0, "{}", chip.name);
            assert_eq!(chip.milliamperes.is_some(), chip.volts.is_some(), "{}", chip.name);
            assert_eq!(chip.name.to_lowercase().parse(), Ok(chip));
        }
    }
}
