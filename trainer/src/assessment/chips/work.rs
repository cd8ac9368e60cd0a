//! What an assignment consists of, as far as its time goes: how often each operation happens.
//!
//! `bench/firmware/src/bin/costs.rs` compiles this file as well: what is counted on the emulated cores and what is estimated
//! for a chip are the same operations. It needs `core` alone for that reason.

use edgemix_format::view::{
    Activation, Autoencoders, Conv2d, Covariance, File, Filter, FrontEnd, Head, Layer, Mixture, Pool2d, Pooling,
    Softmax, Spectrum, Statistics,
};

/// Defines the operations and their names in `costs.toml`.
macro_rules! operations {
    ($($operation:ident $name:literal $meaning:literal,)*) => {
        /// Something that takes the same time each time that it happens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $(#[doc = $meaning] $operation,)*
        }

        /// The name of each operation, in the order of the enum.
        pub const OPERATIONS: &[&str] = &[$($name),*];
    };
}

operations! {
    Assignment "assignment" "An assignment, without what follows.",
    Score "score" "A score that is compared.",
    Value "value" "A raw count that is quantised as all others.",
    ChannelValue "channel-value" "A raw count or feature that is quantised as those of its channel.",
    Step "step" "A layer of the encoder that is given its place in the arena.",
    Layer "layer" "A dense layer, or a position of a convolution.",
    Row "row" "An output without activation or with a ReLU.",
    LeakyRow "leaky-row" "An output with a leaky ReLU.",
    TableRow "table-row" "An output with a table.",
    CurveRow "curve-row" "An output with a curve.",
    Mac "mac" "A multiply-accumulate of a layer.",
    RestRow "rest-row" "An output whose inputs are no multiple of the kernel's step.",
    RestMac "rest-mac" "A multiply-accumulate after the last step.",
    SmallRow "small-row" "An output of a layer that is too small for the core's kernel.",
    SmallMac "small-mac" "A multiply-accumulate of such a layer.",
    Line "line" "A row of pixels under the window of a convolution.",
    Tap "tap" "A value under the window of a convolution, which is gathered.",
    PairedMac "paired-mac" "A multiply-accumulate of a convolution of which two positions are computed at a time.",
    PairedRow "paired-row" "A sum of such a convolution.",
    SmallPatch "small-patch" "A position of a convolution of few weights a filter.",
    SmallPatchRow "small-patch-row" "An output of such a convolution.",
    Pooled "pooled" "An output of pooling.",
    PooledLine "pooled-line" "A row of pixels under the window of a pooling, for each output.",
    MaxTap "max-tap" "A value of which the maximum is taken.",
    AverageTap "average-tap" "A value of which the average is taken.",
    Spherical "spherical" "A component with one variance.",
    SphericalTerm "spherical-term" "A dimension of such a component.",
    Diagonal "diagonal" "A component with a variance for each dimension.",
    DiagonalTerm "diagonal-term" "A dimension of such a component.",
    Full "full" "A component with a full covariance.",
    FullRow "full-row" "A dimension of such a component.",
    FullTerm "full-term" "A coefficient of such a component.",
    Class "class" "A class of a softmax head.",
    ClassTerm "class-term" "A coefficient of such a class.",
    Pair "pair" "A pair of autoencoders.",
    PairLayer "pair-layer" "A layer of such a pair.",
    PairValue "pair-value" "A value that such a pair reconstructs.",
    Signal "signal" "A signal of a spectrum.",
    Instant "instant" "An instant of a signal of one channel.",
    VectorInstant "vector-instant" "A channel of an instant of a signal of several channels.",
    Shaped "shaped" "A signal whose crest factor, skewness or kurtosis is computed.",
    ShapedInstant "shaped-instant" "An instant of such a signal.",
    Frame "frame" "A frame of a spectrum.",
    FrameInstant "frame-instant" "An instant of a frame.",
    Butterfly "butterfly" "A butterfly of a Fourier transform.",
    Bin "bin" "A bin whose energy is added to a band's.",
    Band "band" "A band of a frame.",
    FilteredInstant "filtered-instant" "An instant of a channel that is filtered.",
    SectionInstant "section-instant" "An instant that passes a section of a filter.",
}

/// The number of operations.
pub const N_OPERATIONS: usize = OPERATIONS.len();

/// The smallest layer that a core's kernel computes; smaller ones are computed without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Outputs, which the kernel computes so many at a time.
    pub rows: usize,
    /// Inputs, which it takes so many at a time.
    pub inputs: usize,
    /// Positions of a convolution that are computed at a time. Where there are two, filters of up to 16 weights have a kernel
    /// of their own.
    pub positions: usize,
}

