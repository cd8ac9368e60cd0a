//! Steps of the trainer's networks, and the movement of images.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;

use super::case::{Case, Draw, Extent};
use crate::data::ImageShape;
use crate::data::augmentation::Augmentation;
use crate::nn::{Architecture, Autoencoder, Network, Optimized, Optimizer};
use crate::random::stream;
use crate::trained::{Activation, Layer};

const DIGIT: ImageShape = ImageShape { channels: 1, height: 28, width: 28 };
const SMALL: ImageShape = ImageShape { channels: 1, height: 8, width: 8 };
const COLOURS: ImageShape = ImageShape { channels: 3, height: 16, width: 16 };

/// The cases of this file.
pub(super) fn cases<B: AutodiffBackend>(extent: Extent) -> Vec<Case<B>> {
    if extent == Extent::Small {
        return vec![
            step("fully connected", "10", 37, SMALL, false),
            step("a convolution and a pooling", "conv:4k3p1,max2,10", 9, SMALL, false),
            adam(),
            moved(SMALL, 9),
        ];
    }
    vec![
        step("fully connected", "500-200-10", 256, DIGIT, false),
        step("fully connected, last batch", "500-200-10", 37, DIGIT, false),
        step("fully connected, variational", "500-200-10", 256, DIGIT, true),
        step("DEPICT's convolutions", "depict", 25, DIGIT, false),
        step("DEPICT's convolutions, last batch", "depict", 3, DIGIT, false),
        step("convolutions of colours and pooling", "conv:8k3s1p1,max2,12k3s2,avg2,24,6", 9, COLOURS, false),
        adam(),
        moved(DIGIT, 25),
        moved(COLOURS, 1),
    ]
}

/// The reconstruction of a batch, its gradient, and the encoder's weights after a step.
fn step<B: AutodiffBackend>(name: &str, encoder: &str, n: usize, image: ImageShape, variational: bool) -> Case<B> {
    let shapes =
        encoder.parse().ok().and_then(|layers: Architecture| layers.shapes(image.n_values(), Some(image)).ok());
    let shapes = shapes.unwrap_or_default();
    let input = ([n, image.n_values()], Draw::Normal);
    Case::new(format!("a step of an autoencoder: {name}, {n} images"), &[input], move |x| {
        let x = x[0].clone();
        let device = x.device();
        let network = Autoencoder::<B>::new(&shapes, variational, &mut stream(0, "weights", 0), &device);
        let mut network = Optimized::new(network, Optimizer::Sgd { momentum: 0.9 });
        let latent = network.encode(x.clone());
        let decoded = network.decode(latent.sample(&mut stream(0, "noise", 0)));
        let loss = (decoded.clone() - x).square().sum() / n as f64;
        network.descend(&mut loss.backward(), 1e-3);
        let weights =
            network.encoder().to_layers(Activation::Identity).into_iter().flat_map(weights).collect::<Vec<_>>();
        let count = weights.len();
        let weights = Tensor::<B, 1>::from_data(&weights[..], &device).reshape([1, count]);
        vec![latent.mean, decoded, weights]
    })
}

/// Two steps of Adam, whose length is that of the signs of the gradient: none of its elements is near 0 here.
fn adam<B: AutodiffBackend>() -> Case<B> {
    Case::without_gradient("two steps of Adam, 37 samples", &[([37, 20], Draw::Positive)], |x| {
        let device = x[0].device();
        let network = Network::<B>::dense(&[20, 5], &mut stream(0, "weights", 0), &device);
        let mut network = Optimized::new(network, Optimizer::default());
        for _ in 0..2 {
            let loss = network.forward(x[0].clone()).sum();
            network.descend(&mut loss.backward(), 1e-2);
        }
        vec![network.forward(x[0].clone())]
    })
}

fn weights(layer: Layer) -> Vec<f32> {
    match layer {
        Layer::Dense(dense) => [dense.weights, dense.bias].concat(),
        Layer::Convolution(convolution) => [convolution.weights, convolution.bias].concat(),
        Layer::Pooling(_) => vec![],
    }
}

/// Images as the augmentation moves them.
fn moved<B: AutodiffBackend>(image: ImageShape, n: usize) -> Case<B> {
    let name = format!("{n} moved images of {}x{}x{}", image.height, image.width, image.channels);
    Case::without_gradient(name, &[([n, image.n_values()], Draw::Positive)], move |x| {
        let moved = Augmentation::default().apply(x[0].clone().inner(), image, &mut stream(0, "movement", 0));
        vec![Tensor::from_inner(moved)]
    })
}
