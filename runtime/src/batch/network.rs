//! The layers of a model for many samples at once, one block of samples after another.

use alloc::vec::Vec;

use edgemix_format::view::Layer;

use crate::Model;
use crate::kernels::batch::{BatchInput, Instructions, PackedDense};
use crate::kernels::{self, Width};

/// The layers, and the instructions that they are packed for.
#[derive(Clone, Debug)]
pub(super) struct Network<'m> {
    pub(super) instructions: Instructions,
    /// `None` for samples that are quantised one at a time: those of a front end, and those with unusual scales.
    input: Option<BatchInput>,
    /// The cluster of each component.
    pub(super) clusters: Vec<i32>,
    layers: Vec<BatchLayer<'m>>,
}

#[derive(Clone, Debug)]
enum BatchLayer<'m> {
    Packed(PackedDense<'m>),
    /// A layer that takes one sample at a time.
    Single(Layer<'m>, Width),
}

impl<'m> Network<'m> {
    pub(super) fn new(model: &Model<'m>, instructions: Instructions) -> Self {
        let layers = model.file().encoder.iter().zip(1..).map(|(layer, after)| match layer {
            Layer::Dense(dense) => BatchLayer::Packed(PackedDense::new(dense, model.width(after), instructions)),
            Layer::Conv2d(_) | Layer::Pool2d(_) => BatchLayer::Single(*layer, model.width(after)),
        });
        let layers: Vec<BatchLayer> = layers.collect();
        let file = model.file();
        let is_plain = file.front_ends.is_empty();
        let input =
            is_plain.then(|| BatchInput::new(&file.sample, &file.input, model.width(0), layers.is_empty())).flatten();
        let components = 0..u16::try_from(model.n_components()).unwrap_or(u16::MAX);
        let cluster_of = |k: u16| file.head.clusters().get(usize::from(k)).copied().unwrap_or(k);
        let clusters = components.map(|k| cluster_of(k).into()).collect();
        Self { instructions, input, clusters, layers }
    }

    /// Writes what the first layer takes of a sample as a row. Returns false if the model has to do so, or to say what is wrong
    /// with the sample.
    pub(super) fn quantizes(&self, sample: &[f32], row: &mut [u8]) -> bool {
        self.input.as_ref().is_some_and(|input| input.quantize(self.instructions, sample, row))
    }

    /// Whether samples are not their own latents.
    pub(super) fn has_layers(&self) -> bool {
        !self.layers.is_empty()
    }

    /// Bytes from a row of so many elements to the next: those of whole vectors.
    pub(super) fn row(&self, n: usize) -> usize {
        n.next_multiple_of(16) * self.instructions.element()
    }

    /// The longest row of this input and of the layers, and the words that layers of single samples need.
    pub(super) fn memory(&self, n_inputs: usize) -> (usize, usize) {
        let outputs = self.layers.iter().map(|layer| layer.outputs()).max().unwrap_or(0);
        (self.row(n_inputs.max(outputs)), self.layers.iter().map(|layer| layer.single()).max().unwrap_or(0))
    }

    /// Runs all layers on the rows of inputs. The last one writes latents, with the elements from one to the next.
    pub(super) fn forward(
        &self,
        n_rows: usize,
        [mut inputs, mut outputs]: [&mut Vec<u8>; 2],
        single: &mut [i32],
        (latents, stride): (&mut [i16], usize),
    ) -> Option<()> {
        let mut step = self.row(self.layers.first()?.inputs());
        let (last, before) = self.layers.split_last()?;
        for layer in before {
            let next = self.row(layer.outputs());
            let from = (inputs.get(..n_rows * step)?, step);
            let to = outputs.get_mut(..n_rows * next)?;
            match layer {
                BatchLayer::Packed(packed) => packed.run(from, (to, next))?,
                BatchLayer::Single(layer, width) => {
                    for (row, to) in from.0.chunks_exact(step).zip(to.chunks_exact_mut(next)) {
                        self.instructions.write(run_single(self.instructions, layer, *width, row, single)?, to);
                    }
                }
            }
            core::mem::swap(&mut inputs, &mut outputs);
            step = next;
        }
        let from = (inputs.get(..n_rows * step)?, step);
        match last {
            BatchLayer::Packed(packed) => packed.run(from, (bytemuck::cast_slice_mut(latents), 2 * stride)),
            BatchLayer::Single(layer, width) => {
                for (row, to) in from.0.chunks_exact(step).zip(latents.chunks_exact_mut(stride)) {
                    let latent = run_single(self.instructions, layer, *width, row, single)?;
                    to.get_mut(..latent.len())?.copy_from_slice(latent);
                }
                Some(())
            }
        }
    }
}

impl BatchLayer<'_> {
    fn inputs(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.inputs(),
            Self::Single(layer, _) => layer.inputs(),
        }
    }

    fn outputs(&self) -> usize {
        match self {
            Self::Packed(packed) => packed.outputs(),
            Self::Single(layer, _) => layer.outputs(),
        }
    }

    /// Words that a layer needs to take one sample.
    fn single(&self) -> usize {
        match self {
            Self::Packed(_) => 0,
            Self::Single(layer, _) => [layer.inputs(), layer.outputs(), layer.scratch()].map(words).iter().sum(),
        }
    }
}

/// Words of so many int16.
fn words(n: usize) -> usize {
    n.div_ceil(2)
}

/// The outputs of a layer on one row.
fn run_single<'s>(
    instructions: Instructions,
    layer: &Layer,
    width: Width,
    row: &[u8],
    memory: &'s mut [i32],
) -> Option<&'s [i16]> {
    let (input, memory) = memory.split_at_mut_checked(words(layer.inputs()))?;
    let (output, scratch) = memory.split_at_mut_checked(words(layer.outputs()))?;
    let input = bytemuck::cast_slice_mut::<_, i16>(input).get_mut(..layer.inputs())?;
    let output = bytemuck::cast_slice_mut::<_, i16>(output).get_mut(..layer.outputs())?;
    let scratch = bytemuck::cast_slice_mut::<_, i16>(scratch).get_mut(..layer.scratch())?;
    input.iter_mut().zip(instructions.read(row)).for_each(|(place, x)| *place = x);
    kernels::run(layer, width, input, output, scratch);
    Some(output)
}
