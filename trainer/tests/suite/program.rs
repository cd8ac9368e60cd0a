//! The program end to end.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_edgemix");

pub(crate) fn edgemix(arguments: &[&str], folder: &Path) -> Output {
    Command::new(PROGRAM).args(arguments).current_dir(folder).output().unwrap()
}

const QUICK: [&str; 6] = ["--pretrain-epochs", "60", "--cluster-epochs", "12", "--encoder", "64-10"];

pub(crate) fn train<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    ["train", "digits", "--out", out].iter().chain(&QUICK).chain(more).copied().collect()
}

#[test]
fn a_run_that_was_killed_and_resumed_has_the_same_bits_as_an_uninterrupted_one() {
    let folder = tempfile::tempdir().unwrap();
    let whole = edgemix(&train("whole", &[]), folder.path());
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let mut killed = Command::new(PROGRAM)
        .args(train("killed", &[]))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint = folder.path().join("killed/checkpoints/last.ckpt");
    let begin = Instant::now();
    while !checkpoint.exists() {
        assert!(begin.elapsed() < Duration::from_secs(300), "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(!folder.path().join("killed/model.emx").exists(), "it was killed too late");
    let contradicted = edgemix(&["train", "--out", "killed", "--resume", "--seed", "5"], folder.path());
    assert_eq!(contradicted.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&contradicted.stderr).contains("seed was 0, is now 5"));
    // The samples and settings are those of the run.
    let resumed = edgemix(&["train", "--out", "killed", "--resume"], folder.path());
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    for file in ["model.emx", "trained.safetensors", "metrics.jsonl", "latents.json", "config.toml", "data.toml"] {
        let read = |run: &str| fs::read(folder.path().join(run).join(file)).unwrap();
        assert!(read("whole") == read("killed"), "{file} differs");
    }
}

#[test]
fn a_preset_says_what_it_chose_and_flags_override_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let command = ["train", "digits", "--method", "dcan", "--preset", "paper", "--clusters", "4", "--out", "dcan"];
    let trained = edgemix(&command, folder.path());
    let told = text(&trained.stderr);
    assert!(trained.status.success(), "{told}");
    for chosen in ["activation = \"tanh\"", "clustering.epochs = \"500 steps\"", "method.mixture.n-components = 4"] {
        assert!(told.contains(&format!("\n  {chosen}\n")), "{told}");
    }
    // 500 steps of 16 samples are 4.4 epochs of 1,797 samples; nothing was reconstructed.
    let epochs = fs::read_to_string(folder.path().join("dcan/metrics.jsonl")).unwrap();
    assert_eq!(epochs.matches("\"cluster\",\"epoch\"").count(), 5, "{epochs}");
    assert!(!epochs.contains("\"reconstruct\""), "{epochs}");
    // What was written is complete, so that the same file gives the same settings.
    let config = ["train", "--print-config", "--config", "dcan/config.toml"];
    let printed = edgemix(&config, folder.path());
    assert_eq!(text(&printed.stdout), fs::read_to_string(folder.path().join("dcan/config.toml")).unwrap());
    // Without names, the methods that have a preset are compared.
    let compare = ["compare", "digits", "--preset", "paper", "--methods", "dpm,dcan", "--seeds", "1", "--out", "all"];
    let compared = edgemix(&compare, folder.path());
    assert!(compared.status.success(), "{}", text(&compared.stderr));
    assert!(
        fs::read_to_string(folder.path().join("all/dcan-0/config.toml")).unwrap().contains("activation = \"tanh\"")
    );
}

