//! Where the training of an imported encoder begins: its layers, for inputs that the trainer scales itself.

use super::ImportedEncoder;
use super::elementwise::Elementwise;
use super::stack::{absorb, absorb_channels};
use crate::data::{Samples, Scaling};
use crate::nn::{InputMap, StartingEncoder};
use crate::trained::Layer;

impl ImportedEncoder {
    /// The encoder for samples that this scaling brings to the range that networks train well on, with the same latents. The
    /// scaling of the encoder itself becomes a part of the first layer where it can: steps of the same length change weights of
    /// large inputs too much.
    ///
    /// Values that differ in no sample are those of the samples from then on.
    pub(crate) fn starting(&self, scaling: &Scaling, samples: &Samples) -> StartingEncoder {
        let mut layers = self.layers.clone();
        let map = self.map.after_inverse(scaling, samples);
        let inputs = match layers.first_mut() {
            Some(Layer::Dense(first)) => {
                fold(&mut first.weights, &mut first.bias, |weights, bias| absorb(weights, bias, first.inputs, &map));
                None
            }
            Some(Layer::Convolution(first)) if map.has_period(first.shape.input.channels) => {
                let channels = first.shape.input.channels;
                let (within, before) = map.split(first.shape.window.padding > 0);
                let fold_channels = |weights: &mut [f64], bias: &mut [f64]| {
                    absorb_channels(weights, bias, channels, &within);
                };
                fold(&mut first.weights, &mut first.bias, fold_channels);
                before
            }
            _ => Some(map),
        };
        let narrow = |values: &[f64]| values.iter().map(|&x| x as f32).collect();
        let inputs = inputs.map(|map| InputMap { factor: narrow(&map.factor), shift: narrow(&map.shift) });
        StartingEncoder { layers, inputs }
    }
}

impl Elementwise {
    /// What this map does to a sample, done to its scaled values instead.
    fn after_inverse(&self, scaling: &Scaling, samples: &Samples) -> Self {
        let period = scaling.gain.len().max(1);
        let constant = samples.column_ranges();
        let each = self.factor.iter().zip(&self.shift).enumerate().map(|(i, (factor, shift))| {
            let (gain, offset) = (f64::from(scaling.gain[i % period]), f64::from(scaling.offset[i % period]));
            if gain == 0.0 {
                // The scaled value is 0, whatever the value is.
                let value = constant.get(i % constant.len().max(1)).map_or(0.0, |range| f64::from(range.least));
                return (0.0, factor * value + shift);
            }
            (factor / gain, shift - factor * offset / gain)
        });
        let (factor, shift) = each.unzip();
        Self { factor, shift }
    }

    /// The part of this map that a first convolution can take, and what has to happen before it: zeros of a padding are not
    /// shifted.
    fn split(&self, is_padded: bool) -> (Self, Option<Self>) {
        let n = self.factor.len();
        if !is_padded || self.shift.iter().all(|&shift| shift == 0.0) {
            return (self.clone(), None);
        }
        if self.factor.contains(&0.0) {
            return (Self::identity(n), Some(self.clone()));
        }
        let shift = self.shift.iter().zip(&self.factor).map(|(shift, factor)| shift / factor).collect();
        (Self { shift: vec![0.0; n], ..self.clone() }, Some(Self { factor: vec![1.0; n], shift }))
    }
}

