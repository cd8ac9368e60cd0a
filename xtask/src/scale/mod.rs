//! How seconds and memory of training and assignment grow with samples, features and clusters.

mod cost;
mod plot;
mod samples;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use self::cost::{Cost, Point};
use crate::process::{cargo, root};

/// The point through which all axes go: samples, features, clusters.
const BASE: [usize; 3] = [10_000, 64, 10];
/// What is varied, one at a time.
const AXES: [(&str, &[usize]); 3] = [
    ("samples", &[1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000]),
    ("features", &[8, 16, 64, 256, 1_024, 4_096]),
    ("clusters", &[2, 5, 10, 20, 50, 100]),
];
/// The same work for each sample at every point: by default, the number of epochs depends on the number of samples.
const SETTINGS: [&str; 6] = ["--encoder", "128-64-10", "--pretrain-epochs", "2", "--cluster-epochs", "1"];
/// How often the memory of a program is looked at.
const INTERVAL: Duration = Duration::from_millis(2);

/// `cargo xtask scale`: prints a table and writes a plot. `most` bounds the number of samples.
///
/// # Errors
/// If the program can't be built or fails.
pub(crate) fn run(given: Option<PathBuf>, most: usize) -> Result<()> {
    let program = match given {
        Some(program) => program,
        None => {
            cargo(&["build", "--release", "-p", "edgemix"])?;
            root().join("target/release/edgemix")
        }
    };
    let folder = tempfile::tempdir().context("there is no room for temporary files")?;
    let mut axes = vec![];
    for (at, (name, values)) in AXES.into_iter().enumerate() {
        println!("\n| {name} | train, s | growth | MiB | assign, s | growth | MiB |\n|---|---|---|---|---|---|---|");
        let mut points: Vec<Point> = vec![];
        for &value in values.iter().filter(|&&value| at != 0 || value <= most) {
            let mut size = BASE;
            size[at] = value;
            let point = measure(&program, folder.path(), value, size)?;
            println!("{}", row(points.last(), &point));
            points.push(point);
        }
        axes.push((name, points));
    }
    let path = root().join("docs/scale.svg");
    fs::write(&path, plot::svg(&axes)).with_context(|| format!("{} can't be written", path.display()))?;
    println!("\nThe plot is {}.", path.display());
    Ok(())
}

/// Trains on samples of a size, and assigns them.
fn measure(program: &Path, folder: &Path, at: usize, size: [usize; 3]) -> Result<Point> {
    let (data, run, clusters) = (folder.join("x.npy"), folder.join("run"), folder.join("clusters.csv"));
    samples::write(&data, size)?;
    let mut train = Command::new(program);
    train.arg("train").arg(&data).arg("--out").arg(&run).args(SETTINGS).args(["--force", "--allow-disagreement"]);
    let train = cost(&mut train)?;
    let mut assign = Command::new(program);
    assign.arg("assign").arg(&run).arg(&data).arg("-o").arg(&clusters);
    // The first program that takes so much memory from the system can wait longer for it than it works.
    let (first, second) = (cost(&mut assign)?, cost(&mut assign)?);
    Ok(Point { at, train, assign: if first.seconds < second.seconds { first } else { second } })
}

/// Runs a program to its end.
fn cost(command: &mut Command) -> Result<Cost> {
    let start = Instant::now();
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("the program can't be started")?;
    let mut memory = 0.0f64;
    let status = loop {
        memory = memory.max(peak(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        thread::sleep(INTERVAL);
    };
    ensure!(status.success(), "{command:?} failed: {status}; run it to see why");
    Ok(Cost { seconds: start.elapsed().as_secs_f64(), memory })
}

/// The most memory that a running program has had, in MiB; 0 where the system does not tell, as others than Linux.
fn peak(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kibibytes.unwrap_or(0.0) / 1024.0
}

/// A line of the table. The growth is the exponent: 1 where twice as much takes twice as long.
fn row(before: Option<&Point>, point: &Point) -> String {
    let growth = |of: fn(&Point) -> f64| {
        let exponent = |before: &Point| {
            let times = point.at as f64 / before.at as f64;
            format!("{:.2}", (of(point) / of(before)).ln() / times.ln())
        };
        before.map_or_else(|| "-".to_owned(), exponent)
    };
    let (train, assign) = (growth(|point| point.train.seconds), growth(|point| point.assign.seconds));
    let cells = [point.train, point.assign];
    // A program that ends before it is looked at has no known memory.
    let memory = |cost: Cost| if cost.memory > 0.0 { format!("{:.0}", cost.memory) } else { "-".to_owned() };
    let [[t, m], [u, n]] = cells.map(|cost| [format!("{:.2}", cost.seconds), memory(cost)]);
    format!("| {} | {t} | {train} | {m} | {u} | {assign} | {n} |", plot::grouped(point.at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: usize, seconds: f64) -> Point {
        let cost = Cost { seconds, memory: 100.0 };
        Point { at, train: cost, assign: cost }
    }

    #[test]
    fn growth_is_the_exponent() {
        let (small, large) = (point(1_000, 2.0), point(10_000, 200.0));
        assert_eq!(row(Some(&small), &large), "| 10,000 | 200.00 | 2.00 | 100 | 200.00 | 2.00 | 100 |");
        let brief = Point { assign: Cost { seconds: 0.02, memory: 0.0 }, ..small };
        assert_eq!(row(None, &brief), "| 1,000 | 2.00 | - | 100 | 0.02 | - | - |");
    }

    #[test]
    fn a_program_that_fails_is_an_error() {
        assert!(cost(&mut Command::new("false")).is_err());
        assert!(cost(Command::new("sleep").arg("0.05")).unwrap().seconds >= 0.05);
    }
}
