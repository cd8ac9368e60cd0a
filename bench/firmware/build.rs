//! Writes the memory map and the models that are measured.

use std::path::Path;
use std::{env, fs};

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, Spec};
use edgemix_format::view::{Covariance, FramePooling, Statistics};
use edgemix_format::write::{SpectrumSettings, Taper};

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    let target = env::var("TARGET").expect("cargo sets it");
    fs::write(out.join("memory.x"), memory(&target)).expect("OUT_DIR is writable");
    for (name, spec) in models() {
        let bytes = spec.build().expect("the numbers fit the format");
        fs::write(out.join(name).with_extension("emx"), &*bytes).expect("OUT_DIR is writable");
    }
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
}

/// The memory map of the machine that QEMU emulates for a target; `xtask` names the machines.
fn memory(target: &str) -> String {
    let (flash, ram, more) = match target {
        "thumbv8m.main-none-eabi" | "thumbv8m.main-none-eabihf" => ("0x10000000", "0x38000000", ""),
        _ if target.starts_with("riscv32") => ("0x80000000", "0x81000000", RISCV_REGIONS),
        _ => ("0x00000000", "0x20000000", ""),
    };
    format!("MEMORY\n{{\n  FLASH : ORIGIN = {flash}, LENGTH = 4M\n  RAM : ORIGIN = {ram}, LENGTH = 4M\n}}\n{more}")
}

const RISCV_REGIONS: &str = r#"REGION_ALIAS("REGION_TEXT", FLASH);
REGION_ALIAS("REGION_RODATA", FLASH);
REGION_ALIAS("REGION_DATA", RAM);
REGION_ALIAS("REGION_BSS", RAM);
REGION_ALIAS("REGION_HEAP", RAM);
REGION_ALIAS("REGION_STACK", RAM);
"#;

/// Accelerometer and gyroscope: mean, deviation and eight bands of six channels.
fn spectrum() -> SpectrumSettings {
    SpectrumSettings {
        instants: 128,
        channels: 6,
        fft: 128,
        frame: 128,
        hop: 128,
        taper: Taper::Hann,
        pooling: FramePooling::Mean,
        statistics: Statistics::MEAN | Statistics::DEVIATION,
        mean_fraction: 0,
        noise: 1.0 / 12.0,
        signals: (0..6).map(|channel| 1 << channel).collect(),
        edges: vec![1, 2, 3, 5, 8, 14, 23, 39, 65],
    }
}

fn models() -> [(&'static str, Spec); 7] {
    let mixture = |dims, components, covariance| Spec {
        input: dims,
        layers: vec![],
        head: HeadSpec::Mixture(covariance),
        components,
        clusters: components,
        ..Spec::default()
    };
    // The autoencoder of MLPerf Tiny's anomaly detection. Its last layer has no activation.
    let widths = [128, 128, 128, 128, 8, 128, 128, 128, 128];
    let mut layers: Vec<_> = widths.map(|width| (width, Follow::Relu)).to_vec();
    layers.push((640, Follow::Identity));
    // DEPICT's encoder for MNIST.
    let first = Convolution { filters: 50, kernel: [4; 2], stride: [2; 2], padding: [0; 4], follow: Follow::LeakyRelu };
    let second = Convolution { kernel: [5; 2], padding: [2; 4], ..first };
    let depict = Spec {
        input: 28 * 28,
        image: [28, 28, 1],
        image_layers: [first, second].map(ImageLayer::Convolution).to_vec(),
        layers: vec![(10, Follow::Interpolated)],
        head: HeadSpec::Softmax,
        components: 10,
        ..Spec::default()
    };
    let head = HeadSpec::Autoencoders { latent: 10, is_variational: true };
    [
        ("pairs-10x64", Spec { input: 64, layers: vec![], head, components: 10, ..Spec::default() }),
        ("depict", depict),
        ("spectrum", Spec { spectrum: Some(spectrum()), input: 60, ..mixture(60, 6, Covariance::Diagonal) }),
        ("anomaly", Spec { input: 640, layers, ..mixture(640, 2, Covariance::Spherical) }),
        ("diagonal-8x16", mixture(16, 8, Covariance::Diagonal)),
        ("full-8x16", mixture(16, 8, Covariance::Full)),
        ("diagonal-100x10", mixture(10, 100, Covariance::Diagonal)),
    ]
}
