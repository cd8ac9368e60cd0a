//! The names of the files in a run's directory, each spelt once.

use std::fmt;

/// A file in a run's directory.
///
/// ```
/// use edgemix::run::RunFile;
///
/// assert_eq!(RunFile::Model.name(), "model.emx");
/// assert_eq!(RunFile::Settings.to_string(), "config.toml");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunFile {
    /// The complete settings, as TOML.
    Settings,
    /// Where the samples come from, and their fingerprint, as TOML.
    Data,
    /// One line of JSON per epoch.
    Metrics,
    /// The state of training after the last epoch that was saved.
    Checkpoint,
    /// The autoencoder after its reconstruction, from which other runs can start.
    Autoencoder,
    /// How the number of clusters was determined, as JSON.
    ClusterCount,
    /// The weights of the sticks of a Dirichlet process, as JSON.
    StickWeights,
    /// The clusters that one group of the samples shows alone, as JSON, if the samples have groups.
    LoneClusters,
    /// Which file of another program the model was imported from, as TOML, if it was.
    Import,
    /// The trained model in floating point, as safetensors.
    Trained,
    /// The quantised model.
    Model,
    /// The report of the run, as an HTML page.
    Report,
    /// The latents of some samples at a few moments of the training, as JSON.
    Latents,
    /// Samples drawn from the clusters, as NPZ.
    Generated,
    /// The same samples, if they are images, as one PNG.
    GeneratedSheet,
    /// What runs with several seeds agree on, as JSON.
    Interval,
    /// The scores of a run that is part of a comparison, as JSON.
    Outcome,
}

impl RunFile {
    /// All of them, in the order in which they are removed: the settings first, since a directory without settings holds no
    /// run, and the samples last, since they mark the rest as the remainder of one.
    pub const ALL: [Self; 17] = [
        Self::Settings,
        Self::Metrics,
        Self::Checkpoint,
        Self::Autoencoder,
        Self::ClusterCount,
        Self::StickWeights,
        Self::LoneClusters,
        Self::Import,
        Self::Latents,
        Self::Trained,
        Self::Model,
        Self::Report,
        Self::Generated,
        Self::GeneratedSheet,
        Self::Interval,
        Self::Outcome,
        Self::Data,
    ];

    /// The path below the run's directory.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Settings => "config.toml",
            Self::Data => "data.toml",
            Self::Metrics => "metrics.jsonl",
            Self::Checkpoint => "checkpoints/last.ckpt",
            Self::Autoencoder => "checkpoints/autoencoder.ckpt",
            Self::ClusterCount => "clusters.json",
            Self::StickWeights => "sticks.json",
            Self::LoneClusters => "groups.json",
            Self::Import => "import.toml",
            Self::Trained => "trained.safetensors",
            Self::Model => "model.emx",
            Self::Report => "report.html",
            Self::Latents => "latents.json",
            Self::Generated => "generated.npz",
            Self::GeneratedSheet => "generated.png",
            Self::Interval => "seeds.json",
            Self::Outcome => "result.json",
        }
    }
}

impl fmt::Display for RunFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
