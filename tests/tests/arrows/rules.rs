//! What arrows must not do: come back to where they began, or point to a layer above.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pathfinding::prelude::{bfs_loop, strongly_connected_components};

use crate::names::Arrows;

/// Circles of files, one of the shortest for each set of files that all lead to each other, a line for each arrow.
pub(crate) fn circles(arrows: &Arrows) -> Vec<String> {
    let files: Vec<&PathBuf> =
        arrows.keys().flat_map(|(from, to)| [from, to]).collect::<BTreeSet<_>>().into_iter().collect();
    let next = |file: &&PathBuf| -> Vec<&PathBuf> {
        let file: &PathBuf = file;
        arrows.keys().filter(|(from, _)| from == file).map(|(_, to)| to).collect()
    };
    let mut circles = vec![];
    for mut knot in strongly_connected_components(&files, next) {
        // No arrow leads from a file to itself.
        if knot.len() == 1 {
            continue;
        }
        knot.sort();
        let loops = knot.iter().filter_map(|file| bfs_loop(file, next));
        let Some(shortest) = loops.min_by_key(Vec::len) else { continue };
        let lines = shortest.windows(2).map(|pair| line(arrows, pair[0], pair[1]));
        let mut circle = lines.collect::<Vec<String>>().join("\n");
        if knot.len() > shortest.len() - 1 {
            let files: Vec<String> = knot.iter().map(|file| file.display().to_string()).collect();
            circle.push_str(&format!("\n  ({} files in all lead to each other: {})", knot.len(), files.join(", ")));
        }
        circles.push(circle);
    }
    circles.sort();
    circles
}

/// `  a.rs -> b.rs: Name, other`
fn line(arrows: &Arrows, from: &Path, to: &Path) -> String {
    let names = arrows.get(&(from.to_owned(), to.to_owned())).into_iter().flatten();
    let names: Vec<&str> = names.map(String::as_str).collect();
    format!("  {} -> {}: {}", from.display(), to.display(), names.join(", "))
}

/// A layer: its name, and the files and folders that belong to it.
pub(crate) type Layer<'a> = (&'a str, &'a [&'a str]);

/// The layer, counted from below, that a file belongs to.
pub(crate) fn layer_of(layers: &[Layer], file: &Path) -> Option<usize> {
    let first = Path::new(file.components().next()?.as_os_str()).with_extension("");
    layers.iter().position(|(_, parts)| parts.iter().any(|part| Path::new(part) == first))
}

/// Arrows that point to a layer above.
pub(crate) fn upward(arrows: &Arrows, layers: &[Layer]) -> Vec<String> {
    let mut found = vec![];
    for (from, to) in arrows.keys() {
        if let (Some(low), Some(high)) = (layer_of(layers, from), layer_of(layers, to))
            && low < high
        {
            let (low, high) = (layers[low].0, layers[high].0);
            found.push(format!("{}    ({low} is below {high})", line(arrows, from, to)));
        }
    }
    found
}
