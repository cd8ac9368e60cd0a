//! Trained models as ONNX graphs, in f32, for other programs to check and use.
//!
//! The graph takes samples in the unit of the data, or the features of a front end, and gives the latent, the score of each
//! component of a mixture or class of a softmax, and the cluster. Scores of a mixture are weighted log-densities, written as
//! skl2onnx writes them: the squares of a whitened latent, summed.

use ndarray::{Array2, Axis};

use super::builder::GraphBuilder;
use crate::data::ImageShape;
use crate::mixture::{Mixture, NotPositiveDefinite, Whitening};
use crate::trained::{Activation, Convolution, Dense, Head, Layer, Pooling, PoolingOperation, Trained, Window};

/// The bytes of an ONNX file of a model; `None` if it has an autoencoder for each cluster. `origins` were subtracted from the
/// columns of the samples before it was trained.
///
/// # Errors
/// [`NotPositiveDefinite`] if a covariance of the mixture is not positive definite.
pub fn onnx_file(trained: &Trained, origins: &[f64]) -> Result<Option<Vec<u8>>, NotPositiveDefinite> {
    let n = trained.encoder.first().map_or(trained.head.n_dims(), Layer::inputs);
    let name = if trained.front_end.is_some() { "features" } else { "sample" };
    let mut graph = Writer { graph: GraphBuilder::named(name, &[n]), planes: None };
    graph.add_scaling(trained, origins, n);
    for (index, layer) in trained.encoder.iter().enumerate() {
        graph.add_layer(index, layer);
    }
    graph.flatten("latent");
    graph.graph.add_as("latent", "Identity", &[], vec![]);
    match &trained.head {
        Head::Mixture(mixture) => graph.add_mixture(mixture)?,
        Head::Softmax(dense) => graph.add_softmax(dense),
        Head::Autoencoders(_) => return Ok(None),
    }
    Ok(Some(graph.graph.file(&["latent", "scores", "cluster"])))
}

struct Writer {
    graph: GraphBuilder,
    /// The image that the value is, channels first, if it is one.
    planes: Option<ImageShape>,
}

