//! The extension module `edgemix._edgemix`: a fit, and a model file, for the classes in `python/edgemix/`.
//!
//! It only translates. Samples are read as those of an NPY file are, a fit takes the path of `edgemix train`, and a model file
//! runs with the chip's arithmetic, so that the bytes and clusters are the program's.

mod array;
mod errors;
mod fit;
mod fitted;
mod model;
mod progress;
mod settings;

/// Each training step allocates and frees large tensors, for which glibc asks the operating system every time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The trainer of edgemix. The classes of the package `edgemix` are made for people.
#[pyo3::pymodule]
mod _edgemix {
    use edgemix::methods::MethodConfig;
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::errors::{InputError, TrainingError};
    #[pymodule_export]
    use super::fit::fit;
    #[pymodule_export]
    use super::fitted::Fitted;
    #[pymodule_export]
    use super::model::Model;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("METHODS", MethodConfig::NAMES.to_vec())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
