//! The samples as inputs of networks: scaled, in parts, from memory or from a file.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;

use crate::data::{DataError, ImageShape, InputRange, Samples, Scaling};
use crate::nn::has_host_tensors;
use crate::trained::{Decoder, DecoderOutputs, Decoders, Picture};

/// The samples on a device.
#[derive(Clone, Debug)]
pub(crate) struct Data<B: Backend> {
    /// The shape of the images that the samples form, if they are images.
    pub image: Option<ImageShape>,
    /// The scaling from the data's unit to the networks' inputs.
    pub scaling: Scaling,
    /// What comes into a picture from beyond its border when it is moved.
    pub black: f32,
    samples: Samples,
    /// All samples, `N x inputs`, if the device has its own memory and they fit in the allowed part of it.
    resident: Option<Tensor<B, 2>>,
    device: B::Device,
}

impl<B: Backend> Data<B> {
    /// Fits the scaling to inputs of this range. Samples in memory are copied to the device if it has its own memory.
    pub(super) fn new(samples: &Samples, range: InputRange, device: &B::Device) -> Result<Self, DataError> {
        let own = Scaling::fit(samples)?;
        let scaling = own.clone().within(range, samples);
        let black = if scaling == own { 0.0 } else { -1.0 };
        let (samples, device) = (samples.clone(), device.clone());
        let mut data = Self { image: samples.image(), scaling, black, samples, resident: None, device };
        if !has_host_tensors::<B>() && data.samples.are_in_memory() {
            data.resident = Some(data.all()?);
        }
        Ok(data)
    }

    /// The samples, in the unit of the data.
    pub(crate) fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The group of each sample, if there are groups.
    pub(crate) fn groups(&self) -> Option<&[u32]> {
        self.samples.groups()
    }

    /// N.
    pub(crate) fn n_samples(&self) -> usize {
        self.samples.n_samples()
    }

    /// The number of values of a sample.
    pub(crate) fn n_inputs(&self) -> usize {
        self.samples.n_features()
    }

    /// The samples with these indices, scaled, `len x inputs`.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    ///
    /// # Panics
    /// If there is no sample with an index.
    pub(crate) fn select(&self, indices: &[i32]) -> Result<Tensor<B, 2>, DataError> {
        if let Some(resident) = &self.resident {
            let indices = Tensor::<B, 1, Int>::from_data(TensorData::from(indices), &self.device);
            return Ok(resident.clone().select(0, indices));
        }
        let indices: Vec<usize> = indices.iter().map(|&index| index as usize).collect();
        Ok(self.scaled(&self.samples.gather(&indices)?))
    }

    /// Augmented versions of the samples with these indices, scaled, `len x inputs`; `None` if there are none.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    pub(crate) fn varied(&self, indices: &[i32], rng: &mut ChaCha8Rng) -> Result<Option<Tensor<B, 2>>, DataError> {
        let Some(variations) = self.samples.variations() else { return Ok(None) };
        let indices: Vec<usize> = indices.iter().map(|&index| index as usize).collect();
        Ok(Some(self.scaled(&variations.draw(&indices, rng)?)))
    }

    /// All samples, scaled, `n` rows at a time.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    pub(crate) fn chunks(&self, n: usize) -> impl Iterator<Item = Result<Tensor<B, 2>, DataError>> {
        let total = self.n_samples();
        (0..total).step_by(n).map(move |first| {
            let range = first..total.min(first + n);
            match &self.resident {
                Some(resident) => Ok(resident.clone().slice([range])),
                None => self.samples.chunk(range).map(|values| self.scaled(&values)),
            }
        })
    }

    /// All samples at once, scaled, `N x inputs`, for methods that need them together.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    pub(crate) fn all(&self) -> Result<Tensor<B, 2>, DataError> {
        match &self.resident {
            Some(resident) => Ok(resident.clone()),
            None => self.samples.all().map(|values| self.scaled(&values)),
        }
    }

    /// A decoder with these networks for samples such as these.
    ///
    /// # Errors
    /// If the file that the samples are in can't be read.
    pub(crate) fn decoder(&self, networks: Decoders, is_variational: bool) -> Result<Decoder, DataError> {
        let Scaling { gain, offset, .. } = &self.scaling;
        let first = self.samples.chunk(0..1)?;
        let left_out = first.iter().zip(gain).filter(|(_, gain)| **gain == 0.0).map(|(&x, _)| x).collect();
        let value = |input: f32| (input - offset[0]) / gain[0];
        let picture = self.image.filter(|_| gain.len() == 1 && gain[0] > 0.0);
        let picture = picture.map(|shape| Picture { shape, black: value(self.black), white: value(1.0) });
        let outputs = DecoderOutputs::Values;
        Ok(Decoder { networks, is_variational, outputs, variance: None, left_out, picture })
    }

    fn scaled(&self, values: &[f32]) -> Tensor<B, 2> {
        let rows = values.len() / self.n_inputs().max(1);
        Tensor::from_data(TensorData::new(self.scaling.apply(values), [rows, self.n_inputs()]), &self.device)
    }
}