impl Writer {
    fn add_scaling(&mut self, trained: &Trained, origins: &[f64], n: usize) {
        let graph = &mut self.graph;
        if trained.front_end.is_none() && origins.iter().any(|&origin| origin != 0.0) {
            let origins = graph.floats("origin", &[n], origins.iter().copied().cycle().take(n));
            graph.add_as("less origin", "Sub", &[origins], vec![]);
        }
        let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&x| x.into()).cycle().take(n).collect() };
        let gain = graph.floats("gain", &[n], wide(&trained.scaling.gain));
        graph.add_as("gained", "Mul", &[gain], vec![]);
        let offset = graph.floats("offset", &[n], wide(&trained.scaling.offset));
        graph.add_as("input", "Add", &[offset], vec![]);
        if let Some([least, greatest]) = trained.scaling.limits {
            let limits = [("least", least), ("greatest", greatest)];
            let limits = limits.map(|(name, limit)| graph.floats(name, &[], [f64::from(limit)]));
            graph.add_as("limited", "Clip", &limits, vec![]);
        }
    }

    fn add_layer(&mut self, index: usize, layer: &Layer) {
        let name = format!("layer {index}");
        match layer {
            Layer::Dense(dense) => {
                self.flatten(&name);
                self.add_dense(&name, &name, dense);
            }
            Layer::Convolution(convolution) => self.add_convolution(&name, convolution),
            Layer::Pooling(pooling) => self.add_pooling(&name, pooling),
        }
        let (operator, attributes) = match layer.activation() {
            Activation::Identity => return,
            Activation::Relu => ("Relu", vec![]),
            Activation::LeakyRelu(slope) => ("LeakyRelu", vec![GraphBuilder::float("alpha", slope)]),
            Activation::Tanh => ("Tanh", vec![]),
            Activation::Sigmoid => ("Sigmoid", vec![]),
            Activation::Elu => ("Elu", vec![]),
        };
        self.graph.add_as(&format!("{name} active"), operator, &[], attributes);
    }

    /// A fully connected layer of this name, which writes a value.
    fn add_dense(&mut self, name: &str, output: &str, dense: &Dense) {
        let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&x| x.into()).collect() };
        let Dense { inputs, outputs, weights, bias, .. } = dense;
        let constants = [
            self.graph.floats(&format!("{name} weight"), &[*outputs, *inputs], wide(weights)),
            self.graph.floats(&format!("{name} bias"), &[*outputs], wide(bias)),
        ];
        self.graph.add_as(output, "Gemm", &constants, vec![GraphBuilder::int("transB", 1)]);
    }

    fn add_convolution(&mut self, name: &str, convolution: &Convolution) {
        let shape = convolution.shape;
        let (channels, [rows, columns]) = (shape.input.channels, shape.window.sizes());
        self.unflatten(name, shape.input);
        // Channels of a pixel lie side by side here, and the pixels of a channel there.
        let (pixels, per_filter) = (rows * columns, shape.weights_per_filter());
        let place = |i: usize| i / per_filter * per_filter + i % pixels * channels + i % per_filter / pixels;
        let weights = (0..convolution.weights.len()).map(|i| f64::from(convolution.weights[place(i)]));
        let sizes = [shape.filters, channels, rows, columns];
        let constants = [
            self.graph.floats(&format!("{name} weight"), &sizes, weights),
            self.graph.floats(&format!("{name} bias"), &[shape.filters], convolution.bias.iter().map(|&b| b.into())),
        ];
        let [above, left] = shape.window.paddings();
        let mut attributes = moves(shape.window);
        attributes.push(GraphBuilder::ints("pads", &[above, left, above, left]));
        self.graph.add_as(name, "Conv", &constants, attributes);
        self.planes = shape.output();
    }

    fn add_pooling(&mut self, name: &str, pooling: &Pooling) {
        self.unflatten(name, pooling.input);
        let operator = match pooling.operation {
            PoolingOperation::Max => "MaxPool",
            PoolingOperation::Average => "AveragePool",
        };
        self.graph.add_as(name, operator, &[], moves(pooling.window));
        self.planes = pooling.output();
    }

    /// Channels first, for a layer that moves a window.
    fn unflatten(&mut self, name: &str, image: ImageShape) {
        if self.planes.is_some() {
            return;
        }
        let ImageShape { channels, height, width } = image;
        let sizes = [0, height, width, channels].map(|size| size as i64);
        let shape = self.graph.integers(&format!("{name} shape"), &sizes);
        self.graph.add_as(&format!("{name} image"), "Reshape", &[shape], vec![]);
        let order = GraphBuilder::ints("perm", &[0, 3, 1, 2]);
        self.graph.add_as(&format!("{name} planes"), "Transpose", &[], vec![order]);
    }

    /// All values of a sample in a row, channels side by side.
    fn flatten(&mut self, name: &str) {
        let Some(image) = self.planes.take() else { return };
        let order = GraphBuilder::ints("perm", &[0, 2, 3, 1]);
        self.graph.add_as(&format!("{name} pixels"), "Transpose", &[], vec![order]);
        let shape = self.graph.integers(&format!("{name} length"), &[0, image.n_values() as i64]);
        self.graph.add_as(&format!("{name} row"), "Reshape", &[shape], vec![]);
    }

    /// `constant - |W (z - m)|^2 / 2` of each component.
    fn add_mixture(&mut self, mixture: &Mixture) -> Result<(), NotPositiveDefinite> {
        let whitened = mixture.whiten()?;
        let k = mixture.n_components();
        let graph = &mut self.graph;
        let mut distances = vec![];
        for component in 0..k {
            let root = match &whitened.whitening {
                Whitening::Diagonal(rows) => Array2::from_diag(&rows.row(component)),
                Whitening::Full(all) => all.index_axis(Axis(0), component).to_owned(),
            };
            let shift = -root.dot(&mixture.means.row(component));
            let name = format!("component {component}");
            let sizes = [root.nrows(), root.ncols()];
            let constants = [
                graph.floats(&format!("{name} root"), &sizes, root.iter().copied()),
                graph.floats(&format!("{name} shift"), &sizes[..1], shift.iter().copied()),
            ];
            graph.go_on_from("latent");
            graph.add_as(&name, "Gemm", &constants, vec![GraphBuilder::int("transB", 1)]);
            let axes = vec![GraphBuilder::ints("axes", &[1]), GraphBuilder::int("keepdims", 1)];
            let distance = format!("{name} distance");
            graph.add_as(&distance, "ReduceSumSquare", &[], axes);
            distances.push(distance);
        }
        graph.go_on_from(&distances[0]);
        graph.add_as("distances", "Concat", &distances[1..], vec![GraphBuilder::int("axis", 1)]);
        let half = graph.floats("minus half", &[1], [-0.5]);
        graph.add_as("exponents", "Mul", &[half], vec![]);
        let constants = graph.floats("constants", &[k], whitened.constants.iter().copied());
        graph.add_as("scores", "Add", &[constants], vec![]);
        graph.add_choice("component");
        let clusters: Vec<i64> = mixture.clusters.iter().map(|&cluster| cluster.into()).collect();
        let clusters = graph.integers("clusters", &clusters);
        graph.add_lookup("cluster", &clusters);
        Ok(())
    }

    fn add_softmax(&mut self, dense: &Dense) {
        self.add_dense("softmax", "scores", dense);
        self.graph.add_choice("cluster");
    }
}

fn moves(window: Window) -> Vec<super::proto::Attribute> {
    vec![GraphBuilder::ints("kernel_shape", &window.sizes()), GraphBuilder::ints("strides", &window.strides())]
}
