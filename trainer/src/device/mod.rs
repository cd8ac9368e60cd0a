//! The devices to train on. Only this folder chooses a backend.

mod backend;
mod choice;
mod cuda;
mod error;
mod fit;
mod gpu;
mod guard;
mod operations;
mod wgpu;

pub use choice::{Device, DeviceChoice};
pub use error::DeviceError;
pub use gpu::{Gpu, GpuApi};
pub use operations::{CheckedOperation, Extent, TOLERANCE, check_operations};
