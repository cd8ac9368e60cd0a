//! A filter from frequencies in hertz: second-order sections, designed in f64 and rounded to the integers of the file.
//!
//! Poles of Butterworth's and of Chebyshev's analogue low pass become sections by the bilinear transform with prewarped
//! cutoffs (Oppenheim and Schafer, "Discrete-time signal processing", 1989, section 7.1).

use std::f64::consts::PI;

use edgemix_format::view::MAX_SECTIONS;
use edgemix_format::write::FilterSettings;

use super::error::FrontEndError;
use super::settings::{Filtering, FrontEndSettings};

/// Order and ripple in dB of the low pass before instants are left out, and its cutoff as a share of half the rate that is
/// kept: those of `decimate` in scipy and MATLAB.
const DECIMATION: (usize, f64, f64) = (8, 0.05, 0.8);
/// How far the rate may be from a whole multiple of the one that is kept.
const RATIO_TOLERANCE: f64 = 1e-3;
/// Rounding within the filter may change a result by so many counts.
const MOST_NOISE: f64 = 0.5;
/// Fraction bits of values within the filter.
const FRACTION: i32 = 12;

/// One section with its poles: b0, b1, b2, a1, a2 of `y[t] = b0 x[t] + b1 x[t-1] + b2 x[t-2] + a1 y[t-1] + a2 y[t-2]`.
type Section = [f64; 5];

/// The filter that settings ask for, of windows of so many instants; `None` if they ask for none.
pub(super) fn filter(
    settings: &FrontEndSettings,
    instants: usize,
    channels: usize,
) -> Result<Option<FilterSettings>, FrontEndError> {
    let Filtering { low, high, order, rate: kept_rate } = settings.filter;
    let refused = |setting, problem: String| Err(FrontEndError::Setting { setting, problem });
    let given = [("filter.low", low), ("filter.high", high), ("filter.rate", kept_rate)];
    let Some((setting, _)) = given.into_iter().find(|(_, value)| value.is_some()) else { return Ok(None) };
    let Some(rate) = settings.rate.filter(|rate| *rate > 0.0 && rate.is_finite()) else {
        return refused(setting, "is in hertz: give the rate of the recording, too (--rate)".into());
    };
    if !matches!(order, 2 | 4 | 6 | 8) {
        return refused("filter.order", format!("must be 2, 4, 6 or 8, not {order}"));
    }
    let factor = kept_rate.map_or(Ok(1), |kept| factor(rate, kept, instants))?;
    let most = 0.5 * rate / factor as f64;
    for (setting, value) in &given[..2] {
        if value.is_some_and(|hertz| !(hertz > 0.0 && hertz < most)) {
            return refused(setting, format!("must be above 0 and below {most} Hz, half the rate"));
        }
    }
    if low.zip(high).is_some_and(|(low, high)| low >= high) {
        return refused("filter.low", "must be below filter.high: between them is what passes".into());
    }
    let sections = design(&settings.filter, rate, factor);
    if sections.len() > MAX_SECTIONS {
        let problem = format!("makes {} sections of at most {MAX_SECTIONS}: give a lower one", sections.len());
        return refused("filter.order", problem);
    }
    if !holds(&sections) {
        let (setting, problem) = rounding(&settings.filter, rate, factor);
        return refused(setting, problem);
    }
    Ok(Some(FilterSettings { instants, channels, factor, sections: sections.iter().map(rounded).collect() }))
}

/// The sections of a filter of instants at `rate`, of which one in `factor` is kept.
fn design(filtering: &Filtering, rate: f64, factor: usize) -> Vec<Section> {
    let &Filtering { low, high, order, .. } = filtering;
    let mut sections = vec![];
    if factor > 1 {
        let (order, ripple, share) = DECIMATION;
        sections.extend(chebyshev(order, ripple, share * 0.5 / factor as f64));
    }
    sections.extend(high.iter().flat_map(|high| butterworth(order, high / rate, false)));
    sections.extend(low.iter().flat_map(|low| butterworth(order, low / rate, true)));
    sections
}

/// Whether sections are stable after they are rounded, and rounding within them changes no count by more than
/// [`MOST_NOISE`].
fn holds(sections: &[Section]) -> bool {
    let sections: Vec<[i32; 5]> = sections.iter().map(rounded).collect();
    // The size of the window does not matter here.
    let filter = FilterSettings { instants: 1, channels: 1, factor: 1, sections };
    filter.sections.is_empty() || filter.filter().check().is_ok() && noise(&filter.sections) <= MOST_NOISE
}

