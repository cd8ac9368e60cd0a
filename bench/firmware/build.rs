//! Writes the memory map and the models that are measured.

use std::path::Path;
use std::{env, fs};

use edgemix_format::testing::{Convolution, Follow, HeadSpec, ImageLayer, PoolingSpec, Spec, costly};
use edgemix_format::view::{Covariance, Pooling};
use edgemix_format::write::AlignedBytes;

mod models;

fn main() {
    let out = env::var("OUT_DIR").expect("cargo sets it");
    let out = Path::new(&out);
    let target = env::var("TARGET").expect("cargo sets it");
    if target.starts_with("aarch64") {
        fs::write(out.join("link.x"), AARCH64_LINK).expect("OUT_DIR is writable");
    }
    let has_mve = env::var_os("CARGO_FEATURE_MVE").is_some();
    fs::write(out.join("memory.x"), memory(&target, has_mve)).expect("OUT_DIR is writable");
    for (name, spec) in models::benchmarks() {
        let bytes = spec.build().expect("the numbers fit the format");
        fs::write(out.join(name).with_extension("emx"), &*bytes).expect("OUT_DIR is writable");
    }
    let mut list = String::new();
    for (index, (name, bytes)) in slow_models().iter().enumerate() {
        let path = out.join(format!("slow-{index}.emx"));
        fs::write(&path, &**bytes).expect("OUT_DIR is writable");
        list += &format!("({name:?}, edgemix_runtime::include_model!({path:?})),\n");
    }
    fs::write(out.join("slow.rs"), format!("[\n{list}]\n")).expect("OUT_DIR is writable");
    let mut list = String::new();
    for (name, spec) in models::measured() {
        let path = out.join(format!("measured-{name}.emx"));
        fs::write(&path, &*spec.build().expect("the numbers fit the format")).expect("OUT_DIR is writable");
        list += &format!("({name:?}, edgemix_runtime::include_model!({path:?})),\n");
    }
    fs::write(out.join("measured.rs"), format!("[\n{list}]\n")).expect("OUT_DIR is writable");
    println!("cargo:rustc-check-cfg=cfg(armv8m)");
    if target.starts_with("thumbv8m") {
        println!("cargo:rustc-cfg=armv8m");
    }
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=models.rs");
}

/// The memory map of the machine that QEMU emulates for a target; `xtask` names the machines.
fn memory(target: &str, has_mve: bool) -> String {
    let (flash, ram, more) = match target {
        _ if has_mve => ("0x11000000", "0x31000000", CORTEX_M55_START),
        "thumbv8m.main-none-eabi" | "thumbv8m.main-none-eabihf" => ("0x10000000", "0x38000000", ""),
        _ if target.starts_with("riscv32") => ("0x80000000", "0x81000000", RISCV_REGIONS),
        _ => ("0x00000000", "0x20000000", ""),
    };
    format!("MEMORY\n{{\n  FLASH : ORIGIN = {flash}, LENGTH = 4M\n  RAM : ORIGIN = {ram}, LENGTH = 4M\n}}\n{more}")
}

/// The machine with a Cortex-M55 starts at an address where there is room for code, but not for models.
const CORTEX_M55_START: &str = r#"MEMORY
{
  START : ORIGIN = 0x10000000, LENGTH = 8
}
SECTIONS
{
  .start : { LONG(_stack_start); LONG(Reset | 1); } > START
}
"#;

const RISCV_REGIONS: &str = r#"REGION_ALIAS("REGION_TEXT", FLASH);
REGION_ALIAS("REGION_RODATA", FLASH);
REGION_ALIAS("REGION_DATA", RAM);
REGION_ALIAS("REGION_BSS", RAM);
REGION_ALIAS("REGION_HEAP", RAM);
REGION_ALIAS("REGION_STACK", RAM);
"#;

/// Where everything is on the machine with a 64-bit Arm, with a table of 512 entries that maps memory.
const AARCH64_LINK: &str = r#"ENTRY(_start)
SECTIONS
{
  . = 0x40100000;
  .text : { KEEP(*(.start)) *(.text .text.*) }
  .rodata : { *(.rodata .rodata.*) }
  .data : { *(.data .data.*) }
  .bss : { *(.bss .bss.*) . = ALIGN(4096); _map = .; . += 4096; . += 4M; _stack = .; }
  /DISCARD/ : { *(.eh_frame .eh_frame_hdr) }
}
"#;

/// Models that were made to take as long as they can for their multiply-accumulates: those that are hardest to check, each
/// kind of layer and head with sums of one product, and layers with nothing but padding.
fn slow_models() -> Vec<(&'static str, AlignedBytes)> {
    let bare = Spec { input: 1, layers: vec![], components: 1, clusters: 1, ..Spec::default() };
    let mixture = |covariance| Spec { head: HeadSpec::Mixture(covariance), components: 500, ..bare.clone() };
    let thin = |follow| Spec { layers: [vec![(1, follow); 15], vec![(1, Follow::Identity)]].concat(), ..bare.clone() };
    let wide = |follow| Spec { layers: vec![(1000, follow), (1, Follow::Identity)], ..bare.clone() };
    let image = |layer| Spec {
        input: 40 * 40,
        image: [40, 40, 1],
        image_layers: vec![layer],
        layers: vec![(1, Follow::Identity)],
        ..bare.clone()
    };
    let pixel = Convolution { filters: 1, kernel: [1; 2], stride: [1; 2], padding: [0; 4], follow: Follow::Table };
    let padded = Convolution { kernel: [3; 2], padding: [2; 4], ..pixel };
    let pool =
        |pooling, kernel, padding| image(ImageLayer::Pooling(PoolingSpec { pooling, kernel, stride: [1; 2], padding }));
    let pairs = |is_variational| HeadSpec::Autoencoders { latent: 1, is_variational };
    let specs = [
        ("500 spherical components of one number", mixture(Covariance::Spherical)),
        ("500 diagonal components of one number", mixture(Covariance::Diagonal)),
        ("500 full components of one number", mixture(Covariance::Full)),
        ("softmax of 500 classes of one number", Spec { head: HeadSpec::Softmax, components: 500, ..bare.clone() }),
        ("16 layers of one neuron, table", thin(Follow::Table)),
        ("16 layers of one neuron, leaky ReLU", thin(Follow::LeakyRelu)),
        ("1,000 neurons of one input, table", wide(Follow::Table)),
        ("1,000 neurons of one input, leaky ReLU", wide(Follow::LeakyRelu)),
        ("convolution of 1 x 1", image(ImageLayer::Convolution(pixel))),
        ("convolution of 3 x 3 with padding", image(ImageLayer::Convolution(padded))),
        ("maximum of 1 x 1", pool(Pooling::Max, [1; 2], [0; 4])),
        ("maximum of 3 x 3 with padding", pool(Pooling::Max, [3; 2], [2; 4])),
        ("average of 1 x 1", pool(Pooling::Average, [1; 2], [0; 4])),
        ("100 pairs of one input", Spec { head: pairs(false), components: 100, ..bare.clone() }),
        ("100 variational pairs of one input", Spec { head: pairs(true), components: 100, ..bare.clone() }),
        ("a model of one multiply-accumulate", Spec { head: HeadSpec::Softmax, ..bare.clone() }),
    ];
    let built = specs.map(|(name, spec)| (name, spec.build().expect("the numbers fit the format")));
    [costly(12_000), built.into()].concat()
}
