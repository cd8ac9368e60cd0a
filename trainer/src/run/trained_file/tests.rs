use ndarray::{Array2, array};
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::tensors::{TensorReader, TensorWriter};
use super::{TrainedFileError, read_trained, write_trained};
use crate::base::random::{normal, stream};
use crate::data::{ImageShape, Samples, Scaling};
use crate::mixture::dendrogram::{Dendrogram, Join};
use crate::mixture::{Covariance, Hierarchy, Mixture, NumberTrial};
use crate::trained::{
    Activation, Autoencoders, Convolution, ConvolutionShape, Decoder, DecoderLayer, DecoderOutputs, Decoders, Dense,
    Head, Layer, Pair, Picture, Pooling, PoolingOperation, Trained, TransposedConvolution, Upsampling, Window,
};

fn dense(inputs: usize, outputs: usize, activation: Activation, rng: &mut ChaCha8Rng) -> Dense {
    Dense { inputs, outputs, weights: normal(inputs * outputs, rng), bias: normal(outputs, rng), activation }
}

fn mixture(covariance: Covariance) -> Head {
    let means = array![[-1.0, 0.1], [2.0, 0.3], [1.0 / 3.0, 4.0]];
    Head::Mixture(Mixture { log_weights: vec![-1.1, -0.9, -1.3], means, covariance, clusters: vec![0, 1, 0] })
}

/// The levels of a mixture, as without halves and with some that agree.
fn hierarchy(head: &Head) -> Option<Hierarchy> {
    let Head::Mixture(mixture) = head else { return None };
    let agreement = [2, 3].map(|clusters| NumberTrial { clusters, agreement: 1.0 / clusters as f64 + 0.5 });
    let is_diagonal = matches!(mixture.covariance, Covariance::Diagonal(_));
    Some(Hierarchy::new(mixture, if is_diagonal { &agreement } else { &[] }, true))
}

/// Decoders from two latents to 4 x 4 pixels, in each form.
fn decoders(rng: &mut ChaCha8Rng) -> [Decoder; 4] {
    let small = ImageShape { channels: 3, height: 2, width: 2 };
    let shape = ConvolutionShape {
        input: ImageShape { channels: 1, height: 4, width: 4 },
        filters: 3,
        window: Window::square(2, 2, 0),
    };
    let mut layers = || {
        let pooling = Pooling { operation: PoolingOperation::Max, input: small, window: Window::square(2, 2, 0) };
        let (weights, bias) = (normal(12, rng), normal(1, rng));
        let transposed = TransposedConvolution { shape, weights, bias, activation: Activation::Identity };
        vec![
            DecoderLayer::Dense(dense(2, 3, Activation::Relu, rng)),
            DecoderLayer::Upsampling(Upsampling(pooling)),
            DecoderLayer::TransposedConvolution(transposed),
        ]
    };
    let decoder = Decoder {
        networks: Decoders::Shared(layers()),
        is_variational: true,
        outputs: DecoderOutputs::Values,
        variance: None,
        left_out: vec![],
        picture: None,
    };
    let picture = Some(Picture { shape: shape.input, black: -1.0 / 3.0, white: 255.0 });
    let outputs = DecoderOutputs::Logits(-1.0);
    let own = Decoders::OfClusters((0..3).map(|_| layers()).collect());
    [
        Decoder { variance: Some(1.0 / 3.0), ..decoder.clone() },
        Decoder { picture, outputs, ..decoder.clone() },
        Decoder { networks: own, is_variational: false, left_out: vec![-2.5], ..decoder.clone() },
        Decoder { networks: Decoders::OfHead, ..decoder },
    ]
}