#[test]
fn a_run_starts_from_anothers_autoencoder_and_methods_of_a_comparison_share_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |more: &[&str]| edgemix(more, folder.path());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let read = |file: &str| fs::read(folder.path().join(file)).unwrap();
    let whole = at(&[
        "train",
        "digits",
        "--out",
        "whole",
        "--encoder",
        "16-4",
        "--pretrain-epochs",
        "20",
        "--cluster-epochs",
        "2",
    ]);
    assert!(whole.status.success(), "{}", text(&whole.stderr));
    let started = ["train", "digits", "--start-from", "whole", "--encoder", "16-4", "--cluster-epochs", "2", "--out"];
    let begun = at(&[&started[..], &["begun"]].concat());
    assert!(begun.status.success(), "{}", text(&begun.stderr));
    assert!(read("begun/trained.safetensors") == read("whole/trained.safetensors"));
    assert!(!text(&read("begun/metrics.jsonl")).contains("\"reconstruct\""));
    // A run that was killed before it had the autoencoder takes it when it is resumed.
    for file in ["checkpoints/autoencoder.ckpt", "checkpoints/last.ckpt", "trained.safetensors", "model.emx"] {
        fs::remove_file(folder.path().join("begun").join(file)).unwrap();
    }
    let resumed = at(&["train", "--out", "begun", "--resume"]);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    assert!(read("begun/trained.safetensors") == read("whole/trained.safetensors"));
    // Another seed holds out other samples, and other layers have other weights.
    for (flags, problem) in [
        (["--seed", "1"], "another part of the samples (seed was 0, is now 1): give the same --seed"),
        (["--encoder", "17-4"], "64-16-4, this one has 64-17-4"),
    ] {
        let method = ["train", "digits", "--start-from", "whole", "--encoder", "16-4", "--out", "refused"];
        let more: Vec<&str> = match flags {
            ["--encoder", layers] => method.iter().map(|&flag| if flag == "16-4" { layers } else { flag }).collect(),
            flags => [&method[..], &flags].concat(),
        };
        let refused = at(&more);
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
        assert!(text(&refused.stderr).contains(problem), "{}", text(&refused.stderr));
        assert!(!folder.path().join("refused").exists());
    }

    let settings = ["--set", "encoder=16-4", "--set", "reconstruction.epochs=4", "--set", "clustering.epochs=1"];
    let methods = ["compare", "digits", "--methods", "ae-gmm,idec,vade,dpm", "--seeds", "1", "--share-reconstruction"];
    let compared = at(&[&methods[..], &settings, &["--out", "all"]].concat());
    assert!(compared.status.success(), "{}", text(&compared.stderr));
    assert_eq!(text(&read("all/compare.csv")).lines().count(), 5, "{}", text(&compared.stdout));
    let learned = |method: &str| text(&read(&format!("all/{method}-0/metrics.jsonl"))).contains("\"reconstruct\"");
    assert_eq!(["ae-gmm", "idec", "vade"].map(learned), [true, false, false]);
    // The same command finds everything done.
    let again = at(&[&methods[..], &settings, &["--out", "all"]].concat());
    assert_eq!(text(&again.stdout), text(&compared.stdout));
}

#[test]
fn every_method_trains_exports_and_its_integers_agree() {
    let folder = tempfile::tempdir().unwrap();
    for &method in edgemix::methods::MethodConfig::NAMES {
        let trained = edgemix(&train(method, &["--method", method]), folder.path());
        assert!(trained.status.success(), "{method}: {}", String::from_utf8_lossy(&trained.stderr));
        let evaluated = edgemix(&["evaluate", method], folder.path());
        let text = String::from_utf8(evaluated.stdout).unwrap();
        let agreement = text.lines().find_map(|line| line.strip_prefix("agreement")).unwrap();
        let percent: f64 = agreement.trim().trim_end_matches(" %").parse().unwrap();
        assert!(percent >= 98.5, "{method}: {text}");
        let assigned = edgemix(&["assign", &format!("{method}/model.emx"), "digits"], folder.path());
        assert_eq!(String::from_utf8(assigned.stdout).unwrap().lines().count(), 1798);
        let page = fs::read_to_string(folder.path().join(method).join("report.html")).unwrap();
        let headings = ["The latent space", "The clusters", "Clusters and labels", "Samples", "What it needs"];
        assert!(headings.iter().all(|heading| page.contains(&format!("<h2>{heading}</h2>"))), "{method}");
        assert!(page.contains("data:image/png;base64,"), "{method}");
        assert!(page.contains("neighbours are near each other"), "{method}");
        let has_history = !["dpm", "kmeans", "gmm"].contains(&method);
        assert_eq!(page.contains("The latents during training"), has_history, "{method}");
        let no_numbers = ["\"NaN", "NaN,", ",NaN", ">NaN", "\"inf", "inf,", ",inf", ">inf<"];
        assert!(!no_numbers.iter().any(|text| page.contains(text)), "{method}");
        assert_eq!(page.contains("sticks before pruning"), ["alpha-jsd", "dpm"].contains(&method), "{method}");
        // The page refers to no address, no script and no file.
        assert!(!page.contains("http") && !page.contains("<script") && !page.contains("url("), "{method}");
    }
}

