//! Whether a model file can hold an encoder, which is known before it is trained.

use edgemix_format::description::MAX_LAYERS;
use edgemix_format::view::{MAX_INPUTS, MAX_LATENT};

use super::error::QuantizeError;
use crate::data::ImageShape;
use crate::nn::LayerShape;
use crate::trained::Window;

/// The most pixels of a side, and the most channels.
const SIDE: usize = u16::MAX as usize;
/// The most pixels of a window, a stride and a padding.
const WINDOW: usize = u8::MAX as usize;

/// Checks the sizes of an encoder for samples of `n_features` values. Without layers, the features are the latent.
///
/// ```
/// use edgemix::nn::Architecture;
/// use edgemix::quantize::{QuantizeError, check_sizes};
///
/// let sizes = |layers: &[usize]| check_sizes(64, &Architecture::dense(layers).shapes(64, None).unwrap());
/// assert!(sizes(&[256, 10]).is_ok());
/// assert!(matches!(sizes(&[256, 2000]), Err(QuantizeError::LatentTooLong(2000))));
/// ```
///
/// # Errors
/// [`QuantizeError::TooManyInputs`], [`QuantizeError::LatentTooLong`], [`QuantizeError::TooManyLayers`],
/// [`QuantizeError::WindowedLayer`] and [`QuantizeError::LayerTooWide`].
pub fn check_sizes(n_features: usize, encoder: &[LayerShape]) -> Result<(), QuantizeError> {
    if n_features > MAX_INPUTS {
        return Err(QuantizeError::TooManyInputs(n_features));
    }
    if encoder.len() > MAX_LAYERS {
        return Err(QuantizeError::TooManyLayers(encoder.len()));
    }
    for (index, layer) in encoder.iter().enumerate() {
        let windowed = match layer {
            LayerShape::Dense(_) => None,
            LayerShape::Convolution(shape) => Some((shape.input, shape.window)),
            LayerShape::Pooling(pooling) => Some((pooling.input, pooling.window)),
        };
        if let Some((image, window)) = windowed.filter(|&(image, window)| !fits(image, window)) {
            return Err(QuantizeError::WindowedLayer { layer: index, window, image });
        }
        if layer.outputs() > MAX_INPUTS {
            return Err(QuantizeError::LayerTooWide { layer: index, outputs: layer.outputs() });
        }
    }
    let latent = encoder.last().map_or(n_features, LayerShape::outputs);
    if latent > MAX_LATENT { Err(QuantizeError::LatentTooLong(latent)) } else { Ok(()) }
}

fn fits(image: ImageShape, window: Window) -> bool {
    let is_small = [image.height, image.width, image.channels].iter().all(|&size| size <= SIDE)
        && [window.size, window.stride, window.padding].iter().all(|&size| size <= WINDOW);
    is_small && window.area() * image.channels <= MAX_INPUTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Architecture;

    fn check(layers: &str, image: ImageShape) -> Result<(), QuantizeError> {
        let layers: Architecture = layers.parse().unwrap();
        check_sizes(image.n_values(), &layers.shapes(image.n_values(), Some(image)).unwrap())
    }

    #[test]
    fn each_limit_of_a_model_file_is_one_before_training() {
        let square = |side| ImageShape { channels: 1, height: side, width: side };
        check("conv:8k3s255,10", square(256)).unwrap();
        assert!(matches!(check("conv:8k3s256,10", square(256)), Err(QuantizeError::WindowedLayer { layer: 0, .. })));
        assert!(matches!(check("conv:2k9,300k16,10", square(24)), Ok(())));
        assert!(matches!(
            check("conv:300k1,2k16,10", square(17)),
            Err(QuantizeError::LayerTooWide { .. } | QuantizeError::WindowedLayer { .. })
        ));
        assert!(matches!(check("conv:2k3,10", square(257)), Err(QuantizeError::TooManyInputs(66_049))));
        assert!(matches!(check("conv:70k1,10", square(31)), Err(QuantizeError::LayerTooWide { outputs: 67_270, .. })));
        assert!(matches!(check("100-1025", square(8)), Err(QuantizeError::LatentTooLong(1025))));
        assert!(matches!(check(&["9"; 17].join("-"), square(8)), Err(QuantizeError::TooManyLayers(17))));
        // The features themselves are the latent.
        assert!(matches!(check_sizes(1025, &[]), Err(QuantizeError::LatentTooLong(1025))));
        check_sizes(1024, &[]).unwrap();
    }
}
