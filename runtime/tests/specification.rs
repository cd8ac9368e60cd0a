//! The examples of `docs/FORMAT.md`: the latents, scores, clusters and novelties of the golden files.

use edgemix_runtime::{Model, Workspace, include_model};

const SPECIFICATION: &str = include_str!("../../docs/FORMAT.md");

static MODELS: [(&str, &[u8]); 9] = [
    ("`full.emx`", include_model!("../../format/tests/golden/full.emx")),
    ("`diagonal.emx`", include_model!("../../format/tests/golden/diagonal.emx")),
    ("`spherical.emx`", include_model!("../../format/tests/golden/spherical.emx")),
    ("`convolution.emx`", include_model!("../../format/tests/golden/convolution.emx")),
    ("`autoencoders.emx`", include_model!("../../format/tests/golden/autoencoders.emx")),
    ("`held-out.emx`", include_model!("../../format/tests/golden/held-out.emx")),
    ("`pooling.emx`", include_model!("../../format/tests/golden/pooling.emx")),
    ("`spectrum.emx`", include_model!("../../format/tests/golden/spectrum.emx")),
    ("`softmax.emx`", include_model!("../../format/tests/golden/softmax.emx")),
];

fn numbers<T: core::str::FromStr>(cell: &str) -> Vec<T> {
    cell.split(", ").map(|number| number.parse().ok().expect("not a number")).collect()
}

#[test]
fn the_examples_are_what_the_runtime_gives() {
    let examples = SPECIFICATION.split("## Examples").nth(1).expect("no examples");
    for (name, bytes) in MODELS {
        let row = examples.lines().find(|line| line.contains(name)).expect("an example is missing");
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let [_, _, latent, scores, cluster, novelty, _] = cells[..] else { panic!("{row}") };

        let model = Model::from_bytes(bytes).unwrap();
        let mut workspace = Workspace::<512>::new();
        let raw: Vec<u8> = (0..model.input_len()).map(|i| (37 * i + 11) as u8).collect();
        let x: Vec<f32> = raw.iter().map(|&x| f32::from(x) * model.file().input.count).collect();
        assert_eq!(model.encode(&x, &mut workspace).unwrap(), numbers::<i16>(latent), "{name}");
        let found = model.assign_raw(&raw, &mut workspace).unwrap();
        assert_eq!(found.scores(), numbers::<i32>(scores), "{name}");
        assert_eq!((found.cluster, found.novelty.0), (cluster.parse().unwrap(), novelty.parse().unwrap()), "{name}");
    }
}
