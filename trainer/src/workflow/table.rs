//! The table of a comparison: a row for each method or value of a setting, with means and standard deviations over the runs.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// The columns: headings and number of decimals.
const COLUMNS: [(&str, usize); 8] = [
    ("ACC", 3),
    ("NMI", 3),
    ("ARI", 3),
    ("clusters", 1),
    ("seconds", 0),
    ("flash", 0),
    ("RAM", 0),
    ("int8 agreement", 4),
];

/// The result of a run of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Why the run failed, if it did.
    pub failure: Option<String>,
    /// A value for each column: accuracy, normalised mutual information and adjusted Rand index, which only samples with
    /// labels have; clusters, seconds, bytes of flash and of RAM, and the share of samples that both models assign to the
    /// same cluster.
    pub values: [Option<f64>; COLUMNS.len()],
}

/// The outcomes of a method, or of a method with a value of a setting.
#[derive(Clone, Debug)]
pub struct ComparisonRow {
    /// The name of the method, and the setting if there is one.
    pub name: String,
    /// One for each run that is over.
    pub outcomes: Vec<Outcome>,
    /// Number of runs that are not over.
    pub unfinished: usize,
}

/// The format of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableFormat {
    /// Aligned columns.
    #[default]
    Text,
    /// Comma-separated values, with a column for each mean and for each deviation.
    Csv,
    /// Markdown.
    Markdown,
}

impl ComparisonRow {
    /// The mean and the sample standard deviation of a column over the runs that have a value.
    fn moments(&self, column: usize) -> Option<(f64, f64)> {
        let values: Vec<f64> = self.outcomes.iter().filter_map(|outcome| outcome.values[column]).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        (n > 0.0).then(|| (mean, (squares / (n - 1.0).max(1.0)).sqrt()))
    }

    fn failed(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.failure.is_some()).count()
    }

    fn runs(&self) -> String {
        let n = self.outcomes.len();
        match (self.failed(), self.unfinished) {
            (0, 0) => n.to_string(),
            (failed, 0) => format!("{n} ({failed} failed)"),
            (0, missing) => format!("{n} ({missing} not finished)"),
            (failed, missing) => format!("{n} ({failed} failed, {missing} not finished)"),
        }
    }
}

/// The table of a comparison.
///
/// ```
/// use edgemix::workflow::{ComparisonRow, Outcome, TableFormat, comparison_table};
///
/// let outcome = |acc| Outcome { failure: None, values: [Some(acc), None, None, None, None, None, None, None] };
/// let row = ComparisonRow { name: "idec".into(), outcomes: vec![outcome(0.8), outcome(0.9)], unfinished: 0 };
/// let table = comparison_table(&[row], TableFormat::Text);
/// assert!(table.contains("idec    2     0.850 ± 0.071"));
/// ```
pub fn comparison_table(rows: &[ComparisonRow], format: TableFormat) -> String {
    match format {
        TableFormat::Text => aligned(rows, "", "  ", "", false),
        TableFormat::Csv => csv(rows),
        TableFormat::Markdown => aligned(rows, "| ", " | ", " |", true),
    }
}

fn aligned(rows: &[ComparisonRow], start: &str, between: &str, end: &str, has_rule: bool) -> String {
    let lines = cells(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{}", format!("{start}{}{end}", cells.join(between)).trim_end());
        if index == 0 && has_rule {
            let _ = writeln!(text, "|{}", "---|".repeat(widths.len()));
        }
    }
    text
}

/// The headings, then a line for each method.
fn cells(rows: &[ComparisonRow]) -> Vec<Vec<String>> {
    let headings = ["method", "runs"].into_iter().chain(COLUMNS.map(|(name, _)| name)).map(str::to_owned);
    let mut lines: Vec<Vec<String>> = vec![headings.collect()];
    for row in rows {
        let cells = (0..COLUMNS.len()).map(|column| cell(row, column));
        lines.push([row.name.clone(), row.runs()].into_iter().chain(cells).collect());
    }
    lines
}

fn cell(row: &ComparisonRow, column: usize) -> String {
    let decimals = COLUMNS[column].1;
    match row.moments(column) {
        None => "-".into(),
        Some((mean, deviation)) if deviation > 0.0 => format!("{mean:.decimals$} ± {deviation:.decimals$}"),
        Some((mean, _)) => format!("{mean:.decimals$}"),
    }
}

fn csv(rows: &[ComparisonRow]) -> String {
    let names = COLUMNS.map(|(name, _)| format!("{name},{name} deviation"));
    let mut text = format!("method,runs,failed,unfinished,{}\n", names.join(","));
    for row in rows {
        let cells = (0..COLUMNS.len()).map(|column| {
            row.moments(column).map_or(",".to_owned(), |(mean, deviation)| format!("{mean},{deviation}"))
        });
        let cells: Vec<String> = cells.collect();
        let name = if row.name.contains([',', '"']) {
            format!("\"{}\"", row.name.replace('"', "\"\""))
        } else {
            row.name.clone()
        };
        let counts = [row.outcomes.len(), row.failed(), row.unfinished].map(|n| n.to_string()).join(",");
        let _ = writeln!(text, "{name},{counts},{}", cells.join(","));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> ComparisonRow {
        let finished = |acc: f64| Outcome {
            failure: None,
            values: [Some(acc), None, None, Some(10.0), Some(3.0), Some(2048.0), Some(96.0), Some(1.0)],
        };
        let failed = Outcome { failure: Some("seed 2: no".into()), ..Outcome::default() };
        ComparisonRow { name: "idec".into(), outcomes: vec![finished(0.8), finished(0.9), failed], unfinished: 0 }
    }

    #[test]
    fn a_table_has_mean_and_deviation_of_the_runs_that_ended() {
        let (mean, deviation) = row().moments(0).unwrap();
        assert!((mean - 0.85).abs() < 1e-12 && (deviation - 0.1 / 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(row().moments(1), None);
        let text = comparison_table(&[row()], TableFormat::Text);
        assert!(text.contains("idec    3 (1 failed)  0.850 ± 0.071  -    -    10.0"), "{text}");
        let begun = comparison_table(&[ComparisonRow { unfinished: 2, ..row() }], TableFormat::Text);
        assert!(begun.contains("idec    3 (1 failed, 2 not finished)  0.850"), "{begun}");
        let markdown = comparison_table(&[row()], TableFormat::Markdown);
        assert_eq!(markdown.lines().nth(1), Some("|---|---|---|---|---|---|---|---|---|---|"));
        assert!(markdown.lines().all(|line| line.starts_with('|') && line.matches('|').count() == 11), "{markdown}");
    }

    #[test]
    fn comma_separated_values_have_as_many_fields_as_headings() {
        let text = comparison_table(&[row()], TableFormat::Csv);
        let fields: Vec<usize> = text.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(fields, [4 + 2 * COLUMNS.len(); 2]);
        assert!(text.lines().nth(1).is_some_and(|line| line.starts_with("idec,3,1,0,0.85")), "{text}");
    }
}
