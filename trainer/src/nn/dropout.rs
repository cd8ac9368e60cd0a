//! Dropout.

use burn::tensor::{Tensor, TensorData, backend::Backend};
use rand::Rng;

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

/// The number of equally probable draws.
const DRAWS: f64 = 65_536.0;

impl<R: Rng> Dropout<'_, R> {
    /// Zeroes values at random and divides the others by the probability that they are kept. Both probabilities are rounded to
    /// multiples of 2^-16, which take two random bytes a value.
    pub fn apply<B: Backend>(&mut self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let [n, width] = x.dims();
        let zeroed = (self.rate * DRAWS).round() as u32;
        let kept = (1.0 / (1.0 - f64::from(zeroed) / DRAWS)) as f32;
        let mut draws = vec![0; 2 * n * width];
        self.rng.fill_bytes(&mut draws);
        let gate = |draw: &[u8; 2]| if u32::from(u16::from_le_bytes(*draw)) < zeroed { 0.0 } else { kept };
        let mask = draws.as_chunks().0.iter().map(gate).collect::<Vec<f32>>();
        x.clone() * Tensor::from_data(TensorData::new(mask, [n, width]), &x.device())
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::base::random::stream;

    #[test]
    fn a_share_is_zeroed_and_the_mean_remains() {
        const N: usize = 400_000;
        for (index, rate) in [0.0, 0.1, 0.25, 0.9, 1.0].into_iter().enumerate() {
            let mut rng = stream(2, "dropout", index as u64);
            let ones = Tensor::<Flex, 2>::ones([4, N / 4], &Default::default());
            let dropped = Dropout { rate, rng: &mut rng }.apply(ones).into_data();
            let zeroed = dropped.iter::<f32>().filter(|&x| x == 0.0).count() as f64 / N as f64;
            // Six standard deviations, and what rounding the probability adds.
            let near = 6.0 * (rate * (1.0 - rate) / N as f64).sqrt() + 1e-5;
            assert!((zeroed - rate).abs() <= near, "{rate}: {zeroed}");
            if rate < 1.0 {
                let mean = dropped.iter::<f32>().map(f64::from).sum::<f64>() / N as f64;
                assert!((mean - 1.0).abs() <= near / (1.0 - rate) + 1e-5, "{rate}: {mean}");
            }
        }
    }
}
