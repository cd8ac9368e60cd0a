//! The sections of the page, in order.

use edgemix_format::view::{Head, front_end_macs};
use maud::{Markup, html};

use super::input::{Assignments, ReportInput};
use super::plot::{self, Bar, Point};
use super::{geometry, layers, neighbours, pictures};
use crate::assessment::chips::{CODE, Chip, STACK};
use crate::assessment::inference::multiply_accumulates;
use crate::assessment::lone::{groups_of_clusters, lone_clusters};
use crate::data::DataError;
use crate::metrics;

/// Largest number of points in a plot.
const POINTS: usize = 2500;
/// Number of samples shown for each cluster, near and far: as many images, or traces, as fit the width of the page.
const IMAGES: usize = 7;
const TRACES: usize = 6;
/// Largest number of labels that are distinguished.
const LABELS: usize = 100;

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap_or("")).collect();
    groups.join(",")
}

/// The key figures of the run.
pub(super) fn facts(run: &ReportInput, found: &Assignments) -> Markup {
    let clusters = metrics::clusters_found(&found.clusters, 0.0);
    let mut facts = vec![
        (clusters.to_string(), "clusters of the quantised model"),
        (thousands(run.dataset.samples.n_samples()), "samples"),
        (
            format!("{:.2} %", 100.0 * metrics::agreement(&found.exact, &found.clusters)),
            "of the samples in the same cluster as in f32",
        ),
        (thousands(run.flash), "bytes of flash"),
        (thousands(run.model.arena_len()), "bytes of RAM"),
        (thousands(multiply_accumulates(run.model) as usize), "multiply-accumulates"),
    ];
    if let Some(labels) = &run.dataset.labels {
        let scores = metrics::scores(labels, &found.clusters);
        facts.extend(scores.acc.map(|acc| (format!("{acc:.3}"), "accuracy")));
        facts.push((format!("{:.3}", scores.nmi), "mutual information"));
        facts.push((format!("{:.3}", scores.ari), "adjusted Rand index"));
    }
    html! { ul class="facts" { @for (value, name) in facts { li { b { (value) } span { (name) } } } } }
}

/// The latents along their two principal axes, coloured by cluster and by label.
pub(super) fn latents(run: &ReportInput, found: &Assignments) -> Markup {
    let n = run.dataset.samples.n_samples();
    let step = n.div_ceil(POINTS).max(1);
    let drawn: Vec<f32> = found.latents.chunks_exact(found.dims).step_by(step).flatten().copied().collect();
    let (places, shares) = geometry::principal(&drawn, found.dims);
    let points = |class: &dyn Fn(usize) -> usize| -> Vec<Point> {
        let rows = (0..n).step_by(step).zip(&places);
        rows.map(|(i, place)| Point { x: place[0], y: place[1], class: class(i) }).collect()
    };
    // The neighbours of fewer samples, since finding them takes longer.
    let sparse = n.div_ceil(neighbours::MOST).max(1);
    let chosen: Vec<usize> = (0..n).step_by(sparse).collect();
    let sample: Vec<f32> = found.latents.chunks_exact(found.dims).step_by(sparse).flatten().copied().collect();
    let embedded = neighbours::embed(&sample, found.dims, &geometry::principal(&sample, found.dims).0);
    let neighbours = embedded.map(|places| -> Vec<Point> {
        let rows = chosen.iter().zip(places);
        rows.map(|(&i, [x, y])| Point { x, y, class: found.clusters[i].into() }).collect()
    });
    let names = |count: usize| -> Vec<String> { (0..count).map(|k| k.to_string()).collect() };
    let labels = run.dataset.labels.as_ref().filter(|labels| labels.iter().all(|&y| (y as usize) < LABELS));
    html! {
        section {
            h2 { "The latent space" }
            p {
                "The latents along two of their " (found.dims) " principal axes, which have " (percent(shares[0] + shares[1]))
                " of the variance. Clusters that overlap here may be separate along the other axes."
                @if step > 1 { " One of every " (step) " samples is drawn." }
            }
            div class="row" {
                figure {
                    (plot::scatter(&points(&|i| found.clusters[i].into()), &names(found.k)))
                    figcaption { "by cluster" }
                }
                @if let Some(neighbours) = &neighbours {
                    figure {
                        (plot::scatter(neighbours, &names(found.k)))
                        figcaption {
                            "by cluster, " (chosen.len()) " samples placed so that neighbours are near each other (t-SNE): distances between clusters mean little"
                        }
                    }
                }
                @if let Some(labels) = labels {
                    figure {
                        (plot::scatter(&points(&|i| labels[i] as usize), &names(labels.iter().map(|&y| y as usize + 1).max().unwrap_or(0))))
                        figcaption { "by label; training did not use the labels" }
                    }
                }
            }
        }
    }
}

