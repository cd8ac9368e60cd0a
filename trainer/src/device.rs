//! The devices to train on. Only this module chooses a backend.

use std::str::FromStr;

use burn::backend::{Autodiff, Flex, NdArray};
use thiserror::Error;

use crate::data::Samples;
use crate::methods::{CheckedConfig, FitConfig};
use crate::training::{CheckpointStore, FitError, Fitted, Observer, fit};

/// A device to train on.
///
/// ```
/// use edgemix::device::Device;
///
/// let device: Device = "cpu".parse()?;
/// device.check()?;
/// assert_eq!("cuda:1".parse::<Device>()?, Device::Cuda(1));
/// assert!("abacus".parse::<Device>().is_err());
/// # Ok::<(), edgemix::device::DeviceError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The CPU, with burn's flex backend.
    #[default]
    Cpu,
    /// The CPU, with burn's ndarray backend: slower, and the reference that tests compare the flex backend with.
    NdArray,
    /// The NVIDIA GPU of this index.
    Cuda(usize),
}

/// Why a device can't be used.
///
/// ```
/// use edgemix::device::Device;
///
/// let error = "abacus".parse::<Device>().unwrap_err();
/// assert_eq!(error.to_string(), "no device is named \"abacus\": use cpu, ndarray, cuda or cuda:1");
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// No device has this name.
    #[error("no device is named {0:?}: use cpu, ndarray, cuda or cuda:1")]
    Unknown(String),
    /// The program was built without CUDA.
    #[error("this program was built without CUDA: build it with the feature `cuda`")]
    NotBuilt,
    /// There is no CUDA driver.
    #[error("no CUDA driver is installed (libcuda can't be loaded)")]
    NoDriver,
    /// The CUDA headers that kernels are compiled with are missing.
    #[error("the CUDA headers are missing (cuda_runtime.h): set CUDA_PATH to a CUDA toolkit")]
    NoHeaders,
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(name.into());
        match name {
            "cpu" | "flex" => Ok(Self::Cpu),
            "ndarray" => Ok(Self::NdArray),
            "cuda" => Ok(Self::Cuda(0)),
            _ => name.strip_prefix("cuda:").and_then(|i| i.parse().ok()).map(Self::Cuda).ok_or_else(unknown),
        }
    }
}

impl Device {
    /// Checks that the device can be used on this machine.
    ///
    /// ```
    /// use edgemix::device::Device;
    ///
    /// assert!(Device::Cpu.check().is_ok());
    /// // Without CUDA the error says what is missing.
    /// if let Err(error) = Device::Cuda(0).check() {
    ///     assert!(error.to_string().contains("CUDA"));
    /// }
    /// ```
    ///
    /// # Errors
    /// [`DeviceError`] names what is missing.
    pub fn check(self) -> Result<(), DeviceError> {
        match self {
            Self::Cpu | Self::NdArray => Ok(()),
            Self::Cuda(_) => check_cuda(),
        }
    }

    /// Learns an encoder and its clusters on this device, which must have been [checked](Self::check).
    ///
    /// The same samples, configuration and device give the same bits, whether the fit ran in one piece or was resumed from
    /// a checkpoint.
    ///
    /// ```
    /// use edgemix::data::Samples;
    /// use edgemix::device::Device;
    /// use edgemix::random::{normal, stream};
    /// use edgemix::methods::FitConfig;
    /// use edgemix::training::PhaseSettings;
    ///
    /// let noise = normal(400, &mut stream(0, "example", 0));
    /// let mut config = FitConfig { encoder: "8-2".parse().unwrap(), ..FitConfig::default() };
    /// config.reconstruction = PhaseSettings::with_epochs(2);
    /// config.clustering = PhaseSettings::with_epochs(1);
    /// config.method.set_n_clusters(3);
    /// let fitted = Device::Cpu.fit(&Samples::new("noise", noise, 4), &config, &mut (), &mut ())?;
    /// assert_eq!(fitted.trained.head.n_dims(), 2);
    /// # Ok::<(), edgemix::training::FitError>(())
    /// ```
    ///
    /// # Errors
    /// See [`FitError`].
    pub fn fit(
        self,
        samples: &Samples,
        config: &FitConfig,
        store: &mut dyn CheckpointStore,
        observer: &mut dyn Observer,
    ) -> Result<Fitted, FitError> {
        let CheckedConfig { plan, method } = &config.check(samples)?;
        match self {
            Self::Cpu => fit::<Autodiff<Flex>>(&Default::default(), samples, plan, method, store, observer),
            Self::NdArray => fit::<Autodiff<NdArray>>(&Default::default(), samples, plan, method, store, observer),
            #[cfg(feature = "cuda")]
            Self::Cuda(index) => {
                let device = burn::backend::cuda::CudaDevice::new(index);
                fit::<Autodiff<burn::backend::Cuda>>(&device, samples, plan, method, store, observer)
            }
            #[cfg(not(feature = "cuda"))]
            Self::Cuda(_) => Err(FitError::setting("device", DeviceError::NotBuilt.to_string())),
        }
    }
}

#[cfg(not(feature = "cuda"))]
fn check_cuda() -> Result<(), DeviceError> {
    Err(DeviceError::NotBuilt)
}

#[cfg(feature = "cuda")]
fn check_cuda() -> Result<(), DeviceError> {
    // SAFETY: the function only tries to load the driver's library, and makes no CUDA call.
    #[allow(unsafe_code)]
    let is_present = unsafe { cudarc::driver::sys::is_culib_present() };
    if !is_present {
        return Err(DeviceError::NoDriver);
    }
    let toolkit = std::env::var_os("CUDA_PATH").map_or_else(|| "/usr/local/cuda".into(), std::path::PathBuf::from);
    if toolkit.join("include/cuda_runtime.h").exists() { Ok(()) } else { Err(DeviceError::NoHeaders) }
}
