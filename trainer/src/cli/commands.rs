//! The commands that reproduce a run, for its report, and those that come after it.

use std::borrow::Cow;
use std::path::Path;

use crate::base::text::printable;
use crate::data::{Gaps, Source};
use crate::methods::FitConfig;
use crate::run::{EncoderRecord, ImportRecord, RunDir, RunError};

/// The commands that make the model of a run again and use it.
pub(super) fn commands_of(run: &RunDir, source: &Source) -> Result<String, RunError> {
    Ok(match run.import_record()? {
        Some(record) => commands(run.path(), source, Some((&record, &run.config()?))),
        None => commands(run.path(), source, None),
    })
}

/// The commands of a run, whose model was imported with these settings if it was not trained.
pub(super) fn commands(run: &Path, source: &Source, imported: Option<(&ImportRecord, &FitConfig)>) -> String {
    let mut flags = String::new();
    let mut flag = |name: &str, value: Option<&str>| {
        match value {
            // The program would take the value for a flag.
            Some(value) if value.starts_with('-') => flags += &format!(" --{name}={}", quoted(value)),
            Some(value) => flags += &format!(" --{name} {}", quoted(value)),
            None => {}
        }
    };
    flag("labels", source.labels.as_ref().map(|path| path.to_string_lossy()).as_deref());
    flag("label-column", source.label_column.as_deref());
    flag("group-column", source.group_column.as_deref());
    flag("time-column", source.time_column.as_deref());
    source.drop_columns.iter().for_each(|name| flag("drop-column", Some(name)));
    flag("header", source.header.map(|is_header| if is_header { "yes" } else { "no" }));
    flag("window", source.window.map(|window| window.length.to_string()).as_deref());
    flag("step", source.window.map(|window| window.step.to_string()).as_deref());
    flag("gaps", (source.gaps == Gaps::Split).then_some("split"));
    // A path that begins with - would be taken for a flag, too.
    let as_path = |path: &str| if path.starts_with('-') { format!("./{path}") } else { path.to_owned() };
    let run = as_path(&run.to_string_lossy());
    let (settings, again) = (format!("{run}/config.toml"), format!("{run}-again"));
    let data = quoted(&as_path(&source.path)).into_owned();
    let begin = match imported {
        None => format!("train {data}{flags} --config {}", quoted(&settings)),
        Some((record, config)) => {
            let least = record.least_weight.map_or_else(String::new, |weight| format!(" --min-weight {weight}"));
            let (seed, holdout) = (config.seed, config.holdout);
            let model = as_path(&record.path);
            let begin = format!("import {} --data {data}{flags}", quoted(&model));
            match &record.encoder {
                None => format!("{begin}{least} --seed {seed} --holdout {holdout}"),
                Some(reading) => {
                    let EncoderRecord { latent, layers, activation, prefix } = reading;
                    let named =
                        [("latent", latent), ("encoder", layers), ("activation", activation), ("prefix", prefix)];
                    let given = named.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
                    let reading: String = given.map(|(flag, value)| format!(" --{flag}={}", quoted(value))).collect();
                    let tuned = if record.fine_tuned { " --fine-tune" } else { "" };
                    format!("{begin}{reading}{tuned} --config {}", quoted(&settings))
                }
            }
        }
    };
    format!(
        "edgemix {begin} --out {}\nedgemix evaluate {run}\nedgemix assign {run} -o clusters.csv\n\
         edgemix export {run} --rust firmware/src/model\n",
        quoted(&again),
        run = quoted(&run),
    )
}

/// What is sensible after a run: the lines of two commands.
pub(super) fn next_commands(model: &Path, run: &Path) -> String {
    let [model, run] = [model, run].map(|path| quoted(&path.to_string_lossy()).into_owned());
    format!("next: edgemix inspect {model}\n      edgemix evaluate {run}\n")
}

/// Quotes a word for the command line of a shell, if necessary. Characters that control a terminal are spelt, since a command
/// that is pasted must not contain them.
pub(super) fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    if printable(word) == word && !word.contains(['\n', '\t']) {
        return format!("'{}'", word.replace('\'', r"'\''")).into();
    }
    let mut spelt = String::from("$'");
    for c in word.chars() {
        match c {
            '\'' | '\\' => spelt.extend(['\\', c]),
            ' '..='~' => spelt.push(c),
            // The bytes in octal, which all shells with this form of quotes understand.
            c => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| spelt += &format!("\\{byte:03o}")),
        }
    }
    spelt.push('\'');
    spelt.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_special_characters_are_quoted() {
        let source = Source { label_column: Some("it's; rm -r".into()), ..Source::new("my data.csv") };
        let text = commands(Path::new("runs/a b"), &source, None);
        let first = r"edgemix train 'my data.csv' --label-column 'it'\''s; rm -r' --config 'runs/a b/config.toml' --out 'runs/a b-again'";
        assert_eq!(text.lines().next(), Some(first));
        assert!(
            commands(Path::new("run"), &Source::new("digits"), None)
                .starts_with("edgemix train digits --config run/config.toml")
        );
    }
    #[cfg(unix)]
    #[test]
    fn a_shell_gives_back_each_word() {
        for word in
            ["", "a b", "it's", "-x", "$(id)`id`", "a\nb\tc", "\u{1b}[2J\\'\u{202e}ü\u{7f}", "=x", "~", "*", "!!", "#"]
        {
            let script = format!("printf %s {}", quoted(word));
            assert!(!script.contains(|c: char| c.is_control()), "{script:?}");
            let Ok(found) = std::process::Command::new("bash").args(["-c", &script]).output() else { return };
            assert_eq!(String::from_utf8(found.stdout).unwrap(), word, "{script}");
        }
    }

    #[test]
    fn no_value_is_taken_for_a_flag() {
        let source = Source { label_column: Some("-y".into()), header: Some(false), ..Source::new("-x.csv") };
        let first = "edgemix train ./-x.csv --label-column=-y --header no --config run/config.toml --out run-again";
        assert_eq!(commands(Path::new("run"), &source, None).lines().next(), Some(first));
    }
}
