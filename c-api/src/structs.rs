//! The structs that C sees, and their sizes.

/// Words of a loaded model.
pub const EDGEMIX_MODEL_WORDS: usize = 448;

/// A loaded model, which `edgemix_load` fills. It points into the model's bytes, which must stay where they are, unchanged, as
/// long as the model is used. Nothing changes it afterwards, so any number of threads may use it at once.
#[repr(C)]
pub struct Model {
    /// For the library only.
    pub(crate) filled: u64,
    /// For the library only.
    pub(crate) words: [usize; EDGEMIX_MODEL_WORDS],
}

/// The result of assigning a sample.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Assignment {
    /// The cluster, from 0.
    pub cluster: u16,
    /// The component of the mixture with the highest score: a cluster has one or several.
    pub component: u16,
    /// That component's log weight plus log-density, or the logit of a softmax head, in units of 2^-16 nat.
    pub log_density: i32,
    /// How unusual the sample is: the share of known samples that are at least as unusual, in units of 1/65535. Small values
    /// mean novel. It is 65535 if the model has no novelty tables.
    pub novelty: u16,
    /// The score of each component in units of 2^-16 nat. They lie in the arena until the next call that takes this arena.
    pub scores: *const i32,
}

/// Words of a stream.
pub const EDGEMIX_STREAM_WORDS: usize = 10;

/// Makes windows of counts that come one instant or one block at a time. `edgemix_stream_init` fills it.
#[repr(C)]
pub struct Stream {
    /// For the library only.
    pub(crate) filled: u64,
    /// For the library only.
    pub(crate) words: [usize; EDGEMIX_STREAM_WORDS],
    /// For the library only.
    pub(crate) ring: *mut i16,
    /// For the library only.
    pub(crate) length: usize,
}

/// A window of a stream: counts of instant after instant, in two parts. It lies in the stream's ring until the next call that
/// takes the stream.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Window {
    /// The first instants.
    pub older: *const i16,
    /// Number of counts in the first part.
    pub older_length: usize,
    /// The instants after them.
    pub newer: *const i16,
    /// Number of counts in the second part, perhaps 0.
    pub newer_length: usize,
    /// The number of the first instant since the stream began, with those that were lost.
    pub start: u64,
}

/// Words of a monitor.
pub const EDGEMIX_DRIFT_WORDS: usize = 16;

/// Watches assignments for drift. `edgemix_drift_init` fills it. It points into the model's bytes, as the model does.
#[repr(C)]
pub struct Drift {
    /// For the library only.
    pub(crate) filled: u64,
    /// For the library only.
    pub(crate) words: [usize; EDGEMIX_DRIFT_WORDS],
    /// For the library only.
    pub(crate) clusters: *mut ClusterDrift,
    /// For the library only.
    pub(crate) n_clusters: usize,
}

/// What a monitor keeps of a cluster.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ClusterDrift {
    /// For the library only.
    pub(crate) words: [u32; 5],
}

/// Words of a smoother.
pub const EDGEMIX_SMOOTHER_WORDS: usize = 8;

/// Corrects the clusters of successive windows. `edgemix_smoother_init` fills it. It points into the model's bytes, as the model
/// does.
#[repr(C)]
pub struct Smoother {
    /// For the library only.
    pub(crate) filled: u64,
    /// For the library only.
    pub(crate) words: [usize; EDGEMIX_SMOOTHER_WORDS],
    /// For the library only.
    pub(crate) clusters: *mut ClusterBelief,
    /// For the library only.
    pub(crate) n_clusters: usize,
}

/// What a smoother keeps of a cluster.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct ClusterBelief {
    /// For the library only.
    pub(crate) words: [u32; 2],
}
