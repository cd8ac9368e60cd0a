//! The description: what stands between header and blob, encoded with postcard.
//!
//! Field order is the wire order. Minor versions append: new variants at the end of an enum, new fields at the end of
//! [`Description`]; a reader refuses variants it doesn't know and passes over trailing fields of a later minor.
//! Names are borrowed from the file rather than copied into `heapless` strings: they cost no RAM.

use serde::{Deserialize, Serialize};

use crate::Tensor;

/// The most layers an encoder (or one network of an autoencoder head) can have.
pub const MAX_LAYERS: usize = 16;

/// Layers in the order they run. See [`Description`] for an example.
pub type Layers = heapless::Vec<Layer, MAX_LAYERS>;

/// What a model is.
///
/// ```
/// use edgemix_format::description::{Activation, Calibration, Covariance, Head, Layer, WeightOrder};
/// use edgemix_format::testing::Spec;
///
/// // 6 -> 5 -> 3, five components of full covariance in three clusters, a table of eight entries.
/// let (description, _) = Spec::default().parts();
/// assert_eq!((description.fingerprint.seed, description.input.len, description.latent.len), (0, 6, 3));
/// let Layer::Dense(first) = &description.encoder[0] else { panic!("no dense layer") };
/// assert_eq!((first.order, first.activation), (WeightOrder::RowMajor, Activation::Relu));
/// assert_eq!((first.weights.len, first.requantize.shift.len), (5 * 6, 5));
/// assert!(first.output.scale > 0.0);
/// let Head::Mixture(mixture) = description.head else { panic!("no mixture") };
/// assert_eq!((mixture.covariance, mixture.coefficients.len), (Covariance::Full, 5 * 6));
/// let Calibration::Marginal(table) = description.calibration else { panic!("no table") };
/// assert_eq!(table.levels.len, 8);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description<'a> {
    /// The model's name, for people.
    pub name: &'a str,
    /// The method that trained it, as the trainer's command line spells it.
    pub method: &'a str,
    /// Which run made it.
    #[serde(borrow)]
    pub fingerprint: Fingerprint<'a>,
    /// How samples become the first layer's input.
    pub input: Input,
    /// The encoder; empty when the scaled samples are themselves the latents, or what autoencoders take.
    pub encoder: Layers,
    /// What the encoder gives.
    pub latent: Latent,
    /// What turns a latent into scores.
    pub head: Head,
    /// What turns a log-density into a novelty, and scores into a posterior.
    pub calibration: Calibration,
}

/// Which run made a model: enough to tell two models apart and to make one again. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Fingerprint<'a> {
    /// First eight bytes of the SHA-256 of the training samples.
    pub data: [u8; 8],
    /// First eight bytes of the SHA-256 of the run's complete configuration.
    pub config: [u8; 8],
    /// The run's seed.
    pub seed: u64,
    /// The trainer's version.
    pub version: &'a str,
}

/// How a sample becomes the first layer's input.
///
/// A sample in the data's own unit: `q = floor(x * gain + offset + 1/2)`.
/// A raw integer sample: `q = floor(((raw << 8) - center) * multiplier / 2^shift + 1/2)`.
/// Both saturate to int8, or to int16 where `q` is the latent itself: the encoder has no layers and the head is not one
/// of autoencoders.
/// Element `i` uses entry `i mod channels`. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Number of elements of one sample.
    pub len: u32,
    /// Number of entries in the tensors below: 1, or a divisor of `len`.
    pub channels: u32,
    /// Input steps per unit of the data.
    pub gain: Tensor<f32>,
    /// Input steps at zero.
    pub offset: Tensor<f32>,
    /// One raw count in the data's own unit: what `assign_raw` takes.
    pub count: f32,
    /// The raw value that becomes zero, in 1/256 counts.
    pub center: Tensor<i32>,
    /// Multiplier of raw samples.
    pub multiplier: Tensor<i32>,
    /// Shift of raw samples.
    pub shift: Tensor<u8>,
}

