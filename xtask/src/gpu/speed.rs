//! Part 4: seconds of an epoch, against PyTorch where it is installed, and how busy the GPU is.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::results::{Line, Part};
use super::setting::Setting;
use super::trials::Trial;

/// Epochs that are timed, after one that is not.
const EPOCHS: usize = 3;

/// What PyTorch trains as well: a name in `bench/pytorch.py`, and the size of its batches there.
const COMPARED: [(&str, &str); 4] =
    [("autoencoder", "256"), ("autoencoder", "4096"), ("alpha-jsd", "256"), ("depict", "100")];

/// What has no counterpart: a name, the phase that is timed, and the flags.
const ALONE: [(&str, &str, &[&str]); 2] = [
    (
        "k-DVAE, ten members",
        "members",
        &["--method", "k-dvae", "--clusters", "10", "--pretrain-epochs", "6", "--cluster-epochs", "1"],
    ),
    ("grow, its clusters", "cluster", &["--method", "grow", "--pretrain-epochs", "1", "--cluster-epochs", "6"]),
];

pub(crate) fn measure(setting: &Setting, limit: Duration) -> Result<Part> {
    let Some(samples) = &setting.samples else {
        return Ok(Part::left_out("speed", "no --samples were given"));
    };
    let each = limit / 2 / (COMPARED.len() + ALONE.len()) as u32;
    let mut lines = vec![];
    for (method, batch) in COMPARED {
        let line = against_pytorch(setting, method, batch, each)
            .unwrap_or_else(|error| Line::new("", format!("{error:#}"), !setting.backend.starts_with("cuda")));
        lines.push(line.named(format!("{method}, batches of {batch}")));
    }
    for (name, phase, flags) in ALONE {
        let data = samples.display().to_string();
        let flags = [&[data.as_str()], flags].concat();
        let line =
            epochs(setting, phase, &flags, each).unwrap_or_else(|error| Line::new("", format!("{error:#}"), false));
        lines.push(line.named(name));
    }
    Ok(Part::new("speed", lines))
}

/// Both programs in turn, by the script.
fn against_pytorch(setting: &Setting, method: &str, batch: &str, limit: Duration) -> Result<Line> {
    let samples = setting.samples.as_ref().context("no samples")?;
    let log = setting.out.join(format!("pytorch-{method}-{batch}.txt"));
    let file = std::fs::File::create(&log).with_context(|| log.display().to_string())?;
    let mut command = Command::new("python3");
    command.arg(&setting.pytorch).arg(&setting.program).arg(samples);
    command.args([
        "--methods",
        method,
        "--batch",
        batch,
        "--device",
        &setting.backend,
        "--epochs",
        "3",
        "--rounds",
        "2",
    ]);
    let busy = Busy::begin();
    let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn().context("python3")?;
    let status = super::trials::wait(child, limit)?;
    let text = std::fs::read_to_string(&log)?;
    let words: Vec<&str> =
        text.lines().filter(|line| line.starts_with(method)).map(|line| line[method.len()..].trim()).collect();
    let ended = status.is_some_and(|status| status.success());
    let found = if ended { words.join("; ") } else { text.lines().last().unwrap_or("nothing was printed").to_owned() };
    Ok(Line::new("", format!("{found}{}", busy.end()), ended))
}

/// The time of this program's epochs in a phase: the median.
fn epochs(setting: &Setting, phase: &str, flags: &[&str], limit: Duration) -> Result<Line> {
    let trial = Trial::new(setting, &format!("speed-{phase}"));
    let mut child = trial.begin(setting, &setting.device(true), flags)?;
    let busy = Busy::begin();
    let (begin, mut ends) = (Instant::now(), vec![]);
    while ends.len() <= EPOCHS && begin.elapsed() < limit && child.try_wait()?.is_none() {
        let count = trial.epochs().iter().filter(|epoch| epoch["phase"] == phase).count();
        ends.resize(count.max(ends.len()), Instant::now());
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill()?;
    child.wait()?;
    let mut seconds: Vec<f64> = ends.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
    seconds.sort_by(f64::total_cmp);
    let median =
        seconds.get(seconds.len() / 2).with_context(|| format!("no two epochs within {} s", limit.as_secs()))?;
    Ok(Line::new("", format!("{median:.2} s an epoch{}", busy.end()), true))
}

/// Measures how busy NVIDIA's GPU is, where its tool is installed.
struct Busy(Option<Child>);

impl Busy {
    fn begin() -> Self {
        let mut command = Command::new("nvidia-smi");
        command.args(["--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits", "--loop-ms=200"]);
        Self(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok())
    }

    /// The mean share of the time in which a kernel ran, and the greatest memory in use.
    fn end(self) -> String {
        let Some(mut child) = self.0 else { return String::new() };
        let Ok(()) = child.kill() else { return String::new() };
        let Ok(output) = child.wait_with_output() else { return String::new() };
        let text = String::from_utf8_lossy(&output.stdout);
        let numbers = text.lines().filter_map(|line| {
            let (share, memory) = line.split_once(',')?;
            Some((share.trim().parse::<f64>().ok()?, memory.trim().parse::<f64>().ok()?))
        });
        let (shares, memories): (Vec<f64>, Vec<f64>) = numbers.unzip();
        let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
        let greatest = memories.iter().fold(0.0, |greatest: f64, &memory| greatest.max(memory));
        format!("; the GPU was busy for {mean:.0} % of the time and used up to {greatest:.0} MiB")
    }
}
