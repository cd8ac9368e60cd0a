//! Neither how samples are stored nor how they are handed over changes what is found in them.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use ndarray::{Array2, ShapeBuilder};
use ndarray_npy::{NpzWriter, write_npy};
use parquet::data_type::DoubleType;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// What the program prints, or its error.
fn edgemix(arguments: &[&str], folder: &Path) -> Result<(String, String), String> {
    let output = Command::new(env!("CARGO_BIN_EXE_edgemix")).args(arguments).current_dir(folder).output().unwrap();
    let (out, error) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if output.status.success() { Ok((out, error)) } else { Err(error) }
}

/// 90 samples of three kinds, which numbers of four decimals hold.
fn table() -> Array2<f64> {
    Array2::from_shape_fn((90, 3), |(i, j)| {
        let noise = ((i * 37 + j * 101) % 97) as f64 / 97.0 - 0.5;
        let kind = [[-8.0, 3.0, 0.5], [7.0, -4.0, 1.0], [0.5, 9.0, -6.0]][i % 3][j];
        ((kind + noise) * 1e4).round() / 1e4
    })
}

/// The columns with these names and indices, as text.
fn csv(table: &Array2<f64>, columns: &[(&str, usize)], separator: &str) -> String {
    let header: Vec<&str> = columns.iter().map(|column| column.0).collect();
    let line = |row: ndarray::ArrayView1<f64>| {
        let fields: Vec<String> = columns.iter().map(|&(_, c)| row[c].to_string()).collect();
        fields.join(separator) + "\n"
    };
    format!("{}\n{}", header.join(separator), table.rows().into_iter().map(line).collect::<String>())
}

const XYZ: [(&str, usize); 3] = [("x", 0), ("y", 1), ("z", 2)];

fn parquet(table: &Array2<f64>) -> Vec<u8> {
    let schema = "message table { required double x; required double y; required double z; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(vec![], schema, Arc::new(WriterProperties::default())).unwrap();
    let mut rows = writer.next_row_group().unwrap();
    for c in 0..3 {
        let mut column = rows.next_column().unwrap().unwrap();
        column.typed::<DoubleType>().write_batch(&table.column(c).to_vec(), None, None).unwrap();
        column.close().unwrap();
    }
    rows.close().unwrap();
    writer.into_inner().unwrap()
}

/// The same samples in every storage, each file in a folder of its own.
fn write_storages(folder: &Path) -> Vec<String> {
    let table = table();
    let mut paths = vec![];
    let mut place = |name: &str, file: &str| {
        fs::create_dir(folder.join(name)).unwrap();
        paths.push(format!("{name}/{file}"));
        folder.join(name).join(file)
    };
    fs::write(place("csv", "x.csv"), csv(&table, &XYZ, ",")).unwrap();
    fs::write(place("german", "x.csv"), csv(&table, &XYZ, ";").replace('.', ",")).unwrap();
    fs::write(place("blanks", "x.txt"), csv(&table, &XYZ, "  ")).unwrap();
    let utf16: Vec<u8> = csv(&table, &XYZ, "\t").encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(place("utf16", "x.tsv"), [&[0xff, 0xfe], &utf16[..]].concat()).unwrap();
    write_npy(place("f8", "x.npy"), &table).unwrap();
    write_npy(place("f4", "x.npy"), &table.mapv(|x| x as f32)).unwrap();
    let turned = Array2::from_shape_fn((90, 3).f(), |at| table[at]);
    write_npy(place("fortran", "x.npy"), &turned).unwrap();
    let mut archive = NpzWriter::new_compressed(fs::File::create(place("npz", "x.npz")).unwrap());
    archive.add_array("x", &table).unwrap();
    archive.finish().unwrap();
    fs::write(place("parquet", "x.parquet"), parquet(&table)).unwrap();
    paths
}

#[test]
fn the_model_and_the_assignments_are_the_same_from_every_storage() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| edgemix(arguments, folder.path()).unwrap();
    let paths = write_storages(folder.path());
    run(&["train", &paths[0], "--out", "r", "--method", "dpm"]);
    let model = fs::read(folder.path().join("r/model.emx")).unwrap();
    let (expected, _) = run(&["assign", "r", &paths[0]]);
    for path in &paths {
        for memory in ["1GB", "100"] {
            run(&["train", path, "--out", "s", "--method", "dpm", "--memory", memory, "--force"]);
            // The provenance has a digest of the settings, which are the same, too.
            assert!(fs::read(folder.path().join("s/model.emx")).unwrap() == model, "{path} within {memory}");
            assert_eq!(run(&["assign", "r", path, "--memory", memory]).0, expected, "{path} within {memory}");
        }
    }
    // Single rows and small batches find what all rows do.
    for size in [1, 7] {
        let mut lines = expected.lines().skip(1);
        for rows in table().rows().into_iter().collect::<Vec<_>>().chunks(size).take(4) {
            let batch = Array2::from_shape_fn((rows.len(), 3), |(i, j)| rows[i][j]);
            fs::write(folder.path().join("batch.csv"), csv(&batch, &XYZ, ",")).unwrap();
            let found = run(&["assign", "r", "batch.csv"]).0;
            assert_eq!(found.lines().count(), rows.len() + 1);
            for (found, expected) in found.lines().skip(1).zip(&mut lines) {
                assert_eq!(found.split_once(',').unwrap().1, expected.split_once(',').unwrap().1, "batches of {size}");
            }
        }
    }
}