/// One layer of a network. See [`Description`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Layer {
    /// A fully connected layer.
    Dense(Dense),
    /// A two-dimensional convolution. Minor version 1.
    Conv2d(Conv2d),
}

/// A fully connected layer: `outputs x inputs` int8 weights, symmetric, one scale per output.
/// See [`Description`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// Number of inputs.
    pub inputs: u32,
    /// Number of outputs.
    pub outputs: u32,
    /// In which order the weights lie.
    pub order: WeightOrder,
    /// The weights.
    pub weights: Tensor<i8>,
    /// One bias per output in the accumulator's scale, the input's zero point folded in.
    pub bias: Tensor<i32>,
    /// From the accumulator to the output (or to the table's index).
    pub requantize: Requantize,
    /// What follows.
    pub activation: Activation,
    /// The output's scale and zero point. The encoder's last layer gives the int16 latent: zero point 0.
    pub output: Affine,
}

/// A convolution of an image, channels last: element `(row * width + column) * channels + channel`. So is its output,
/// the channels being the filters: what follows a convolution sees it flattened in this order.
///
/// A filter is a row of a [`Dense`] layer whose inputs are the `kernel[0] * kernel[1] * channels` elements under it.
///
/// ```
/// use edgemix_format::description::Layer;
/// use edgemix_format::testing::{Convolution, Follow, Spec};
///
/// let (kernel, follow) = ([3, 2], Follow::Relu);
/// let filters = Convolution { filters: 4, kernel, stride: [1, 1], padding: [0; 4], follow };
/// let spec = Spec { input: 60, image: [5, 6, 2], convolutions: vec![filters], ..Spec::default() };
/// let (description, _) = spec.parts();
/// let Layer::Conv2d(layer) = &description.encoder[0] else { panic!("no convolution") };
/// assert_eq!((layer.weights.len, layer.bias.len), (4 * 3 * 2 * 2, 4));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// Rows of the input.
    pub height: u16,
    /// Columns of the input.
    pub width: u16,
    /// Channels of the input.
    pub channels: u16,
    /// Channels of the output.
    pub filters: u16,
    /// Rows and columns that a filter covers.
    pub kernel: [u8; 2],
    /// Rows and columns from one place of the filter to the next.
    pub stride: [u8; 2],
    /// Rows and columns around the input: above, left, below, right. Each is less than the kernel's extent there.
    pub padding: [u8; 4],
    /// What stands in the padding: the input's zero point.
    pub padding_value: i8,
    /// In which order the weights lie: a row holds one filter's, its rows from the top, their columns from the left,
    /// the channels of a place side by side (OHWI).
    pub order: WeightOrder,
    /// The weights, `filters * kernel[0] * kernel[1] * channels`.
    pub weights: Tensor<i8>,
    /// One bias per filter in the accumulator's scale. The input's zero point is folded in for all of the filter's
    /// weights, so that padding adds nothing.
    pub bias: Tensor<i32>,
    /// From the accumulator to the output (or to the table's index); one entry per filter.
    pub requantize: Requantize,
    /// What follows; one entry per filter.
    pub activation: Activation,
    /// The output's scale and zero point; in the encoder's last layer the zero point is 0.
    pub output: Affine,
}

/// In which order a layer's weights lie in the blob. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WeightOrder {
    /// Row by row, a row holding one output's weights.
    RowMajor,
}

/// `real = scale * (q - zero_point)`. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Affine {
    /// The real value of one step.
    pub scale: f32,
    /// The step that stands for 0.
    pub zero_point: i8,
}

/// Per output `i`: `floor(accumulator * multiplier[i] / 2^shift[i] + 1/2)`, computed in 64 bits.
/// See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requantize {
    /// Between 0 and 2^31 - 1.
    pub multiplier: Tensor<i32>,
    /// Between 1 and 62.
    pub shift: Tensor<u8>,
}