/// A model with each kind of layer, head and decoder.
fn models() -> Vec<Trained> {
    let mut rng = stream(0, "trained file", 0);
    let input = ImageShape { channels: 1, height: 4, width: 4 };
    let shape = ConvolutionShape { input, filters: 3, window: Window::square(2, 2, 0) };
    let convolution = Convolution {
        shape,
        weights: normal(12, &mut rng),
        bias: normal(3, &mut rng),
        activation: Activation::LeakyRelu(0.01),
    };
    let input = ImageShape { channels: 3, height: 2, width: 2 };
    let window = Window::square(2, 2, 0);
    let pooling = Pooling { operation: PoolingOperation::Average, input, window };
    let last = dense(3, 2, Activation::Identity, &mut rng);
    let encoder = vec![Layer::Convolution(convolution), Layer::Pooling(pooling), Layer::Dense(last)];
    let full = array![[[2.0, 0.5], [0.5, 1.0]], [[1.0, 0.0], [0.0, 1.0]], [[0.7, -0.1], [-0.1, 0.9]]];
    let softmax = Head::Softmax(dense(2, 3, Activation::Identity, &mut rng));
    let mut pair = || Pair {
        encoder: vec![Layer::Dense(dense(16, 4, Activation::Tanh, &mut rng))],
        decoder: vec![Layer::Dense(dense(2, 16, Activation::Sigmoid, &mut rng))],
    };
    let pairs = vec![pair(), pair()];
    let autoencoders = Autoencoders { pairs, variational: true, precision: 1.0 / 3.0, log_weights: vec![-0.7, -0.6] };
    let scaling = |entries: usize| Scaling {
        gain: vec![0.1; entries],
        offset: vec![-0.2; entries],
        limits: (entries == 2).then_some([-3.5, 3.5]),
    };
    let [of_kmeans, of_images, of_clusters, of_head] = decoders(&mut rng).map(Some);
    let model = |encoder, head, entries, decoder| Trained {
        method: "a \"quoted\" method".into(),
        front_end: None,
        scaling: scaling(entries),
        encoder,
        hierarchy: hierarchy(&head),
        head,
        decoder,
    };
    let mut models = vec![
        model(encoder.clone(), mixture(Covariance::Full(full)), 16, of_kmeans),
        model(encoder.clone(), mixture(Covariance::Diagonal(Array2::from_elem((3, 2), 0.5))), 1, of_images),
        model(vec![], mixture(Covariance::Spherical(vec![0.5, 0.1, 0.2])), 2, None),
        model(encoder, softmax, 4, of_clusters),
        model(vec![], Head::Autoencoders(autoencoders), 16, of_head),
    ];
    // A column that is left out.
    models[3].scaling.gain[2] = 0.0;
    models
}

#[test]
fn a_model_is_read_as_it_was_written() {
    for model in models() {
        let bytes = write_trained(&model).unwrap();
        assert_eq!(read_trained(&bytes).unwrap(), model);
        assert_eq!(write_trained(&model).unwrap(), bytes, "the same model has other bytes");
    }
}

#[test]
fn levels_that_contradict_the_mixture_are_refused() {
    let model = &models()[1];
    let with = |change: &dyn Fn(&mut Hierarchy)| {
        let mut model = model.clone();
        change(model.hierarchy.as_mut().unwrap());
        read_trained(&write_trained(&model).unwrap()).unwrap_err().to_string()
    };
    let numbers = "levels: their numbers of clusters do not ascend, or are not between 1 and that of the components";
    assert_eq!(with(&|own| own.levels[0].clusters = 0), numbers);
    assert_eq!(with(&|own| own.levels.push(own.levels[0])), numbers);
    assert_eq!(with(&|own| own.levels.last_mut().unwrap().clusters = 4), numbers);
    assert_eq!(
        with(&|own| own.levels.retain(|level| level.clusters != 2)),
        "levels: none of them has the clusters of the mixture"
    );
    let join = |into, from| Join { into, from, distance: 1.0 };
    // The first and the last component are one cluster.
    let other = Dendrogram::new(3, vec![join(0, 1), join(0, 2)]).unwrap();
    assert_eq!(with(&|own| own.tree = other.clone()), "levels: none of them has the clusters of the mixture");
    assert_eq!(with(&|own| own.levels[0].agreement = Some(1.5)), "levels: an agreement is not between -1 and 1");
    let fewer = Dendrogram::new(2, vec![join(0, 1)]).unwrap();
    assert_eq!(with(&|own| own.tree = fewer.clone()), "the tensor hierarchy.into has shape [1], expected [2]");
    let softmax = Trained { hierarchy: model.hierarchy.clone(), ..models()[3].clone() };
    let error = read_trained(&write_trained(&softmax).unwrap()).unwrap_err().to_string();
    assert_eq!(error, "levels: are described, but the head is not a mixture");
}

