//! The emulated Cortex-M4 gives the host's bits.
#![cfg(feature = "emulator")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use edgemix::data::digits;
use edgemix_format::write::AlignedBytes;
use edgemix_runtime::Model;

#[test]
fn every_digit_is_assigned_as_on_the_host() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = root.join("firmware-example/assets/digits.emx");
    let bytes = AlignedBytes::from(&fs::read(&path).unwrap()[..]);
    let model = Model::from_bytes(&bytes).unwrap();
    let samples: Vec<u8> = digits().samples.values.iter().map(|&x| x as u8).collect();

    let mut workspace = AlignedBytes::zeroed(model.arena_len());
    let mut expected = String::new();
    for (index, sample) in samples.chunks_exact(64).enumerate() {
        let found = model.assign_raw(sample, &mut workspace).unwrap();
        let (density, novelty) = (found.log_density.0, found.novelty.0);
        writeln!(expected, "{index} {} {} {density} {novelty}", found.cluster, found.component).unwrap();
    }
    assert_eq!(expected.lines().count(), 1797);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("samples.u8");
    fs::write(&file, &samples).unwrap();
    let mut xtask = Command::new(env!("CARGO"));
    xtask.current_dir(root).args(["run", "--quiet", "--package", "xtask", "--", "emulate", "--model"]);
    let output = xtask.arg(&path).arg("--samples").arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(found, expected);
}
