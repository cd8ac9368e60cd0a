//! The time and the energy of an assignment.

use std::fmt;

use edgemix_format::view::{File, Layer};

use super::chip::Chip;
use super::work::Work;

/// Time and energy of one assignment, with the least and the most that they may be where a core issues two instructions at
/// once: then anything between all of them in pairs and none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The least and the most milliseconds; the same number where the core issues one instruction at a time.
    pub ms: [f64; 2],
    /// The same in microjoules; `None` if the chip's current is not known.
    pub microjoules: Option<[f64; 2]>,
}

/// Constants in flash, and how often they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Constants {
    pub(super) bytes: u64,
    pub(super) times: u64,
}

impl Chip {
    /// Estimates an assignment of raw counts by a model.
    ///
    /// ```
    /// use edgemix::assessment::chips::Chip;
    /// use edgemix::run::ModelFile;
    ///
    /// let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../firmware-example/assets/digits.emx");
    /// let file = ModelFile::read(path.as_ref()).unwrap();
    /// let model = file.model().unwrap();
    /// let [small, fast] =
    ///     ["STM32G071", "STM32F446"].map(|name| name.parse::<&Chip>().unwrap().estimate(model.file()));
    /// assert!(small.ms[0] > fast.ms[0]);
    /// ```
    pub fn estimate(&self, file: &File) -> Estimate {
        let mut constants: Vec<Constants> = file.encoder.iter().map(of_layer).collect();
        constants.push(Constants { bytes: file.head.flash() as u64, times: 1 });
        self.estimate_work(&Work::of_assignment(file, self.costs().tile), &constants)
    }

    pub(super) fn estimate_work(&self, work: &Work, constants: &[Constants]) -> Estimate {
        let costs = self.costs();
        let stalls = constants.iter().map(|constants| self.stalls(*constants)).sum::<u64>() as f64;
        // Two instructions at once at best, one at worst.
        let least = if self.issues > 1 {
            work.cost(&costs.instructions) / f64::from(self.issues)
        } else {
            work.cost(&costs.cycles)
        };
        let ms = [least, work.cost(&costs.cycles)].map(|cycles| (cycles + stalls) / (1000.0 * self.mhz));
        let watts = self.milliamperes.zip(self.volts).map(|(milliamperes, volts)| milliamperes * volts);
        Estimate { ms, microjoules: watts.map(|milliwatts| ms.map(|ms| ms * milliwatts)) }
    }

    /// Cycles of waiting for constants, which are read line by line.
    fn stalls(&self, Constants { bytes, times }: Constants) -> u64 {
        let times = if bytes <= self.cache { times.min(1) } else { times };
        bytes.div_ceil(self.line) * times * self.wait
    }
}

fn of_layer(layer: &Layer) -> Constants {
    let (weights, other) = layer.flash();
    let times = match layer {
        Layer::Conv2d(layer) => layer.window.rows() * layer.window.columns(),
        Layer::Dense(_) | Layer::Pool2d(_) => 1,
    };
    Constants { bytes: (weights + other) as u64, times: times as u64 }
}

impl Work {
    /// What the operations cost together.
    pub fn cost(&self, costs: &[f64]) -> f64 {
        self.counts.iter().zip(costs).map(|(&count, cost)| count as f64 * cost).sum()
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", range(self.ms))?;
        self.microjoules.map_or(Ok(()), |microjoules| write!(f, ", {} uJ", range(microjoules)))
    }
}

/// Two numbers, or one if they are the same, with two digits: an estimate has no more.
pub(super) fn range([least, most]: [f64; 2]) -> String {
    if least == most { digits(most) } else { format!("{} to {}", digits(least), digits(most)) }
}

fn digits(x: f64) -> String {
    let decimals = if x > 0.0 { (1 - x.log10().floor() as i32).max(0) as usize } else { 0 };
    format!("{x:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_two_digits() {
        assert_eq!([0.0, 0.01234, 0.56, 1.26, 34.6, 1234.0].map(digits), ["0", "0.012", "0.56", "1.3", "35", "1234"]);
        assert_eq!(range([0.5, 0.75]), "0.50 to 0.75");
    }

    #[test]
    fn constants_that_fit_a_cache_are_waited_for_once() {
        let chip: &Chip = "STM32U585".parse().unwrap();
        assert_eq!(chip.stalls(Constants { bytes: 160, times: 100 }), 10 * 4);
        assert_eq!(chip.stalls(Constants { bytes: 16_000, times: 3 }), 1000 * 4 * 3);
    }
}
