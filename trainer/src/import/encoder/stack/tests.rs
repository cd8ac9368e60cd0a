//! Folding, compared with each step by itself.

use super::*;
use crate::base::random::{normal, stream};

const IMAGE: ImageShape = ImageShape { channels: 2, height: 4, width: 4 };

/// A step, as other programs list them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Scale,
    /// With a negative factor, and other numbers for each value.
    ScaleEach,
    Convolution(Window),
    Pooling(PoolingOperation),
    Activation(Activation),
    Dense(usize),
}

fn numbers(n: usize, index: u64) -> Vec<f64> {
    normal(n, &mut stream(3, "stack", index)).into_iter().map(f64::from).collect()
}

/// The stack of the steps, and what each step by itself makes of two samples.
fn followed(steps: &[Step]) -> (LayerStack, Vec<f32>, Vec<f32>) {
    let mut stack = LayerStack::new(IMAGE.n_values(), Some(IMAGE));
    let samples: Vec<f32> = numbers(2 * IMAGE.n_values(), 99).into_iter().map(|x| x as f32).collect();
    let (mut values, mut image) = (samples.clone(), IMAGE);
    for (index, &step) in (0..).zip(steps) {
        let n = values.len() / 2;
        match step {
            Step::Scale | Step::ScaleEach => {
                let period = if step == Step::Scale { image.channels } else { n };
                let sign = if step == Step::Scale { 1.0 } else { -1.0 };
                let factor = numbers(period, 2 * index).iter().map(|x| sign * (0.5 + x.abs())).collect();
                let map = Elementwise { factor, shift: numbers(period, 2 * index + 1) }.repeated(period, n);
                let changed = values
                    .iter()
                    .enumerate()
                    .map(|(i, x)| (f64::from(*x) * map.factor[i % n] + map.shift[i % n]) as f32);
                values = changed.collect();
                stack.scale(map).unwrap();
            }
            Step::Convolution(window) => {
                let shape = ConvolutionShape { input: image, filters: 3, window };
                let (weights, bias) = (numbers(3 * shape.weights_per_filter(), index), numbers(3, index + 50));
                stack.convolution(image, window, &weights, &bias).unwrap();
                let (weights, bias) = (rounded(&weights).unwrap(), rounded(&bias).unwrap());
                values = Convolution { shape, weights, bias, activation: Activation::Identity }.linear(&values);
                image = shape.output().unwrap();
            }
            Step::Pooling(operation) => {
                let window = Window::square(2, 2, 0);
                stack.pooling(operation, image, window).unwrap();
                let pooling = Pooling { operation, input: image, window };
                values = Layer::Pooling(pooling).forward(&values);
                image = pooling.output().unwrap();
            }
            Step::Activation(activation) => {
                stack.activation(activation).unwrap();
                activation.apply(&mut values);
            }
            Step::Dense(outputs) => {
                let (weights, bias) = (numbers(n * outputs, index), numbers(outputs, index + 50));
                stack.dense(&weights, &bias).unwrap();
                let (weights, bias) = (rounded(&weights).unwrap(), rounded(&bias).unwrap());
                let activation = Activation::Identity;
                values = Dense { inputs: n, outputs, weights, bias, activation }.linear(&values);
            }
        }
    }
    (stack, samples, values)
}

#[test]
fn folding_changes_no_value() {
    use Step::{Convolution, Dense, Pooling, Scale, ScaleEach};
    let relu = Step::Activation(Activation::Relu);
    let tanh = Step::Activation(Activation::Tanh);
    let (max, mean) = (Pooling(PoolingOperation::Max), Pooling(PoolingOperation::Average));
    let plain = Convolution(Window::square(3, 1, 0));
    let padded = Convolution(Window::square(3, 1, 1));
    // The steps, and the number of layers that they become.
    for (steps, layers) in [
        // Normalisations before and after a layer need none of their own, and end in one that is linear.
        (&[Scale, padded, Scale, relu, max, Dense(3)][..], 3),
        (&[ScaleEach, Dense(5), ScaleEach, tanh, Scale, Dense(3), ScaleEach], 2),
        // An activation after a maximum belongs to the layer before it; after a mean it needs a layer.
        (&[padded, max, relu, Dense(3)], 3),
        (&[padded, mean, relu, Dense(3)], 4),
        (&[padded, relu, max, relu, Dense(3)], 3),
        // A shift can't be folded into a layer that pads with zeros.
        (&[padded, relu, Scale, plain, Dense(3)], 3),
        (&[padded, relu, Scale, padded, Dense(3)], 4),
        (&[padded, relu, ScaleEach, plain, Dense(3)], 4),
        // A maximum of values that are turned round is none of the values.
        (&[padded, relu, Scale, max, Dense(3)], 3),
        (&[padded, relu, ScaleEach, max, Dense(3)], 4),
        (&[padded, relu, Scale, mean, Dense(3)], 3),
        // What does not end in a linear layer gets one.
        (&[Dense(6), relu], 2),
        (&[Dense(6), relu, tanh], 3),
        (&[padded, relu, mean, Scale], 3),
        (&[relu, Dense(3)], 2),
        // Linear layers are one where that is no larger.
        (&[Dense(6), Scale, Dense(2)], 1),
        (&[Dense(2), Dense(6)], 2),
    ] {
        let (stack, samples, expected) = followed(steps);
        let (map, found) = stack.finish().unwrap();
        assert_eq!(found.len(), layers, "{steps:?}: {found:?}");
        assert!(matches!(found.last(), Some(Layer::Dense(last)) if last.activation == Activation::Identity));
        let values = found.iter().fold(map.scaling(IMAGE.channels).apply(&samples), |x, layer| layer.forward(&x));
        assert_eq!(values.len(), expected.len());
        for (found, expected) in values.iter().zip(&expected) {
            assert!((found - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{steps:?}: {found} {expected}");
        }
    }
}

#[test]
fn what_a_model_file_has_no_room_for_is_refused() {
    let wide = ImageShape { channels: 1, height: 40, width: 40 };
    let stack = || LayerStack::new(wide.n_values(), Some(wide));
    let square = |size, padding| Window::square(size, 1, padding);
    let convolved = |window: Window, weight: f64, filters: usize| {
        let weights = vec![weight; filters * window.area()];
        stack().convolution(wide, window, &weights, &vec![0.0; filters])
    };
    assert_eq!(convolved(square(3, 1), 1.0, 41), Err(LayerProblem::TooWide(65_600)));
    assert_eq!(convolved(square(41, 0), 1.0, 1), Err(LayerProblem::WindowTooLarge));
    assert_eq!(convolved(square(1, 0), f64::NAN, 1), Err(LayerProblem::NotFinite));
    assert_eq!(convolved(square(1, 0), 1e39, 1), Err(LayerProblem::NotFinite));
    assert_eq!(stack().dense(&[], &[]), Err(LayerProblem::NoOutputs));
    assert_eq!(stack().finish(), Err(LayerProblem::TooWideToScale(1600)));
    let mut deep = LayerStack::new(1, None);
    for _ in 0..MAX_LAYERS {
        deep.dense(&[1.0], &[0.0]).unwrap();
        deep.activation(Activation::Relu).unwrap();
    }
    assert_eq!(deep.dense(&[1.0], &[0.0]), Err(LayerProblem::TooManyLayers));
    let mut huge = LayerStack::new(1, None);
    huge.dense(&[1e30], &[0.0]).unwrap();
    assert_eq!(huge.scale(Elementwise { factor: vec![1e30], shift: vec![0.0] }), Err(LayerProblem::NotFinite));
}