/// The sizes, components and posteriors of the clusters.
pub(super) fn clusters(run: &ReportInput, found: &Assignments) -> Markup {
    let file = run.model.file();
    let of = |cluster: usize| found.assigned.iter().filter(move |a| usize::from(a.cluster) == cluster);
    let groups = run.dataset.groups.as_ref().map(|groups| groups_of_clusters(&found.clusters, groups, found.k));
    let lone = run.dataset.groups.as_ref().map_or_else(Vec::new, |groups| lone_clusters(&found.clusters, groups));
    let lasts = file.transitions.map(|transitions| {
        let (factor, unit) = run.seconds_a_step.map_or((1.0, "windows"), |seconds| (seconds, "seconds"));
        let each = (0..found.k as u16).map(|cluster| format!("{:.1}", factor * f64::from(transitions.dwell(cluster))));
        (each.collect::<Vec<_>>(), unit)
    });
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    html! {
        section {
            h2 { "The clusters" }
            div class="scroll" { table {
                tr {
                    th { "cluster" } th { "samples" } th { "share" } th { "components" } th { "mean posterior" }
                    th { "novel at 1 %" }
                    @if let Some((_, unit)) = &lasts { th { "lasts, " (unit) } }
                    @if groups.is_some() { th { "groups" } }
                }
                @for cluster in 0..found.k {
                    @let n = of(cluster).count();
                    tr {
                        td { span class="swatch" style={ "background:" (plot::color(cluster)) } {} (cluster) }
                        td { (thousands(n)) }
                        td { (percent(n as f64 / found.clusters.len().max(1) as f64)) }
                        td { (file.head.clusters().iter().filter(|&&c| usize::from(c) == cluster).count()) }
                        td { (format!("{:.3}", mean(of(cluster).map(|a| a.posterior.into()).collect()))) }
                        td { (percent(mean(of(cluster).map(|a| f64::from(u8::from(a.novelty.is_novel(0.01)))).collect()))) }
                        @if let Some((each, _)) = &lasts { td { (each[cluster]) } }
                        @if let Some(groups) = &groups { td { (groups[cluster]) } }
                    }
                }
            } }
            @for lone in lone { p { (lone.to_string()) ": it may show the group, and not a kind of sample." } }
            (sticks(run))
            (weights(run, found))
        }
    }
}

/// The weights of the sticks of a Dirichlet process before pruning, as shares of their sum.
fn sticks(run: &ReportInput) -> Markup {
    let sticks = run.sticks;
    let all = sticks.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let bar = |(k, weight): (usize, &f64)| (weight / all, None, format!("stick {k}: {}", percent(weight / all)));
    let bars: Vec<Bar> = sticks.iter().enumerate().map(bar).collect();
    html! {
        @if !bars.is_empty() {
            h3 { "Weights of the sticks before pruning" }
            p { (bars.len()) " sticks, from large to small, as the Dirichlet process was first fitted. Sticks with too few samples are then pruned, and the others are fitted again." }
            div class="scroll" { (plot::bars(&bars)) }
        }
    }
}

/// The share of the samples that each component of a mixture has. The log weights of a Dirichlet process are not shown,
/// since they are expectations that include more than a weight.
fn weights(run: &ReportInput, found: &Assignments) -> Markup {
    let crate::trained::Head::Mixture(mixture) = &run.trained.head else { return html! {} };
    let mut counts = vec![0usize; mixture.n_components()];
    found.assigned.iter().for_each(|assigned| counts[usize::from(assigned.component)] += 1);
    let bar = |(k, (&n, &c)): (usize, (&usize, &u16))| {
        let share = n as f64 / found.assigned.len().max(1) as f64;
        (share, Some(usize::from(c)), format!("component {k}, cluster {c}: {}", percent(share)))
    };
    let mut bars: Vec<Bar> = counts.iter().zip(&mixture.clusters).enumerate().map(bar).collect();
    bars.sort_by(|a, b| b.0.total_cmp(&a.0));
    html! {
        h3 { "Weights of the components" @if !run.sticks.is_empty() { " after pruning" } }
        p { (bars.len()) " components by their share of the samples, from large to small, in the colours of their clusters." }
        div class="scroll" { (plot::bars(&bars)) }
    }
}