#[test]
fn a_report_can_be_written_again_and_about_other_samples() {
    let folder = tempfile::tempdir().unwrap();
    let trained = edgemix(&train("run", &[]), folder.path());
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let first = fs::read(folder.path().join("run/report.html")).unwrap();
    let again = edgemix(&["report", "run", "-o", "again.html"], folder.path());
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(fs::read(folder.path().join("again.html")).unwrap() == first, "the same run gives another page");
    // The table of the integers has the input, each layer and the latent, and the curves have each epoch.
    let page = String::from_utf8(first).unwrap();
    for row in ["<td>input</td>", "<td>layer 1</td>", "<td>latent</td>"] {
        assert!(page.contains(row), "{row}");
    }
    assert!(page.contains("72 epochs") && page.contains("edgemix train digits --config run/config.toml"));
    fs::write(folder.path().join("other.csv"), "1,2,3\n4,5,6\n").unwrap();
    let other = edgemix(&["report", "run", "--data", "other.csv", "-o", "other.html"], folder.path());
    assert_eq!(other.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&other.stderr).contains("the model takes 64 features, other has 3"));
    assert!(!folder.path().join("other.html").exists());
}

#[test]
fn a_recording_in_text_becomes_a_model_that_takes_raw_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("user,kind,x,y,z\n");
    for t in 0..2400i32 {
        let (user, kind) = (t / 800, (t / 200) % 2);
        let wave = ((t % 8 - 4).abs() - 2) * if kind == 0 { 900 } else { 60 };
        let noise = (t * 7919 % 101) - 50;
        let word = ["shake", "rest"][kind as usize];
        text.push_str(&format!("{user},{word},{},{},{}\n", wave + noise, noise - wave / 2, 16000 + noise));
    }
    fs::write(folder.path().join("imu.csv"), text).unwrap();
    let mut arguments = vec!["train", "imu.csv", "--out", "imu", "--label-column", "kind", "--group-column", "user"];
    arguments.extend(["--window", "16", "--step", "8", "--method", "ae-gmm", "--clusters", "2"]);
    arguments.extend(["--pretrain-epochs", "300", "--cluster-epochs", "4", "--encoder", "16-4"]);
    let trained = edgemix(&arguments, folder.path());
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    // The run has recorded where its samples are and how they are cut.
    let evaluated = edgemix(&["evaluate", "imu", "--json"], folder.path());
    let found: serde_json::Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    assert!(found["int8"]["scores"]["acc"].as_f64().unwrap() > 0.85, "{found}");
    assert!(found["agreement"].as_f64().unwrap() > 0.97, "{found}");
    let page = fs::read_to_string(folder.path().join("imu/report.html")).unwrap();
    // A window of three channels has three traces.
    assert!(page.matches("class=\"trace\"").count() >= 3 * 12, "no traces");
    let assigned = edgemix(&["assign", "imu"], folder.path());
    let assigned = String::from_utf8(assigned.stdout).unwrap();
    assert_eq!(assigned.lines().count(), 1 + 3 * 99);
    let inspected = edgemix(&["inspect", "imu/model.emx", "--json"], folder.path());
    let facts: serde_json::Value = serde_json::from_slice(&inspected.stdout).unwrap();
    // Things last 25 windows, and the end of each second rest is not seen.
    let lasts = facts["transitions"]["windows"].as_array().unwrap();
    assert!(lasts.iter().all(|n| (15.0..50.0).contains(&n.as_f64().unwrap())) && lasts.len() == 2, "{lasts:?}");
    let smoothed = edgemix(&["assign", "imu", "--smooth"], folder.path());
    let smoothed = String::from_utf8(smoothed.stdout).unwrap();
    let last = |line: &str| line.rsplit_once(',').map(|(before, last)| (before.to_owned(), last.to_owned())).unwrap();
    let (plain, clusters): (Vec<String>, Vec<String>) = smoothed.lines().map(last).unzip();
    assert!(plain.join("\n") == assigned.trim_end() && clusters[0] == "smoothed", "the other columns differ");
    let cluster = |line: &String| line.split(',').nth(1).unwrap().to_owned();
    let changed = plain[1..].iter().zip(&clusters[1..]).filter(|&(line, smoothed)| cluster(line) != *smoothed).count();
    assert_eq!(found["smoothed"]["changed"].as_f64().unwrap(), 1.0 - (297 - changed) as f64 / 297.0);
    assert!(found["smoothed"]["scores"]["acc"].as_f64() >= found["int8"]["scores"]["acc"].as_f64(), "{found}");
    assert_eq!((&facts["input"]["len"], &facts["input"]["count"]), (&48.into(), &vec![1.0].into()));
    let exported = edgemix(&["export", "imu", "--rust", "module", "--samples", "20"], folder.path());
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let told = String::from_utf8(exported.stdout).unwrap();
    let each =
        ["module/model.emx: 2 clusters of 297 samples", "module/model.rs: embeds", "module/samples.rs: 20 samples"];
    assert!(told.lines().zip(each).filter(|(line, begin)| line.starts_with(begin)).count() == 3, "{told}");
    let read = |path: &str| fs::read(folder.path().join(path)).unwrap();
    assert!(read("module/model.emx") == read("imu/model.emx"), "exported again, the model differs");
    let module = String::from_utf8(read("module/model.rs")).unwrap();
    assert!(module.contains("pub const INPUT_LEN: usize = 48;"), "{module}");
    assert!(module.contains("pub const N_CLUSTERS: usize = 2;"), "{module}");
    let c = ["export", "imu", "--c", "c", "--samples", "20", "--names", "sit,walk", "--prefix", "imu"];
    let exported = edgemix(&c, folder.path());
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let told = String::from_utf8(exported.stdout).unwrap();
    let each = ["c/model.emx: 2 clusters of 297 samples", "c/model.c: the model as", "c/samples.c: 20 samples"];
    assert!(told.lines().zip(each).filter(|(line, begin)| line.starts_with(begin)).count() == 3, "{told}");
    let header = String::from_utf8(read("c/model.h")).unwrap();
    assert!(header.contains("#define IMU_INPUT_LENGTH 48\n"), "{header}");
    assert!(header.contains("#define IMU_CHANNELS 3\n"), "{header}");
    assert!(String::from_utf8(read("c/model.c")).unwrap().contains("{\"sit\", \"walk\"}"));
    // Other samples can't calibrate the integers.
    let other = edgemix(&["export", "imu", "--step", "4", "-o", "other.emx"], folder.path());
    assert_eq!(other.status.code(), Some(2));
    assert!(!folder.path().join("other.emx").exists());
}

