//! The report of a run: one HTML page that needs no other file. It shows what was learned, how the training went, what
//! quantisation costs, and which microcontrollers have room for the model.
//!
//! [`ReportInput::page`] puts the sections in order, and [`write_report`] makes the page of a run's directory.

mod cluster_count;
mod decoded;
mod features;
mod geometry;
mod history;
mod input;
mod layers;
mod levels;
mod neighbours;
mod page;
mod pictures;
mod plot;
mod sections;
mod write;

pub use input::ReportInput;
pub(crate) use plot::short;
pub use write::write_report;
