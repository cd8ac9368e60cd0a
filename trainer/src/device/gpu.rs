//! A graphics processor by the API that it is used by.

use std::fmt;
use std::str::FromStr;

use super::error::DeviceError;
use super::{cuda, wgpu};
/// What a GPU is used by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuApi {
    /// NVIDIA's CUDA.
    Cuda,
    /// The graphics API of the system, for GPUs of any maker: Vulkan, Metal or Direct3D 12.
    Wgpu,
}

impl GpuApi {
    /// All of them; the faster first.
    pub const ALL: [Self; 2] = [Self::Cuda, Self::Wgpu];

    fn name(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::Wgpu => "wgpu",
        }
    }

    /// What the devices of this API are called, by index.
    ///
    /// # Errors
    /// [`DeviceError`] names what is missing if there is none.
    pub fn names(self) -> Result<Vec<String>, DeviceError> {
        match self {
            Self::Cuda => cuda::names(),
            Self::Wgpu => wgpu::names(),
        }
    }

    /// The devices of this API that are not another form of the CPU.
    fn indices_of_gpus(self) -> Vec<usize> {
        match self {
            Self::Cuda => cuda::names().map_or_else(|_| vec![], |names| (0..names.len()).collect()),
            Self::Wgpu => wgpu::indices_of_gpus(),
        }
    }
}

/// A graphics processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// What it is used by.
    pub api: GpuApi,
    /// Which of the API's devices, from 0.
    pub index: usize,
    /// Whether operations are fused into common kernels, which is faster.
    pub is_fused: bool,
}

impl fmt::Display for Gpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unfused = if self.is_fused { "" } else { "-unfused" };
        write!(f, "{}{unfused}:{}", self.api.name(), self.index)
    }
}

impl FromStr for Gpu {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(name.into());
        let (api, index) = match name.split_once(':') {
            Some((api, index)) => (api, index.parse().map_err(|_| unknown())?),
            None => (name, 0),
        };
        let (api, is_fused) = api.strip_suffix("-unfused").map_or((api, true), |api| (api, false));
        let api = GpuApi::ALL.into_iter().find(|known| known.name() == api).ok_or_else(unknown)?;
        Ok(Self { api, index, is_fused })
    }
}

impl Gpu {
    /// The GPU of this index, with fused operations.
    pub const fn new(api: GpuApi, index: usize) -> Self {
        Self { api, index, is_fused: true }
    }

    /// The first GPU of this machine that the program can use.
    pub fn best() -> Option<Self> {
        GpuApi::ALL.into_iter().find_map(|api| Some(Self::new(api, api.indices_of_gpus().into_iter().next()?)))
    }

    /// What the product is called.
    ///
    /// # Errors
    /// [`DeviceError`] names what is missing if the GPU can't be used.
    pub fn name(self) -> Result<String, DeviceError> {
        if !self.is_fused && !cfg!(feature = "unfused") {
            return Err(DeviceError::NoUnfused);
        }
        let mut names = self.api.names()?;
        if self.index < names.len() {
            return Ok(names.swap_remove(self.index));
        }
        let all = names.iter().enumerate().map(|(index, name)| format!("{}:{index} is {name}", self.api.name()));
        Err(DeviceError::NoSuchIndex { name: self.to_string(), found: all.collect::<Vec<_>>().join(", ") })
    }
}
