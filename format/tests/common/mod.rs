//! Generated models for several tests.

use edgemix_format::testing::{Follow, Kind, Spec};
use edgemix_format::view::Covariance;
use proptest::prelude::*;

/// Any head.
fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Mixture(Covariance::Spherical)),
        Just(Kind::Mixture(Covariance::Diagonal)),
        Just(Kind::Mixture(Covariance::Full)),
        Just(Kind::Softmax),
    ]
}

/// Any activation.
fn follow() -> impl Strategy<Value = Follow> {
    prop_oneof![Just(Follow::Identity), Just(Follow::Relu), Just(Follow::LeakyRelu), Just(Follow::Table)]
}

/// Any small valid model.
pub(crate) fn spec() -> impl Strategy<Value = Spec> {
    let input = (1usize..5, 1usize..6).prop_map(|(channels, times)| (channels * times, channels));
    let layers = prop::collection::vec((1usize..12, follow()), 0..5);
    let counts = (1u16..9, any::<prop::sample::Index>(), 0u16..20);
    (input, layers, kind(), counts, any::<u64>()).prop_map(|((input, channels), mut layers, head, counts, seed)| {
        // A table can't give the latent.
        if let Some((_, follow)) = layers.last_mut()
            && *follow == Follow::Table
        {
            *follow = Follow::Identity;
        }
        let (components, clusters, calibration) = counts;
        let clusters = 1 + clusters.index(components.into()) as u16;
        Spec { input, channels, layers, head, components, clusters, calibration, seed }
    })
}