/// Changes weights and biases in f64.
fn fold(weights: &mut [f32], bias: &mut [f32], change: impl FnOnce(&mut [f64], &mut [f64])) {
    let wide = |values: &[f32]| values.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    let (mut wide_weights, mut wide_bias) = (wide(weights), wide(bias));
    change(&mut wide_weights, &mut wide_bias);
    weights.iter_mut().zip(wide_weights).for_each(|(weight, wide)| *weight = wide as f32);
    bias.iter_mut().zip(wide_bias).for_each(|(bias, wide)| *bias = wide as f32);
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::{Tensor, TensorData};

    use super::super::LayerStack;
    use super::*;
    use crate::base::random::{normal, stream, uniform};
    use crate::data::{ImageShape, Layout};
    use crate::nn::Autoencoder;
    use crate::trained::{Activation, PoolingOperation, Window};

    const IMAGE: ImageShape = ImageShape { channels: 2, height: 6, width: 6 };
    const ACTIVATIONS: [Activation; 6] = [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu(0.2),
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Elu,
    ];

    fn wide(n: usize, index: u64) -> Vec<f64> {
        uniform(n, 0.5, &mut stream(5, "weights", index)).into_iter().map(f64::from).collect()
    }

    fn image_samples() -> Samples {
        let n = IMAGE.n_values();
        let values = normal(40 * n, &mut stream(4, "images", 0)).iter().map(|x| (20.0 * x + 90.0).abs()).collect();
        Samples::new("images", values, n).with_layout(Layout::Images(IMAGE))
    }

    /// Rows whose second column is 7 and whose others have different units.
    fn table() -> Samples {
        let values = normal(40 * 6, &mut stream(4, "table", 0)).into_iter().enumerate();
        let values = values.map(|(i, x)| if i % 6 == 1 { 7.0 } else { x * 10f32.powi(i as i32 % 6 - 2) + 3.0 });
        Samples::new("table", values.collect(), 6)
    }

    /// The same factor and shift for all values, or others for each.
    fn map(n: usize, is_alike: bool) -> Elementwise {
        let each = |i: usize| if is_alike { 0.01 } else { 0.01 + 0.0003 * i as f64 };
        Elementwise { factor: (0..n).map(each).collect(), shift: (0..n).map(|i| each(i) - 0.7).collect() }
    }

    /// Every kind of layer, in several orders, with an activation.
    fn stacks(activation: Activation) -> Vec<(LayerStack, Samples)> {
        let n = IMAGE.n_values();
        let of_images = |is_alike| {
            let mut stack = LayerStack::new(n, Some(IMAGE));
            stack.scale(map(n, is_alike)).unwrap();
            stack
        };
        let convolved = |mut stack: LayerStack, image: ImageShape, padding: usize| {
            let window = Window::square(3, 1, padding);
            stack.convolution(image, window, &wide(3 * 9 * image.channels, 1), &wide(3, 2)).unwrap();
            stack.activation(activation).unwrap();
            let image = window.output(image, 3).unwrap();
            stack.pooling(PoolingOperation::Average, image, Window::square(2, 2, 0)).unwrap();
            stack.activation(Activation::Tanh).unwrap();
            let inputs = stack.outputs();
            stack.dense(&wide(2 * inputs, 3), &wide(2, 4)).unwrap();
            stack
        };
        let mut pooled = of_images(false);
        pooled.pooling(PoolingOperation::Max, IMAGE, Window::square(2, 2, 0)).unwrap();
        let pooled = convolved(pooled, ImageShape { height: 3, width: 3, ..IMAGE }, 1);
        let mut dense = LayerStack::new(6, None);
        dense.scale(map(6, false)).unwrap();
        dense.dense(&wide(5 * 6, 5), &wide(5, 6)).unwrap();
        dense.activation(activation).unwrap();
        dense.dense(&wide(3 * 5, 7), &wide(3, 8)).unwrap();
        let images = image_samples();
        vec![
            (convolved(of_images(true), IMAGE, 1), images.clone()),
            (convolved(of_images(true), IMAGE, 0), images.clone()),
            (convolved(of_images(false), IMAGE, 1), images.clone()),
            (pooled, images),
            (dense, table()),
        ]
    }

    #[test]
    fn an_encoder_in_training_begins_with_the_latents_of_the_imported_one() {
        let device = Default::default();
        for (stack, samples) in ACTIVATIONS.into_iter().flat_map(stacks) {
            let encoder = ImportedEncoder::new("encoder", stack, 1).unwrap();
            let scaling = Scaling::fit(&samples).unwrap();
            let start = encoder.starting(&scaling, &samples);
            let raw = samples.all().unwrap();
            let inputs = TensorData::new(scaling.apply(&raw), [samples.n_samples(), samples.n_features()]);
            let expected = encoder.encode(&raw);
            let is_near = |found: &[f32], what: &str| {
                for (found, expected) in found.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{what}: {found} {expected}");
                }
            };
            for variational in [false, true] {
                let rng = &mut stream(1, "weights", 0);
                let autoencoder = Autoencoder::<Flex>::starting_from(&start, variational, rng, &device);
                let latent = autoencoder.encode(Tensor::from_data(inputs.clone(), &device));
                assert_eq!(latent.log_variance.is_some(), variational);
                assert_eq!(autoencoder.decode(latent.mean.clone()).dims(), [samples.n_samples(), samples.n_features()]);
                is_near(&latent.mean.into_data().to_vec::<f32>().unwrap(), "tensors");
                // What the trained model does to samples.
                let composed = match &start.inputs {
                    Some(InputMap { factor, shift }) => scaling.then(factor, shift),
                    None => scaling.clone(),
                };
                let mut layers = autoencoder.encoder().to_layers(Activation::Identity);
                if let Some(Layer::Dense(last)) = layers.last_mut() {
                    last.outputs = encoder.n_dims();
                    last.weights.truncate(last.inputs * last.outputs);
                    last.bias.truncate(last.outputs);
                }
                let found = layers.iter().fold(composed.apply(&raw), |values, layer| layer.forward(&values));
                is_near(&found, "plain numbers");
            }
        }
    }

    #[test]
    fn steps_see_inputs_of_the_usual_size() {
        let maps = |index: usize| {
            let (stack, samples) = stacks(Activation::Relu).swap_remove(index);
            let encoder = ImportedEncoder::new("encoder", stack, 1).unwrap();
            encoder.starting(&Scaling::fit(&samples).unwrap(), &samples).inputs
        };
        // Only the shift comes before a convolution that pads with zeros, and nothing before the others.
        assert!(maps(0).unwrap().factor.iter().all(|&factor| factor == 1.0));
        assert_eq!((maps(1), maps(4)), (None, None));
        // Pixels have a factor each, which no filter can have.
        assert!(maps(2).is_some() && maps(3).is_some());
    }
}
