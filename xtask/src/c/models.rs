//! The models and samples of the programs in C, as arrays.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::process::root;

/// Name, file, and prefix of the constants of each model.
const MODELS: [(&str, &str, &str); 4] = [
    ("digits", "firmware-example/assets/digits.emx", "DIGITS"),
    ("spectrum", "format/tests/golden/spectrum.emx", "SPECTRUM"),
    ("held_out", "format/tests/golden/held-out.emx", "HELD_OUT"),
    ("transitions", "format/tests/golden/transitions.emx", "TRANSITIONS"),
];
/// The stream reads instants of so many channels; the model of a spectrum takes any number that divides its window.
const CHANNELS: u32 = 3;

/// Writes `models.h` and `models.c`, and returns their folder.
pub(super) fn write() -> Result<PathBuf> {
    let folder = root().join("target/c/models");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut header = String::from("#include <stdint.h>\n");
    let mut source = String::from("#include <edgemix.h>\n#include \"models.h\"\n");
    let mut arena = 0;
    let mut define = |name: &str, bytes: &[u8]| -> Result<()> {
        let length = bytes.len();
        writeln!(header, "extern const uint8_t {name}[{length}];")?;
        writeln!(source, "EDGEMIX_ALIGNED const uint8_t {name}[{length}] = {{{}}};", list(bytes))?;
        Ok(())
    };
    let mut constants = String::new();
    for (name, path, prefix) in MODELS {
        let bytes = fs::read(root().join(path)).with_context(|| path.to_owned())?;
        define(name, &bytes)?;
        let word = |at: usize| {
            let word = bytes.get(at..at + 4).and_then(|word| word.try_into().ok());
            word.map(u32::from_le_bytes).with_context(|| format!("{path} has no header"))
        };
        // docs/FORMAT.md has the places.
        arena = arena.max(word(28)?);
        writeln!(constants, "#define {prefix}_INPUT_LENGTH {}", word(40)?)?;
        writeln!(constants, "#define {prefix}_CLUSTERS {}", word(48)? & 0xffff)?;
    }
    let samples = "firmware-example/assets/digits-samples.u8";
    define("digits_samples", &fs::read(root().join(samples)).with_context(|| samples.to_owned())?)?;
    writeln!(constants, "#define SPECTRUM_CHANNELS {CHANNELS}\n#define MODELS_ARENA {arena}")?;
    for (name, text) in [("models.h", header + &constants), ("models.c", source)] {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(folder)
}

fn list(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte},")).collect()
}
