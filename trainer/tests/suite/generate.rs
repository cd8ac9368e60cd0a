//! Samples drawn from the clusters of a run.

use std::fs;
use std::path::Path;

use edgemix::run::{read_trained, write_trained};
use edgemix::trained::Trained;
use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzReader;

use super::program::edgemix;

fn train(folder: &Path, out: &str, more: &[&str]) {
    let quick = ["--encoder", "32-6", "--pretrain-epochs", "30", "--cluster-epochs", "10", "--allow-disagreement"];
    let trained = edgemix(&[&["train", "digits", "--out", out], &quick[..], more].concat(), folder);
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
}

#[test]
fn images_are_drawn_into_an_archive_and_a_sheet_by_their_seed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    train(folder.path(), "run", &["--method", "vade"]);
    let drawn = edgemix(&["generate", "run", "--per-cluster", "5"], folder.path());
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    assert_eq!(String::from_utf8_lossy(&drawn.stdout), "run/generated.npz\nrun/generated.png\n");

    let mut archive = NpzReader::new(fs::File::open(at("run/generated.npz")).unwrap()).unwrap();
    let x: Array3<f32> = archive.by_name("x").unwrap();
    let clusters: Array1<u16> = archive.by_name("cluster").unwrap();
    assert_eq!((x.dim(), clusters.len()), ((50, 8, 8), 50));
    assert!(clusters.iter().enumerate().all(|(row, &cluster)| usize::from(cluster) == row / 5), "{clusters}");
    // The digits have values from 0 to 16.
    let greatest = x.iter().fold(0.0f32, |most, value| most.max(*value));
    assert!((8.0..24.0).contains(&greatest), "{greatest}");
    let different = (1..5).filter(|&row| x.index_axis(ndarray::Axis(0), 0) != x.index_axis(ndarray::Axis(0), row));
    assert_eq!(different.count(), 4);
    // Ten rows of five samples, enlarged four times, with two pixels between them.
    let sheet = image::open(at("run/generated.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (5 * 34 + 2, 10 * 34 + 2));
    assert!(sheet.to_rgb8().pixels().any(|pixel| pixel.0[0] > 200));

    // The chip's model finds most of them in their clusters, though those of so short a training overlap.
    let assigned = edgemix(&["assign", "run", "run/generated.npz"], folder.path());
    assert!(assigned.status.success(), "{}", String::from_utf8_lossy(&assigned.stderr));
    let table = String::from_utf8(assigned.stdout).unwrap();
    let rows = table.lines().skip(1).zip(&clusters);
    let own = rows.filter(|(line, cluster)| line.split(',').nth(1) == Some(&cluster.to_string())).count();
    assert!(own >= 25, "{own} of 50: {table}");

    let again = ["generate", "run", "--per-cluster", "5", "-o"];
    for (seed, is_same) in [("0", true), ("1", false)] {
        let drawn = edgemix(&[&again[..], &["other.npz", "--seed", seed]].concat(), folder.path());
        assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
        for ending in ["npz", "png"] {
            let [first, other] =
                ["run/generated", "other"].map(|name| fs::read(at(&format!("{name}.{ending}"))).unwrap());
            assert_eq!(first == other, is_same, "{ending} of seed {seed}");
        }
    }
    // Outputs that would overwrite the run.
    for out in ["run/model.npz/../trained.safetensors", "run/trained.safetensors"] {
        assert_eq!(edgemix(&["generate", "run", "-o", out], folder.path()).status.code(), Some(2), "{out}");
    }
    // Either both files or none.
    fs::create_dir(at("sheet.png")).unwrap();
    let refused = edgemix(&["generate", "run", "-o", "sheet.npz"], folder.path());
    assert!(refused.status.code() == Some(2) && !at("sheet.npz").exists());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("sheet.png: a file is to be written here"));
    let report = fs::read_to_string(at("run/report.html")).unwrap();
    assert!(report.contains("What the decoder makes of the clusters") && report.contains("drawn from cluster 9"));

    // A run that was trained before decoders were kept still is one.
    let path = at("run/trained.safetensors");
    let trained = read_trained(&fs::read(&path).unwrap()).unwrap();
    fs::write(&path, write_trained(&Trained { decoder: None, ..trained }).unwrap()).unwrap();
    let refused = edgemix(&["generate", "run"], folder.path());
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has no variational decoder"));
    assert!(edgemix(&["evaluate", "run"], folder.path()).status.success());
    assert!(edgemix(&["report", "run"], folder.path()).status.success());
    assert!(!fs::read_to_string(at("run/report.html")).unwrap().contains("What the decoder makes"));
    // Drawn samples are of the run that they were drawn from.
    train(folder.path(), "run", &["--method", "idec", "--force"]);
    assert!(!at("run/generated.npz").exists() && !at("run/generated.png").exists());
    let report = fs::read_to_string(at("run/report.html")).unwrap();
    assert!(report.contains("mean of cluster 9") && !report.contains("drawn from cluster"));
}

#[test]
fn rows_of_a_table_are_drawn_in_their_unit_and_without_a_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| {
        let (group, noise) = (i % 3, (i * 7919 % 97) as f64 / 97.0);
        format!("{:.3},{:.3},7\n", 1000.0 + 300.0 * group as f64 + noise, -0.01 * group as f64 + 0.001 * noise)
    };
    let rows: String = (0..300).map(row).collect();
    fs::write(folder.path().join("table.csv"), format!("pressure,tilt,constant\n{rows}")).unwrap();
    let train = [
        "train",
        "table.csv",
        "--out",
        "run",
        "--method",
        "k-dvae",
        "--clusters",
        "3",
        "--encoder",
        "8-2",
        "--pretrain-epochs",
        "20",
        "--cluster-epochs",
        "4",
        "--allow-disagreement",
    ];
    let trained = edgemix(&train, folder.path());
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let drawn = edgemix(&["generate", "run"], folder.path());
    assert_eq!(String::from_utf8_lossy(&drawn.stdout), "run/generated.npz\n");
    let mut archive = NpzReader::new(fs::File::open(folder.path().join("run/generated.npz")).unwrap()).unwrap();
    let x: Array2<f32> = archive.by_name("x").unwrap();
    assert_eq!(x.dim(), (24, 3));
    assert!(x.column(0).iter().all(|pressure| (500.0..2200.0).contains(pressure)), "{x}");
    assert!(x.column(1).iter().all(|tilt| tilt.abs() < 0.1), "{x}");
    assert!(x.column(2).iter().all(|constant| *constant == 7.0), "{x}");
}
