//! What a chip said about the windows of a recording in which a fault begins.

use super::machine::{State, Window};

/// What the chip said about a window: the line of its program.
pub(crate) struct Line {
    pub(crate) cluster: u16,
    /// The p-value, from 0 to 1.
    pub(crate) p: f64,
    /// The evidence of drift in bits.
    pub(crate) evidence: f64,
}

/// Evidence that raises an alarm, in bits: of the three bets of the monitor each has a third of the capital, and one false
/// alarm in 1,000 is accepted.
const ALARM: f64 = 11.550_8;

/// Reads the lines `index cluster component log-density novelty evidence ...`.
pub(crate) fn lines(text: &str) -> Option<Vec<Line>> {
    let line = |line: &str| {
        let fields: Vec<i64> = line.split(' ').take(6).map(|field| field.parse().ok()).collect::<Option<_>>()?;
        let [_, cluster, _, _, novelty, evidence] = fields[..] else { return None };
        let (p, evidence) = (novelty as f64 / f64::from(u16::MAX), evidence as f64 / 65536.0);
        Some(Line { cluster: cluster as u16, p, evidence })
    };
    text.lines().map(line).collect()
}

/// How well windows with a fault are told from those without.
pub(crate) struct Judgement {
    /// The area under the curve of the p-values of windows with a fault while the shaft turns: at rest nothing strikes.
    pub(crate) area: f64,
    /// The shares of healthy windows, and of faulty ones while the shaft turns, with p-values of at most 5 %.
    pub(crate) alarms: (f64, f64),
    /// Healthy windows before the fault, and windows with it until the monitor raises its alarm; `None` without an alarm. The
    /// alarm is false if it is raised before.
    pub(crate) drift: Option<i64>,
    /// The windows of each state in each cluster, without a fault.
    pub(crate) table: Vec<(State, Vec<usize>)>,
}

/// Compares what the chip said with what was the case.
pub(crate) fn judge(windows: &[Window], lines: &[Line]) -> Judgement {
    let pairs = || windows.iter().zip(lines);
    let healthy: Vec<f64> = pairs().filter(|(w, _)| !w.is_faulty).map(|(_, line)| line.p).collect();
    let turns = |window: &Window| window.is_faulty && window.state != State::Rest;
    let faulty: Vec<f64> = pairs().filter(|(w, _)| turns(w)).map(|(_, line)| line.p).collect();
    let rate = |p: &[f64]| p.iter().filter(|&&p| p <= 0.05).count() as f64 / p.len().max(1) as f64;
    let beginning = windows.iter().position(|window| window.is_faulty).unwrap_or(windows.len());
    let alarm = lines.iter().position(|line| line.evidence >= ALARM);
    let n_clusters = lines.iter().map(|line| usize::from(line.cluster) + 1).max().unwrap_or(0);
    let of_state = |state: State| {
        let mut counts = vec![0; n_clusters];
        let own = pairs().filter(|(window, _)| !window.is_faulty && window.state == state);
        own.for_each(|(_, line)| counts[usize::from(line.cluster)] += 1);
        (state, counts)
    };
    Judgement {
        area: area(&healthy, &faulty),
        alarms: (rate(&healthy), rate(&faulty)),
        drift: alarm.map(|at| at as i64 - beginning as i64 + 1),
        table: State::ALL.map(of_state).into(),
    }
}

/// The probability that a faulty window has the smaller p-value; equal ones count half.
fn area(healthy: &[f64], faulty: &[f64]) -> f64 {
    let score = |a: f64, b: f64| if a < b { 1.0 } else { 0.5 * f64::from(u8::from(a == b)) };
    let sum: f64 = faulty.iter().map(|&a| healthy.iter().map(|&b| score(a, b)).sum::<f64>()).sum();
    sum / (healthy.len() * faulty.len()).max(1) as f64
}
