//! The commands that reproduce a run, for its report.

use std::borrow::Cow;
use std::path::Path;

use crate::data::Source;

/// The commands that train the same model again and use the run.
pub(super) fn commands(run: &Path, source: &Source) -> String {
    let mut flags = String::new();
    let mut flag = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            flags += &format!(" --{name} {}", quoted(value));
        }
    };
    flag("labels", source.labels.as_ref().map(|path| path.to_string_lossy()).as_deref());
    flag("label-column", source.label_column.as_deref());
    flag("group-column", source.group_column.as_deref());
    source.drop_columns.iter().for_each(|name| flag("drop-column", Some(name)));
    flag("window", source.window.map(|window| window.length.to_string()).as_deref());
    flag("step", source.window.map(|window| window.step.to_string()).as_deref());
    let run = run.to_string_lossy();
    let (config, again) = (format!("{run}/config.toml"), format!("{run}-again"));
    format!(
        "edgemix train {}{flags} --config {} --out {}\nedgemix evaluate {run}\nedgemix assign {run} -o clusters.csv\n\
         edgemix export {run} --rust firmware/src/model\n",
        quoted(&source.path),
        quoted(&config),
        quoted(&again),
        run = quoted(&run),
    )
}

/// Quotes a word for the command line of a shell, if necessary.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_special_characters_are_quoted() {
        let source = Source { label_column: Some("it's; rm -r".into()), ..Source::new("my data.csv") };
        let text = commands(Path::new("runs/a b"), &source);
        let first = r"edgemix train 'my data.csv' --label-column 'it'\''s; rm -r' --config 'runs/a b/config.toml' --out 'runs/a b-again'";
        assert_eq!(text.lines().next(), Some(first));
        assert!(
            commands(Path::new("run"), &Source::new("digits"))
                .starts_with("edgemix train digits --config run/config.toml")
        );
    }
}