/// The setting with which rounding changes too much, and the nearest with which it does not.
fn rounding(filtering: &Filtering, rate: f64, factor: usize) -> (&'static str, String) {
    let most = 0.5 * rate / factor as f64;
    let is_held = |filtering: &Filtering| holds(&design(filtering, rate, factor));
    let without_low = Filtering { low: None, ..filtering.clone() };
    let (setting, value, with): (_, _, fn(&Filtering, f64) -> Filtering) = match (filtering.low, filtering.high) {
        (Some(low), _) if is_held(&without_low) => {
            ("filter.low", low, |filtering, low| Filtering { low: Some(low), ..filtering.clone() })
        }
        (_, Some(high)) => ("filter.high", high, |filtering, high| Filtering { high: Some(high), ..filtering.clone() }),
        _ => return ("filter.rate", format!("is too far below the rate of {rate} Hz: keep more instants")),
    };
    let (is_too_high, ratio) = (value > 0.5 * most, if value > 0.5 * most { 0.95 } else { 1.05 });
    let nearest = |order: usize| {
        let filtering = Filtering { order, ..filtering.clone() };
        let tried = std::iter::successors(Some(value), |hertz| Some(hertz * ratio));
        let tried = tried.map(|hertz| two_digits(hertz, is_too_high)).take_while(|hertz| (1e-6..most).contains(hertz));
        tried.take(TRIED).find(|&hertz| is_held(&with(&filtering, hertz)))
    };
    let bound = if is_too_high { "at most" } else { "at least" };
    let own = nearest(filtering.order).map(|hertz| (hertz, ""));
    let of_two = nearest(2).map(|hertz| (hertz, " with order=2"));
    // The second is of use where it is nearer.
    let is_nearer = |(hertz, _): &(f64, _)| own.is_none_or(|(other, _)| (hertz - value).abs() < (other - value).abs());
    let ways = own.into_iter().chain(of_two.filter(is_nearer));
    let ways: Vec<String> = ways.map(|(hertz, with)| format!("{bound} {hertz}{with}")).collect();
    let advice = if ways.is_empty() { "omit it".into() } else { format!("give {}", ways.join(", or ")) };
    let near = if is_too_high { "close to half the rate" } else { "far below the rate" };
    (
        setting,
        format!(
            "is so {near} of {rate} Hz that the chip's rounding would change counts by more than {MOST_NOISE}: {advice}"
        ),
    )
}

/// How many cutoffs are tried for advice.
const TRIED: usize = 150;

/// A number of two significant digits, rounded down or up.
fn two_digits(value: f64, is_down: bool) -> f64 {
    let digits = 1 - value.log10().floor() as i32;
    let scaled = value * 10f64.powi(digits);
    let whole = if is_down { (scaled + 1e-9).floor() } else { (scaled - 1e-9).ceil() };
    // Written and read, so that it is the number that is shown.
    format!("{:.*}", digits.max(0) as usize, whole / 10f64.powi(digits)).parse().unwrap_or(value)
}

/// One in so many instants is kept.
fn factor(rate: f64, kept: f64, instants: usize) -> Result<usize, FrontEndError> {
    let refused = |problem| Err(FrontEndError::Setting { setting: "filter.rate", problem });
    let ratio = rate / kept;
    let factor = ratio.round();
    if !(factor >= 2.0 && ratio <= instants as f64) {
        let (least, most) = (rate / instants as f64, 0.5 * rate);
        return refused(format!("must be from {least} to {most}, half the rate of the recording, not {kept}"));
    }
    if (ratio / factor - 1.0).abs() > RATIO_TOLERANCE {
        let [above, below] = [ratio.floor(), ratio.ceil()].map(|factor| (rate / factor * 1e3).round() / 1e3);
        return refused(format!("must be the rate of the recording over a whole number, such as {above} or {below}"));
    }
    Ok(factor as usize)
}

/// Butterworth's low pass, or high pass, of an even order; `cutoff` is a share of the rate.
fn butterworth(order: usize, cutoff: f64, is_high: bool) -> Vec<Section> {
    sections(order, cutoff, is_high, 1.0, 1.0)
}

/// Chebyshev's low pass of the first kind, of an even order, with a ripple in dB; a constant passes unchanged.
fn chebyshev(order: usize, ripple: f64, cutoff: f64) -> Vec<Section> {
    let epsilon = (10f64.powf(ripple / 10.0) - 1.0).sqrt();
    let a = (1.0 / epsilon).asinh() / order as f64;
    sections(order, cutoff, false, a.sinh(), a.cosh())
}

