//! The chip that a model is for: its flags, and what is said of it.

use clap::Args;
use edgemix_format::view::File;
use serde_json::{Value, json};

use super::error::CliError;
use crate::assessment::chips::{CODE, Chip, Estimate, Misfit, STACK};

/// The chip that a model must fit.
#[derive(Args, Clone, Copy)]
pub(super) struct ForChip {
    /// The chip that the model is for, such as STM32L476: refuses a model that does not fit its flash or its RAM.
    #[arg(long, value_name = "CHIP", value_parser = named)]
    pub(super) chip: Option<&'static Chip>,
    /// Refuses a model of which an assignment takes longer on the chip, by the estimate.
    #[arg(long, value_name = "MS", requires = "chip", value_parser = milliseconds)]
    pub(super) max_ms: Option<f64>,
}

fn named(name: &str) -> Result<&'static Chip, String> {
    name.parse().map_err(|unknown: crate::assessment::chips::UnknownChip| unknown.to_string())
}

fn milliseconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|ms: &f64| ms.is_finite() && *ms > 0.0);
    number.ok_or_else(|| "a number above 0 is expected, such as 2.5".to_owned())
}

impl ForChip {
    /// Checks a model for the chip, if there is one, and describes it there.
    pub(super) fn check(&self, file: &File) -> Result<Option<String>, Misfit> {
        let Some(chip) = self.chip else { return Ok(None) };
        let estimate = chip.check(file, self.max_ms)?;
        Ok(Some(format!("{}: about {estimate}{}", chip.name, chip.unconfirmed_text())))
    }

    /// The chips that are shown: the one that was asked for, or all.
    pub(super) fn shown(&self) -> &'static [Chip] {
        self.chip.map_or_else(Chip::all, std::slice::from_ref)
    }

    /// Refuses a model that was trained, and is whole, but does not fit.
    pub(super) fn check_trained(&self, path: &std::path::Path, file: &File) -> Result<Option<String>, CliError> {
        self.check(file).map_err(|misfit| CliError::Misfit { model: path.into(), misfit })
    }
}

/// A line for each chip: time and energy, the shares of flash and RAM, and which figures of the chip are unconfirmed.
pub(super) fn lines(file: &File, chips: &[Chip]) -> String {
    let (flash, ram) = needs(file);
    let share = |needed: usize, all: usize, of: &str| {
        if needed <= all {
            format!("{:.0} % of the {of}", 100.0 * needed as f64 / all as f64)
        } else {
            format!("too large for the {of}")
        }
    };
    let line = |chip: &Chip| {
        let (flash, ram) = (share(flash, chip.flash(), "flash"), share(ram, chip.ram(), "RAM"));
        let (core, mhz) = (chip.core(), chip.mhz);
        let (estimate, unconfirmed) = (chip.estimate(file), chip.unconfirmed_text());
        format!("chip       {} ({core}, {mhz} MHz): about {estimate}; {flash}, {ram}{unconfirmed}\n", chip.name)
    };
    chips.iter().map(line).collect()
}

/// The same as JSON.
pub(super) fn facts(file: &File, chips: &[Chip]) -> Value {
    let (flash, ram) = needs(file);
    let fact = |chip: &Chip| {
        let Estimate { ms, microjoules } = chip.estimate(file);
        json!({
            "name": chip.name, "core": chip.core(), "mhz": chip.mhz, "flash": chip.flash(), "ram": chip.ram(),
            "fits": flash <= chip.flash() && ram <= chip.ram(), "ms": ms, "microjoules": microjoules,
            "unconfirmed": chip.unconfirmed().iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    chips.iter().map(fact).collect()
}

/// Bytes of flash and of RAM, with code, stack and variables.
fn needs(file: &File) -> (usize, usize) {
    (file.header.total_len as usize + CODE, file.header.arena_len as usize + STACK)
}
