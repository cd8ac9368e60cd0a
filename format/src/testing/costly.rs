//! Models whose check or inference takes as long as the format allows for their bytes.

use alloc::vec;
use alloc::vec::Vec;

use super::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec, assemble};
use crate::blob::Blob;
use crate::description::{
    ActivationRecord, Affine, AutoencodersRecord, Covariance, DenseRecord, Description, HeadRecord, LayerRecord,
    LayerRecords, Pool2d, Pooling, RequantizeRecord, WeightOrder, Window,
};
use crate::limits::MAX_LAYERS;
use crate::tensor::Tensor;
use crate::write::AlignedBytes;

/// Every byte of a tensor that several parts share: a shift, and part of a multiplier, a bias and a coefficient.
const BYTE: u8 = 5;
const ONE: Affine = Affine { scale: 1.0, zero_point: 0 };
/// A window of one pixel.
const PIXEL: Window = Window { height: 1, width: 1, channels: 1, kernel: [1; 2], stride: [1; 2], padding: [0; 4] };

/// Models of about `bytes` bytes, or as many as their kind can have, by what makes them costly. Some are refused.
///
/// ```
/// use edgemix_format::{Fault, File, LoadError, testing::costly};
///
/// for (name, bytes) in costly(10_000) {
///     let refused = File::from_bytes(&bytes).err();
///     assert!(refused.is_none() || refused == Some(LoadError::Head(Fault::Stride)), "{name}: {refused:?}");
/// }
/// ```
pub fn costly(bytes: usize) -> Vec<(&'static str, AlignedBytes)> {
    let (kernel, stride, padding) = ([64; 2], [1; 2], [0; 4]);
    let convolution = Convolution { filters: 1, kernel, stride, padding, follow: Follow::Relu };
    let pooling = PoolingSpec { pooling: Pooling::Max, kernel, stride, padding };
    let (few, many) = ((1, MAX_LAYERS), (MAX_LAYERS, MAX_LAYERS));
    vec![
        ("clusters", clusters(bytes)),
        ("tables", tables(bytes)),
        ("layers that share bytes", shared_layers(bytes)),
        ("pairs that overlap", pairs(count(bytes, 16), 0, many, |_| dense(1, 1))),
        ("pairs of dense layers", pairs(count(bytes, 480), 480, many, |_| dense(1, 1))),
        ("pairs of pooling", pairs(count(bytes, 16), 16, many, |_| pixel())),
        ("pairs of two layers", pairs(count(bytes, 32), 32, few, |i| if i == 0 { dense(1, 1) } else { pixel() })),
        ("a large kernel", image_model(ImageLayer::Convolution(convolution))),
        ("large pooling", image_model(ImageLayer::Pooling(pooling))),
    ]
}

/// How many items of so many bytes there are, as far as the header can count.
fn count(bytes: usize, of_item: usize) -> u16 {
    (bytes / of_item).clamp(2, u16::MAX.into()) as u16
}

/// As many clusters as components, whose other tensors share their bytes.
fn clusters(bytes: usize) -> AlignedBytes {
    let n = count(bytes, 6);
    let head = HeadSpec::Mixture(Covariance::Spherical);
    let (mut description, _) = bare(head).parts();
    let mut blob = Blob::default();
    let shared = blob.push(&vec![BYTE; 4 * usize::from(n)]).offset;
    scale(&mut description, &mut blob, shared);
    if let HeadRecord::Mixture(mixture) = &mut description.head {
        (mixture.n_components, mixture.n_clusters) = (n, n);
        mixture.coefficients = Tensor::new(shared, n.into());
        mixture.offsets = Tensor::new(shared, n.into());
        mixture.shifts = Tensor::new(shared, n.into());
        mixture.constants = Tensor::new(shared, n.into());
        // Backwards, so that a search for each cluster takes as long as it can.
        mixture.clusters = blob.push(&(0..n).rev().collect::<Vec<u16>>());
    }
    finish(&description, &blob)
}

/// A table of one entry for each cluster.
fn tables(bytes: usize) -> AlignedBytes {
    let n = count(bytes, 27);
    let head = HeadSpec::Mixture(Covariance::Spherical);
    let spec = Spec { components: n, clusters: n, held_out: n, calibration: 1, ..bare(head) };
    let (description, blob) = spec.parts();
    finish(&description, &blob)
}

