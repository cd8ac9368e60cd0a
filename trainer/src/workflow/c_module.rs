//! A model as a module of a firmware in C: `model.emx`, `model.c` and `model.h`, and, on request, `samples.c` and `samples.h`.

use std::fmt::{Display, Write as _};
use std::fs;
use std::path::{Path, PathBuf};

use edgemix_runtime::Model;

use super::cluster_names::check_cluster_names;
use super::error::WorkflowError;
use super::firmware_samples::FirmwareSamples;
use crate::assessment::inference::multiply_accumulates;
use crate::data::{Layout, Samples};
use crate::run::{ModelFile, RunError, RunFile, write_whole};

/// A folder that contains a model as a module in C. All its names begin with the same prefix, so that a firmware can have
/// several models.
///
/// ```
/// use edgemix::data::Layout;
/// use edgemix::workflow::CModule;
///
/// let folder = tempfile::tempdir()?;
/// let module = CModule::create(&folder.path().join("model"), "digits")?;
/// let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
/// std::fs::copy(model, module.model_path())?;
/// module.write(&[], Layout::Table)?;
/// let header = std::fs::read_to_string(module.header_path())?;
/// assert!(header.contains("#define DIGITS_INPUT_LENGTH 64\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CModule {
    folder: PathBuf,
    prefix: String,
}

impl CModule {
    /// Creates the folder, if it does not exist.
    ///
    /// # Errors
    /// [`WorkflowError::Prefix`] if the prefix can't begin an identifier of C, and [`WorkflowError::Run`] if the folder can't
    /// be created.
    pub fn create(folder: &Path, prefix: &str) -> Result<Self, WorkflowError> {
        let module = Self::open(folder, prefix)?;
        fs::create_dir_all(folder).map_err(RunError::io(folder))?;
        Ok(module)
    }

    /// A folder that need not exist.
    ///
    /// # Errors
    /// [`WorkflowError::Prefix`] if the prefix can't begin an identifier of C.
    pub fn open(folder: &Path, prefix: &str) -> Result<Self, WorkflowError> {
        let is_lower = |c: char| c.is_ascii_lowercase();
        let is_prefix = prefix.starts_with(is_lower)
            && prefix.len() <= 31
            && prefix.chars().all(|c| is_lower(c) || c.is_ascii_digit() || c == '_');
        if !is_prefix {
            return Err(WorkflowError::Prefix { prefix: prefix.to_owned() });
        }
        Ok(Self { folder: folder.into(), prefix: prefix.to_owned() })
    }

    /// The path of `model.emx`, the model.
    pub fn model_path(&self) -> PathBuf {
        self.folder.join(RunFile::Model.name())
    }

    /// The path of `model.h`, which has the model's sizes.
    pub fn header_path(&self) -> PathBuf {
        self.folder.join("model.h")
    }

    /// The path of `model.c`, which has the model as an array.
    pub fn source_path(&self) -> PathBuf {
        self.folder.join("model.c")
    }

    /// The paths of `samples.h` and `samples.c`.
    pub fn samples_paths(&self) -> [PathBuf; 2] {
        ["samples.h", "samples.c"].map(|name| self.folder.join(name))
    }

