//! Part 2: every method on the embedded digits, against the CPU: the losses of each epoch, the clusters, the exported file;
//! a run that is interrupted and resumed; the same seed twice.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::results::{Line, Part};
use super::setting::Setting;
use super::trials::Trial;

/// All methods with an encoder, so with work for a GPU.
const METHODS: [&str; 16] = [
    "grow",
    "alpha-jsd",
    "kld",
    "abc",
    "ae-kmeans",
    "ae-gmm",
    "vae-kmeans",
    "dec",
    "idec",
    "dcn",
    "dcan",
    "adaptive-gmm",
    "vade",
    "depict",
    "k-dae",
    "k-dvae",
];

/// Those that a slow device trains, with one layer: clusters that are found, and clusters that learn with the encoder.
const FEW: [&str; 2] = ["ae-gmm", "adaptive-gmm"];

/// How far a loss may be from the CPU's, as a share of it: rounding makes trajectories drift apart, the more the longer.
const BAND: f64 = 0.02;

/// How far the losses of phases may be that begin with clusters that were found, since another clustering may be found.
const BAND_AFTER_CLUSTERS: f64 = 0.25;

/// A trial with a limit of time.
type Method<'a> = (String, Box<dyn Fn(Duration) -> Result<Line> + Sync + 'a>);

pub(crate) fn compare(setting: &Setting, limit: Duration) -> Result<Part> {
    let begin = Instant::now();
    let methods = if setting.is_small && !setting.every_method { &FEW[..] } else { &METHODS[..] };
    let named = |name: &str, is_fused: bool, method: &'static str| -> Method {
        (name.to_owned(), Box::new(move |limit| one(setting, method, is_fused, limit)))
    };
    let mut trials: Vec<Method> = methods.iter().map(|method| named(method, true, method)).collect();
    trials.push(named("ae-gmm without fusion", false, "ae-gmm"));
    // These compare their models with one that is there after the others.
    let repetitions: [Method; 2] = [
        ("interrupted and resumed".to_owned(), Box::new(|limit| resumed(setting, limit))),
        ("the same seed twice".to_owned(), Box::new(|limit| repeated(setting, limit))),
    ];
    let run = |(name, trial): &Method| {
        let left = limit.saturating_sub(begin.elapsed()) * 2 / 3;
        trial(left).unwrap_or_else(|error| Line::new("", format!("{error:#}"), false)).named(name.as_str())
    };
    let mut lines = setting.each(&trials, run);
    lines.extend(setting.each(&repetitions, run));
    Ok(Part::new("methods", lines))
}

fn flags<'a>(setting: &Setting, method: &'a str) -> Vec<&'a str> {
    let small: &[&str] = if setting.is_small { &["--encoder", "10", "--set", "augmentation.shift=0"] } else { &[] };
    let usual = [
        "digits",
        "--method",
        method,
        "--pretrain-epochs",
        "2",
        "--cluster-epochs",
        "2",
        "--allow-disagreement",
        "--set",
        "checkpoint-every=1",
    ];
    [&usual, small].concat()
}

/// A method on the GPU and on the CPU.
fn one(setting: &Setting, method: &str, is_fused: bool, limit: Duration) -> Result<Line> {
    let (device, flags) = (setting.device(is_fused), flags(setting, method));
    let gpu = Trial::new(setting, &format!("{method}-{device}"));
    gpu.train(setting, &device, &flags, limit)?;
    let cpu = Trial::new(setting, &format!("{method}-{device}-on-the-cpu"));
    cpu.train(setting, "cpu", &flags, limit)?;
    let (found, expected) = (gpu.epochs(), cpu.epochs());
    ensure!(found.len() == expected.len(), "{} epochs instead of {}", found.len(), expected.len());
    let (mut before, mut after) = (0.0_f64, 0.0_f64);
    for (found, expected) in found.iter().zip(&expected) {
        let difference = difference(found, expected)?;
        let greatest = if expected["clusters"].is_null() { &mut before } else { &mut after };
        *greatest = greatest.max(difference);
    }
    let [on_gpu, on_cpu] = [gpu.evaluation(setting, &[])?, cpu.evaluation(setting, &[])?];
    let clusters = |evaluation: &Value| evaluation["int8"]["clusters"].as_u64().context("no number of clusters");
    let agreement = on_gpu["agreement"].as_f64().context("no agreement")?;
    let found = format!(
        "losses within {before:.1e} before clusters, {after:.1e} after; {} clusters, {} on the CPU; int8 agrees by {agreement:.3}",
        clusters(&on_gpu)?,
        clusters(&on_cpu)?
    );
    Ok(Line::new(method, found, before <= BAND && after <= BAND_AFTER_CLUSTERS))
}

/// The greatest difference of an epoch's losses, as a share of the greatest loss of the epoch.
fn difference(found: &Value, expected: &Value) -> Result<f64> {
    let losses = |epoch: &Value| -> Result<Vec<f64>> {
        let losses = epoch["losses"].as_array().context("an epoch without losses")?;
        Ok(losses.iter().filter_map(|named| named[1].as_f64()).collect())
    };
    let (found, expected) = (losses(found)?, losses(expected)?);
    ensure!(found.len() == expected.len() && !found.is_empty(), "other losses: {found:?}, {expected:?}");
    let scale = expected.iter().fold(f64::MIN_POSITIVE, |greatest, loss| greatest.max(loss.abs()));
    Ok(found.iter().zip(&expected).fold(0.0, |greatest: f64, (a, b)| greatest.max((a - b).abs() / scale)))
}

/// A run that is killed after an epoch and resumed must end with all epochs and a model.
fn resumed(setting: &Setting, limit: Duration) -> Result<Line> {
    let (device, flags) = (setting.device(true), flags(setting, "ae-gmm"));
    let trial = Trial::new(setting, "resumed");
    let mut child = trial.begin(setting, &device, &flags)?;
    let begin = Instant::now();
    while trial.epochs().is_empty() && child.try_wait()?.is_none() && begin.elapsed() < limit {
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill()?;
    child.wait()?;
    let before = trial.epochs().len();
    let child = trial.spawn(setting, &device, &["--resume", "--allow-disagreement"])?;
    trial.expect_end(child, limit)?;
    let after = trial.epochs().len();
    let whole = Trial::new(setting, &format!("ae-gmm-{device}"));
    let same = whole.read("model.emx").ok().map(|bytes| Some(bytes) == trial.read("model.emx").ok());
    let bits = same
        .map_or("", |same| if same { ", the bits of the run in one piece" } else { ", other bits than in one piece" });
    Ok(Line::new("", format!("killed after {before} epochs, ended with {after}{bits}"), after >= 2 && before < after))
}

/// Whether the same seed gives the same bits, which is measured, not demanded.
fn repeated(setting: &Setting, limit: Duration) -> Result<Line> {
    let (device, flags) = (setting.device(true), flags(setting, "ae-gmm"));
    let second = Trial::new(setting, "repeated");
    second.train(setting, &device, &flags, limit)?;
    let first = Trial::new(setting, &format!("ae-gmm-{device}"));
    let is_same = first.read("model.emx")? == second.read("model.emx")?;
    Ok(Line::new("", if is_same { "the same bits" } else { "other bits" }, true))
}