/// An encoder whose layers widen to as many values as there is space for, and narrow to one.
fn shared_layers(bytes: usize) -> AlignedBytes {
    let n = count(bytes, 4);
    let (mut description, _) = bare(HeadSpec::Softmax).parts();
    let mut blob = Blob::default();
    let shared = blob.push(&vec![BYTE; 4 * usize::from(n)]).offset;
    scale(&mut description, &mut blob, shared);
    let (wide, one) = (u32::from(n), 1);
    description.encoder =
        (0..MAX_LAYERS).map(|i| if i % 2 == 0 { (one, wide) } else { (wide, one) }).map(|(i, o)| dense(i, o)).collect();
    if let HeadRecord::Softmax(softmax) = &mut description.head {
        softmax.n_classes = 1;
        softmax.coefficients = Tensor::new(shared, 1);
        softmax.offsets = Tensor::new(shared, 1);
        softmax.shifts = Tensor::new(shared, 1);
    }
    finish(&description, &blob)
}

/// Pairs of networks of `(encoder, decoder)` layers whose tensors share their bytes.
fn pairs(n: u16, stride: u32, (encoder, decoder): (usize, usize), layer: fn(usize) -> LayerRecord) -> AlignedBytes {
    let (mut description, _) = bare(HeadSpec::Autoencoders { latent: 1, is_variational: false }).parts();
    let mut blob = Blob::default();
    let len = (usize::from(n) * stride as usize).max(4 * usize::from(n));
    let shared = blob.push(&vec![BYTE; len]).offset;
    scale(&mut description, &mut blob, shared);
    let network = |layers: usize| (0..layers).map(layer).collect::<LayerRecords>();
    description.head = HeadRecord::Autoencoders(AutoencodersRecord {
        n_members: n,
        latent: 1,
        stride,
        encoder: network(encoder),
        decoder: network(decoder),
        constants: Tensor::new(shared, n.into()),
        error: RequantizeRecord { multiplier: Tensor::new(shared, n.into()), shift: Tensor::new(shared, n.into()) },
        mean_penalty: Tensor::new(0, 0),
        variance_penalty: Tensor::new(0, 0),
    });
    finish(&description, &blob)
}

/// A layer on an image and one that makes a latent of it.
fn image_model(layer: ImageLayer) -> AlignedBytes {
    let image = [127, 127, 1];
    let input = image.map(usize::from).iter().product();
    let layers = vec![(1, Follow::Identity)];
    let spec = Spec { input, image, image_layers: vec![layer], layers, ..bare(HeadSpec::Softmax) };
    let (description, blob) = spec.parts();
    finish(&description, &blob)
}

/// One input, no layers, one component, no calibration.
fn bare(head: HeadSpec) -> Spec {
    Spec { input: 1, layers: vec![], head, components: 1, clusters: 1, calibration: 0, ..Spec::default() }
}

/// The scaling of one input, all of whose tensors are the shared bytes.
fn scale(description: &mut Description, blob: &mut Blob, shared: u32) {
    let (sample, input) = (&mut description.sample, &mut description.input);
    (sample.origin, sample.count) = (Tensor::new(shared, 1), Tensor::new(shared, 1));
    (input.multiplier, input.shift) = (Tensor::new(shared, 1), Tensor::new(shared, 1));
    input.center = blob.push(&[0i32]);
}

fn dense(inputs: u32, outputs: u32) -> LayerRecord {
    LayerRecord::Dense(DenseRecord {
        inputs,
        outputs,
        order: WeightOrder::RowMajor,
        weights: Tensor::new(0, inputs * outputs),
        bias: Tensor::new(0, outputs),
        requantize: RequantizeRecord { multiplier: Tensor::new(0, outputs), shift: Tensor::new(0, outputs) },
        activation: ActivationRecord::LeakyRelu(RequantizeRecord {
            multiplier: Tensor::new(0, outputs),
            shift: Tensor::new(0, outputs),
        }),
        output: ONE,
    })
}

fn pixel() -> LayerRecord {
    LayerRecord::Pool2d(Pool2d { pooling: Pooling::Max, window: PIXEL, output: ONE })
}

fn finish(description: &Description, blob: &Blob) -> AlignedBytes {
    assemble(description, blob).expect("every length fits")
}