/// The most weights of a filter, and the fewest positions, of the kernel for small filters.
const SMALL_PATCH: usize = 16;
const LEAST_POSITIONS: usize = 4;

/// How often each operation happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// The number of times, in the order of [`OPERATIONS`].
    pub counts: [u64; N_OPERATIONS],
    tile: Tile,
}

impl Work {
    /// Nothing yet, for a core with this kernel.
    pub fn new(tile: Tile) -> Self {
        Self { counts: [0; N_OPERATIONS], tile }
    }

    /// The work of an assignment of raw counts.
    pub fn of_assignment(file: &File, tile: Tile) -> Self {
        let mut work = Self::new(tile);
        work.add(Operation::Assignment, 1);
        work.add(Operation::Score, file.head.n_components());
        work.add_front_ends(&file.front_ends);
        let is_alike = file.front_ends.is_empty() && file.input.center.len() == 1;
        work.add(if is_alike { Operation::Value } else { Operation::ChannelValue }, file.input.len);
        work.add(Operation::Step, file.encoder.len());
        file.encoder.iter().for_each(|layer| work.add_layer(layer));
        work.add_head(&file.head);
        work
    }

    fn add(&mut self, operation: Operation, times: usize) {
        if let Some(count) = self.counts.get_mut(operation as usize) {
            *count += times as u64;
        }
    }

    /// Adds a layer.
    pub fn add_layer(&mut self, layer: &Layer) {
        match layer {
            Layer::Dense(dense) => self.add_dense(1, dense.bias.len(), dense.inputs, row(&dense.activation)),
            Layer::Conv2d(convolution) => self.add_convolution(convolution),
            Layer::Pool2d(pooling) => self.add_pooling(pooling),
        }
    }

    /// Adds `times` dense layers of `rows` outputs, each followed by `row`.
    pub fn add_dense(&mut self, times: usize, rows: usize, inputs: usize, row: Operation) {
        self.add(Operation::Layer, times);
        if rows >= self.tile.rows && inputs >= self.tile.inputs {
            // The last tile overlaps the one before it. Inputs that do not fill a step are taken apart.
            let computed = rows.next_multiple_of(self.tile.rows.max(1));
            let rest = inputs % self.tile.inputs.max(1);
            self.add(row, times * rows);
            self.add(Operation::Mac, times * computed * (inputs - rest));
            if rest > 0 {
                self.add(Operation::RestRow, times * rows);
                self.add(Operation::RestMac, times * rows * rest);
            }
        } else {
            self.add(Operation::SmallRow, times * rows);
            self.add(Operation::SmallMac, times * rows * inputs);
        }
    }

    fn add_convolution(&mut self, layer: &Conv2d) {
        let window = &layer.window;
        let positions = window.rows() * window.columns();
        let row = row(&layer.filters.activation);
        if !self.has_small_patches(positions, window.taps(), row) {
            self.add(Operation::Line, positions * usize::from(window.kernel[0]));
            self.add(Operation::Tap, positions * window.taps());
        }
        self.add_positions(positions, layer.filters.bias.len(), window.taps(), row);
    }

    /// Adds `filters` of so many weights at each of the positions of a convolution, each followed by `row`.
    pub fn add_positions(&mut self, positions: usize, filters: usize, taps: usize, row: Operation) {
        let outputs = positions * filters;
        if self.tile.positions < 2 {
            self.add_dense(positions, filters, taps, row);
        } else if self.has_small_patches(positions, taps, row) {
            self.add(Operation::SmallPatch, positions);
            self.add(Operation::SmallPatchRow, outputs);
        } else if filters >= 2 && taps >= 4 && positions >= 2 {
            self.add(Operation::Layer, positions);
            self.add(row, outputs);
            self.add(Operation::PairedRow, outputs);
            self.add(Operation::PairedMac, positions * filters.next_multiple_of(2) * taps);
        } else {
            self.add_dense(positions, filters, taps, row);
        }
    }

    /// Whether a convolution is one for the kernel for small filters.
    fn has_small_patches(&self, positions: usize, taps: usize, row: Operation) -> bool {
        let is_scaled = matches!(row, Operation::Row | Operation::LeakyRow);
        self.tile.positions > 1 && taps <= SMALL_PATCH && positions >= LEAST_POSITIONS && is_scaled
    }

