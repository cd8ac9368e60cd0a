//! Windows of a recording through a front end: the trainer's features, the file, and the raw counts of a chip.

use std::path::Path;

use edgemix::data::{Dataset, Layout, Samples, Source, WindowAugmentation, Windowing};
use edgemix::front_end::{FrontEnd, FrontEndError, FrontEndSettings};
use edgemix::methods::{FitConfig, MethodConfig};
use edgemix::run::RunDir;
use edgemix::training::PhaseSettings;
use edgemix::workflow::{Evaluation, ExistingRun, FitOptions, Plan, WorkflowError, fit, start};
use edgemix_format::view::front_end_scratch;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::front_ends;

const RECORDING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/hapt.csv.gz");

fn source() -> Source {
    Source {
        label_column: Some("activity".into()),
        group_column: Some("user".into()),
        window: Some(Windowing { length: 64, step: 64 }),
        ..Source::new(RECORDING)
    }
}

/// A short run of the recording, which has 25 instants a second.
fn train(dataset: &Dataset, front_end: &str, out: &Path) -> RunDir {
    let mut method = MethodConfig::named("ae-gmm").unwrap();
    method.set_n_clusters(6);
    let front_end = FrontEndSettings { rate: Some(25.0), ..FrontEndSettings::default() }.spelt(front_end).unwrap();
    let reconstruction = PhaseSettings::with_epochs(20);
    let config = FitConfig { method, reconstruction, front_end, ..FitConfig::default() };
    let plan = Plan::new(&source(), dataset, config).unwrap();
    assert_eq!(plan.inputs().layout(), Layout::Features);
    let run = start(out, &plan, ExistingRun::Refuse).unwrap();
    fit(&run, &plan, &FitOptions::default(), &mut ()).unwrap();
    run
}

#[test]
fn raw_counts_give_the_features_and_clusters_that_training_saw() {
    same_bits_as_training("auto", 1);
}

#[test]
fn filtered_counts_give_the_features_and_clusters_that_training_saw() {
    same_bits_as_training("decimate:rate=12.5,spectrum:magnitude=0+1+2", 2);
}

fn same_bits_as_training(front_end: &str, n_front_ends: usize) {
    let (folder, dataset) = (tempfile::tempdir().unwrap(), source().read().unwrap());
    let run = train(&dataset, front_end, folder.path());
    let (trained, file) = (run.trained().unwrap(), run.model().unwrap());
    let model = file.model().unwrap();
    let front_end = trained.front_end.as_ref().unwrap();
    let in_file = &model.file().front_ends;
    assert_eq!(in_file.len(), n_front_ends);
    assert_eq!((model.input_len(), in_file.last().unwrap().outputs()), (64 * 3, front_end.outputs()));

    let values = dataset.samples.all().unwrap();
    let counts: Vec<i16> = values.iter().map(|&x| x as i16).collect();
    let expected = front_end.features(&values);
    let mut workspace = AlignedBytes::zeroed(model.arena_len());
    let mut scratch = vec![0; front_end_scratch(in_file)];
    let windows = values.chunks(192).zip(counts.chunks(192)).zip(expected.chunks(front_end.outputs()));
    for ((values, counts), expected) in windows {
        let mut features = vec![0; front_end.outputs()];
        front_ends::run(in_file, counts, &mut features, &mut scratch).unwrap();
        assert!(features.iter().map(|&x| f32::from(x)).eq(expected.iter().copied()));
        let raw = model.assign_raw(counts, &mut workspace).unwrap();
        let raw = (raw.cluster, raw.log_density, raw.novelty);
        let found = model.assign(values, &mut workspace).unwrap();
        assert_eq!((found.cluster, found.log_density, found.novelty), raw);
    }
    // Kinds of motion are told apart, and integers hardly differ from floating point.
    let evaluation = Evaluation::new(&dataset, Some(&trained), &model).unwrap();
    assert!(evaluation.agreement.unwrap() >= 0.99, "{evaluation:?}");
    // Of 12.5 instants a second, less is known.
    let least = if n_front_ends == 1 { 0.55 } else { 0.45 };
    assert!(evaluation.int8.scores.unwrap().nmi > least, "{evaluation:?}");
    assert!(file.flash() < 30_000, "{}", file.flash());
}

