//! What decoders learn to reconstruct from images that were moved.

use burn::backend::{Autodiff, Flex};

use super::setup::config;
use crate::data::augmentation::Augmentation;
use crate::data::{ImageShape, Layout, Samples};
use crate::methods::{FitConfig, MethodConfig, ReconstructionTarget};
use crate::random::{normal, stream};
use crate::trained::Trained;
use crate::training::PhaseSettings;

const SIDE: usize = 6;

/// Images of a bar in one of four places, with noise.
fn images() -> Samples {
    let noise = normal(120 * SIDE * SIDE, &mut stream(3, "images", 0));
    let bars = noise.chunks(SIDE * SIDE).enumerate().flat_map(|(image, pixels)| {
        let bar = 1 + image % 4;
        pixels.iter().enumerate().map(move |(at, x)| 0.1 * x + if at / SIDE == bar { 4.0 } else { 0.0 })
    });
    let shape = ImageShape { channels: 1, height: SIDE, width: SIDE };
    Samples::new("images", bars.collect(), SIDE * SIDE).with_layout(Layout::Images(shape))
}

fn trained(method: &str, reconstruct: ReconstructionTarget, augmentation: Augmentation) -> Trained {
    let phase = PhaseSettings::with_epochs(2);
    let config = FitConfig { reconstruct, augmentation, reconstruction: phase, clustering: phase, ..config(method) };
    super::setup::fit::<Autodiff<Flex>>(&Default::default(), &images(), &config, &mut (), &mut ())
        .unwrap_or_else(|error| panic!("{method}: {error}"))
}

#[test]
fn every_method_with_a_decoder_reconstructs_what_the_settings_say() {
    use ReconstructionTarget::{Auto, Moved, Still};
    let moving = Augmentation::default();
    let resting = Augmentation { shift: 0.0, rotation: 0.0 };
    for &method in MethodConfig::NAMES {
        if ["dpm", "kmeans", "gmm"].contains(&method) {
            continue;
        }
        let still = trained(method, Still, moving);
        assert!(trained(method, Moved, moving) != still, "{method} does not see how images were moved");
        assert!(trained(method, Auto, moving) == still, "{method} reconstructs small images otherwise");
        assert!(trained(method, Moved, resting) == trained(method, Still, resting), "{method}: nothing is moved");
    }
}
