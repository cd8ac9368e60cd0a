//! Named chips, as the commands take and show them. `runtime/tests/estimates.rs` compares estimates with what was counted.

use std::path::Path;
use std::process::Output;

use crate::program::edgemix;

fn inspect(arguments: &[&str]) -> Output {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
    edgemix(&[&["inspect", model], arguments].concat(), Path::new("."))
}

#[test]
fn inspect_estimates_for_all_chips_or_for_one() {
    let text = |arguments: &[&str]| String::from_utf8(inspect(arguments).stdout).unwrap();
    let chips = |text: &str| text.lines().filter(|line| line.starts_with("chip ")).count();
    assert!(chips(&text(&[])) >= 12);
    let one = text(&["--chip", "stm32l476"]);
    assert_eq!(chips(&one), 1);
    assert!(one.contains("STM32L476 (Cortex-M4, 80 MHz): about ") && one.contains(" uJ; "), "{one}");
    // A Cortex-M7 may issue two instructions at once.
    assert!(text(&["--chip", "STM32H743"]).contains(" to "));
    let json: serde_json::Value = serde_json::from_str(&text(&["--json"])).unwrap();
    assert_eq!(json["chips"][0]["fits"], true);
    // What was compared with no document is named wherever the estimate is.
    let with = text(&["--chip", "nRF52840"]);
    assert!(with.trim_end().ends_with("; unconfirmed: wait states, flash lines"), "{with}");
    let chip = json["chips"].as_array().unwrap().iter().find(|chip| chip["name"] == "nRF52840").unwrap();
    assert_eq!(chip["unconfirmed"], serde_json::json!(["wait states", "flash lines"]));
    assert!(!one.contains("unconfirmed"), "{one}");
}

#[test]
fn a_chip_that_is_unknown_or_too_slow_is_an_error() {
    let error = |arguments: &[&str]| {
        let output = inspect(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(error(&["--chip", "Z80"]).contains("no chip is called `Z80`; the chips are STM32G071, "));
    assert!(error(&["--chip", "STM32G071", "--max-ms", "0.5"]).contains("too slow for STM32G071"));
    assert!(error(&["--chip", "STM32G071", "--max-ms", "-1"]).contains("a number above 0"));
    assert!(error(&["--max-ms", "1"]).contains("--chip"));
}

#[test]
fn train_and_export_refuse_what_does_not_fit_before_they_write() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| edgemix(arguments, folder.path());
    let short = [
        "--encoder",
        "16-4",
        "--pretrain-epochs",
        "1",
        "--cluster-epochs",
        "0",
        "--method",
        "ae-kmeans",
        "--clusters",
        "4",
    ];
    // Known before training: the layers alone are larger than the flash.
    let planned = run(&["train", "digits", "--out", "large", "--encoder", "500-500-2000-10", "--chip", "STM32G071"]);
    let message = String::from_utf8(planned.stderr).unwrap();
    assert!(planned.status.code() == Some(2) && message.contains("does not fit the flash of STM32G071"), "{message}");
    assert!(!folder.path().join("large").exists());

    let train =
        [&["train", "digits", "--out", "run", "--allow-disagreement", "--chip", "STM32L476"], &short[..]].concat();
    let trained = run(&train);
    let printed = String::from_utf8(trained.stdout).unwrap();
    assert!(trained.status.success() && printed.contains("STM32L476: about "), "{printed}");
    let export = ["export", "run", "-o", "copy.emx", "--allow-disagreement", "--chip", "STM32L476", "--max-ms"];
    let refused = run(&[&export[..], &["0.0001"]].concat());
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && message.contains("too slow for STM32L476"), "{message}");
    assert!(!folder.path().join("copy.emx").exists());
    assert!(run(&[&export[..], &["100"]].concat()).status.success());
}