#[test]
fn a_file_without_a_decoder_is_read_as_before() {
    for model in models() {
        let without = Trained { decoder: None, ..model.clone() };
        let bytes = write_trained(&without).unwrap();
        assert!(!TensorReader::new(&bytes).unwrap().description().contains("decoder\":{"), "the description names one");
        assert_eq!(read_trained(&bytes).unwrap(), without);
    }
}

#[test]
fn decoders_that_contradict_the_model_are_refused() {
    let models = models();
    let with = |model: &Trained, change: &dyn Fn(&mut Decoder)| {
        let mut model = model.clone();
        change(model.decoder.as_mut().unwrap());
        read_trained(&write_trained(&model).unwrap()).unwrap_err().to_string()
    };
    let of_head = |own: &mut Decoder| own.networks = Decoders::OfHead;
    assert_eq!(with(&models[0], &of_head), "decoder: is that of the head, which has no autoencoders");
    let shared = models[0].decoder.clone().unwrap().networks;
    assert_eq!(
        with(&models[4], &|own| own.networks = shared.clone()),
        "decoder: is not that of the head, whose autoencoders have one each"
    );
    let fewer = |own: &mut Decoder| {
        if let Decoders::OfClusters(networks) = &mut own.networks {
            networks.pop();
        }
    };
    assert_eq!(with(&models[3], &fewer), "decoder: has 2 networks for 3 clusters");
    let shorter = |own: &mut Decoder| {
        if let Decoders::Shared(layers) = &mut own.networks {
            layers.pop();
        }
    };
    let sizes = "decoder: maps 2 to 12 values, but the model has 2 latents of 16 inputs";
    assert_eq!(with(&models[0], &shorter), sizes);
    let crossed = |own: &mut Decoder| {
        if let Decoders::Shared(layers) = &mut own.networks {
            layers.swap(0, 1);
        }
    };
    assert_eq!(with(&models[0], &crossed), "decoder.0.1: takes 2 values, but the layer before returns 12");
    assert_eq!(with(&models[0], &|own| own.variance = Some(-1.0)), "decoder.variance: is negative");
    assert_eq!(
        with(&models[1], &|own| own.picture.as_mut().unwrap().white = -4.0),
        "decoder: has black at -0.33333334 and white at -4, which are not a range"
    );
    assert!(with(&models[1], &|own| own.picture.as_mut().unwrap().shape.width = 5).contains("the model has 16 inputs"));
    assert_eq!(
        with(&models[1], &|own| own.outputs = DecoderOutputs::Logits(1.0)),
        "decoder: has probabilities of values from 1 to 1, which are not a range"
    );
    assert_eq!(with(&models[3], &|own| own.left_out.clear()), "the tensor decoder.left_out is missing");
}

#[test]
fn other_programs_open_the_tensors() {
    let bytes = write_trained(&models()[0]).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("encoder.0.weight").unwrap().shape(), [3, 2, 2, 1]);
    assert_eq!(file.tensor("mixture.covariance").unwrap().shape(), [3, 2, 2]);
}

/// Bytes changed, inserted and removed at random.
fn damage(bytes: &[u8], rng: &mut impl Rng) -> Vec<u8> {
    let mut damaged = bytes.to_vec();
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..damaged.len().max(1));
        match rng.random_range(0..5) {
            0 => damaged.truncate(at),
            1 => damaged.insert(at, rng.random()),
            2 if at < damaged.len() => _ = damaged.remove(at),
            _ => {
                if let Some(byte) = damaged.get_mut(at) {
                    *byte ^= 1 << rng.random_range(0..8);
                }
            }
        }
    }
    damaged
}

#[test]
fn a_damaged_file_is_refused_and_never_read_as_another_model() {
    let mut rng = stream(1, "trained file", 0);
    for model in models() {
        let bytes = write_trained(&model).unwrap();
        for _ in 0..2000 {
            if let Ok(read) = read_trained(&damage(&bytes, &mut rng)) {
                assert_eq!(read, model);
            }
        }
        for length in 0..bytes.len() {
            assert!(read_trained(&bytes[..length]).is_err(), "{length} bytes were enough");
        }
    }
}

/// Replaces a number, a word or a bracket of the description.
fn tamper(description: &str, rng: &mut impl Rng) -> String {
    let characters: Vec<char> = description.chars().collect();
    let at = rng.random_range(0..characters.len());
    let pieces = ["0", "1", "7", "-3", "65536", "18446744073709551615", "1e400", "null", "\"", "{", "]", ",", "true"];
    let piece = pieces[rng.random_range(0..pieces.len())];
    let end = if rng.random() { at + 1 } else { at };
    characters[..at].iter().collect::<String>() + piece + &characters[end..].iter().collect::<String>()
}

