//! Writes the seed corpus: a small model of every kind of layer and head. `cargo run --release --bin seeds`.

use std::{fs, io};

use edgemix_format::testing::{Follow, Kind, Spec};
use edgemix_format::view::Covariance;

fn main() -> io::Result<()> {
    let heads = [
        ("spherical", Kind::Mixture(Covariance::Spherical)),
        ("diagonal", Kind::Mixture(Covariance::Diagonal)),
        ("full", Kind::Mixture(Covariance::Full)),
        ("softmax", Kind::Softmax),
    ];
    let encoders: [(&str, Vec<(usize, Follow)>); 3] = [
        ("bare", vec![]),
        ("relu", vec![(5, Follow::Relu), (3, Follow::Identity)]),
        ("table", vec![(4, Follow::Table), (5, Follow::LeakyRelu), (3, Follow::Identity)]),
    ];
    for target in ["load", "mended"] {
        let folder = format!("{}/corpus/{target}", env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(&folder)?;
        for (head_name, head) in heads {
            for (encoder_name, layers) in &encoders {
                let spec = Spec { head, layers: layers.clone(), ..Spec::default() };
                let bytes = spec.build().map_err(io::Error::other)?;
                fs::write(format!("{folder}/{encoder_name}-{head_name}.emx"), &bytes[..])?;
            }
        }
    }
    Ok(())
}