/// Clusters against labels.
pub(super) fn labels(run: &ReportInput, found: &Assignments) -> Markup {
    let Some(labels) = &run.dataset.labels else { return html! {} };
    let mut different: Vec<u32> = labels.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() > LABELS {
        return html! {
            section {
                h2 { "Clusters and labels" }
                p {
                    "There are " (thousands(different.len())) " different labels, which are too many for a table: at most "
                    (LABELS) " are shown."
                }
            }
        };
    }
    let count = |label: u32, cluster: usize| {
        labels.iter().zip(&found.clusters).filter(|&(&y, &c)| y == label && usize::from(c) == cluster).count()
    };
    let table: Vec<Vec<usize>> =
        different.iter().map(|&label| (0..found.k).map(|cluster| count(label, cluster)).collect()).collect();
    // Each cluster is placed at the label that most of its samples have.
    let mut order: Vec<usize> = (0..found.k).collect();
    order.sort_by_key(|&c| (0..table.len()).max_by_key(|&row| (table[row][c], usize::MAX - row)));
    html! {
        section {
            h2 { "Clusters and labels" }
            p { "The rows are labels and the columns are clusters, sorted by the most frequent label of each cluster." }
            div class="scroll" { table {
                tr { th { "label" } @for &c in &order { th { (c) } } }
                @for (row, label) in table.iter().zip(&different) {
                    @let most = row.iter().sum::<usize>().max(1) as f64;
                    tr {
                        td { (label) }
                        @for &c in &order {
                            td class="heat" style={ "--share:" (format!("{:.2}", 0.75 * row[c] as f64 / most)) } {
                                @if row[c] > 0 { (row[c]) }
                            }
                        }
                    }
                }
            } }
        }
    }
}

/// Samples near the means of the clusters and far from them.
pub(super) fn samples(run: &ReportInput, found: &Assignments) -> Result<Markup, DataError> {
    let samples = &run.dataset.samples;
    let count = if samples.image().is_some() { IMAGES } else { TRACES };
    let extremes = geometry::extremes(&found.latents, found.dims, &found.clusters, found.k, count);
    let row = |indices: &[usize]| -> Result<Markup, DataError> {
        let pictures = indices.iter().map(|&i| pictures::sample(samples, i, &format!("sample {i}")));
        let pictures = pictures.collect::<Result<Vec<Markup>, _>>()?;
        Ok(html! { div class="samples" { @for picture in &pictures { (picture) } } })
    };
    Ok(html! {
        section {
            h2 { "Samples" }
            p { "The samples of each cluster that are nearest to the mean of its latents, and those that are farthest from it, farthest first." }
            div class="scroll" { table {
                tr { th { "cluster" } th style="text-align:left" { "nearest" } th style="text-align:left" { "farthest" } }
                @for (cluster, [near, far]) in extremes.iter().enumerate() {
                    tr {
                        td { span class="swatch" style={ "background:" (plot::color(cluster)) } {} (cluster) }
                        td { (row(near)?) }
                        td { (row(far)?) }
                    }
                }
            } }
        }
    })
}

/// The losses and the number of clusters over the epochs.
pub(super) fn training(run: &ReportInput) -> Markup {
    if run.metrics.is_empty() {
        return html! {};
    }
    let phases: Vec<usize> =
        (1..run.metrics.len()).filter(|&i| run.metrics[i].phase != run.metrics[i - 1].phase).collect();
    let borders: Vec<f64> = phases.iter().map(|&i| i as f64).collect();
    let last = run.metrics.len() as f64;
    let mut curves: Vec<(String, Vec<(f64, f64)>)> = vec![];
    let mut add = |name: &str, epoch: usize, value: f64| {
        let at = (epoch as f64 + 1.0, value);
        match curves.iter_mut().find(|(own, _)| own == name) {
            Some((_, values)) => values.push(at),
            None => curves.push((name.into(), vec![at])),
        }
    };
    for (epoch, report) in run.metrics.iter().enumerate() {
        report.losses.iter().for_each(|(name, value)| add(name, epoch, *value));
        if let Some(clusters) = report.clusters {
            add("clusters", epoch, clusters as f64);
        }
    }
    let mut names: Vec<&str> = run.metrics.iter().map(|report| report.phase.as_str()).collect();
    names.dedup();
    html! {
        section {
            h2 { "Training" }
            p { "Phases: " (names.join(", ")) ". A dotted line marks the end of a phase. A loss of the same name may be defined differently in each phase." }
            div class="row" {
                @for (name, values) in &curves { figure { (plot::curve(values, &borders, last)) figcaption { (name) } } }
            }
        }
    }
}

