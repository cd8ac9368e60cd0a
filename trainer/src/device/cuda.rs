//! NVIDIA's GPUs. The driver and the compiler of kernels are loaded when they are used, so that the program starts without
//! them.

use super::error::DeviceError;

#[cfg(all(feature = "cuda", feature = "unfused"))]
pub(super) use built::Unfused;
#[cfg(feature = "cuda")]
pub(super) use built::{Fused, device, names};

/// The products' names, by index.
#[cfg(not(feature = "cuda"))]
pub(super) fn names() -> Result<Vec<String>, DeviceError> {
    Err(DeviceError::NoCuda)
}

#[cfg(feature = "cuda")]
mod built {
    use std::path::PathBuf;

    use burn::backend::cuda::CudaDevice;
    use cudarc::driver::{result, sys};

    use super::DeviceError;

    /// The backend with fused operations.
    pub(in crate::device) type Fused = burn::backend::Cuda;

    /// The backend whose operations have a kernel each.
    #[cfg(feature = "unfused")]
    pub(in crate::device) type Unfused = burn_cubecl::CubeBackend<burn::cubecl::cuda::CudaRuntime, f32, i32, u8>;

    pub(in crate::device) fn device(index: usize) -> CudaDevice {
        CudaDevice::new(index)
    }

    /// The products' names, with their memory, by index.
    pub(in crate::device) fn names() -> Result<Vec<String>, DeviceError> {
        // SAFETY: these two functions only try to load a library, and call nothing in it.
        #[allow(unsafe_code)]
        let (has_driver, has_compiler) = unsafe { (sys::is_culib_present(), cudarc::nvrtc::sys::is_culib_present()) };
        if !has_driver {
            return Err(DeviceError::NoDriver);
        }
        let driver = |error: cudarc::driver::DriverError| DeviceError::Driver(error.to_string());
        result::init().map_err(driver)?;
        let count = result::device::get_count().map_err(driver)?;
        if count == 0 {
            return Err(DeviceError::Driver("it knows no GPU".into()));
        }
        if !has_compiler {
            return Err(DeviceError::NoCompiler);
        }
        let toolkit = std::env::var_os("CUDA_PATH").map_or_else(|| "/usr/local/cuda".into(), PathBuf::from);
        if !toolkit.join("include/cuda_runtime.h").exists() {
            return Err(DeviceError::NoHeaders);
        }
        (0..count).map(|index| name(index).map_err(driver)).collect()
    }

    fn name(index: i32) -> Result<String, cudarc::driver::DriverError> {
        let device = result::device::get(index)?;
        // SAFETY: the driver gave this device.
        #[allow(unsafe_code)]
        let bytes = unsafe { result::device::total_mem(device) }?;
        let memory = bytesize::ByteSize::b(bytes as u64).display().iec().to_string();
        Ok(format!("{}, {memory}", result::device::get_name(device)?))
    }
}
