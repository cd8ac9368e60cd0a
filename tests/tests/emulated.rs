//! The emulated Cortex-M4 gives the host's bits.
#![cfg(feature = "emulator")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use edgemix::data::{Dataset, Layout, Samples, Source, Windowing, digits, split::Split};
use edgemix::device::Device;
use edgemix::methods::{Export, FitConfig, MethodConfig, SoftmaxStart};
use edgemix::quantize::{HeldOut, Provenance, quantize};
use edgemix::random::{normal, stream};
use edgemix::training::PhaseSettings;
use edgemix::workflow::{
    EncoderFile, EncoderPlan, Evaluation, ExistingRun, FitOptions, Plan, fit, fit_import, start, start_import,
};
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::view::Calibration;
use edgemix_runtime::{DriftMonitor, Model, RawCount, Smoother};

#[path = "../../trainer/examples/vibration/judgement.rs"]
mod judgement;
#[path = "../../trainer/examples/vibration/machine.rs"]
mod machine;

/// What the host makes of samples in raw counts, in the lines that the firmware prints.
fn on_the_host<S: RawCount>(model: &Model, samples: &[S]) -> String {
    let mut workspace = AlignedBytes::zeroed(model.arena_len());
    let mut drift = DriftMonitor::<64>::new(model, 1000).ok();
    let mut smoother = Smoother::<64>::new(model).ok();
    let mut lines = String::new();
    for (index, sample) in samples.chunks_exact(model.input_len()).enumerate() {
        let found = model.assign_raw(sample, &mut workspace).unwrap();
        let (density, novelty) = (found.log_density.0, found.novelty.0);
        write!(lines, "{index} {} {} {density} {novelty}", found.cluster, found.component).unwrap();
        if let Some(drift) = &mut drift {
            drift.observe(found.cluster, found.novelty);
            write!(lines, " {}", drift.evidence().0).unwrap();
        }
        if let Some(smoother) = &mut smoother {
            let smoothed = smoother.observe(&found);
            write!(lines, " {smoothed} {}", smoother.beliefs()[usize::from(smoothed)].belief()).unwrap();
        }
        let coarser: Vec<_> = model.levels().iter().map(|&level| found.at_level(level).unwrap()).collect();
        coarser.iter().for_each(|coarse| write!(lines, " {}", coarse.cluster).unwrap());
        write!(lines, " {:08x}", found.posterior(found.cluster).to_bits()).unwrap();
        for coarse in coarser {
            write!(lines, " {:08x}", coarse.posterior(coarse.cluster).to_bits()).unwrap();
        }
        lines.push('\n');
    }
    lines
}

/// Every firmware is built to the same place.
static CHIP: Mutex<()> = Mutex::new(());