#[test]
fn a_cluster_of_one_person_is_named_wherever_clusters_are() {
    let folder = tempfile::tempdir().unwrap();
    // Everybody does two things; the third person also a third one.
    let row = |t: u32| {
        let (user, kind) = (t % 3, if t.is_multiple_of(3) && t.is_multiple_of(2) { 0 } else { 1 });
        let kind = if user == 2 && t % 4 == 1 { 2 } else { kind };
        let noise = f64::from(t * 7919 % 101) / 100.0;
        format!(
            "{},{},{}\n",
            ["ann", "bob", "cy"][user as usize],
            10.0 * f64::from(kind) + noise,
            noise - f64::from(kind)
        )
    };
    let rows: String = (0..600).map(row).collect();
    fs::write(folder.path().join("people.csv"), format!("who,x,y\n{rows}")).unwrap();
    let arguments =
        ["train", "people.csv", "--group-column", "who", "--method", "ae-kmeans", "--clusters", "3", "--out", "r"];
    let trained = edgemix(&arguments, folder.path());
    assert!(trained.status.success(), "{}", String::from_utf8_lossy(&trained.stderr));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let report = fs::read_to_string(folder.path().join("r/report.html")).unwrap();
    let [evaluated, inspected] =
        ["evaluate", "inspect"].map(|command| text(edgemix(&[command, "r"], folder.path()).stdout));
    let said = text(trained.stderr);
    assert!(said.contains("note: there are 3 groups, fewer than 6: whether other groups show"), "{said}");
    for said in [said, report, evaluated, inspected] {
        assert_eq!(said.matches("samples) is of group 2 alone").count(), 1, "{said}");
    }
    // Without groups, nothing is known.
    let plain =
        ["train", "people.csv", "--drop-column", "who", "--method", "ae-kmeans", "--clusters", "3", "--out", "p"];
    assert!(edgemix(&plain, folder.path()).status.success());
    let inspected = text(edgemix(&["inspect", "p", "--json"], folder.path()).stdout);
    assert!(inspected.contains("\"groups\": null"), "{inspected}");
}