/// The error of quantisation, layer by layer.
pub(super) fn integers(run: &ReportInput) -> Result<Markup, DataError> {
    let losses = layers::losses(run.trained, run.model, &run.dataset.samples)?;
    if losses.is_empty() {
        return Ok(html! {});
    }
    Ok(html! {
        section {
            h2 { "Quantisation error" }
            p { "The root mean square of the f32 values of each layer, and of their differences from the integers. Each layer's error includes that of the layers before." }
            div class="scroll" { table {
                tr { th { "values" } th { "f32" } th { "error" } th { "share" } th {} }
                @for (index, loss) in losses.iter().enumerate() {
                    @let share = loss.error / loss.signal.max(f64::MIN_POSITIVE);
                    tr {
                        td { @if index == 0 { "input" } @else if index + 1 == losses.len() { "latent" } @else { "layer " (index) } }
                        td { (plot::short(loss.signal)) }
                        td { (plot::short(loss.error)) }
                        td { (format!("{:.2} %", 100.0 * share)) }
                        td { svg width="120" height="10" { rect class="bar" width=(format!("{:.1}", (share * 1200.0).min(120.0))) height="10" {} } }
                    }
                }
            } }
        }
    })
}

/// Flash and RAM by layer, and the microcontrollers that have enough.
pub(super) fn chips(run: &ReportInput) -> Markup {
    let file = run.model.file();
    let (flash, ram) = (run.flash + CODE, run.model.arena_len() + STACK);
    let fits =
        |need: usize, has: usize| if need <= has { percent(need as f64 / has as f64) } else { "too large".into() };
    let head = match file.head {
        Head::Mixture(_) => "mixture",
        Head::Softmax(_) => "softmax",
        Head::Autoencoders(_) => "autoencoders",
    };
    let narrow = |values: usize| 2 * values;
    html! {
        section {
            h2 { "What it needs" }
            div class="row" {
                div class="scroll" { table {
                    tr { th { "part" } th { "flash" } th { "inputs and outputs" } th { "multiply-accumulates" } }
                    @for (index, front_end) in file.front_ends.iter().enumerate() {
                        @let macs = front_end_macs(&file.front_ends[index..]) - front_end_macs(&file.front_ends[index + 1..]);
                        tr {
                            td { (front_end.kind()) ", " (front_end.inputs()) " to " (front_end.outputs()) }
                            td { (thousands(front_end.flash())) }
                            td { (thousands(narrow(front_end.outputs()))) }
                            td { (thousands(macs as usize)) }
                        }
                    }
                    @for (index, layer) in file.encoder.iter().enumerate() {
                        @let (weights, other) = layer.flash();
                        tr {
                            td { "layer " (index + 1) ", " (layer.kind()) ", " (layer.inputs()) " to " (layer.outputs()) }
                            td { (thousands(weights + other)) }
                            td { (thousands(narrow(layer.inputs() + layer.outputs()))) }
                            td { (thousands(layer.macs() as usize)) }
                        }
                    }
                    tr { td { (head) } td { (thousands(file.head.flash())) } td {} td { (thousands(file.head.macs() as usize)) } }
                    tr { td { "novelty" } td { (thousands(file.calibration.flash())) } td {} td {} }
                    tr { td { "header and description" } td { (thousands(file.header.blob_offset as usize)) } td {} td {} }
                    tr { td { b { "total" } } td { b { (thousands(run.flash)) } } td { b { (thousands(run.model.arena_len())) } } td { b { (thousands(multiply_accumulates(run.model) as usize)) } } }
                } }
                div class="scroll" { table {
                    tr { th { "chip" } th { "core" } th { "MHz" } th { "flash used" } th { "RAM used" } th { "one assignment, about" } th { "unconfirmed" } }
                    @for chip in Chip::all() {
                        tr {
                            td { (chip.name) } td { (chip.core()) } td { (chip.mhz) }
                            td { (fits(flash, chip.flash())) } td { (fits(ram, chip.ram())) }
                            td { (chip.estimate(file)) }
                            td { (chip.unconfirmed().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")) }
                        }
                    }
                } }
            }
            p {
                "All sizes are in bytes. The layers share the arena, so the RAM is not their sum. The right-hand table includes the model, "
                (CODE / 1024) " KiB of code and " (STACK / 1024) " KiB of stack and statics, as the firmware example needs them. Time and energy are estimates: docs/chips.md says how they come about, and how far they are off. Unconfirmed figures of a chip were compared with no document."
            }
        }
    }
}

/// The commands that reproduce the run, and its settings.
pub(super) fn again(run: &ReportInput) -> Markup {
    html! {
        section {
            h2 { "Reproducing this run" }
            pre { (run.commands) }
            details { summary { "all settings" } pre { (run.config) } }
        }
    }
}