/// The sections of poles on an ellipse with these half axes, those with the least resonance first.
fn sections(order: usize, cutoff: f64, is_high: bool, real: f64, imaginary: f64) -> Vec<Section> {
    let prewarped = (PI * cutoff).tan();
    let section = |k: usize| {
        let angle = PI * (2 * k + 1) as f64 / (2 * order) as f64;
        let (re, im) = (real * angle.sin(), imaginary * angle.cos());
        // The low pass is q / (s^2 + p s + q), the high pass s^2 / (s^2 + p s + q).
        let p = 2.0 * re * prewarped;
        let q = (re * re + im * im) * prewarped * prewarped;
        let scale = 1.0 / (1.0 + p + q);
        let (outer, sign) = if is_high { (scale, -1.0) } else { (q * scale, 1.0) };
        [outer, 2.0 * sign * outer, outer, 2.0 * (1.0 - q) * scale, (p - 1.0 - q) * scale]
    };
    (0..order / 2).rev().map(section).collect()
}

/// In units of 2^-30. The gain for a constant stays exactly what it is, 1 or 0.
fn rounded(section: &Section) -> [i32; 5] {
    let [b0, b1, b2, a1, a2] = section.map(|value| (value * f64::from(1 << 30)).round() as i64);
    let gain = if b1 > 0 { (1 << 30) - a1 - a2 } else { 0 };
    [b0, gain - b0 - b2, b2, a1, a2].map(|value| value as i32)
}

/// The most that rounding within the filter can change a result by, in counts: half a unit at each section, times the sum
/// of the absolute response from there to the output.
fn noise(sections: &[[i32; 5]]) -> f64 {
    let real: Vec<Section> =
        sections.iter().map(|section| section.map(|x| f64::from(x) / f64::from(1 << 30))).collect();
    let from = |first: usize| {
        let [_, _, _, a1, a2] = real[first];
        let poles = std::iter::once([1.0, 0.0, 0.0, a1, a2]);
        let mut states: Vec<(Section, [f64; 4])> =
            poles.chain(real[first + 1..].iter().copied()).map(|section| (section, [0.0; 4])).collect();
        (0..RESPONSE).map(|t| step(&mut states, if t == 0 { 1.0 } else { 0.0 }).abs()).sum::<f64>()
    };
    (0..sections.len()).map(from).sum::<f64>() * 0.5f64.powi(FRACTION + 1)
}

/// Instants of a response that are summed. Filters whose responses last longer are far above the limit by then.
const RESPONSE: usize = 1 << 15;

/// Passes a value through sections, each with its two latest inputs and outputs.
fn step(states: &mut [(Section, [f64; 4])], x: f64) -> f64 {
    states.iter_mut().fold(x, |x, ([b0, b1, b2, a1, a2], [x1, x2, y1, y2])| {
        let y = *b0 * x + *b1 * *x1 + *b2 * *x2 + *a1 * *y1 + *a2 * *y2;
        (*x2, *x1, *y2, *y1) = (*x1, x, *y1, y);
        y
    })
}

