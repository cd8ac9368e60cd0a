//! `edgemix inspect`: what a firmware engineer needs to know about a model file.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use edgemix_format::view::{Calibration, Head, Sample, front_end_macs};
use edgemix_runtime::{ClusterBelief, Model};
use serde_json::{Value, json};

use super::chips::{self, ForChip};
use super::describe;
use super::error::CliError;
use super::output::show;
use crate::assessment::inference::multiply_accumulates;
use crate::base::text::counted;
use crate::run::{ModelFile, RunDir, RunFile};
use crate::workflow::WorkflowError;

#[derive(Args)]
#[command(after_help = "Examples:
  edgemix inspect runs/demo/model.emx
  edgemix inspect runs/demo/model.emx --chip STM32L476
  edgemix inspect runs/demo/model.emx --json")]
pub(super) struct Inspect {
    /// An .emx file, or the directory of a run.
    model: PathBuf,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    for_chip: ForChip,
}

impl Inspect {
    pub(super) fn run(self) -> Result<(), CliError> {
        CliError::check_model(&self.model)?;
        let file = ModelFile::read(&self.model)?;
        let model = file.model()?;
        self.for_chip.check(model.file()).map_err(WorkflowError::from)?;
        let mut facts = facts(&model);
        facts["chips"] = chips::facts(model.file(), self.for_chip.shown());
        // What the directory of the run contains beyond the model file.
        let run = RunDir::containing(&self.model);
        let (number, interval, lone) = (run.cluster_count()?, run.interval()?, run.lone_clusters()?);
        let trained = if run.contains(RunFile::Trained) { Some(run.trained()?) } else { None };
        facts["hierarchy"] =
            json!(trained.as_ref().and_then(|trained| trained.hierarchy.as_ref()).map(|own| &own.levels));
        facts["number"] = json!(number);
        facts["seeds"] = json!(interval);
        facts["groups"] = json!(lone);
        let counter = file.signed_counter();
        facts["signature"] = json!(counter.map(|counter| json!({ "counter": counter })));
        let seconds = run.seconds_a_step()?;
        facts["transitions"] = transitions(&model, seconds);
        if self.json {
            show(&format!("{facts:#}\n"))
        } else {
            let number = number
                .as_ref()
                .map_or_else(String::new, |number| format!("search     {}", describe::cluster_count(number)));
            let levels = trained.as_ref().and_then(describe::levels);
            let levels = levels.map_or_else(String::new, |levels| format!("levels     {levels}\n"));
            let dwell = describe::dwell(&model, seconds);
            let dwell = dwell.map_or_else(String::new, |dwell| format!("lasts      {dwell}\n"));
            let interval = interval.as_ref().map_or_else(String::new, describe::interval);
            let lone = lone.iter().flatten().map(|lone| format!("groups     {lone}\n")).collect::<String>();
            let signed = counter.map_or_else(String::new, |counter| {
                format!("signed     with counter {counter}; `edgemix verify` checks by whom\n")
            });
            let chips = chips::lines(model.file(), self.for_chip.shown());
            show(&format!("{}{signed}{chips}{number}{levels}{dwell}{lone}{interval}", print(&model, &facts)))
        }
    }
}

/// How long clusters last, and what the smoother needs; null if the model does not know.
fn transitions(model: &Model, seconds: Option<f64>) -> Value {
    let Some(transitions) = model.file().transitions else { return Value::Null };
    let windows: Vec<f32> = (0..model.n_clusters() as u16).map(|cluster| transitions.dwell(cluster)).collect();
    let in_seconds = seconds.map(|seconds| windows.iter().map(|&n| f64::from(n) * seconds).collect::<Vec<_>>());
    json!({
        "flash": transitions.flash(), "ram": smoother_ram(model), "windows": windows, "seconds": in_seconds,
        "shares": transitions.shares.iter().map(|&share| f64::from(share) / 65536.0).collect::<Vec<_>>(),
    })
}