/// What the firmware prints, built with a model and the bytes of samples: counts of 16 bits if `ending` is `i16`.
fn on_the_chip(model: &Path, samples: &[u8], ending: &str) -> String {
    let _alone = CHIP.lock().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("samples").with_extension(ending);
    fs::write(&file, samples).unwrap();
    let mut xtask = Command::new(env!("CARGO"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    xtask.current_dir(root).args(["run", "--quiet", "--package", "xtask", "--", "emulate", "--model"]);
    let output = xtask.arg(model).arg("--samples").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn raw_digits() -> Vec<u8> {
    digits().samples.all().unwrap().iter().map(|&x| x as u8).collect()
}

#[test]
fn every_digit_is_assigned_as_on_the_host() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("firmware-example/assets/digits.emx");
    let bytes = AlignedBytes::from(&fs::read(&path).unwrap()[..]);
    let expected = on_the_host(&Model::from_bytes(&bytes).unwrap(), &raw_digits());
    assert_eq!(expected.lines().count(), 1797);
    assert_eq!(on_the_chip(&path, &raw_digits(), "u8"), expected);
}

/// Three groups of three clusters, and a model of them that has both numbers.
fn groups_of_clusters() -> (Samples, AlignedBytes) {
    let noise = normal(1800, &mut stream(0, "groups", 0));
    let corner = |kind: usize| [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]][kind % 3];
    let value = |i: usize| {
        let (row, column) = (i / 2, i % 2);
        60.0 * corner(row / 3)[column] + 10.0 * corner(row)[column] + noise[i]
    };
    let samples = Samples::new("groups", (0..1800).map(value).collect(), 2);
    let trained = Device::Cpu.fit(&samples, &FitConfig::default(), &mut (), &mut ()).unwrap().trained;
    let provenance = Provenance { name: "groups".into(), config: [0; 32], seed: 0 };
    let bytes = quantize(&trained, &samples, None, &provenance).unwrap();
    (samples, bytes)
}

/// Fine and coarse answers, and the bits of their posteriors.
#[test]
fn levels_of_clusters_are_the_hosts() {
    let (samples, bytes) = groups_of_clusters();
    let model = Model::from_bytes(&bytes).unwrap();
    assert_eq!((model.n_clusters(), model.levels()), (9, &[3][..]));
    let mut counts = vec![0i16; 2 * 200];
    for (sample, place) in samples.chunk(0..200).unwrap().chunks_exact(2).zip(counts.chunks_exact_mut(2)) {
        model.counts(sample, place).unwrap();
    }
    let expected = on_the_host(&model, &counts);
    let different =
        |at: usize| expected.lines().filter_map(|line| line.split(' ').nth(at)).collect::<BTreeSet<_>>().len();
    // Index, cluster, component, log-density, novelty, the coarser cluster, and the two posteriors.
    assert!(expected.lines().all(|line| line.split(' ').count() == 8));
    assert_eq!((different(1), different(5)), (9, 3), "the samples do not come into every cluster:\n{expected}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.emx");
    fs::write(&path, &*bytes).unwrap();
    let counts: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    assert_eq!(on_the_chip(&path, &counts, "i16"), expected);
}

/// A smoother over 300 windows.
#[test]
fn smoothed_clusters_are_the_hosts() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("format/tests/golden/transitions.emx");
    let bytes = AlignedBytes::from(&fs::read(&path).unwrap()[..]);
    let model = Model::from_bytes(&bytes).unwrap();
    let samples: Vec<i16> =
        (0..300).flat_map(|t| (0..model.input_len() as i32).map(move |i| ((37 * i + 11 * t) % 256) as i16)).collect();
    let expected = on_the_host(&model, &samples);
    // Index, cluster, component, log-density, novelty, evidence, smoothed cluster, belief, posterior.
    let columns = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = expected.lines().map(columns).collect();
    assert!(lines.len() == 300 && lines.iter().all(|line| line.len() == 9), "{expected}");
    let changed = lines.iter().filter(|line| line[1] != line[6]).count();
    assert!((20..280).contains(&changed), "{changed}");
    let bytes: Vec<u8> = samples.iter().flat_map(|count| count.to_le_bytes()).collect();
    assert_eq!(on_the_chip(&path, &bytes, "i16"), expected);
}

/// Every method's own export, and both of those methods that have two or two ways to start.
#[test]
fn what_each_method_exports_gives_the_hosts_bits() {
    let samples = &raw_digits()[..64 * 250];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.emx");
    for method in MethodConfig::NAMES.iter().map(|name| MethodConfig::named(name).unwrap()).flat_map(exports) {
        let (reconstruction, clustering) = (PhaseSettings::with_epochs(20), PhaseSettings::with_epochs(6));
        let config = FitConfig { reconstruction, clustering, method, ..FitConfig::default() };
        let digits = digits();
        let parts = Split::draw(&digits, config.holdout, config.seed).parts(&digits.samples).unwrap();
        let trained = Device::Cpu.fit(&parts.training, &config, &mut (), &mut ()).unwrap().trained;
        let provenance = Provenance { name: "parity".into(), config: [0; 32], seed: 0 };
        // So coarse a rate that clusters have tables of their own.
        let held_out = parts.held_out.as_ref().map(|samples| HeldOut { samples, finest_rate: 0.25 });
        let bytes = quantize(&trained, &parts.training, held_out, &provenance).unwrap();
        fs::write(&path, &*bytes).unwrap();
        let model = Model::from_bytes(&bytes).unwrap();
        let Calibration::HeldOut(tables) = model.file().calibration else { panic!("no held-out samples") };
        assert!(tables.ends.len() > 1, "{:?}", config.method);
        let expected = on_the_host(&model, samples);
        assert_eq!(expected.lines().count(), 250);
        // Seven numbers in each line, and two for each coarser level: drift was watched.
        let numbers = 7 + 2 * model.levels().len();
        assert!(expected.lines().all(|line| line.split(' ').count() == numbers));
        assert_eq!(on_the_chip(&path, samples, "u8"), expected, "{:?}", config.method);
    }
}

