//! What is known of a model before it is trained: the layers of its encoder.

use edgemix_format::plan::{LayerMemory, arena_len};

use super::chip::Chip;
use super::estimate::{Constants, Estimate};
use super::fit::Misfit;
use super::work::{Operation, Tile, Work};
use crate::nn::LayerShape;

/// Bytes of an output's bias, multiplier and shift.
const BESIDE_WEIGHTS: usize = 4 + 4 + 1;

/// The layers of an encoder that is not trained yet. Front end, head and novelty tables come on top, so that the model takes at
/// least what these take.
#[derive(Clone, Copy, Debug)]
pub struct Planned<'l> {
    /// Elements of an input.
    pub inputs: usize,
    /// The layers.
    pub layers: &'l [LayerShape],
}

impl Planned<'_> {
    /// Checks that what is known fits a chip.
    ///
    /// # Errors
    /// See [`Misfit`].
    pub fn check(&self, chip: &'static Chip, most_ms: Option<f64>) -> Result<Estimate, Misfit> {
        let constants = self.layers.iter().map(constants).collect::<Vec<_>>();
        let estimate = chip.estimate_work(&self.work(chip.costs().tile), &constants);
        let model = constants.iter().map(|constants| constants.bytes as usize).sum();
        let arena = arena_len(self.inputs, self.layers.iter().map(memory), 1, 0).unwrap_or(usize::MAX);
        chip.check_numbers(model, arena, estimate, most_ms, true)
    }

    fn work(&self, tile: Tile) -> Work {
        let mut work = Work::new(tile);
        for layer in self.layers {
            match layer {
                LayerShape::Dense(dense) => work.add_dense(1, dense.outputs, dense.inputs, Operation::Row),
                LayerShape::Convolution(shape) => {
                    work.add_positions(positions(layer), shape.filters, taps(layer), Operation::Row);
                }
                // Negligible beside what is not known yet.
                LayerShape::Pooling(_) => {}
            }
        }
        work
    }
}

fn constants(layer: &LayerShape) -> Constants {
    let (rows, inputs) = match layer {
        LayerShape::Dense(dense) => (dense.outputs, dense.inputs),
        LayerShape::Convolution(shape) => (shape.filters, taps(layer)),
        LayerShape::Pooling(_) => (0, 0),
    };
    Constants { bytes: (rows * (inputs + BESIDE_WEIGHTS)) as u64, times: positions(layer) as u64 }
}

fn memory(layer: &LayerShape) -> LayerMemory {
    let scratch = if matches!(layer, LayerShape::Convolution(_)) { taps(layer) } else { 0 };
    LayerMemory { outputs: layer.outputs(), scratch }
}

/// Weights of a filter.
fn taps(layer: &LayerShape) -> usize {
    match layer {
        LayerShape::Convolution(shape) => shape.window.area() * shape.input.channels,
        LayerShape::Dense(_) | LayerShape::Pooling(_) => 0,
    }
}

/// How often a layer's weights are read.
fn positions(layer: &LayerShape) -> usize {
    match layer {
        LayerShape::Convolution(shape) => layer.outputs() / shape.filters.max(1),
        LayerShape::Dense(_) | LayerShape::Pooling(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::ImageShape;
    use crate::nn::Architecture;

    fn check(chip: &str, layers: &str, most_ms: Option<f64>) -> Result<Estimate, Misfit> {
        let image = ImageShape { channels: 1, height: 28, width: 28 };
        let layers = layers.parse::<Architecture>().unwrap().shapes(784, Some(image)).unwrap();
        Planned { inputs: 784, layers: &layers }.check(chip.parse().unwrap(), most_ms)
    }

    #[test]
    fn what_is_planned_is_refused_by_flash_ram_and_time() {
        check("STM32L476", "256-10", None).unwrap();
        assert!(matches!(check("STM32G071", "500-500-2000-10", None), Err(Misfit::Flash { is_planned: true, .. })));
        assert!(matches!(check("SAMD21G18", "conv:60k4,max2,4k3,10", None), Err(Misfit::Ram { .. })));
        assert!(matches!(check("STM32L476", "256-10", Some(0.1)), Err(Misfit::Time { most: 0.1, .. })));
        assert!(check("STM32L476", "256-10", Some(100.0)).is_ok());
    }
}