#[test]
fn augmented_windows_are_learned_from_and_the_model_is_of_the_windows_themselves() {
    let dataset = source().read().unwrap();
    let learned = |window_augmentation: WindowAugmentation| {
        let folder = tempfile::tempdir().unwrap();
        let mut method = MethodConfig::named("ae-gmm").unwrap();
        method.set_n_clusters(6);
        let reconstruction = PhaseSettings::with_epochs(5);
        let config = FitConfig { method, reconstruction, window_augmentation, ..FitConfig::default() };
        let plan = Plan::new(&source(), &dataset, config).unwrap();
        let run = start(folder.path(), &plan, ExistingRun::Refuse).unwrap();
        fit(&run, &plan, &FitOptions::default(), &mut ()).unwrap();
        let losses = run.metrics().unwrap().iter().map(|report| report.losses[0].1).collect::<Vec<f64>>();
        (run.trained().unwrap(), losses)
    };
    let turned = WindowAugmentation { rotation: 30.0, axes: vec![[0, 1, 2]], ..WindowAugmentation::default() };
    let (plain, losses) = learned(WindowAugmentation::default());
    let (augmented, harder) = learned(turned.clone());
    assert_eq!((&augmented, &harder), (&learned(turned).0, &harder));
    assert_ne!(augmented.encoder, plain.encoder);
    assert_eq!((augmented.scaling, augmented.front_end), (plain.scaling, plain.front_end));
    // A window that was turned says less of what it was.
    assert!(harder.last() > losses.last(), "{harder:?} {losses:?}");
}

/// Windows of 32 instants of two channels; values are counts times `count`.
fn windows(count: f32) -> Samples {
    let values = (0..6400).map(|i| ((i * i / 7 + i % 2 * 300) % 501) as f32 * count).collect();
    Samples::new("windows", values, 64).with_layout(Layout::Windows { channels: 2 })
}

#[test]
fn a_recording_in_physical_units_has_the_spectrum_of_its_counts_but_for_their_size() {
    let settings = FrontEndSettings::default();
    let front_end = |samples: &Samples| FrontEnd::of(&settings, samples).unwrap().unwrap();
    let (counts, units) = (windows(1.0).with_count(1.0), windows(2f32.powi(-9)));
    let [of_counts, of_units] = [&counts, &units].map(|samples| {
        let front_end = front_end(samples);
        (front_end.features_of(samples).unwrap(), front_end.counts().to_vec())
    });
    assert_eq!(of_counts.1, [1.0; 2]);
    // The least power of two with which int16 spans twice the range.
    // Channel 0 goes to 1 and channel 1 as far.
    assert_eq!(of_units.1, [2f32.powi(-14); 2]);
    // 2^5 counts for one: logarithms differ by 5, up to rounding and the noise of a count.
    let names = front_end(&counts).feature_names();
    let deviation = names.iter().position(|name| name == "1 deviation").unwrap();
    for (a, b) in of_counts.0.chunks(1).zip(of_units.0.chunks(1)) {
        let difference = b.unwrap()[deviation] - a.unwrap()[deviation];
        assert!((difference - 5.0 * 1024.0).abs() < 4.0, "{difference}");
    }
}

#[test]
fn a_rate_must_be_that_of_the_times_in_whatever_unit_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let fitted = |rate: f64, milliseconds: f64| {
        let row = |t: u32| format!("{},{},{}\n", f64::from(t) * milliseconds, t * t % 17, t % 5);
        std::fs::write(&path, format!("t,x,y\n{}", (0..200).map(row).collect::<String>())).unwrap();
        let window = Some(Windowing { length: 32, step: 32 });
        let source = Source { time_column: Some("t".into()), window, ..Source::new(path.to_str().unwrap()) };
        let settings = FrontEndSettings { rate: Some(rate), ..FrontEndSettings::default() };
        FrontEnd::of(&settings, &source.read().unwrap().samples)
    };
    for (rate, interval) in [(50.0, 20.0), (50.0, 0.0205), (50.0, 19_000.0), (400.0, 2.5)] {
        assert!(fitted(rate, interval).unwrap().is_some(), "{rate} {interval}");
    }
    assert!(matches!(fitted(50.0, 10.0), Err(FrontEndError::Rate { .. })));
    assert!(matches!(fitted(25.0, 20.0), Err(FrontEndError::Rate { .. })));
}