/// Convolutions over the instants of an accelerometer's windows, whose kernels have one row.
#[test]
fn convolutions_over_time_give_the_hosts_bits() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let recording = root.join("firmware-example/assets/hapt.csv.gz");
    let source = Source {
        label_column: Some("activity".into()),
        group_column: Some("user".into()),
        window: Some(Windowing { length: 64, step: 64 }),
        ..Source::new(recording.to_str().unwrap())
    };
    let dataset = source.read().unwrap();
    let method = MethodConfig::named("ae-kmeans").unwrap();
    let encoder = "conv1d:8k5s2p2,max2,8k3s2p1,8".parse().unwrap();
    let reconstruction = PhaseSettings::with_epochs(10);
    let config = FitConfig { encoder, method, reconstruction, ..FitConfig::default() };
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&source, &dataset, config).unwrap();
    assert!(plan.front_end().is_none());
    let run = start(folder.path(), &plan, ExistingRun::Refuse).unwrap();
    let summary = fit(&run, &plan, &FitOptions::default(), &mut ()).unwrap();
    let file = summary.run.model().unwrap();
    let model = file.model().unwrap();
    let agreement = Evaluation::new(&dataset, Some(&summary.trained), &model).unwrap().agreement.unwrap();
    assert!(agreement >= 0.97, "{agreement}");

    let counts: Vec<i16> = dataset.samples.chunk(0..200).unwrap().iter().map(|&x| x as i16).collect();
    let bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    assert_eq!(on_the_chip(file.path(), &bytes, "i16"), on_the_host(&model, &counts));
}

/// A simulated bearing, of which the chip learned three states of turning and rest: a fault that training never saw is
/// novel, and the monitor raises its alarm soon after it began and not before.
#[test]
fn a_fault_that_was_never_seen_is_noticed_on_the_chip() {
    let values = machine::record(0, 1000, 0).iter().flat_map(|window| &window.counts).map(|&x| x.into()).collect();
    let layout = Layout::Windows { channels: machine::AXES };
    let samples = Samples::new("machine", values, machine::WINDOW * machine::AXES).with_layout(layout).with_count(1.0);
    let dataset = Dataset { samples, labels: None, groups: None };
    let mut config = FitConfig { reconstruction: PhaseSettings::with_epochs(60), ..FitConfig::default() };
    config.method = MethodConfig::named("ae-gmm").unwrap();
    config.method.set_n_clusters(4);
    config.front_end.rate = Some(machine::RATE);
    // A table of novelty for each state: states have p-values of their own, and follow each other for long.
    (config.holdout, config.finest_rate) = (0.2, 0.05);
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan::new(&Source::new("machine"), &dataset, config).unwrap();
    let run = start(folder.path(), &plan, ExistingRun::Refuse).unwrap();
    let file = fit(&run, &plan, &FitOptions::default(), &mut ()).unwrap().run.model().unwrap();

    let later = machine::record(1, 250, 250);
    let counts: Vec<i16> = later.iter().flat_map(|window| window.counts.iter().copied()).collect();
    let bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
    let printed = on_the_chip(file.path(), &bytes, "i16");
    assert_eq!(printed, on_the_host(&file.model().unwrap(), &counts));
    let found = judgement::judge(&later, &judgement::lines(&printed).unwrap());
    let (of_healthy, of_faulty) = found.alarms;
    assert!(found.area >= 0.95 && of_healthy < 0.1 && of_faulty > 0.5, "{} {of_healthy} {of_faulty}", found.area);
    assert!(found.drift.is_some_and(|windows| (1..=100).contains(&windows)), "{:?}", found.drift);
    // Each state is a cluster.
    let main = |counts: &[usize]| (0..counts.len()).max_by_key(|&cluster| counts[cluster]).unwrap();
    let mut clusters: Vec<usize> = found.table.iter().map(|(_, counts)| main(counts)).collect();
    clusters.sort_unstable();
    let named: Vec<_> = found.table.iter().map(|(state, counts)| (state.name(), counts)).collect();
    assert_eq!(clusters, [0, 1, 2, 3], "{named:?}");
}

