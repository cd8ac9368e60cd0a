//! Random shifts and rotations of images, as one batch of tensor work.

use burn::tensor::ops::GridSampleOptions;
use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::image_shape::ImageShape;

/// How far images are moved: uniformly up to these bounds either way. Zero turns it off.
///
/// ```
/// use edgemix::data::augmentation::Augmentation;
///
/// // Digits that are rotated far become other digits. Shifts keep their default.
/// let augmentation: Augmentation = toml::from_str("rotation = 0.0")?;
/// assert_eq!(augmentation, Augmentation { shift: 0.1, rotation: 0.0 });
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Augmentation {
    /// Shift along each axis, as a share of the image's size.
    pub shift: f64,
    /// Rotation in degrees.
    pub rotation: f64,
}

impl Default for Augmentation {
    fn default() -> Self {
        Self { shift: 0.1, rotation: 10.0 }
    }
}

impl Augmentation {
    /// Moves every row of `N x features` by its own random shift and rotation, bilinearly, zeros beyond the border.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use edgemix::data::{ImageShape, augmentation::Augmentation};
    /// use edgemix::random::stream;
    ///
    /// let shape = ImageShape { channels: 1, height: 4, width: 4 };
    /// let white = Tensor::<Flex, 2>::ones([2, shape.n_values()], &Default::default());
    /// let brightness = |shift| {
    ///     let moved = Augmentation { shift, rotation: 0.0 }.apply(white.clone(), shape, &mut stream(0, "example", 0));
    ///     moved.sum().into_scalar()
    /// };
    /// // What is moved out of the image is lost.
    /// assert!(brightness(0.0) == 32.0 && brightness(0.5) < 32.0);
    /// ```
    pub fn apply<B: Backend>(&self, x: Tensor<B, 2>, shape: ImageShape, rng: &mut impl Rng) -> Tensor<B, 2> {
        let [n, features] = x.dims();
        let ImageShape { channels, height, width } = shape;
        if self.shift == 0.0 && self.rotation == 0.0 {
            return x;
        }
        let grid = self.grids::<B>(n, shape, &x.device(), rng);
        // Bilinear, zeros beyond the border, -1 and 1 being the border pixels' outer edges.
        let options = GridSampleOptions::default();
        let planes = x.reshape([n, height, width, channels]).permute([0, 3, 1, 2]);
        planes.grid_sample_2d(grid, options).permute([0, 2, 3, 1]).reshape([n, features])
    }

    /// For every target pixel of every image where its value comes from, in [-1, 1] across the image:
    /// `N x height x width x 2`.
    fn grids<B: Backend>(&self, n: usize, shape: ImageShape, device: &B::Device, rng: &mut impl Rng) -> Tensor<B, 4> {
        let ImageShape { height, width, .. } = shape;
        let center = |index: usize, size: usize| (2 * index + 1) as f32 / size as f32 - 1.0;
        let pixels = |coordinate: &dyn Fn(usize) -> f32| {
            let values: Vec<f32> = (0..height * width).map(coordinate).collect();
            Tensor::<B, 2>::from_data(TensorData::new(values, [1, height * width]), device)
        };
        let (x, y) = (pixels(&|i| center(i % width, width)), pixels(&|i| center(i / width, height)));
        let mut draw = |bound: f64| {
            let values: Vec<f32> = (0..n).map(|_| ((rng.random::<f64>() * 2.0 - 1.0) * bound) as f32).collect();
            Tensor::<B, 2>::from_data(TensorData::new(values, [n, 1]), device)
        };
        // A shift by a share of the size is twice that share of the span from -1 to 1.
        let (dx, dy) = (draw(2.0 * self.shift), draw(2.0 * self.shift));
        let angle = draw(self.rotation.to_radians());
        let (sin, cos) = (angle.clone().sin(), angle.cos());
        let from_x = cos.clone() * x.clone() - sin.clone() * y.clone() + dx;
        let from_y = sin * x + cos * y + dy;
        Tensor::stack::<3>(vec![from_x, from_y], 2).reshape([n, height, width, 2])
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::base::random::stream;

    const SHAPE: ImageShape = ImageShape { channels: 1, height: 8, width: 8 };

    fn image() -> Tensor<Flex, 2> {
        let pixels: Vec<f32> = (0..64).map(|i| if (16..48).contains(&i) && i % 8 > 2 { 1.0 } else { 0.0 }).collect();
        Tensor::from_data(TensorData::new(pixels, [1, 64]), &Default::default())
    }

    #[test]
    fn without_movement_the_image_stays() {
        let still = Augmentation { shift: 1e-9, rotation: 0.0 };
        let moved = still.apply(image(), SHAPE, &mut stream(0, "test", 0));
        moved.into_data().assert_approx_eq::<f32>(&image().into_data(), burn::tensor::Tolerance::absolute(1e-5));
    }

    #[test]
    fn images_move_each_by_its_own_and_the_same_seed_moves_them_the_same() {
        let batch = image().repeat_dim(0, 3);
        let apply =
            |seed| Augmentation::default().apply(batch.clone(), SHAPE, &mut stream(seed, "test", 0)).into_data();
        let moved: Vec<f32> = apply(1).iter().collect();
        assert_ne!(moved[..64], moved[64..128]);
        assert_eq!(apply(1), apply(1));
        assert_ne!(apply(1), apply(2));
        // Bilinear weights sum to one: what stays inside the border keeps its brightness.
        let mass = moved.iter().sum::<f32>() / 3.0;
        assert!((mass - 20.0).abs() < 3.0, "{mass}");
    }
}
