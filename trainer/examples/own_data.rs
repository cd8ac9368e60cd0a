//! Trains on data of one's own, exports the model, and assigns samples as the microcontroller will.
//!
//! Run it with `cargo run --release -p edgemix --example own_data`.

use edgemix::assessment::inference;
use edgemix::data::{Dataset, Samples, Source};
use edgemix::methods::{FitConfig, MethodConfig};
use edgemix::random::{normal, stream};
use edgemix::training::PhaseSettings;
use edgemix::workflow::{ExistingRun, FitOptions, Plan, fit, start};

/// Readings of six sensors in three operating states: a level for each sensor, and normal noise.
fn readings() -> Samples {
    let levels = [[0.0; 6], [4.0, 0.0, 4.0, 0.0, 4.0, 0.0], [0.0, 4.0, 0.0, 4.0, 0.0, 4.0]];
    let noise = normal(1500 * 6, &mut stream(0, "own data", 0));
    let values = noise
        .chunks(6)
        .zip((0..3).cycle())
        .flat_map(|(noise, state)| noise.iter().zip(levels[state]).map(|(noise, level)| level + 0.5 * noise));
    Samples::new("sensors", values.collect(), 6)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dataset = Dataset { samples: readings(), labels: None, groups: None };
    let mut method = MethodConfig::named("ae-gmm").ok_or("there is no such method")?;
    method.set_n_clusters(3);
    let reconstruction = PhaseSettings::with_epochs(20);
    let config = FitConfig { encoder: "16-3".parse()?, reconstruction, method, ..FitConfig::default() };

    // Samples and settings are checked before the directory is touched.
    let folder = tempfile::tempdir()?;
    let plan = Plan::new(&Source::new("sensors"), &dataset, config)?;
    let run = start(folder.path(), &plan, ExistingRun::Refuse)?;
    fit(&run, &plan, &FitOptions::default(), &mut ())?;

    // The file that a firmware embeds, and the clusters that it will find.
    let file = run.model()?;
    let model = file.model()?;
    println!("{} bytes of flash, {} bytes of RAM", file.flash(), model.arena_len());
    for found in &inference::assign_samples(&model, &dataset.samples)?[..6] {
        println!("cluster {}, posterior {:.3}, p-value {:.3}", found.cluster, found.posterior, found.novelty.p_value());
    }
    Ok(())
}