/// The method as it is by default, and as else it can start or export.
fn exports(method: MethodConfig) -> Vec<MethodConfig> {
    let mut other = method.clone();
    match &mut other {
        MethodConfig::KDvae(k) => k.0.export = Export::Full,
        MethodConfig::KDae(k) => k.0.export = Export::Full,
        MethodConfig::Depict(depict) => depict.start = SoftmaxStart::Components,
        _ => return vec![method],
    }
    vec![method, other]
}

/// Encoders of other programs, and those that PyTorch wrote, from raw counts to the posterior.
#[test]
fn imported_encoders_give_the_hosts_bits() {
    let wave = |i: usize| (i / 3 * (3 + i / 9600) % 40) as f32 * (1 + i % 3) as f32 + (i * 7919 % 23) as f32;
    let windows = Samples::new("waves", (0..300 * 96).map(wave).collect(), 96);
    let windows = windows.with_layout(Layout::Windows { channels: 3 });
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("trainer/tests/suite/import");
    let encoders = [
        ("encoders/mlp", digits().samples),
        ("encoders/conv2d", digits().samples),
        ("encoders/conv1d", windows.clone()),
        ("pytorch/mlp-dynamo", digits().samples),
        ("pytorch/conv2d-dynamo", digits().samples),
        ("pytorch/conv1d-script", windows),
    ];
    for (name, samples) in encoders {
        let dataset = Dataset { samples, labels: None, groups: None };
        let mut config = FitConfig { method: MethodConfig::named("ae-gmm").unwrap(), ..FitConfig::default() };
        config.method.set_n_clusters(5);
        let file = EncoderFile { path: folder.join(format!("{name}.onnx")), ..EncoderFile::default() };
        let plan = EncoderPlan::new(&file, &Source::new(name), &dataset, config).unwrap();
        let runs = tempfile::tempdir().unwrap();
        let run = start_import(runs.path(), &plan, ExistingRun::Refuse).unwrap();
        let options = FitOptions { allow_disagreement: true, ..FitOptions::default() };
        let file = fit_import(&run, &plan, &options, &mut ()).unwrap().run.model().unwrap();
        let model = file.model().unwrap();
        let values = dataset.samples.chunk(0..300).unwrap();
        let mut counts = vec![0i16; values.len()];
        let places = counts.chunks_exact_mut(model.input_len());
        values
            .chunks_exact(model.input_len())
            .zip(places)
            .for_each(|(sample, place)| model.counts(sample, place).unwrap());
        let expected = on_the_host(&model, &counts);
        let clusters: BTreeSet<_> = expected.lines().filter_map(|line| line.split(' ').nth(1)).collect();
        assert!(clusters.len() > 2, "{name}: {clusters:?}");
        let bytes: Vec<u8> = counts.iter().flat_map(|count| count.to_le_bytes()).collect();
        assert_eq!(on_the_chip(file.path(), &bytes, "i16"), expected, "{name}");
    }
}
