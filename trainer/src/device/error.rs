//! Why a device can't be used.

use thiserror::Error;

/// Why a device can't be used.
///
/// ```
/// use edgemix::device::Device;
///
/// let error = "abacus".parse::<Device>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "no device is named \"abacus\": use auto, cpu, ndarray, cuda, cuda:1, wgpu or wgpu:1"
/// );
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device has this name.
    #[error("no device is named {0:?}: use auto, cpu, ndarray, cuda, cuda:1, wgpu or wgpu:1")]
    Unknown(String),
    /// The program was built without burn's ndarray backend.
    #[error("this program was built without burn's ndarray backend: build it with the feature `ndarray`")]
    NoNdArray,
    /// The program was built without CUDA.
    #[error("this program was built without CUDA: build it with the feature `cuda`")]
    NoCuda,
    /// The program was built without wgpu.
    #[error("this program was built without wgpu: build it with the feature `wgpu`")]
    NoWgpu,
    /// The program was built without a second form of the backend of GPUs.
    #[error("this program was built with fused operations alone: build it with the feature `unfused`")]
    NoUnfused,
    /// There is no CUDA driver.
    #[error("no CUDA driver is installed (libcuda can't be loaded)")]
    NoDriver,
    /// The CUDA driver does not start.
    #[error("the CUDA driver can't be used: {0}")]
    Driver(String),
    /// The library that compiles kernels is missing.
    #[error("the compiler of CUDA kernels is missing (libnvrtc can't be loaded): install a CUDA toolkit")]
    NoCompiler,
    /// The CUDA headers that kernels are compiled with are missing.
    #[error("the CUDA headers are missing (cuda_runtime.h): set CUDA_PATH to a CUDA toolkit")]
    NoHeaders,
    /// wgpu finds no device.
    #[error("wgpu finds no GPU: install its driver for Vulkan (Metal on macOS, Direct3D 12 on Windows)")]
    NoAdapter,
    /// There is no GPU of this index.
    #[error("there is no {name}: {found}")]
    NoSuchIndex {
        /// The name of the device.
        name: String,
        /// Which there are.
        found: String,
    },
}
