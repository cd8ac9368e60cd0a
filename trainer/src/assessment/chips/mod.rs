//! How long an assignment takes on chips that people use, what energy, and whether a model fits.
//!
//! The time is an estimate. The operations of the model ([`work`]) are multiplied by what each costs on the chip's core
//! (`costs.toml`, which `cargo xtask costs` counts on emulated cores), and the wait states for the model's constants in flash
//! are added (`chips.toml`, with the document that each figure was compared with). `docs/chips.md` compares estimates with published measurements.

mod chip;
mod estimate;
mod fit;
mod plan;
pub mod work;

pub use chip::{Chip, Figure, UnknownChip};
pub use estimate::Estimate;
pub use fit::{CODE, Misfit, STACK};
pub use plan::Planned;
