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
    /// The maker's documents, where these numbers are to be looked up.
    pub sources: Vec<String>,
    /// The public document that each figure was compared with.
    compared: BTreeMap<Figure, String>,
}

/// A figure of a chip on which an estimate depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Figure {
    /// The clock.
    Clock,
    /// The sizes of flash and RAM.
    Memory,
    /// How long the core waits for a line of constants from flash.
    Waits,
    /// The bytes of such a line, and of a cache of constants.
    Lines,
    /// The supply current and its voltage.
    Current,
}

impl Figure {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Clock, Self::Memory, Self::Waits, Self::Lines, Self::Current];
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clock => "clock",
            Self::Memory => "memory",
            Self::Waits => "wait states",
            Self::Lines => "flash lines",
            Self::Current => "current",
        })
    }
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

    /// The document that a figure was compared with; `None` if it was not compared with any.
    ///
    /// ```
    /// use edgemix::assessment::chips::{Chip, Figure};
    ///
    /// let chip: &Chip = "STM32L476".parse()?;
    /// assert!(chip.compared_with(Figure::Memory).is_some_and(|document| document.contains("stm32l476xx.h")));
    /// let chip: &Chip = "nRF52840".parse()?;
    /// assert_eq!(chip.compared_with(Figure::Waits), None);
    /// # Ok::<(), edgemix::assessment::chips::UnknownChip>(())
    /// ```
    pub fn compared_with(&self, figure: Figure) -> Option<&str> {
        self.compared.get(&figure).map(String::as_str)
    }

    /// The figures that were compared with no document, although the estimates use them.
    pub fn unconfirmed(&self) -> Vec<Figure> {
        let is_used = |figure: &Figure| *figure != Figure::Current || self.milliamperes.is_some();
        Figure::ALL.into_iter().filter(|figure| is_used(figure) && !self.compared.contains_key(figure)).collect()
    }

    /// The same as words, such as "; unconfirmed: wait states, flash lines"; empty if there are none.
    pub fn unconfirmed_text(&self) -> String {
        let figures: Vec<String> = self.unconfirmed().iter().map(Figure::to_string).collect();
        if figures.is_empty() { String::new() } else { format!("; unconfirmed: {}", figures.join(", ")) }
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
    tile: [usize; 3],
    instructions: BTreeMap<String, f64>,
    cycles: BTreeMap<String, f64>,
}

impl CostsRecord {
    fn resolve(self) -> Costs {
        let of = |costs: &BTreeMap<String, f64>| OPERATIONS.iter().map(|&name| costs[name]).collect();
        let [rows, inputs, positions] = self.tile;
        Costs { tile: Tile { rows, inputs, positions }, instructions: of(&self.instructions), cycles: of(&self.cycles) }
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
            assert!(chip.compared.values().all(|document| document.len() > 10), "{}", chip.name);
            assert!(chip.milliamperes.is_some() || !chip.compared.contains_key(&Figure::Current), "{}", chip.name);
            assert_eq!(chip.milliamperes.is_some(), chip.volts.is_some(), "{}", chip.name);
            assert_eq!(chip.name.to_lowercase().parse(), Ok(chip));
        }
    }

    #[test]
    fn clock_and_memory_are_confirmed_and_each_core_has_a_chip() {
        for chip in Chip::all() {
            let unconfirmed = chip.unconfirmed();
            assert!(
                !unconfirmed.iter().any(|figure| [Figure::Clock, Figure::Memory].contains(figure)),
                "{}",
                chip.name
            );
        }
        for core in ["Cortex-M0+", "Cortex-M4", "Cortex-M33", "Cortex-M7", "RV32IMC"] {
            assert!(Chip::all().iter().any(|chip| chip.core() == core), "{core}");
        }
    }

    /// The table of the documentation, line by line.
    #[test]
    fn the_documentation_has_the_figures() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/chips.md");
        let documentation = std::fs::read_to_string(path).unwrap();
        for chip in Chip::all() {
            let mark = |figure| if chip.unconfirmed().contains(&figure) { "?" } else { "" };
            let current = chip.milliamperes.zip(chip.volts).map_or_else(String::new, |(milliamperes, volts)| {
                format!("{milliamperes:?} mA at {volts:?} V{}", mark(Figure::Current))
            });
            let (waits, lines) = (mark(Figure::Waits), mark(Figure::Lines));
            let Chip { name, mhz, flash, ram, wait, line, cache, .. } = chip;
            let core = chip.core();
            let row = format!(
                "| {name} | {core} | {mhz} | {flash} | {ram} | {wait}{waits} | {line}, {cache}{lines} | {current} |\n"
            );
            assert!(documentation.contains(&row), "docs/chips.md needs the line {row}");
        }
    }
}