#[test]
fn columns_are_found_by_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let table = table();
    let write = |name: &str, columns: &[(&str, usize)]| fs::write(path.join(name), csv(&table, columns, ",")).unwrap();
    let labelled: String = csv(&table, &XYZ, ",").lines().enumerate().fold(String::new(), |text, (i, line)| {
        text + line + if i == 0 { ",kind,user\n" } else { [",walk,1\n", ",sit,1\n", ",stand,2\n"][i % 3] }
    });
    fs::write(path.join("train.csv"), labelled).unwrap();
    let columns = ["--label-column", "kind", "--group-column", "user"];
    edgemix(&[&["train", "train.csv", "--out", "r", "--method", "dpm"], &columns[..]].concat(), path).unwrap();
    let (expected, _) = edgemix(&["assign", "r"], path).unwrap();

    // Without the columns of labels and groups.
    write("plain.csv", &XYZ);
    let assigned = |name: &str| edgemix(&["assign", "r", name], path);
    assert_eq!(assigned("plain.csv").unwrap(), (expected.clone(), String::new()));
    write("reordered.csv", &[("z", 2), ("x", 0), ("y", 1)]);
    let (found, notes) = assigned("reordered.csv").unwrap();
    assert_eq!(found, expected);
    assert!(notes.contains("columns are brought to the order in which the model was trained"), "{notes}");
    write("more.csv", &[("x", 0), ("extra", 1), ("y", 1), ("z", 2)]);
    let (found, notes) = assigned("more.csv").unwrap();
    assert_eq!(found, expected);
    assert!(notes.contains("columns that the model was not trained with are left out: extra"), "{notes}");
    write("fewer.csv", &[("x", 0), ("height", 1), ("z", 2)]);
    let error = assigned("fewer.csv").unwrap_err();
    assert!(
        error.contains("it has no column y, which the model was trained with; its columns are x, height, z"),
        "{error}"
    );
    let rows = csv(&table, &XYZ, ",");
    fs::write(path.join("rows.csv"), rows.split_once('\n').unwrap().1).unwrap();
    let (found, notes) = assigned("rows.csv").unwrap();
    assert_eq!(found, expected);
    assert!(notes.contains("taken in the order in which the model was trained"), "{notes}");

    // A sensor that is stuck, and a file that is no longer the one of the run.
    let stuck = Array2::from_shape_fn((5, 3), |(i, j)| if j == 1 { 3.5 } else { table[[i, j]] });
    fs::write(path.join("stuck.csv"), csv(&stuck, &XYZ, ",")).unwrap();
    assert_eq!(assigned("stuck.csv").unwrap().0.lines().count(), 6);
    let text = fs::read_to_string(path.join("train.csv")).unwrap();
    fs::write(path.join("train.csv"), text.replacen("walk", "sit", 1)).unwrap();
    assert!(!edgemix(&["evaluate", "r"], path).unwrap().1.contains("changed"));
    fs::write(path.join("train.csv"), text.lines().take(80).collect::<Vec<_>>().join("\n")).unwrap();
    let (_, notes) = edgemix(&["evaluate", "r"], path).unwrap();
    assert!(notes.contains("warning: train.csv has changed since the run was trained on it"), "{notes}");
}

#[test]
fn numbers_that_f32_can_not_tell_apart_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // Degrees of latitude within some metres, seconds since 1970, pascal in a room.
    let near = table().mapv(|x| x * 1e-6) + &ndarray::arr1(&[48.137, 1.7e9, 101_325.0]);
    let near = Array2::from_shape_fn((90, 3), |(i, j)| if j == 1 { table()[[i, j]] + 1.7e9 } else { near[[i, j]] });
    fs::write(path.join("near.csv"), csv(&near, &XYZ, ",")).unwrap();
    write_npy(path.join("near.npy"), &near).unwrap();
    for name in ["near.csv", "near.npy"] {
        let (out, notes) = edgemix(&["train", name, "--out", "r", "--method", "dpm", "--force"], path).unwrap();
        assert!(!notes.contains("never change") && notes.contains("1700000000 from "), "{notes}");
        assert!(out.contains(": 3 clusters of 90 samples"), "{out}");
        let (all, _) = edgemix(&["assign", "r"], path).unwrap();
        // Any part, in either storage, is centred as the training was.
        let part = near.slice(ndarray::s![30..40, ..]).to_owned();
        fs::write(path.join("part.csv"), csv(&part, &XYZ, ",")).unwrap();
        write_npy(path.join("part.npy"), &part).unwrap();
        for part in ["part.csv", "part.npy"] {
            let (found, _) = edgemix(&["assign", "r", part, "--memory", "10"], path).unwrap();
            for (found, expected) in found.lines().skip(1).zip(all.lines().skip(31)) {
                assert_eq!(found.split_once(',').unwrap().1, expected.split_once(',').unwrap().1, "{part}");
            }
        }
    }
}
