//! Describes the library's results as text.

use std::fmt::Write;
use std::path::Path;

use edgemix_runtime::Model;

use crate::assessment::interval::{ClusterFate, SeedInterval};
use crate::assessment::sizes::Sizes;
use crate::base::metrics::Scores;
use crate::base::text::counted;
use crate::mixture::{ClusterCountReport, Level};
use crate::run::ModelFile;
use crate::trained::Trained;
use crate::workflow::{
    CalibrationErrors, Evaluation, FineTuning, ModelScores, Plan, PosteriorCalibration, Smoothed, WorkflowError,
};

/// What is fitted, and where.
pub(super) fn title(plan: &Plan, out: &Path) -> String {
    format!("{} by {}, {}", plan.dataset().samples.name(), plan.config().method.name(), out.display())
}

/// An evaluation, a line for each model.
pub(super) fn evaluation(found: &Evaluation) -> String {
    let mut text = String::new();
    if let Some(scores) = &found.f32 {
        model_scores(&mut text, "f32", scores);
    }
    model_scores(&mut text, "int8", &found.int8);
    // Writing to a String can't fail.
    if let Some(Smoothed { changed, scores }) = &found.smoothed {
        model_scores(&mut text, "smoothed", scores);
        let _ = writeln!(
            text,
            "  {:.2} % of the windows in another cluster than without the windows before",
            100.0 * changed
        );
    }
    if let Some(share) = found.agreement {
        let _ = writeln!(text, "agreement   {:.2} %", 100.0 * share);
    }
    let raw = &found.raw_counts;
    let _ = writeln!(text, "raw counts  {:.2} % in the cluster of their values", 100.0 * raw.agreement);
    if raw.beyond > 0.0 {
        let (share, columns) = (100.0 * raw.beyond, raw.columns.join(", "));
        let _ = writeln!(text, "  {share:.2} % of the samples have values beyond the counts, in columns {columns}");
    }
    for lone in &found.lone {
        let _ = writeln!(text, "groups      {lone}");
    }
    if let Some(held_out) = &found.held_out {
        let _ = writeln!(text, "held out    {}", counted(held_out.samples, "sample"));
        for line in evaluation(&held_out.evaluation).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    if let Some(posterior) = &found.posterior {
        calibration(&mut text, posterior);
    }
    text
}

/// What the further training of an imported encoder changed.
pub(super) fn fine_tuning(found: &FineTuning) -> String {
    let mut text = String::new();
    model_scores(&mut text, "as imported", &found.before);
    model_scores(&mut text, "fine-tuned", &found.after);
    let (by, agreement) = (found.before_by, found.agreement);
    // Writing to a String can't fail.
    let _ = writeln!(
        text,
        "adjusted Rand index between both {agreement:.3}; the encoder as imported has the clusters of {by}"
    );
    text
}

/// Rows of a table of clusters or classes that are printed: as many of the largest as of the smallest.
const ROWS: usize = 40;

/// The clusters by their sizes and, with labels, the classes.
pub(super) fn by_size(found: &Sizes) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let of = |number: Option<String>, right: Option<f64>| match (number, right) {
        (Some(number), Some(right)) => format!("{number:>8}  {:>7}", percent(right)),
        _ => format!("{:>8}  {:>7}", "-", "-"),
    };
    let row = |number: String, samples: usize, share: f64, rest: &str| {
        format!("  {number:>7}  {samples:>7}  {:>7}  {rest}", percent(share)).trim_end().to_owned()
    };
    let has_labels = found.classes.is_some();
    let clusters = found.clusters.iter().map(|cluster| {
        let rest = if has_labels { of(cluster.label.map(|y| y.to_string()), cluster.right) } else { String::new() };
        row(cluster.cluster.to_string(), cluster.samples, cluster.share, &rest)
    });
    let heading = if has_labels { "     label    right" } else { "" };
    let mut text = format!("clusters by size\n  cluster  samples    share{heading}\n{}", shortened(clusters.collect()));
    if let Some(classes) = &found.classes {
        let classes = classes.iter().map(|class| {
            let rest = of(class.cluster.map(|k| k.to_string()), Some(class.right));
            row(class.label.to_string(), class.samples, class.share, &rest)
        });
        text += "classes by size\n    label  samples    share   cluster    right\n";
        text += &shortened(classes.collect());
        text += "right: the share with the label or cluster that the matching of ACC gives\n";
    }
    text
}