    /// Writes `model.h` and `model.c` with the model of `model.emx`, and with the clusters' names if there are any. If the
    /// samples are windows, the header has their number of channels.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] if the model can't be read or a file can't be written, and [`WorkflowError::ClusterNames`] if
    /// there are names, but not one for each cluster; two clusters with the same name are [`WorkflowError::RepeatedName`].
    pub fn write(&self, names: &[String], layout: Layout) -> Result<(), WorkflowError> {
        let file = ModelFile::read(&self.model_path())?;
        let model = file.model()?;
        check_cluster_names(names, model.n_clusters())?;
        let bytes = fs::read(self.model_path()).map_err(RunError::io(&self.model_path()))?;
        let mut header = self.header_text(&file, &model, bytes.len());
        let mut source = self.source_text(&model, &bytes);
        let upper = self.upper();
        if let Layout::Windows { channels } = layout {
            // Writing to a String can't fail.
            let _ = writeln!(header, "/* Number of channels of a window, which are side by side in each instant. */");
            let _ = writeln!(header, "#define {upper}_CHANNELS {channels}");
        }
        if !names.is_empty() {
            let declaration = format!("const char *const {}_cluster_names[{upper}_CLUSTERS]", self.prefix);
            let _ = write!(header, "/* The names of the clusters, in UTF-8. */\nextern {declaration};\n");
            let names = list(names.iter().map(|name| literal(name)));
            let _ = write!(source, "\n{declaration} = {{{names}}};\n");
        }
        header.push_str("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
        self.write_text(&self.source_path(), &source)?;
        self.write_text(&self.header_path(), &header)
    }

    /// The prefix of macros.
    fn upper(&self) -> String {
        self.prefix.to_ascii_uppercase()
    }

    /// The text of `model.h` up to the names of clusters.
    fn header_text(&self, file: &ModelFile, model: &Model<'_>, length: usize) -> String {
        let (prefix, upper) = (&self.prefix, self.upper());
        format!(
            "/* \"{name}\": {n_clusters} clusters by {method}, exported by edgemix {version}. Do not edit this file.
 *
 * {flash} bytes of flash, {ram} bytes of RAM, {macs} multiply-accumulates per sample.
 *
 * In a checkout of edgemix, this builds the library for a Cortex-M4 with a floating-point unit:
 *     cargo rustc --profile small -p edgemix-c --crate-type staticlib --target thumbv7em-none-eabihf
 * It is then target/thumbv7em-none-eabihf/small/libedgemix_c.a. docs/c.md has the targets of other cores. */
#ifndef {upper}_MODEL_H
#define {upper}_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern \"C\" {{
#endif

/* Number of values in a sample. */
#define {upper}_INPUT_LENGTH {n_inputs}
/* Size of the arena in bytes. */
#define {upper}_ARENA {ram}
/* Number of clusters. */
#define {upper}_CLUSTERS {n_clusters}
/* Size of the model in bytes. */
#define {upper}_MODEL_LENGTH {length}
/* Number of channels of a window, or of columns of a table, that have counts of their own. */
#define {upper}_COUNTS {n_counts}

/* The model, which edgemix_load checks once. */
extern const uint8_t {prefix}_model_bytes[{upper}_MODEL_LENGTH];
/* The value of a raw count of 0, in the unit of the training data: that of element i of a sample is
 * {prefix}_origin[i % {upper}_COUNTS]. */
extern const float {prefix}_origin[{upper}_COUNTS];
/* The size of a raw count, in the unit of the training data: `raw` counts in element i of a sample are the value
 * {prefix}_origin[i % {upper}_COUNTS] + raw * {prefix}_count[i % {upper}_COUNTS]. */
extern const float {prefix}_count[{upper}_COUNTS];
",
            name = comment(model.file().name),
            n_clusters = model.n_clusters(),
            method = comment(model.file().method),
            version = env!("CARGO_PKG_VERSION"),
            flash = file.flash(),
            ram = model.arena_len(),
            macs = multiply_accumulates(model),
            n_inputs = model.input_len(),
            n_counts = model.file().sample.count.len(),
        )
    }

    /// The text of `model.c` up to the names of clusters.
    fn source_text(&self, model: &Model<'_>, bytes: &[u8]) -> String {
        let (prefix, upper) = (&self.prefix, self.upper());
        let sample = &model.file().sample;
        format!(
            "/* Do not edit this file. */
#include \"model.h\"

#include <edgemix.h>

const float {prefix}_origin[{upper}_COUNTS] = {{{origin}}};
const float {prefix}_count[{upper}_COUNTS] = {{{count}}};

EDGEMIX_ALIGNED const uint8_t {prefix}_model_bytes[{upper}_MODEL_LENGTH] = {{
{rows}}};
",
            origin = list(sample.origin.iter().map(|x| format!("{x:?}f"))),
            count = list(sample.count.iter().map(|x| format!("{x:?}f"))),
            rows = bytes.chunks(20).map(|row| format!("    {},\n", list(row))).collect::<String>(),
        )
    }

    /// Writes `samples.h` and `samples.c`: at most `n` samples, spread evenly over all, as raw counts, with the clusters that
    /// the firmware must find. Returns their number.
    ///
    /// # Errors
    /// [`WorkflowError::Data`] if the samples can't be read, [`WorkflowError::Raw`] if they are not raw counts that fit the
    /// model, and [`WorkflowError::Run`] if the model can't be read or a file can't be written.
    pub fn write_samples(&self, samples: &Samples, n: usize) -> Result<usize, WorkflowError> {
        let file = ModelFile::read(&self.model_path())?;
        let chosen = FirmwareSamples::choose(&file.model()?, samples, n)?;
        let (prefix, upper) = (&self.prefix, self.upper());
        let n = chosen.clusters.len();
        let header = format!(
            "/* Samples of \"{name}\" in raw counts, with the clusters that the host finds. Do not edit this file. */
#ifndef {upper}_SAMPLES_H
#define {upper}_SAMPLES_H

#include \"model.h\"

#ifdef __cplusplus
extern \"C\" {{
#endif

#define {upper}_SAMPLES {n}

/* The samples as the sensor gives them. */
extern const int16_t {prefix}_samples[{upper}_SAMPLES][{upper}_INPUT_LENGTH];
/* The cluster of each sample. */
extern const uint16_t {prefix}_sample_clusters[{upper}_SAMPLES];

#ifdef __cplusplus
}}
#endif

#endif
",
            name = comment(samples.name()),
        );
        let source = format!(
            "/* Do not edit this file. */
#include \"samples.h\"

const int16_t {prefix}_samples[{upper}_SAMPLES][{upper}_INPUT_LENGTH] = {{
{rows}}};

const uint16_t {prefix}_sample_clusters[{upper}_SAMPLES] = {{{clusters}}};
",
            rows = chosen.counts.iter().map(|counts| format!("    {{{}}},\n", list(counts))).collect::<String>(),
            clusters = list(&chosen.clusters),
        );
        let [header_path, source_path] = self.samples_paths();
        self.write_text(&source_path, &source)?;
        self.write_text(&header_path, &header)?;
        Ok(n)
    }

    fn write_text(&self, path: &Path, text: &str) -> Result<(), WorkflowError> {
        Ok(write_whole(path, text.as_bytes()).map_err(RunError::io(path))?)
    }
}