    fn add_pooling(&mut self, layer: &Pool2d) {
        let window = &layer.window;
        let outputs = window.rows() * window.columns() * usize::from(window.channels);
        let [rows, columns] = window.kernel.map(usize::from);
        self.add(Operation::Pooled, outputs);
        self.add(Operation::PooledLine, outputs * rows);
        let tap = match layer.pooling {
            Pooling::Max => Operation::MaxTap,
            Pooling::Average => Operation::AverageTap,
        };
        self.add(tap, outputs * rows * columns);
    }

    /// Adds a head.
    pub fn add_head(&mut self, head: &Head) {
        match head {
            Head::Mixture(mixture) => self.add_mixture(mixture),
            Head::Softmax(Softmax { coefficients, offsets, .. }) => {
                self.add(Operation::Class, offsets.len());
                self.add(Operation::ClassTerm, coefficients.len());
            }
            Head::Autoencoders(pairs) => self.add_pairs(pairs),
        }
    }

    fn add_mixture(&mut self, mixture: &Mixture) {
        let components = mixture.constants.len();
        match mixture.covariance {
            Covariance::Spherical => {
                self.add(Operation::Spherical, components);
                self.add(Operation::SphericalTerm, mixture.offsets.len());
            }
            Covariance::Diagonal => {
                self.add(Operation::Diagonal, components);
                self.add(Operation::DiagonalTerm, mixture.offsets.len());
            }
            Covariance::Full => {
                self.add(Operation::Full, components);
                self.add(Operation::FullRow, mixture.offsets.len());
                self.add(Operation::FullTerm, mixture.coefficients.len());
            }
        }
    }

    fn add_pairs(&mut self, pairs: &Autoencoders) {
        for pair in 0..pairs.constants.len() {
            self.add(Operation::Pair, 1);
            self.add(Operation::PairValue, pairs.inputs);
            for layer in pairs.encoder(pair).chain(pairs.decoder(pair)) {
                self.add(Operation::PairLayer, 1);
                self.add_layer(&layer);
            }
        }
    }

    /// Adds front ends that run one after another.
    pub fn add_front_ends(&mut self, front_ends: &[FrontEnd]) {
        for (front_end, index) in front_ends.iter().zip(1..) {
            match front_end {
                FrontEnd::Spectrum(spectrum) => self.add_spectrum(spectrum),
                FrontEnd::Filter(filter) => self.add_filter(filter, front_ends.get(index)),
            }
        }
    }

    /// A channel is filtered for each signal after the filter that it is part of.
    fn add_filter(&mut self, filter: &Filter, after: Option<&FrontEnd>) {
        let channels = match after {
            Some(FrontEnd::Spectrum(spectrum)) => {
                spectrum.signals.iter().map(|signal| signal.count_ones() as usize).sum()
            }
            Some(FrontEnd::Filter(_)) | None => filter.channels,
        };
        let instants = channels * filter.kept() * filter.factor;
        self.add(Operation::FilteredInstant, instants);
        self.add(Operation::SectionInstant, instants * filter.sections.len());
    }

    fn add_spectrum(&mut self, spectrum: &Spectrum) {
        let signals = spectrum.signals.len();
        let frames = signals * spectrum.frames();
        for signal in spectrum.signals {
            match signal.count_ones() {
                1 => self.add(Operation::Instant, spectrum.instants),
                channels => self.add(Operation::VectorInstant, spectrum.instants * channels as usize),
            }
        }
        self.add(Operation::Signal, signals);
        if spectrum.statistics.intersects(Statistics::SHAPE) {
            self.add(Operation::Shaped, signals);
            self.add(Operation::ShapedInstant, signals * spectrum.instants);
        }
        self.add(Operation::Frame, frames);
        self.add(Operation::FrameInstant, frames * spectrum.frame);
        // A complex transform of half the length.
        let stages = usize::from(spectrum.log2_fft.saturating_sub(1));
        self.add(Operation::Butterfly, frames * (spectrum.fft() / 4) * stages);
        let bins = spectrum.edges.last().zip(spectrum.edges.first()).map_or(0, |(last, first)| last - first);
        self.add(Operation::Bin, frames * usize::from(bins));
        self.add(Operation::Band, frames * spectrum.bands());
    }
}

/// What follows the sum of a row.
fn row(activation: &Activation) -> Operation {
    match activation {
        Activation::Identity | Activation::Relu => Operation::Row,
        Activation::LeakyRelu(_) => Operation::LeakyRow,
        Activation::Table(_) => Operation::TableRow,
        Activation::Interpolated(_) => Operation::CurveRow,
    }
}
