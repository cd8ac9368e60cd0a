//! GPUs of any maker, by the graphics API of the system.

use super::error::DeviceError;

#[cfg(all(feature = "wgpu", feature = "unfused"))]
pub(super) use built::Unfused;
#[cfg(feature = "wgpu")]
pub(super) use built::{Fused, device, indices_of_gpus, names};

/// The products' names, by index.
#[cfg(not(feature = "wgpu"))]
pub(super) fn names() -> Result<Vec<String>, DeviceError> {
    Err(DeviceError::NoWgpu)
}

/// The indices of devices that are not another form of the CPU.
#[cfg(not(feature = "wgpu"))]
pub(super) fn indices_of_gpus() -> Vec<usize> {
    vec![]
}

#[cfg(feature = "wgpu")]
mod built {
    use ::wgpu::{AdapterInfo, DeviceType, Instance, InstanceDescriptor};
    use burn::backend::wgpu::WgpuDevice;
    use burn::backend::wgpu::graphics::{AutoGraphicsApi, GraphicsApi};

    use super::DeviceError;

    /// The backend with fused operations.
    pub(in crate::device) type Fused = burn::backend::Wgpu;

    /// The backend whose operations have a kernel each.
    #[cfg(feature = "unfused")]
    pub(in crate::device) type Unfused =
        burn::backend::wgpu::CubeBackend<burn::backend::wgpu::WgpuRuntime, f32, i32, u32>;

    /// The products' names, by index.
    pub(in crate::device) fn names() -> Result<Vec<String>, DeviceError> {
        let adapters = adapters();
        let name = |(_, info): &(WgpuDevice, AdapterInfo)| match info.device_type {
            DeviceType::Cpu => format!("{}, by the CPU", info.name),
            _ => info.name.clone(),
        };
        if adapters.is_empty() { Err(DeviceError::NoAdapter) } else { Ok(adapters.iter().map(name).collect()) }
    }

    /// The indices of devices that are not another form of the CPU.
    pub(in crate::device) fn indices_of_gpus() -> Vec<usize> {
        let adapters = adapters();
        (0..adapters.len()).filter(|&index| adapters[index].1.device_type != DeviceType::Cpu).collect()
    }

    /// The device of this index; the default one if there is none.
    pub(in crate::device) fn device(index: usize) -> WgpuDevice {
        adapters().into_iter().nth(index).map_or(WgpuDevice::DefaultDevice, |(device, _)| device)
    }

    /// The devices, the fastest kinds first, each as burn names it: by its kind and its number within the kind.
    fn adapters() -> Vec<(WgpuDevice, AdapterInfo)> {
        let instance = Instance::new(InstanceDescriptor {
            backends: AutoGraphicsApi::backend().into(),
            ..InstanceDescriptor::new_without_display_handle()
        });
        let found = pollster::block_on(instance.enumerate_adapters(AutoGraphicsApi::backend().into()));
        let found: Vec<AdapterInfo> = found.iter().map(|adapter| adapter.get_info()).collect();
        let of_kind = |kind| found.iter().filter(move |info| info.device_type == kind).cloned().enumerate();
        let numbered = |kind, device: fn(usize) -> WgpuDevice| of_kind(kind).map(move |(i, info)| (device(i), info));
        numbered(DeviceType::DiscreteGpu, WgpuDevice::DiscreteGpu)
            .chain(numbered(DeviceType::IntegratedGpu, WgpuDevice::IntegratedGpu))
            .chain(numbered(DeviceType::VirtualGpu, WgpuDevice::VirtualGpu))
            .chain(numbered(DeviceType::Cpu, |_| WgpuDevice::Cpu).take(1))
            .collect()
    }
}