/// Files whose checksum is right but whose contents are not: what is accepted must be usable.
#[test]
fn a_file_that_was_tampered_with_never_panics() {
    let mut rng = stream(2, "trained file", 0);
    let mut accepted = 0;
    for model in models() {
        let bytes = write_trained(&model).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let description = TensorReader::new(&bytes).unwrap().description().to_owned();
        for round in 0..2000 {
            let mut writer = TensorWriter::default();
            let victim = rng.random_range(0..file.len());
            for (index, (name, view)) in file.tensors().iter().filter(|(name, _)| name != "checksum").enumerate() {
                if round % 2 == 1 || index != victim {
                    writer.add_view(name, view);
                    continue;
                }
                // The same bytes in another shape, other bytes, or no tensor at all.
                let mut shape = view.shape().to_vec();
                let mut data = view.data().to_vec();
                match rng.random_range(0..4) {
                    0 => shape.reverse(),
                    1 => shape.insert(0, 1),
                    2 => data.iter_mut().for_each(|byte| *byte ^= 1 << rng.random_range(0..8)),
                    _ => continue,
                }
                writer.add_view(name, &TensorView::new(view.dtype(), shape, &data).unwrap());
            }
            let text = if round % 2 == 1 { tamper(&description, &mut rng) } else { description.clone() };
            let Ok(read) = read_trained(&writer.finish(&text).unwrap()) else { continue };
            accepted += 1;
            let n_features = read.encoder.first().map_or(read.head.n_dims(), Layer::inputs);
            if n_features > 10_000 {
                continue;
            }
            let samples = Samples::new("two", normal(2 * n_features, &mut rng), n_features);
            // A covariance need not be positive definite; that is an error of its own.
            if let Ok(clusters) = read.assign(&samples) {
                assert_eq!(clusters.len(), 2);
                let latents = read.encode(&samples).unwrap();
                assert_eq!(read.mean_samples(&latents, &clusters).is_some(), read.decoder.is_some());
            }
            if let Ok(drawn) = read.draw(1, &mut rng) {
                assert_eq!(drawn.values.len(), drawn.clusters.len() * n_features);
            }
        }
    }
    assert!(accepted > 100, "only {accepted} files were accepted: the test does not reach the checks");
}

#[test]
fn errors_name_the_version_and_the_tensor() {
    let bytes = write_trained(&models()[0]).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let description = TensorReader::new(&bytes).unwrap().description().to_owned();
    let rewritten = |description: &str, change: &dyn Fn(&str, TensorView, &mut TensorWriter)| {
        let mut writer = TensorWriter::default();
        let tensors = file.tensors();
        tensors
            .into_iter()
            .filter(|(name, _)| name != "checksum")
            .for_each(|(name, view)| change(&name, view, &mut writer));
        read_trained(&writer.finish(description).unwrap()).unwrap_err().to_string()
    };
    let keep = |name: &str, view: TensorView, writer: &mut TensorWriter| writer.add_view(name, &view);
    let newer = description.replace("\"version\":1", "\"version\":7");
    assert_eq!(rewritten(&newer, &keep), "it has format version 7, this program reads version 1");
    let error = rewritten(&description, &|name, view, writer| {
        if name == "encoder.2.bias" {
            let view = TensorView::new(view.dtype(), vec![1, 2], view.data()).unwrap();
            writer.add_view(name, &view);
        } else {
            writer.add_view(name, &view);
        }
    });
    assert_eq!(error, "the tensor encoder.2.bias has shape [1, 2], expected [2]");
    let error = rewritten(&description, &|name, view, writer| {
        if name != "mixture.means" {
            writer.add_view(name, &view);
        }
    });
    assert_eq!(error, "the tensor mixture.means is missing");
    let stride = description.replacen("\"stride\":2", "\"stride\":0", 1);
    assert!(rewritten(&stride, &keep).starts_with("encoder.0: an impossible window"));
    let activation = description.replace("0.01", "1e39");
    assert!(
        !matches!(read_trained(&bytes), Err(TrainedFileError::NotAModel)) && !rewritten(&activation, &keep).is_empty()
    );
}