/// The fields of [`FilterSettings`], for serde.
pub(super) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::FilterSettings;

    #[derive(Serialize, Deserialize)]
    #[serde(remote = "FilterSettings", deny_unknown_fields)]
    struct Definition {
        instants: usize,
        channels: usize,
        factor: usize,
        sections: Vec<[i32; 5]>,
    }

    #[derive(Serialize, Deserialize)]
    struct Wrapped(#[serde(with = "Definition")] FilterSettings);

    pub(in super::super) fn serialize<S: Serializer>(
        filter: &Option<FilterSettings>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        filter.clone().map(Wrapped).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<FilterSettings>, D::Error> {
        Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|Wrapped(filter)| filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spelling: &str, rate: f64) -> Result<Option<FilterSettings>, String> {
        let settings = FrontEndSettings { rate: Some(rate), ..FrontEndSettings::default() };
        let settings = settings.spelt(spelling).map_err(|error| error.to_string())?;
        filter(&settings, 512, 3).map_err(|error| error.to_string())
    }

    /// `cheby1(8, 0.05, 0.8 / 4)`, `butter(4, 0.3)` and `butter(4, 0.02, "highpass")` by scipy 1.17, with unit gains.
    #[test]
    fn sections_are_those_of_scipy() {
        let decimation = [
            [16_036_658, 32_073_315, 16_036_658, 1_676_267_233, -666_672_040],
            [40_687_933, 81_375_868, 40_687_933, 1_637_505_494, -726_515_404],
            [77_052_507, 154_105_013, 77_052_507, 1_602_211_468, -836_679_671],
            [107_319_036, 214_638_073, 107_319_036, 1_630_740_994, -986_275_315],
        ];
        let low = [
            [126_646_315, 253_292_630, 126_646_315, 722_350_053, -155_193_489],
            [168_987_895, 337_975_789, 168_987_895, 963_852_874, -566_062_629],
        ];
        let high = [
            [1_013_867_113, -2_027_734_226, 1_013_867_113, 2_025_731_614, -955_995_012],
            [1_047_511_882, -2_095_023_764, 1_047_511_882, 2_092_954_698, -1_023_351_008],
        ];
        let close = |spelling, expected: &[[i32; 5]]| {
            let found = of(spelling, 200.0).unwrap().unwrap().sections;
            let pairs = found.as_flattened().iter().zip(expected.as_flattened());
            let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(found.len() == expected.len() && worst <= 4, "{spelling}: {found:?}");
        };
        close("decimate:rate=50", &decimation);
        close("filter:high=30", &low);
        close("filter:low=2", &high);
        close("filter:low=2,high=30", &[low, high].concat());
        close("decimate:rate=50,filter:low=2", &[&decimation[..], &high].concat());
    }

    #[test]
    fn cutoffs_lose_half_the_power() {
        // The response to a wave of the frequency, after the filter has settled.
        let gain = |sections: &[Section], share: f64| {
            let mut states: Vec<(Section, [f64; 4])> = sections.iter().map(|&section| (section, [0.0; 4])).collect();
            let y: Vec<f64> = (0..4000).map(|t| step(&mut states, (2.0 * PI * share * f64::from(t)).sin())).collect();
            (y[2000..].iter().map(|y| y * y).sum::<f64>() / 1000.0).sqrt()
        };
        for order in [2, 4, 6, 8] {
            for is_high in [false, true] {
                let sections = butterworth(order, 0.1, is_high);
                assert!((gain(&sections, 0.1) - 0.5f64.sqrt()).abs() < 1e-3);
                let [passed, blocked] = if is_high { [0.4, 0.01] } else { [0.01, 0.4] };
                assert!(gain(&sections, passed) > 0.99 && gain(&sections, blocked) < 0.02);
            }
        }
    }

    #[test]
    fn what_is_impossible_is_said() {
        for (spelling, message) in [
            (
                "decimate:rate=300",
                "front-end.filter.rate must be from 0.390625 to 100, half the rate of the recording, not 300",
            ),
            ("decimate:rate=200", "half the rate of the recording, not 200"),
            ("decimate:rate=-1", "front-end.filter.rate must be from"),
            ("decimate:rate=60", "over a whole number, such as 66.667 or 50"),
            ("filter:high=100", "front-end.filter.high must be above 0 and below 100 Hz, half the rate"),
            ("decimate:rate=50,filter:high=30", "below 25 Hz"),
            ("filter:low=0", "front-end.filter.low must be above 0"),
            ("filter:low=30,high=20", "front-end.filter.low must be below filter.high"),
            ("filter:low=20,order=3", "front-end.filter.order must be 2, 4, 6 or 8, not 3"),
            ("decimate:rate=50,filter:low=1,high=20,order=8", "front-end.filter.order makes 12 sections of at most 8"),
            ("filter:low=0.001", "front-end.filter.low is so far below the rate of 200 Hz"),
            ("filter:high=0.001", "front-end.filter.high is so far below the rate of 200 Hz"),
            ("filter:high=99.99", "front-end.filter.high is so close to half the rate of 200 Hz"),
            ("filter:low=0.001,high=40", "front-end.filter.low is so far below"),
        ] {
            let error = of(spelling, 200.0).unwrap_err();
            assert!(error.contains(message), "{spelling}: {error}");
        }
        let error = filter(&"filter:low=2".parse().unwrap(), 512, 3).unwrap_err().to_string();
        assert!(error.contains("front-end.filter.low is in hertz: give the rate"), "{error}");
        assert_eq!(of("spectrum", 200.0), Ok(None));
    }

    #[test]
    fn the_cutoffs_that_are_advised_are_taken() {
        for spelling in
            ["filter:low=0.001", "decimate:rate=50,filter:low=0.01", "filter:high=99.99", "filter:high=0.01"]
        {
            let error = of(spelling, 200.0).unwrap_err();
            let advice = error.split("give ").nth(1).unwrap_or_else(|| panic!("{error}"));
            for way in advice.split(", or ") {
                let mut words = way.split(' ').skip(2);
                let (hertz, rest) = (words.next().unwrap(), words.collect::<Vec<_>>());
                let order = if rest.is_empty() { "" } else { ",order=2" };
                let (before, _) = spelling.rsplit_once('=').unwrap();
                let taken = format!("{before}={hertz}{order}");
                assert!(of(&taken, 200.0).is_ok_and(|filter| filter.is_some()), "{taken}: {error}");
            }
        }
    }
}