/// The rows as lines, without those in the middle if there are many.
fn shortened(rows: Vec<String>) -> String {
    let left_out = rows.len().saturating_sub(ROWS);
    let lines = |rows: &[String]| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
    if left_out == 0 {
        return lines(&rows);
    }
    let (first, last) = (&rows[..ROWS / 2], &rows[rows.len() - ROWS / 2..]);
    format!("{}      ... {left_out} more, which --json has\n{}", lines(first), lines(last))
}

fn model_scores(text: &mut String, name: &str, found: &ModelScores) {
    let ModelScores { clusters, clusters_of_a_percent, scores } = found;
    let clusters = counted(*clusters, "cluster");
    let _ = write!(text, "{name:<12}{clusters} ({clusters_of_a_percent} of >= 1 %)");
    let _ = match scores {
        Some(Scores { acc: Some(acc), nmi, ari }) => writeln!(text, ", ACC {acc:.3}, NMI {nmi:.3}, ARI {ari:.3}"),
        // With so many clusters and labels, the best matching takes too long to find.
        Some(Scores { acc: None, nmi, ari }) => {
            writeln!(text, ", NMI {nmi:.3}, ARI {ari:.3} (too many labels for ACC)")
        }
        None => writeln!(text),
    };
}

fn calibration(text: &mut String, posterior: &PosteriorCalibration) {
    let _ = writeln!(text, "posterior   temperature {:.2}", posterior.temperature);
    for (event, errors) in [("neighbours", &posterior.neighbours), ("labels", &posterior.labels)] {
        if let Some(CalibrationErrors { before, after }) = errors {
            let _ = writeln!(text, "  calibration error against {event}: {after:.3}, {before:.3} at temperature 1");
        }
    }
}

/// What runs with several seeds agree on.
pub(super) fn interval(found: &SeedInterval) -> String {
    let (fewest, most) = found.range();
    let runs = found.runs.len();
    let range = if fewest == most { counted(most, "cluster") } else { format!("{fewest} to {most} clusters") };
    let medoid = found.runs[found.medoid];
    let mut text = format!(
        "{range} of >= 1 % in {runs} runs; mean adjusted Rand index between runs {:.3}, of seed {}, the medoid, {:.3}\n",
        found.agreement, medoid.seed, medoid.agreement
    );
    for (index, cluster) in found.clusters.iter().enumerate() {
        let fate = match cluster.fate {
            ClusterFate::Persists => String::new(),
            ClusterFate::Merges(other) => format!(", part of cluster {other} in other runs"),
            ClusterFate::Dissolves => ", scattered in other runs".into(),
        };
        let (percent, jaccard) = (100.0 * cluster.share, cluster.jaccard);
        let _ =
            writeln!(text, "cluster {index:<3} {percent:>5.1} % of the samples, mean Jaccard index {jaccard:.2}{fate}");
    }
    text
}

/// The levels of a model with their numbers of clusters and the agreement of halves on them; `None` if its head has none.
pub(super) fn levels(trained: &Trained) -> Option<String> {
    let describe = |level: &Level| {
        let agreement = level.agreement.map(|agreement| format!("split-half agreement {agreement:.2}"));
        let doubt = (!level.is_steady).then_some("not steady");
        let own = (level.clusters == trained.head.n_clusters()).then_some("as trained");
        let notes: Vec<&str> = agreement.as_deref().into_iter().chain(doubt).chain(own).collect();
        format!("{} ({})", counted(level.clusters, "cluster"), notes.join(", ")).replace(" ()", "")
    };
    let levels = trained.hierarchy.as_ref()?.levels.iter();
    Some(levels.map(describe).collect::<Vec<_>>().join("; "))
}

