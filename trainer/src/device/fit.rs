//! Learning on a device.

use super::backend::Fit;
use super::choice::Device;
use super::guard::guarded;
use crate::data::Samples;
use crate::methods::{CheckedConfig, FitConfig};
use crate::training::{CheckpointStore, FitError, Fitted, Observer};

impl Device {
    /// Learns an encoder and its clusters on this device, which must have been [checked](Self::check).
    ///
    /// On the CPU, the same samples and configuration give the same bits, whether the fit ran in one piece or was resumed
    /// from a checkpoint.
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
    /// See [`FitError`]. [`FitError::Gpu`] and [`FitError::GpuMemory`] if the GPU fails while it works; the last checkpoint
    /// is whole then.
    pub fn fit(
        self,
        samples: &Samples,
        config: &FitConfig,
        store: &mut dyn CheckpointStore,
        observer: &mut dyn Observer,
    ) -> Result<Fitted, FitError> {
        let CheckedConfig { plan, method } = &config.check(samples)?;
        let work = Fit { samples, plan, method, store, observer };
        guarded(self, || {
            self.run(work).unwrap_or_else(|| {
                let missing =
                    self.check().err().map_or_else(|| "no backend for it".to_owned(), |error| error.to_string());
                Err(FitError::setting("device", missing))
            })
        })
    }
}
