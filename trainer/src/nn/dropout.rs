//! Dropout.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::{Rng, RngExt};

/// Noise that zeroes values at random (Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov, "Dropout: A Simple Way
/// to Prevent Neural Networks from Overfitting", 2014).
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use edgemix::nn::Dropout;
/// use edgemix::random::stream;
///
/// let ones = Tensor::<Flex, 2>::ones([1, 1000], &Default::default());
/// let mut rng = stream(0, "noise", 0);
/// let dropped = Dropout { rate: 0.5, rng: &mut rng }.apply(ones).into_data();
/// // About half of the values are zero, and the others are twice as large.
/// assert!(dropped.iter::<f32>().all(|x| x == 0.0 || x == 2.0));
/// assert!((dropped.iter::<f32>().sum::<f32>() - 1000.0).abs() < 200.0);
/// ```
pub struct Dropout<'a, R> {
    /// The probability that a value is zeroed.
    pub rate: f64,
    /// The source of randomness.
    pub rng: &'a mut R,
}

impl<R: Rng> Dropout<'_, R> {
    /// Zeroes values at random and divides the others by the probability that they are kept.
    pub fn apply<B: Backend>(&mut self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let [n, width] = x.dims();
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let gate = |_| if self.rng.random::<f64>() < self.rate { 0.0 } else { kept };
        let mask = TensorData::new((0..n * width).map(gate).collect::<Vec<f32>>(), [n, width]);
        x.clone() * Tensor::from_data(mask, &x.device())
    }
}