/// Values with commas between them.
fn list<V: Display>(values: impl IntoIterator<Item = V>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", ")
}

/// Text of a file within a comment, which it can't end.
fn comment(text: &str) -> String {
    text.escape_debug().to_string().replace("*/", "* /").replace("/*", "/ *")
}

/// A string of C. Octal escapes have three digits, so that no digit after them can join them, and a `?` can't begin a
/// trigraph.
fn literal(text: &str) -> String {
    let is_plain = |byte: u8| (byte == b' ' || byte.is_ascii_graphic()) && !b"\"\\?".contains(&byte);
    let escaped = text.bytes().map(|byte| match is_plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("\\{byte:03o}"),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_file_cannot_become_code() {
        assert_eq!(literal("a\"b\\??/1\n7é"), r#""a\042b\134\077\077/1\0127\303\251""#);
        assert_eq!(comment("x*/ int y; /*\n"), r"x* / int y; / *\n");
        for prefix in ["", "a b", "9a", "a-b", "é", "_a", "A", &"a".repeat(32)] {
            assert!(matches!(CModule::open("x".as_ref(), prefix), Err(WorkflowError::Prefix { .. })), "{prefix}");
        }
        assert!(CModule::open("x".as_ref(), "imu_2").is_ok());
    }

    /// The compiler of the host agrees with what was written.
    #[test]
    fn a_compiler_takes_the_module() {
        let folder = tempfile::tempdir().unwrap();
        let module = CModule::create(folder.path(), "digits").unwrap();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        fs::copy(format!("{root}/firmware-example/assets/digits.emx"), module.model_path()).unwrap();
        let n_clusters = ModelFile::read(&module.model_path()).unwrap().model().unwrap().n_clusters();
        let names: Vec<String> = (0..n_clusters).map(|k| format!("\"{k}\\??/ é*/\n")).collect();
        module.write(&names, Layout::Windows { channels: 4 }).unwrap();
        let samples = Samples::new("digits */", (0..3 * 64).map(|i| (i % 17) as f32).collect(), 64);
        assert_eq!(module.write_samples(&samples, 2).unwrap(), 2);
        for (compiler, flags) in [("cc", ["-std=c11", "-xc"]), ("c++", ["-std=c++11", "-xc++"])] {
            let compiled = std::process::Command::new(compiler)
                .args([
                    "-fsyntax-only",
                    "-Wall",
                    "-Wextra",
                    "-Werror",
                    "-pedantic",
                    "-I",
                    &format!("{root}/c-api/include"),
                ])
                .args(flags)
                .args([module.source_path(), module.samples_paths()[1].clone()])
                .output();
            match compiled {
                Ok(found) => assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr)),
                Err(error) => println!("{compiler} cannot be started, so the module is not compiled: {error}"),
            }
        }
    }
}