/// Three groups of three blobs in the plane: the groups and the blobs are levels.
#[test]
fn levels_are_listed_and_exported_without_training_anew() {
    let folder = tempfile::tempdir().unwrap();
    let noise = edgemix::random::normal(2700, &mut edgemix::random::stream(3, "levels", 0));
    let corner = |i: usize| (i as f64 * std::f64::consts::TAU / 3.0).sin_cos();
    let row = |(i, noise): (usize, &[f32])| {
        let ((y, x), (dy, dx)) = (corner(i % 9 / 3), corner(i % 3));
        let at = [24.0 * x + 5.0 * dx, 24.0 * y + 5.0 * dy].map(|mean| mean as f32);
        format!("{},{}\n", at[0] + noise[0], at[1] + noise[1])
    };
    let rows: String = noise.chunks(2).enumerate().map(row).collect();
    fs::write(folder.path().join("nine.csv"), format!("x,y\n{rows}")).unwrap();
    let text = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let run = |arguments: &[&str]| {
        let output = edgemix(arguments, folder.path());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    };
    let trained =
        run(&["train", "nine.csv", "--out", "nine", "--level", "coarse", "--set", "method.grouping.halves=6"]);
    let levels = "levels: 3 clusters (split-half agreement 1.00); 9 clusters (split-half agreement 1.00, as trained)\n";
    assert!(text(&trained).contains(levels), "{}", text(&trained));
    assert!(text(&trained).contains("nine/model.emx: 3 clusters of"), "{}", text(&trained));
    let found: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("nine/clusters.json")).unwrap()).unwrap();
    let numbers: Vec<&serde_json::Value> =
        found["levels"].as_array().unwrap().iter().map(|level| &level["clusters"]).collect();
    assert_eq!(numbers, [3, 9]);
    // Both models of the run have the level of the file.
    let evaluated: serde_json::Value = serde_json::from_slice(&run(&["evaluate", "nine", "--json"]).stdout).unwrap();
    assert_eq!([&evaluated["f32"]["clusters"], &evaluated["int8"]["clusters"]], [3, 3]);
    assert!(evaluated["agreement"].as_f64().unwrap() > 0.99);
    let page = fs::read_to_string(folder.path().join("nine/report.html")).unwrap();
    assert!(page.contains("class=\"level\""), "no dendrogram");

    assert!(text(&run(&["export", "nine", "--level", "fine", "-o", "fine.emx"])).contains("fine.emx: 9 clusters"));
    run(&["export", "nine", "-o", "trained.emx"]);
    run(&["export", "nine", "--level", "3", "-o", "three.emx"]);
    let read = |path: &str| fs::read(folder.path().join(path)).unwrap();
    assert!(read("fine.emx") == read("trained.emx") && read("three.emx") == read("nine/model.emx"));
    let inspected: serde_json::Value = serde_json::from_slice(&run(&["inspect", "fine.emx", "--json"]).stdout).unwrap();
    assert_eq!((&inspected["head"]["clusters"], &inspected["levels"][0]), (&9.into(), &3.into()));
    let inspected: serde_json::Value = serde_json::from_slice(&run(&["inspect", "nine", "--json"]).stdout).unwrap();
    assert_eq!((&inspected["head"]["clusters"], &inspected["hierarchy"][1]["clusters"]), (&3.into(), &9.into()));
    assert_eq!(inspected["levels"], serde_json::json!([]));
    // The groups are unions of the blobs, sample by sample.
    let clusters = |model: &str| -> Vec<String> {
        let lines = text(&run(&["assign", model, "nine.csv"]));
        lines.lines().skip(1).map(|line| line.split(',').nth(1).unwrap().to_owned()).collect()
    };
    let (fine, coarse) = (clusters("fine.emx"), clusters("three.emx"));
    let pairs: std::collections::BTreeSet<_> = fine.iter().zip(&coarse).collect();
    assert_eq!(pairs.len(), 9, "a blob in two groups: {pairs:?}");

    let refused = edgemix(&["export", "nine", "--level", "4", "-o", "four.emx"], folder.path());
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("the model has no level of 4 clusters: its levels have 3 and 9 clusters"), "{said}");
    assert!(!folder.path().join("four.emx").exists());
}

