//! The value that flows through a graph, and the layers that gave it.

use super::problem::NodeProblem;
use super::start::Start;
use crate::data::ImageShape;
use crate::import::encoder::{Elementwise, LayerStack};

/// The value that depends on the sample, after some nodes.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Its sizes without the first axis.
    pub(super) sizes: Vec<usize>,
    /// Where each of its numbers, row-major, lies in the outputs of the layers.
    pub(super) order: Vec<u32>,
    pub(super) stack: LayerStack,
}

impl Value {
    /// The samples, from whose columns `origins` were subtracted.
    pub(super) fn new(start: Start, origins: &[f64]) -> Result<Self, NodeProblem> {
        let Start { sizes, order, image } = start;
        let n = order.len();
        let mut stack = LayerStack::new(n, image);
        if origins.iter().any(|&origin| origin != 0.0) {
            let shift = origins.iter().copied().cycle().take(n).collect();
            stack.scale(Elementwise { factor: vec![1.0; n], shift })?;
        }
        Ok(Self { sizes, order, stack })
    }

    /// How many numbers it has for a sample.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// The problem of its sizes.
    pub(super) fn wrong_sizes(&self, expected: impl Into<String>) -> NodeProblem {
        let what = "the value without its first axis".into();
        NodeProblem::Sizes { what, found: self.sizes.clone(), expected: expected.into() }
    }

    /// Takes new sizes for the same numbers in the same order.
    pub(super) fn reshape(&mut self, sizes: Vec<usize>) -> Result<(), NodeProblem> {
        if sizes.iter().try_fold(1usize, |n, &size| n.checked_mul(size)) != Some(self.len()) {
            return Err(self.wrong_sizes(format!("{} numbers, as {sizes:?} has", self.len())));
        }
        self.sizes = sizes;
        Ok(())
    }

    /// The value after a layer with such outputs in the order in which they are stored.
    pub(super) fn becomes_flat(&mut self, sizes: Vec<usize>) {
        self.order = (0..sizes.iter().product::<usize>() as u32).collect();
        self.sizes = sizes;
    }

    /// The value after a layer that gives an image, channels side by side; it has channels first.
    pub(super) fn becomes_image(&mut self, image: ImageShape, sizes: Vec<usize>) {
        let ImageShape { channels, height, width } = image;
        let pixels = height * width;
        self.order = (0..channels * pixels).map(|i| (i % pixels * channels + i / pixels) as u32).collect();
        self.sizes = sizes;
    }

    /// Whether it is stored as an image of this form, whose channels it has first.
    pub(super) fn is_image(&self, image: ImageShape) -> bool {
        let pixels = image.height * image.width;
        let place = |i: usize| (i % pixels * image.channels + i / pixels) as u32;
        self.len() == image.n_values() && self.order.iter().enumerate().all(|(i, &at)| at == place(i))
    }

    /// Numbers for each element, row-major, in the order in which the elements are stored.
    pub(super) fn stored(&self, numbers: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut stored = vec![0.0; self.len()];
        self.order.iter().enumerate().for_each(|(i, &at)| stored[at as usize] = numbers(i));
        stored
    }

    /// Multiplies and shifts each element, row-major.
    pub(super) fn scale(
        &mut self,
        factor: impl Fn(usize) -> f64,
        shift: impl Fn(usize) -> f64,
    ) -> Result<(), NodeProblem> {
        let map = Elementwise { factor: self.stored(factor), shift: self.stored(shift) };
        Ok(self.stack.scale(map)?)
    }
}
