//! The time that the trainer estimates on named chips, against what was counted on the emulated cores.

use edgemix_format::File;
use edgemix_format::write::AlignedBytes;
use toml::Table;

#[allow(dead_code, unreachable_pub)]
#[path = "../../bench/firmware/models.rs"]
mod models;
#[allow(dead_code, unreachable_pub)]
#[path = "../../trainer/src/assessment/chips/work.rs"]
mod work;

use work::{OPERATIONS, Tile, Work};

/// The most by which estimated instructions may differ from those that `cargo xtask bench` counted, in per cent.
const MOST_ERROR: f64 = 15.0;

/// None of these models had a part in finding the costs.
#[test]
fn estimated_instructions_are_those_that_were_counted_on_every_core() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let read = |path: &str| std::fs::read_to_string(format!("{root}/{path}")).unwrap().parse::<Table>().unwrap();
    let (costs, budgets) = (read("trainer/src/assessment/chips/costs.toml"), read("bench/budgets.toml"));
    let digits = std::fs::read(format!("{root}/firmware-example/assets/digits.emx")).unwrap();
    let mut files = vec![("digits/assign".to_owned(), AlignedBytes::from(&digits[..]))];
    for (name, spec) in models::benchmarks() {
        let part = if name == "pairs-10x64" { "autoencoders/assign-10x64".into() } else { format!("{name}/assign") };
        files.push((part, spec.build().unwrap()));
    }
    let number = |value: &toml::Value| value.as_float().or(value.as_integer().map(|n| n as f64)).unwrap();
    let mut compared = 0;
    for (core, costs) in &costs {
        let [rows, inputs, positions] = [0, 1, 2].map(|i| costs["tile"][i].as_integer().unwrap() as usize);
        for (workload, bytes) in &files {
            let Some(counted) = budgets[core].get(workload).map(number) else { continue };
            let work = Work::of_assignment(&File::from_bytes(bytes).unwrap(), Tile { rows, inputs, positions });
            let each = work.counts.iter().zip(OPERATIONS);
            let estimate: f64 = each.map(|(&n, name)| n as f64 * number(&costs["instructions"][name])).sum();
            let error = 100.0 * (estimate / counted - 1.0);
            assert!(error.abs() <= MOST_ERROR, "{core}, {workload}: {estimate:.0}, but {counted} were counted");
            compared += 1;
        }
    }
    assert_eq!(compared, costs.len() * 6);
}