#[cfg(unix)]
#[test]
fn a_reader_that_goes_away_early_is_not_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["completions", "bash"][..], &["man"], &["train", "--print-config"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(PROGRAM).args(arguments).current_dir(&folder).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[cfg(unix)]
#[test]
fn a_run_ends_well_if_nobody_reads_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let short =
        ["train", "digits", "--out", "run", "--method", "ae-kmeans", "--pretrain-epochs", "1", "--holdout", "0.01"];
    // The share that is held out is too small, which is noted on standard error.
    let status = Command::new(PROGRAM)
        .args(short)
        .arg("--allow-disagreement")
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(writer)
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(folder.path().join("run/report.html").exists());
}

#[test]
fn a_signed_model_is_verified_with_its_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware-example/assets/digits.emx");
    fs::copy(model, at.join("model.emx")).unwrap();
    let run = |arguments: &str| {
        let output = edgemix(&arguments.split(' ').collect::<Vec<_>>(), at);
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    for name in ["owner", "other"] {
        assert_eq!(run(&format!("keys {name}")).0, Some(0));
    }
    let (code, said) = run("keys owner");
    assert!(code == Some(2) && said.contains("owner.secret: exists already"), "{said}");
    assert_eq!(run("sign model.emx --secret owner.secret --counter 4 --out signed.emx").0, Some(0));
    assert_eq!(
        run("verify signed.emx --key owner.key"),
        (Some(0), "signed.emx: signed with this key, counter 4\n".into())
    );
    for (arguments, expected) in [
        ("verify signed.emx --key other.key", "signed with another key, or altered since"),
        ("verify signed.emx --key owner.key --least-counter 5", "its counter is 4"),
        ("verify model.emx --key owner.key", "the model is not signed"),
        ("verify signed.emx --key owner.secret", "a public key has 32 bytes"),
        ("sign model.emx --secret owner.key --counter 4 --out again.emx", "a secret has 64 hexadecimal digits"),
        ("sign model.emx --secret owner.secret --counter 4 --out owner.secret", "which would overwrite it"),
        ("sign model.emx --secret owner.secret --counter 4 --out model.emx", "which would overwrite it"),
    ] {
        let (code, said) = run(arguments);
        assert!(code == Some(2) && said.contains(expected), "{arguments}: {said}");
    }
    // A program that knows of no signatures reads the same file.
    assert_eq!(run("inspect signed.emx").0, Some(0));
    assert!(!at.join("again.emx").exists());
}