/// What follows a layer's sum. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Activation {
    /// Nothing.
    Identity,
    /// Negative values become zero.
    Relu,
    /// Negative accumulators are requantised with these smaller multipliers.
    LeakyRelu(Requantize),
    /// The requantised value, saturated to int8, becomes `table[q + 128]`: tanh, sigmoid, ELU. The zero point is not
    /// added: that of the table's index is part of the bias, that of the output part of the table.
    Table(Tensor<i8>),
    /// A curve through 257 points, one every 256 steps: the requantised value `q`, saturated to int16, has
    /// `i = (q >> 8) + 128` and `f = q & 255`, and becomes
    /// `(points[i] * (256 - f) + points[i + 1] * f + 128) >> 8`. What a table is elsewhere, in the encoder's last layer,
    /// which gives int16. Minor version 1.
    Interpolated(Tensor<i16>),
}

/// The encoder's int16 output; its zero point is 0. Autoencoders have a latent each: `len` is 0 then, `scale` any.
/// See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latent {
    /// Number of elements, D.
    pub len: u16,
    /// The real value of one step.
    pub scale: f32,
}

/// What turns a latent into one score per component. See [`Description`] for an example.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
// One head per model: the largest decides how much stack loading takes, and boxing needs a heap.
#[allow(clippy::large_enum_variant)]
pub enum Head {
    /// A Gaussian or Dirichlet-process mixture.
    Mixture(Mixture),
    /// A linear layer whose softmax is the posterior.
    Softmax(Softmax),
    /// One encoder and decoder per cluster. Minor version 1.
    Autoencoders(Autoencoders),
}

/// A mixture of K Gaussians over a latent `z` of D int16 steps, as K x R rows of coefficients.
///
/// Row `r` of component `k`: `u = (sum_c coefficients * z_c + offset) >> shift`, in units of 2^-14 of the whitened
/// distance over sqrt(2). Spherical and diagonal: R = D, one coefficient, `c = r`; full: R = D, `c <= r`.
/// Score in units of 2^-16 nat: `constant - ((sum_r u^2 + 2^11) >> 12)`. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mixture {
    /// K.
    pub n_components: u16,
    /// Number of clusters, C.
    pub n_clusters: u16,
    /// The shape of the covariances, which says how the coefficients lie.
    pub covariance: Covariance,
    /// Whitening coefficients: spherical K; diagonal K x D; full K x D(D+1)/2, lower triangle row by row.
    pub coefficients: Tensor<i16>,
    /// K x D: minus the coefficients' product with the mean, plus half a step of the shift.
    pub offsets: Tensor<i32>,
    /// Spherical and diagonal: K; full: K x D.
    pub shifts: Tensor<u8>,
    /// K: log weight plus the Gaussian's normalisation, in units of 2^-16 nat.
    pub constants: Tensor<i32>,
    /// K: the cluster each component belongs to.
    pub clusters: Tensor<u16>,
}

/// The shape of a mixture's covariances. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Covariance {
    /// One variance per component.
    Spherical,
    /// One variance per component and dimension.
    Diagonal,
    /// A matrix per component.
    Full,
}

/// A linear layer whose softmax is the posterior: logits in units of 2^-16,
/// `(sum_c coefficients * z_c + offset) >> shift`.
///
/// ```
/// use edgemix_format::description::Head;
/// use edgemix_format::testing::{Kind, Spec};
///
/// let (description, _) = Spec { head: Kind::Softmax, ..Spec::default() }.parts();
/// let Head::Softmax(softmax) = description.head else { panic!("another head") };
/// assert_eq!((softmax.n_classes, softmax.coefficients.len), (5, 5 * 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Softmax {
    /// Number of classes, which are the clusters.
    pub n_classes: u16,
    /// `n_classes x D`.
    pub coefficients: Tensor<i16>,
    /// One per class, plus half a step of the shift.
    pub offsets: Tensor<i32>,
    /// One per class, between 1 and 40.
    pub shifts: Tensor<u8>,
}

