//! The one place where a device becomes a backend of burn.

use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::AutodiffBackend;

use super::choice::Device;
use super::gpu::{Gpu, GpuApi};
use crate::data::Samples;
use crate::methods::MethodConfig;
use crate::training::{CheckpointStore, FitError, Fitted, Observer, Plan, fit};

/// Work that any backend can do.
pub(super) trait Work {
    type Output;

    /// Does the work on a device of this backend.
    fn on<B: AutodiffBackend>(self, device: &B::Device) -> Self::Output;
}

impl Device {
    /// Does work on the backend of this device; `None` if this program has none for it.
    pub(super) fn run<W: Work>(self, work: W) -> Option<W::Output> {
        match self {
            Self::Cpu => Some(work.on::<Autodiff<Flex>>(&Default::default())),
            #[cfg(any(feature = "ndarray", test))]
            Self::NdArray => Some(work.on::<Autodiff<burn_ndarray::NdArray>>(&Default::default())),
            #[cfg(not(any(feature = "ndarray", test)))]
            Self::NdArray => None,
            Self::Gpu(gpu) => gpu.run(work),
        }
    }
}

impl Gpu {
    #[cfg_attr(not(any(feature = "cuda", feature = "wgpu")), expect(unused_variables, reason = "no GPU is built in"))]
    fn run<W: Work>(self, work: W) -> Option<W::Output> {
        match (self.api, self.is_fused) {
            #[cfg(feature = "cuda")]
            (GpuApi::Cuda, true) => Some(work.on::<Autodiff<super::cuda::Fused>>(&super::cuda::device(self.index))),
            #[cfg(all(feature = "cuda", feature = "unfused"))]
            (GpuApi::Cuda, false) => Some(work.on::<Autodiff<super::cuda::Unfused>>(&super::cuda::device(self.index))),
            #[cfg(feature = "wgpu")]
            (GpuApi::Wgpu, true) => Some(work.on::<Autodiff<super::wgpu::Fused>>(&super::wgpu::device(self.index))),
            #[cfg(all(feature = "wgpu", feature = "unfused"))]
            (GpuApi::Wgpu, false) => Some(work.on::<Autodiff<super::wgpu::Unfused>>(&super::wgpu::device(self.index))),
            #[allow(unreachable_patterns, reason = "with all features, every GPU has been matched")]
            (GpuApi::Cuda | GpuApi::Wgpu, _) => None,
        }
    }
}

/// Learning an encoder and its clusters.
pub(super) struct Fit<'a> {
    pub(super) samples: &'a Samples,
    pub(super) plan: &'a Plan,
    pub(super) method: &'a MethodConfig,
    pub(super) store: &'a mut dyn CheckpointStore,
    pub(super) observer: &'a mut dyn Observer,
}

impl Work for Fit<'_> {
    type Output = Result<Fitted, FitError>;

    fn on<B: AutodiffBackend>(self, device: &B::Device) -> Self::Output {
        fit::<B>(device, self.samples, self.plan, self.method, self.store, self.observer)
    }
}