/// Bytes of RAM of a smoother's beliefs.
fn smoother_ram(model: &Model) -> usize {
    model.n_clusters() * size_of::<ClusterBelief>()
}

fn facts(model: &Model) -> Value {
    let file = model.file();
    let layers: Vec<Value> = file
        .encoder
        .iter()
        .map(|layer| {
            let activation = layer.activation().map(|activation| activation.name());
            let (weights, other) = layer.flash();
            json!({
                "kind": layer.kind(), "inputs": layer.inputs(), "outputs": layer.outputs(), "activation": activation,
                "weights": weights, "other": other, "macs": layer.macs(),
            })
        })
        .collect();
    let head = match file.head {
        Head::Mixture(mixture) => format!("mixture, {:?} covariance", mixture.covariance).to_lowercase(),
        Head::Softmax(_) => "softmax".into(),
        Head::Autoencoders(_) => "autoencoders".into(),
    };
    let held_out: Vec<u64> = match file.calibration {
        Calibration::HeldOut(tables) => tables.samples.iter().map(|&n| n.into()).collect(),
        Calibration::None | Calibration::Marginal { .. } => vec![],
    };
    let hex = |bytes: [u8; 8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    json!({
        "name": file.name,
        "method": file.method,
        "fingerprint": {
            "data": hex(file.fingerprint.data), "config": hex(file.fingerprint.config),
            "seed": file.fingerprint.seed, "version": file.fingerprint.version,
        },
        "front_ends": file.front_ends.iter().enumerate().map(|(index, front_end)| json!({
            "kind": front_end.kind(), "inputs": front_end.inputs(), "outputs": front_end.outputs(),
            "flash": front_end.flash(),
            // A filter takes as long as what is after it asks for.
            "macs": front_end_macs(&file.front_ends[index..]) - front_end_macs(&file.front_ends[index + 1..]),
        })).collect::<Vec<_>>(),
        "input": { "len": file.sample.len, "origin": file.sample.origin, "count": file.sample.count },
        "latent": { "len": file.latent.len, "scale": file.latent.scale },
        "layers": layers,
        "head": {
            "kind": head, "components": file.head.n_components(), "clusters": file.header.n_clusters,
            "flash": file.head.flash(), "macs": file.head.macs(),
        },
        "levels": file.hierarchy.levels(),
        "novelty": {
            "flash": file.calibration.flash(), "held_out": held_out.iter().sum::<u64>(), "tables": held_out.len(),
            "finest_rates": finest_rates(&file.calibration),
        },
        "flash": { "total": file.header.total_len, "description": file.header.blob_offset },
        "ram": file.header.arena_len,
        "macs": multiply_accumulates(model),
    })
}

/// The facts as text.
fn print(model: &Model, facts: &Value) -> String {
    // Writing to a String can't fail.
    let mut out = String::new();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let of = |value: &Value, noun: &str| counted(value.as_u64().unwrap_or(0) as usize, noun);
    let _ = writeln!(out, "{} by {}", text(&facts["name"]), text(&facts["method"]));
    let _ = writeln!(out, "input      {}, {}", of(&facts["input"]["len"], "value"), counts(model.file().sample));
    for front_end in facts["front_ends"].as_array().into_iter().flatten() {
        let _ = writeln!(
            out,
            "front end  {} {} -> {}: {} bytes, {} MACs",
            text(&front_end["kind"]),
            front_end["inputs"],
            front_end["outputs"],
            front_end["flash"],
            front_end["macs"]
        );
    }
    for layer in facts["layers"].as_array().into_iter().flatten() {
        let activation = layer["activation"].as_str().map_or_else(String::new, |name| format!(", {name}"));
        let _ = writeln!(
            out,
            "layer      {} {} -> {}{}: {} bytes of weights, {} other, {} MACs",
            text(&layer["kind"]),
            layer["inputs"],
            layer["outputs"],
            activation,
            layer["weights"],
            layer["other"],
            layer["macs"]
        );
    }
    let head = &facts["head"];
    let _ = writeln!(
        out,
        "head       {}: {} in {}, {} bytes, {} MACs",
        text(&head["kind"]),
        of(&head["components"], "component"),
        of(&head["clusters"], "cluster"),
        head["flash"],
        head["macs"]
    );
    let levels: Vec<String> = model.levels().iter().map(u16::to_string).collect();
    if !levels.is_empty() {
        let _ = writeln!(
            out,
            "coarser    levels of {} clusters, {} bytes",
            levels.join(", "),
            model.file().hierarchy.flash()
        );
    }
    if let Some(transitions) = model.file().transitions {
        let (flash, ram) = (transitions.flash(), smoother_ram(model));
        let _ = writeln!(out, "smoother   {flash} bytes, {ram} bytes of RAM beside the model's");
    }
    let novelty = &facts["novelty"];
    let _ = writeln!(
        out,
        "novelty    {} bytes: {} in {}",
        novelty["flash"],
        of(&novelty["held_out"], "held-out sample"),
        of(&novelty["tables"], "table")
    );
    if let Calibration::HeldOut(tables) = &model.file().calibration {
        for (table, rate) in (0u16..).zip(finest_rates(&model.file().calibration)) {
            let clusters = (0..tables.tables.len()).filter(|&cluster| tables.tables[cluster] == table);
            let clusters = clusters.map(|cluster| cluster.to_string()).collect::<Vec<_>>().join(", ");
            let samples = tables.samples[usize::from(table)];
            let _ = writeln!(out, "  finest rate {:.2} %, from {samples} samples: clusters {clusters}", 100.0 * rate);
        }
    }
    let _ = writeln!(
        out,
        "flash      {} bytes, {} of them header and description",
        facts["flash"]["total"], facts["flash"]["description"]
    );
    let _ = writeln!(out, "RAM        {} bytes", facts["ram"]);
    let _ = writeln!(out, "compute    {} multiply-accumulates", facts["macs"]);
    let print = &facts["fingerprint"];
    let _ = writeln!(
        out,
        "made by    edgemix {}, seed {}, data {}, config {}",
        text(&print["version"]),
        print["seed"],
        text(&print["data"]),
        text(&print["config"])
    );
    out
}

/// What the raw counts of a sample are in the unit of the data: in a line where they are the same for all elements, else
/// with a line for the elements that have the same.
fn counts(sample: Sample) -> String {
    let all: Vec<(f32, f32)> = sample.origin.iter().copied().zip(sample.count.iter().copied()).collect();
    if let [(origin, count)] = all[..] {
        let origin = if origin == 0.0 { String::new() } else { format!(", and 0 counts are {origin}") };
        return format!("one raw count is {count}{origin}");
    }
    let what = if all.len() == sample.len { "of element" } else { "of channel" };
    let mut different: Vec<(f32, f32)> = vec![];
    all.iter().for_each(|counts| {
        if !different.contains(counts) {
            different.push(*counts)
        }
    });
    let lines = different.into_iter().map(|counts| {
        let at = (0..all.len()).filter(|&i| all[i] == counts).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
        format!("\ncount      {} + raw * {} {what} {at}", counts.0, counts.1)
    });
    format!("whose raw counts have a size of their own{}", lines.collect::<String>())
}

/// The lowest rate of false alarms that each table of held-out samples allows: below it, nothing is novel.
fn finest_rates(calibration: &Calibration) -> Vec<f64> {
    let Calibration::HeldOut(tables) = calibration else { return vec![] };
    let firsts = std::iter::once(0).chain(tables.ends.iter().map(|&end| usize::from(end)));
    firsts.take(tables.ends.len()).map(|first| f64::from(tables.levels[first]) / f64::from(u16::MAX)).collect()
}