/// K encoder-decoder pairs of one architecture over the sample, which is int8 here: [`Description::encoder`] is empty.
///
/// A pair's encoder gives `latent` means and, with a `variance_penalty`, as many log variances behind them; its decoder
/// takes the means and gives the sample back, in the steps that [`Input`] gives. Score in units of 2^-16 nat:
/// `constant - floor(e * multiplier / 2^shift + 1/2) - sum_d mean_penalty[mean_d + 128] - sum_d
/// variance_penalty[variance_d + 128]`, where `e` is the sum of squared differences between sample and reconstruction.
///
/// The layers are those of pair 0; the tensors of pair `i` lie `i * stride` bytes further. Minor version 1.
///
/// ```
/// use edgemix_format::description::Head;
/// use edgemix_format::testing::{Kind, Spec};
///
/// let head = Kind::Autoencoders { latent: 2, is_variational: true };
/// let (description, _) = Spec { layers: vec![], head, ..Spec::default() }.parts();
/// let Head::Autoencoders(pairs) = description.head else { panic!("another head") };
/// assert_eq!((pairs.n_members, pairs.latent, pairs.variance_penalty.len), (5, 2, 256));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Autoencoders {
    /// K, at least 1: pairs, which are the clusters.
    pub n_members: u16,
    /// Number of means.
    pub latent: u16,
    /// Bytes between the tensors of one pair and those of the next: a multiple of [`crate::BLOB_ALIGNMENT`].
    pub stride: u32,
    /// From the sample to means and log variances, all int8.
    pub encoder: Layers,
    /// From the means to the sample, int8 with the first layer's input scale and zero point.
    pub decoder: Layers,
    /// K: log weights and the Gaussian's normalisation, in units of 2^-16 nat.
    pub constants: Tensor<i32>,
    /// K: from squared steps to units of 2^-16 nat. Shifts are at most 56.
    pub error: Requantize,
    /// What a mean's step costs, 256 entries in units of 2^-16 nat; empty for nothing.
    pub mean_penalty: Tensor<i32>,
    /// What a log variance's step costs; empty where the encoder gives none.
    pub variance_penalty: Tensor<i32>,
}

/// What turns a log-density into a novelty, and scores into a posterior. See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Calibration {
    /// Nothing: novelty is not given.
    None,
    /// One table for all clusters.
    Marginal(QuantileTable),
    /// Tables of samples that were held out of training, and a temperature. Minor version 2.
    HeldOut(HeldOut),
}

/// A log-density of at most `log_densities[i]` has a p-value of at most `levels[i]`; both ascend.
/// See [`Description`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantileTable {
    /// Number of entries, at least 1.
    pub len: u16,
    /// Thresholds in units of 2^-16 nat, ascending.
    pub log_densities: Tensor<i32>,
    /// p-values in units of 1/65535, ascending.
    pub levels: Tensor<u16>,
}

/// What samples say that were held out of training: one or several tables as in [`QuantileTable`], one behind the other,
/// each for some of the clusters, and how much sharper or softer posteriors must be.
///
/// ```
/// use edgemix_format::{description::Calibration, testing::Spec};
///
/// // Two tables of eight entries each for three clusters.
/// let (description, _) = Spec { held_out: 2, ..Spec::default() }.parts();
/// let Calibration::HeldOut(held_out) = description.calibration else { panic!("no tables") };
/// assert_eq!((held_out.n_tables, held_out.len, held_out.tables.len), (2, 16, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// Number of tables, at least 1.
    pub n_tables: u16,
    /// Entries of all tables together.
    pub len: u16,
    /// C: the table of each cluster.
    pub tables: Tensor<u16>,
    /// One per table: where its entries end, which are at least one; the last one's is `len`.
    pub ends: Tensor<u16>,
    /// One per table: of how many held-out samples it is.
    pub samples: Tensor<u32>,
    /// Thresholds in units of 2^-16 nat, ascending in each table: of the log-density plus
    /// `floor(margin * margin_weight / 4)`, where the margin is the best score less the best one of another cluster, 16 nats
    /// at most.
    pub thresholds: Tensor<i32>,
    /// p-values in units of 1/65535, ascending in each table.
    pub levels: Tensor<u16>,
    /// What the margin counts, in quarters.
    pub margin_weight: u8,
    /// Scores are multiplied by this before the posterior is taken of them: one over a temperature. Finite, above 0.
    pub inverse_temperature: f32,
}
