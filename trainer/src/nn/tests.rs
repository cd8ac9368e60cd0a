//! Tests of the networks on both CPU backends and against their plain numbers.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData, Tolerance, backend::Backend};
use burn_ndarray::NdArray;

use super::{Architecture, Autoencoder, HiddenActivation, Network};
use crate::base::random::{normal, stream};
use crate::data::{ImageShape, Samples, Scaling};
use crate::mixture::{Covariance, Mixture};
use crate::trained::{Activation, Head, Trained};

const WIDTHS: [usize; 4] = [7, 12, 5, 3];

fn input<B: Backend>(n: usize) -> Tensor<B, 2> {
    let values = normal(n * WIDTHS[0], &mut stream(5, "input", 0));
    Tensor::from_data(TensorData::new(values, [n, WIDTHS[0]]), &Default::default())
}

fn mlp<B: Backend>(seed: u64) -> Network<B> {
    Network::dense(&WIDTHS, &mut stream(seed, "weights", 0), &Default::default())
}

#[test]
fn one_seed_is_one_network_on_every_backend() {
    let on_flex = mlp::<Flex>(1).forward(input(9)).into_data();
    on_flex.assert_approx_eq::<f32>(&mlp::<NdArray>(1).forward(input(9)).into_data(), Tolerance::absolute(1e-5));
    assert_eq!(on_flex, mlp::<Flex>(1).forward(input(9)).into_data());
    assert_ne!(on_flex, mlp::<Flex>(2).forward(input(9)).into_data());
}

#[test]
fn weights_fill_glorots_interval_and_biases_are_zero() {
    let network = Network::<Flex>::dense(&[100, 200], &mut stream(0, "weights", 0), &Default::default());
    let layer = network.to_linear().unwrap();
    let bound = (6.0f32 / 300.0).sqrt();
    let most = layer.weights.iter().fold(0.0f32, |most, w| most.max(w.abs()));
    assert!(most <= bound && most > 0.99 * bound, "{most} of {bound}");
    assert!(layer.bias.iter().all(|&b| b == 0.0));
}

#[test]
fn plain_numbers_compute_what_the_network_does() {
    let values = normal(11 * WIDTHS[0], &mut stream(5, "input", 0));
    let mixture = Mixture {
        log_weights: vec![0.0],
        means: ndarray::Array2::zeros((1, 3)),
        covariance: Covariance::Spherical(vec![1.0]),
        clusters: vec![0],
    };
    let trained = Trained {
        method: "test".into(),
        front_end: None,
        scaling: Scaling { gain: vec![1.0], offset: vec![0.0], limits: None },
        encoder: mlp::<Flex>(3).to_layers(Activation::Identity),
        head: Head::Mixture(mixture),
        hierarchy: None,
        decoder: None,
    };
    let plain = trained.encode(&Samples::new("test", values, WIDTHS[0])).unwrap();
    let expected = mlp::<Flex>(3).forward(input(11)).into_data();
    TensorData::new(plain, [11, 3]).assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-5));
}

#[test]
fn the_plain_numbers_of_a_decoder_compute_what_it_does() {
    let image = ImageShape { channels: 2, height: 9, width: 7 };
    // Strides that leave a remainder, paddings, poolings, and layers that are fully connected alone.
    for encoder in ["conv:4k4s2,5k3s2p1,3", "conv:max2,6k3p1,avg2s3,3", "conv:3k2s3p1,10,4", "12-5-3"] {
        let shapes = encoder.parse::<Architecture>().unwrap().shapes(image.n_values(), Some(image)).unwrap();
        for hidden in [HiddenActivation::Auto, HiddenActivation::Tanh] {
            let mut weights = stream(0, "weights", 0);
            let network = Autoencoder::<Flex>::new(&shapes, true, &mut weights, &Default::default()).activated(hidden);
            let plain = network.decoder().to_decoder_layers();
            let dims = plain[0].inputs();
            let latents = normal(5 * dims, &mut stream(7, "latents", 0));
            let expected =
                network.decode(Tensor::from_data(TensorData::new(latents.clone(), [5, dims]), &Default::default()));
            let found = plain.iter().fold(latents, |values, layer| layer.forward(&values));
            let found = TensorData::new(found, [5, image.n_values()]);
            found.assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
        }
    }
}

#[test]
fn a_variational_latent_is_drawn_around_its_mean() {
    let shapes = Architecture::dense(&WIDTHS[1..]).shapes(WIDTHS[0], None).unwrap();
    let network = Autoencoder::<Flex>::new(&shapes, true, &mut stream(0, "weights", 0), &Default::default());
    let q = network.encode(input(4000));
    let log_variance = q.log_variance.clone().expect("a variational autoencoder has variances");
    let draw = |seed| q.sample(&mut stream(seed, "noise", 0));
    assert_eq!(draw(1).into_data(), draw(1).into_data());
    assert_ne!(draw(1).into_data(), draw(2).into_data());
    let whitened = (draw(1) - q.mean.clone()) / (log_variance * 0.5).exp();
    let second = whitened.clone().square().mean().into_scalar();
    assert!((second - 1.0).abs() < 0.05 && whitened.mean().into_scalar().abs() < 0.05, "{second}");
    assert_eq!(network.decode(draw(1)).dims(), [4000, 7]);
}