/// An accelerometer in g and a gyroscope in degrees a second: what is small beside the other has its own counts.
#[test]
fn each_channel_of_a_recording_in_physical_units_has_its_own_counts() {
    let value = |i: u32| (f64::from(i) * f64::from(i) / 7.0 + f64::from(i % 2) * 300.0) % 501.0;
    let values = |gain: f32| (0..6400).map(|i| value(i) as f32 * if i % 2 == 0 { 0.003 } else { gain }).collect();
    let samples = |gain| Samples::new("imu", values(gain), 64).with_layout(Layout::Windows { channels: 2 });
    let settings = FrontEndSettings { rate: Some(50.0), ..FrontEndSettings::default() };
    let of = |settings: &FrontEndSettings, gain| {
        let front_end = FrontEnd::of(settings, &samples(gain)).unwrap().unwrap();
        (front_end.features_of(&samples(gain)).unwrap(), front_end)
    };
    let [(small, one), (large, other)] = [0.003, 3.0].map(|gain| of(&settings, gain));
    assert_eq!((one.counts(), other.counts()), (&[2f32.powi(-13); 2][..], &[2f32.powi(-13), 2f32.powi(-3)][..]));
    // The first channel does not see how large the second is.
    let half = one.outputs() / 2;
    for (a, b) in small.chunks(1).zip(large.chunks(1)) {
        assert_eq!(a.unwrap()[..half], b.unwrap()[..half]);
    }
    // Channels of one magnitude are added, so that they need the same counts.
    let together = settings.spelt("spectrum:magnitude=0+1").unwrap();
    assert_eq!(of(&together, 3.0).1.counts(), [2f32.powi(-3); 2]);
}

#[test]
fn samples_without_a_spectrum_have_none_unless_it_is_asked_for() {
    let [auto, none, spectrum] = ["auto", "none", "spectrum"].map(|name| name.parse::<FrontEndSettings>().unwrap());
    let of = |settings: &FrontEndSettings, samples: &Samples| FrontEnd::of(settings, samples);
    let table = Samples::new("table", vec![1.0, 2.0, 3.0, 5.0], 2);
    assert!(of(&auto, &table).unwrap().is_none() && of(&none, &windows(1.0)).unwrap().is_none());
    assert!(matches!(of(&spectrum, &table), Err(FrontEndError::NoWindows { .. })));
    // Windows of 15 instants.
    let short = Samples::new("short", (0..60).map(|i| i as f32).collect(), 30);
    let short = short.with_layout(Layout::Windows { channels: 2 });
    assert!(of(&auto, &short).unwrap().is_none());
    assert!(matches!(of(&spectrum, &short), Err(FrontEndError::Size { instants: 15, channels: 2, .. })));
    // Counts that no int16 holds.
    let wide = windows(100.0).with_count(1.0);
    assert!(of(&auto, &wide).unwrap().is_none());
    let error = of(&spectrum, &wide).unwrap_err().to_string();
    assert!(error.contains("counts of channel 0 go from 0 to 5"), "{error}");
    // One reading that no sensor gives is far from all others, and saturates.
    let mut values: Vec<f32> = (0..6400).map(|i| (i * i % 501) as f32).collect();
    values[100] = 99_999.0;
    let with_code = Samples::new("code", values, 64).with_layout(Layout::Windows { channels: 2 }).with_count(1.0);
    assert_eq!(of(&auto, &with_code).unwrap().unwrap().counts(), [1.0, 1.0]);
}

#[test]
fn a_spectrum_that_does_not_fit_is_refused_before_anything_is_written() {
    let dataset = source().read().unwrap();
    let front_end: FrontEndSettings = "spectrum:fft=128".parse().unwrap();
    let config = FitConfig { front_end, ..FitConfig::default() };
    let refused = Plan::new(&source(), &dataset, config).unwrap_err();
    assert!(matches!(refused, WorkflowError::FrontEnd(FrontEndError::Setting { setting: "fft", .. })), "{refused}");
}
