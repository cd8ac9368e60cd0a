//! The examples of `docs/FORMAT.md`: the latents, scores, clusters and novelties of the golden files.

mod common;

use edgemix_runtime::{Model, Smoother, Workspace, include_model};

const SPECIFICATION: &str = include_str!("../../docs/FORMAT.md");

static MODELS: [(&str, &[u8]); 12] = [
    ("full", include_model!("../../format/tests/golden/full.emx")),
    ("diagonal", include_model!("../../format/tests/golden/diagonal.emx")),
    ("spherical", include_model!("../../format/tests/golden/spherical.emx")),
    ("softmax", include_model!("../../format/tests/golden/softmax.emx")),
    ("convolution", include_model!("../../format/tests/golden/convolution.emx")),
    ("pooling", include_model!("../../format/tests/golden/pooling.emx")),
    ("filter", include_model!("../../format/tests/golden/filter.emx")),
    ("spectrum", include_model!("../../format/tests/golden/spectrum.emx")),
    ("held-out", include_model!("../../format/tests/golden/held-out.emx")),
    ("levels", include_model!("../../format/tests/golden/levels.emx")),
    ("transitions", include_model!("../../format/tests/golden/transitions.emx")),
    ("autoencoders", include_model!("../../format/tests/golden/autoencoders.emx")),
];

fn list(numbers: &[impl ToString]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The row of an example, computed.
fn row((name, bytes): (&str, &[u8])) -> String {
    let model = Model::from_bytes(bytes).unwrap();
    let mut workspace = Workspace::<512>::new();
    let raw: Vec<u8> = (0..model.input_len()).map(|i| (37 * i + 11) as u8).collect();
    let latent = list(model.encode(&common::values(model.file(), &raw), &mut workspace).unwrap());
    let found = model.assign_raw(&raw, &mut workspace).unwrap();
    format!("| `{name}.emx` | {latent} | {} | {} | {} |", list(found.scores()), found.cluster, found.novelty.0)
}

#[test]
fn the_example_of_levels_is_what_the_runtime_gives() {
    let (_, bytes) = MODELS.iter().find(|(name, _)| *name == "levels").unwrap();
    let model = Model::from_bytes(bytes).unwrap();
    let mut workspace = Workspace::<512>::new();
    let raw: Vec<u8> = (0..model.input_len()).map(|i| (37 * i + 11) as u8).collect();
    let found = model.assign_raw(&raw, &mut workspace).unwrap();
    let [three, two] = [3, 2].map(|level| found.at_level(level).unwrap().cluster);
    let sentence = format!(
        "The levels of `levels.emx` have 3 and 2 clusters, and its parents are {}: its sample is in cluster {three} of the 3 \
         and in cluster {two} of the 2.",
        list(model.file().hierarchy.parents())
    );
    let text = SPECIFICATION.replace('\n', " ");
    assert!(text.contains(&sentence), "{sentence}");
}

/// Windows of raw counts `(37 * i + 11 * t) mod 256`, with one missed and a gap.
#[test]
fn the_example_of_the_smoother_is_what_the_runtime_gives() {
    let (_, bytes) = MODELS.iter().find(|(name, _)| *name == "transitions").unwrap();
    let model = Model::from_bytes(bytes).unwrap();
    let mut smoother = Smoother::<3>::new(&model).unwrap();
    let mut workspace = Workspace::<512>::new();
    let rows: Vec<String> = (0..8u32)
        .map(|t| {
            let raw: Vec<u8> = (0..model.input_len() as u32).map(|i| (37 * i + 11 * t) as u8).collect();
            let found = model.assign_raw(&raw, &mut workspace).unwrap();
            let plain = found.cluster;
            match t {
                4 => smoother.miss(),
                6 => smoother.restart(),
                _ => {}
            }
            let smoothed = smoother.observe(&found);
            let beliefs: Vec<u32> = smoother.beliefs().iter().map(|cluster| cluster.belief()).collect();
            format!("| {t} | {plain} | {smoothed} | {} |", list(&beliefs))
        })
        .collect();
    let table = rows.join("\n");
    assert!(SPECIFICATION.contains(&table), "{table}");
}

#[test]
fn the_examples_are_what_the_runtime_gives() {
    let examples = SPECIFICATION.split("## Examples").nth(1).expect("no examples");
    let rows: Vec<&str> = examples.lines().filter(|line| line.contains(".emx` |")).collect();
    assert_eq!(rows, MODELS.map(row));
}
