//! Where samples come from, and what is known about them before training.

mod arrays;
pub mod augmentation;
mod csv;
mod dataset;
mod digits;
mod elements;
mod error;
mod files;
mod folder;
mod idx;
mod image_shape;
mod memory;
mod note;
mod npy;
mod parquet;
mod record;
mod samples;
mod scaling;
mod source;
pub mod split;
mod stream;
mod survey;
mod table;
mod values;
mod windows;

pub use dataset::Dataset;
pub use digits::digits;
pub use error::{CellProblem, ColumnProblem, ColumnRole, DataError, WindowingProblem};
pub use files::{read, read_labels};
pub use image_shape::ImageShape;
pub use memory::MemoryLimit;
pub use note::DataNote;
pub use record::DataRecord;
pub use samples::{Layout, Samples};
pub use scaling::Scaling;
pub use source::{Source, Windowing};
