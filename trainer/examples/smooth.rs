//! Learns from a recording how the clusters of its windows follow each other, and compares the clusters of another
//! recording with and without a smoother.
//!
//! `cargo run --release -p edgemix --example smooth -- runs/hapt/model.emx hapt-train.npz hapt-test.npz`. The files hold windows
//! in the order of time, with the groups that they come from; no pair of windows spans two groups.

use std::error::Error;

use edgemix::assessment::inference::{Scored, map_chunks, score};
use edgemix::data::{Dataset, read};
use edgemix::metrics::scores;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::{Model, Smoother, Transitions, Workspace};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, known, new] = &arguments[..] else { return Err("needs a model and two recordings".into()) };
    let bytes = AlignedBytes::from(&std::fs::read(model)?[..]);
    let model = Model::from_bytes(&bytes)?;
    let (known, new) = (read(known)?, read(new)?);
    macro_rules! with_clusters {
        ($($n:literal)*) => {
            match model.n_clusters() {
                $($n => compare::<$n>(&model, &known, &new),)*
                n => Err(format!("this example takes models of 2 to 12 clusters, not of {n}").into()),
            }
        };
    }
    with_clusters!(2 3 4 5 6 7 8 9 10 11 12)
}

fn compare<const C: usize>(model: &Model, known: &Dataset, new: &Dataset) -> Result<(), Box<dyn Error>> {
    let counts = pairs::<C>(&clusters(model, known)?, known.groups.as_deref());
    println!("static HABITS: Transitions<{C}> = Transitions::from_counts(&{counts:?});");
    let habits = Transitions::from_counts(&counts);
    for (name, dataset) in [("known", known), ("new", new)] {
        let (plain, smoothed) = (clusters(model, dataset)?, smooth(model, &habits, dataset)?);
        let changed = plain.iter().zip(&smoothed).filter(|(a, b)| a != b).count();
        println!("{name}: {changed} of {} windows are in another cluster when smoothed", plain.len());
        if let Some(labels) = &dataset.labels {
            for (kind, found) in [("plain", &plain), ("smoothed", &smoothed)] {
                let scores = scores(labels, found);
                println!("  {kind}: ACC {:.3}, NMI {:.3}", scores.acc.unwrap_or(f64::NAN), scores.nmi);
            }
        }
    }
    Ok(())
}

fn clusters(model: &Model, dataset: &Dataset) -> Result<Vec<u16>, Box<dyn Error>> {
    let found = map_chunks(&dataset.samples, |values| score(model, values))?;
    Ok(found.iter().map(|Scored { cluster, .. }| *cluster).collect())
}

/// How often each cluster follows each other one.
fn pairs<const C: usize>(clusters: &[u16], groups: Option<&[u32]>) -> [[u32; C]; C] {
    let mut counts = [[0; C]; C];
    for (t, pair) in clusters.windows(2).enumerate() {
        if groups.is_none_or(|groups| groups[t] == groups[t + 1]) {
            counts[usize::from(pair[0])][usize::from(pair[1])] += 1;
        }
    }
    counts
}

/// The clusters of successive windows as the chip smooths them; a new group is a restart.
fn smooth<const C: usize>(
    model: &Model,
    habits: &Transitions<C>,
    dataset: &Dataset,
) -> Result<Vec<u16>, Box<dyn Error>> {
    let mut smoother = Smoother::new(model, habits)?;
    let mut workspace = Workspace::<65536>::new();
    let mut found = vec![];
    for (t, window) in dataset.samples.all()?.chunks(model.input_len()).enumerate() {
        if t > 0 && dataset.groups.as_ref().is_some_and(|groups| groups[t] != groups[t - 1]) {
            smoother.restart();
        }
        found.push(smoother.observe(&model.assign(window, &mut workspace)?));
    }
    Ok(found)
}