/// How long each cluster lasts on average, in seconds where the time from a window to the next is known; `None` if the model
/// does not know.
pub(super) fn dwell(model: &Model, seconds: Option<f64>) -> Option<String> {
    let transitions = model.file().transitions?;
    let each = (0..model.n_clusters() as u16).map(|cluster| {
        let windows = f64::from(transitions.dwell(cluster));
        seconds.map_or_else(|| format!("{windows:.1}"), |seconds| format!("{:.1}", windows * seconds))
    });
    let unit = if seconds.is_some() { "seconds" } else { "windows" };
    Some(format!("{} {unit} on average, by cluster", each.collect::<Vec<_>>().join(", ")))
}

/// How the number of clusters was determined, in one line.
pub(super) fn cluster_count(found: &ClusterCountReport) -> String {
    let ClusterCountReport { clusters, components, threshold, seconds, .. } = found;
    let agreement = split_half_agreement(found).map_or_else(String::new, |agreement| {
        let halves = if found.halves_of_groups { "agreement of halves of the groups" } else { "split-half agreement" };
        format!("; {halves} {agreement:.2} at a confusion threshold of {threshold}")
    });
    let (clusters, components) = (counted(*clusters, "cluster"), counted(*components, "component"));
    format!("{clusters} of {components}{agreement} ({seconds:.1} s)\n")
}

/// How the number of clusters was determined, and why the model has another number, if it has.
pub(super) fn search(found: &ClusterCountReport, n_clusters: usize) -> String {
    let mut text = format!("search: {}", cluster_count(found));
    if found.clusters != n_clusters {
        let _ = writeln!(
            text,
            "The model has {}, since training moved the samples of the others to them.",
            counted(n_clusters, "cluster")
        );
    }
    text
}

/// The agreement of random halves at the threshold that was chosen; `None` if there were no halves.
pub(super) fn split_half_agreement(found: &ClusterCountReport) -> Option<f64> {
    found.curve.iter().find(|choice| choice.threshold == found.threshold).map(|choice| choice.agreement)
}

/// The clusters, flash and RAM of a model.
pub(super) fn sizes(file: &ModelFile, n_samples: usize) -> Result<String, WorkflowError> {
    let model = file.model()?;
    let (clusters, flash, ram) = (counted(model.n_clusters(), "cluster"), file.flash(), model.arena_len());
    Ok(format!("{clusters} of {}, {flash} bytes of flash, {ram} bytes of RAM", counted(n_samples, "sample")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_and_classes_are_tables_of_their_sizes() {
        let labels: Vec<u32> = (0..120).map(|i| if i < 100 { 4 } else { 7 }).collect();
        let clusters: Vec<u16> = (0..120).map(|i| if i < 90 { 2 } else { 0 }).collect();
        let expected = "\
clusters by size
  cluster  samples    share     label    right
        2       90   75.0 %         4  100.0 %
        0       30   25.0 %         7   66.7 %
        1        0    0.0 %         -        -
classes by size
    label  samples    share   cluster    right
        4      100   83.3 %         2   90.0 %
        7       20   16.7 %         0  100.0 %
right: the share with the label or cluster that the matching of ACC gives
";
        assert_eq!(by_size(&Sizes::of(&clusters, 3, Some(&labels))), expected);
        let alone = by_size(&Sizes::of(&clusters, 3, None));
        assert_eq!(
            alone,
            "clusters by size\n  cluster  samples    share\n        2       90   75.0 %\n        0       30   25.0 %\n        1        0    0.0 %\n"
        );
        // Of many clusters, those in the middle are left out.
        let many: Vec<u16> = (0..100).collect();
        let lines = by_size(&Sizes::of(&many, 100, None));
        assert_eq!(lines.lines().count(), 2 + ROWS + 1);
        assert!(lines.contains("\n      ... 60 more, which --json has\n"), "{lines}");
    }
}
