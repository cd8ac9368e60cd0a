//! A run that has every file, small enough to be read ten thousand times.

use std::fs;
use std::path::{Path, PathBuf};

use edgemix::assessment::interval::SeedInterval;
use edgemix::assessment::lone::LoneCluster;
use edgemix::data::{Dataset, Source};
use edgemix::device::Device;
use edgemix::methods::FitConfig;
use edgemix::run::{RunDir, RunFile};
use edgemix::trained::LevelChoice;
use edgemix::training::{EpochReport, Finding, Observer, PhaseSettings};
use edgemix::workflow::{ExistingRun, FitOptions, Plan, WorkflowError, fit, start};

/// All files but the report and generated samples, which are never read.
pub(crate) const FILES: [RunFile; 13] = [
    RunFile::Settings,
    RunFile::Data,
    RunFile::Metrics,
    RunFile::Checkpoint,
    RunFile::Autoencoder,
    RunFile::ClusterCount,
    RunFile::StickWeights,
    RunFile::LoneClusters,
    RunFile::Latents,
    RunFile::Trained,
    RunFile::Model,
    RunFile::Interval,
    RunFile::Outcome,
];

/// What a training that goes on reads.
const TO_RESUME: [RunFile; 4] = [RunFile::Settings, RunFile::Data, RunFile::Metrics, RunFile::Checkpoint];

pub(crate) const OPTIONS: FitOptions =
    FitOptions { device: Device::Cpu, allow_disagreement: true, level: LevelChoice::Trained };

/// Stops a fit after its first batch.
pub(crate) struct Stop;

impl Observer for Stop {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}
    fn epoch(&mut self, _: &EpochReport) {}
    fn failure(&mut self) -> Option<std::io::Error> {
        Some(std::io::ErrorKind::Interrupted.into())
    }
}

/// Stops a fit after the first epoch in which there are clusters.
#[derive(Default)]
struct StopAtClusters(bool);

impl Observer for StopAtClusters {
    fn phase(&mut self, _: &str, _: usize, _: usize) {}
    fn epoch(&mut self, report: &EpochReport) {
        self.0 = report.clusters.is_some();
    }
    fn is_asked_to_stop(&mut self) -> bool {
        self.0
    }
}

/// The run, and the samples it was trained on, in a folder of its own.
pub(crate) struct WholeRun {
    folder: tempfile::TempDir,
    pub(crate) source: Source,
    pub(crate) dataset: Dataset,
    pub(crate) config: FitConfig,
    /// The contents of [`FILES`].
    contents: Vec<Vec<u8>>,
}

impl WholeRun {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let samples = folder.path().join("samples.csv");
        let row = |i: usize| {
            let value = |i: usize| (i * 37 % 23) as f32 + if i % 4 < 2 { 60.0 } else { 0.0 };
            format!("{},{},{},{}\n", value(2 * i), value(2 * i + 1), i % 2, i / 12)
        };
        fs::write(&samples, format!("x,y,kind,user\n{}", (0..120).map(row).collect::<String>())).unwrap();
        let source = Source {
            label_column: Some("kind".into()),
            group_column: Some("user".into()),
            ..Source::new(samples.to_str().unwrap())
        };
        let dataset = source.read().unwrap();
        let epochs = PhaseSettings::with_epochs(2);
        let encoder = "6-3".parse().unwrap();
        let config = FitConfig { encoder, reconstruction: epochs, clustering: epochs, ..FitConfig::default() };
        let mut whole = Self { folder, source, dataset, config, contents: vec![] };
        whole.train();
        whole
    }

    fn train(&mut self) {
        let run = start(&self.path(), &self.plan(), ExistingRun::Refuse).unwrap();
        // The checkpoint is the one in the middle of the clustering, from which there is something left to do.
        assert!(fit(&run, &self.plan(), &OPTIONS, &mut StopAtClusters::default()).is_err());
        let checkpoint = fs::read(run.file(RunFile::Checkpoint)).unwrap();
        fit(&run, &self.plan(), &OPTIONS, &mut ()).unwrap();
        fs::write(run.file(RunFile::Checkpoint), checkpoint).unwrap();
        run.write_finding(&Finding::StickWeights(vec![0.7, 0.2, 0.1])).unwrap();
        run.write_lone_clusters(&[LoneCluster { cluster: 1, group: 3, samples: 12 }]).unwrap();
        let halves = |shift: u16| (0..120).map(|i| (i + shift) / 40).collect();
        run.write_interval(&SeedInterval::new(&[(0, halves(0)), (1, halves(7)), (2, halves(20))])).unwrap();
        let outcome = r#"{"failure": null, "values": [0.5, null, 0.25, 2.0, 1.5, 900.0, 80.0, 1.0]}"#;
        fs::write(run.file(RunFile::Outcome), outcome).unwrap();
        self.contents = FILES.map(|file| fs::read(run.file(file)).unwrap()).into();
    }

    /// The directory of a comparison that has this run alone.
    pub(crate) fn comparison(&self) -> PathBuf {
        self.folder.path().join("comparison")
    }

    /// The directory of the run.
    pub(crate) fn path(&self) -> PathBuf {
        self.comparison().join(format!("{}-{}", self.config.method.name(), self.config.seed))
    }

    pub(crate) fn run(&self) -> RunDir {
        RunDir::open(&self.path())
    }

    /// A file beside the run, which is written to.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn plan(&self) -> Plan<'_> {
        Plan::new(&self.source, &self.dataset, self.config.clone()).unwrap()
    }

    /// What a file of the run contains before anybody changes it.
    pub(crate) fn contents(&self, file: RunFile) -> &[u8] {
        &self.contents[FILES.iter().position(|&own| own == file).unwrap()]
    }

    /// Makes the run what it was.
    pub(crate) fn restore(&self) {
        fs::remove_dir_all(self.comparison()).unwrap();
        fs::create_dir_all(self.path().join("checkpoints")).unwrap();
        FILES.into_iter().for_each(|file| fs::write(self.path().join(file.name()), self.contents(file)).unwrap());
    }

    /// Resumes the run from its checkpoint, in a copy, until it has trained on a batch.
    pub(crate) fn resume(&self) -> Result<(), WorkflowError> {
        let copy = self.scratch("copy");
        let copied = |file: RunFile| fs::copy(self.path().join(file.name()), copy.join(file.name()));
        fs::create_dir_all(copy.join("checkpoints")).unwrap();
        TO_RESUME.into_iter().try_for_each(|file| copied(file).map(drop)).unwrap();
        let run = start(&copy, &self.plan(), ExistingRun::Resume)?;
        fit(&run, &self.plan(), &OPTIONS, &mut Stop).map(drop)
    }

    /// Starts another run from this one's autoencoder, until it has trained on a batch.
    pub(crate) fn start_another(&self) -> Result<(), WorkflowError> {
        let config = FitConfig { start_from: Some(self.path()), ..self.config.clone() };
        let plan = Plan::new(&self.source, &self.dataset, config)?;
        let run = start(&self.scratch("another"), &plan, ExistingRun::Replace)?;
        fit(&run, &plan, &OPTIONS, &mut Stop).map(drop)
    }
}

/// Writes a changed file into the run.
pub(crate) fn write(run: &Path, file: RunFile, bytes: &[u8]) {
    fs::write(run.join(file.name()), bytes).unwrap();
}
