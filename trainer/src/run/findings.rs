//! What a run found besides its models.

use super::directory::RunDir;
use super::error::RunError;
use super::file::RunFile;
use crate::assessment::interval::SeedInterval;
use crate::assessment::lone::LoneCluster;
use crate::mixture::ClusterCountReport;
use crate::training::{Finding, LatentHistory};

impl RunDir {
    /// Writes what a method found besides the model.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn write_finding(&self, finding: &Finding) -> Result<(), RunError> {
        match finding {
            Finding::ClusterCount(report) => self.write_json(RunFile::ClusterCount, report),
            Finding::StickWeights(weights) => self.write_json(RunFile::StickWeights, weights),
            Finding::Latents(history) => self.write_json(RunFile::Latents, history),
        }
    }

    /// The weights of the sticks of a Dirichlet process before pruning, largest first, if the method has one.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn stick_weights(&self) -> Result<Option<Vec<f64>>, RunError> {
        self.json(RunFile::StickWeights)
    }

    /// The latents of some samples at a few moments of the training; `None` of a run that was imported or has no encoder.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn latent_history(&self) -> Result<Option<LatentHistory>, RunError> {
        let history: Option<LatentHistory> = self.json(RunFile::Latents)?;
        match history {
            Some(history) if !history.is_whole() => {
                let problem = "a moment has not as many finite numbers as its dimensions and the rows say";
                Err(RunError::malformed(&self.file(RunFile::Latents), problem))
            }
            history => Ok(history),
        }
    }

    /// How the number of clusters was determined, if the method did that.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn cluster_count(&self) -> Result<Option<ClusterCountReport>, RunError> {
        self.json(RunFile::ClusterCount)
    }

    /// The seconds from a window of the run's recording to the next, if its settings say how many instants a second has.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn seconds_a_step(&self) -> Result<Option<f64>, RunError> {
        let Some(window) = self.record()?.and_then(|record| record.source.window) else { return Ok(None) };
        if !self.contains(RunFile::Settings) {
            return Ok(None);
        }
        Ok(self.config()?.front_end.rate.map(|rate| window.step as f64 / rate))
    }

    /// Writes the clusters that one group of the samples shows alone.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn write_lone_clusters(&self, found: &[LoneCluster]) -> Result<(), RunError> {
        self.write_json(RunFile::LoneClusters, &found)
    }

    /// The clusters that one group of the samples shows alone, if the samples had groups.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn lone_clusters(&self) -> Result<Option<Vec<LoneCluster>>, RunError> {
        self.json(RunFile::LoneClusters)
    }

    /// Writes what runs with several seeds agree on.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn write_interval(&self, interval: &SeedInterval) -> Result<(), RunError> {
        self.write_json(RunFile::Interval, interval)
    }

    /// What runs with several seeds agree on, if the directory is that of several runs.
    ///
    /// # Errors
    /// [`RunError::Io`], and [`RunError::Malformed`].
    pub fn interval(&self) -> Result<Option<SeedInterval>, RunError> {
        let interval: Option<SeedInterval> = self.json(RunFile::Interval)?;
        match &interval {
            Some(interval) if interval.medoid >= interval.runs.len() => {
                let problem = format!("medoid is {}, but there are {} runs", interval.medoid, interval.runs.len());
                Err(RunError::malformed(&self.file(RunFile::Interval), problem))
            }
            _ => Ok(interval),
        }
    }
}
