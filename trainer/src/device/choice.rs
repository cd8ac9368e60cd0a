//! Devices by name, and which of them there are.

use std::fmt;
use std::str::FromStr;

use super::error::DeviceError;
use super::gpu::{Gpu, GpuApi};

/// Whether this program has burn's ndarray backend.
const HAS_NDARRAY: bool = cfg!(any(feature = "ndarray", test));

/// A device to train on.
///
/// ```
/// use edgemix::device::{Device, Gpu, GpuApi};
///
/// let device: Device = "cpu".parse()?;
/// device.check()?;
/// assert_eq!("cuda:1".parse::<Device>()?, Device::Gpu(Gpu::new(GpuApi::Cuda, 1)));
/// assert_eq!("cuda:1".parse::<Device>()?.to_string(), "cuda:1");
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
    /// A graphics processor.
    Gpu(Gpu),
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        match name {
            "cpu" | "flex" => Ok(Self::Cpu),
            "ndarray" => Ok(Self::NdArray),
            _ => name.parse().map(Self::Gpu),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::NdArray => f.write_str("ndarray"),
            Self::Gpu(gpu) => gpu.fmt(f),
        }
    }
}

/// A device, or the best of this machine's.
///
/// ```
/// use edgemix::device::{Device, DeviceChoice};
///
/// assert_eq!("cpu".parse::<DeviceChoice>()?.resolve()?, Device::Cpu);
/// // A GPU where there is one that this program can use, or else the CPU.
/// let best = "auto".parse::<DeviceChoice>()?.resolve()?;
/// best.check()?;
/// # Ok::<(), edgemix::device::DeviceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU that can be used, by CUDA or else by wgpu; the CPU if there is none.
    Auto,
    /// This device.
    This(Device),
}

impl Default for DeviceChoice {
    fn default() -> Self {
        Self::This(Device::default())
    }
}

impl FromStr for DeviceChoice {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        if name == "auto" { Ok(Self::Auto) } else { name.parse().map(Self::This) }
    }
}

impl DeviceChoice {
    /// The device, which can be used.
    ///
    /// # Errors
    /// [`DeviceError`] names what is missing, unless any device will do.
    pub fn resolve(self) -> Result<Device, DeviceError> {
        match self {
            Self::Auto => Ok(Gpu::best().map_or(Device::Cpu, Device::Gpu)),
            Self::This(device) => device.check().map(|()| device),
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
    /// // The error says what is missing.
    /// if let Err(error) = "cuda".parse::<Device>()?.check() {
    ///     assert!(error.to_string().contains("CUDA"));
    /// }
    /// # Ok::<(), edgemix::device::DeviceError>(())
    /// ```
    ///
    /// # Errors
    /// [`DeviceError`] names what is missing.
    pub fn check(self) -> Result<(), DeviceError> {
        match self {
            Self::Cpu => Ok(()),
            Self::NdArray if HAS_NDARRAY => Ok(()),
            Self::NdArray => Err(DeviceError::NoNdArray),
            Self::Gpu(gpu) => gpu.name().map(|_| ()),
        }
    }

    /// What the device is called: its name for `--device` and, for a GPU, the product's.
    ///
    /// ```
    /// use edgemix::device::Device;
    ///
    /// assert_eq!(Device::Cpu.describe(), "cpu");
    /// ```
    pub fn describe(self) -> String {
        match self {
            Self::Gpu(gpu) => gpu.name().map_or_else(|_| self.to_string(), |name| format!("{self} ({name})")),
            Self::Cpu | Self::NdArray => self.to_string(),
        }
    }

    /// The devices that this program can train on here, the GPUs by API and index, and why an API has none.
    pub fn available() -> (Vec<Self>, Vec<DeviceError>) {
        let (mut devices, mut problems) = (vec![Self::Cpu], vec![]);
        if HAS_NDARRAY {
            devices.push(Self::NdArray);
        }
        for api in GpuApi::ALL {
            match api.names() {
                Ok(names) => devices.extend((0..names.len()).map(|index| Self::Gpu(Gpu::new(api, index)))),
                Err(problem) => problems.push(problem),
            }
        }
        (devices, problems)
    }
}
