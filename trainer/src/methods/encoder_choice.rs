//! Which encoder samples get if the settings name none.

use std::fmt;

use super::config::FitConfig;
use crate::base::arrays::from_rows;
use crate::data::{DataError, Layout, Samples, Scaling};
use crate::mixture::principal::dimension;
use crate::nn::Architecture;

/// The share of the variance that the samples' own dimensions hold.
const HELD: f64 = 0.95;
/// The most samples that the dimension is estimated from.
const SAMPLES: usize = 2000;

/// The encoder of samples, and why it is not the method's usual one.
///
/// ```
/// use edgemix::data::Samples;
/// use edgemix::methods::FitConfig;
/// use edgemix::random::{normal, stream};
///
/// let noise = |columns: usize| {
///     Samples::new("noise", normal(100 * columns, &mut stream(0, "example", 0)), columns)
/// };
/// let config = FitConfig::default();
/// // Three columns are clustered as they are.
/// let choice = config.encoder_for(&noise(3))?;
/// assert_eq!(choice.encoder.to_string(), "none");
/// assert!(choice.to_string().starts_with("no encoder is trained"));
/// // Forty independent columns need an encoder.
/// assert_eq!(config.encoder_for(&noise(40))?.encoder.to_string(), "256-128-10");
/// # Ok::<(), edgemix::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderChoice {
    /// The encoder.
    pub encoder: Architecture,
    /// The number of principal axes that hold 95 % of the variance, if they are fewer than the latent of the usual encoder
    /// has dimensions, so that they decided; otherwise the settings or the method did.
    pub dimension: Option<usize>,
}

impl fmt::Display for EncoderChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { encoder, dimension } = self;
        match dimension {
            Some(dimension) if encoder.is_none() => write!(
                f,
                "no encoder is trained: {dimension} of the principal axes hold 95 % of the variance, so the features are clustered \
                 as they are (--encoder 256-128-{dimension} trains one)"
            ),
            Some(dimension) => write!(
                f,
                "the encoder is {encoder}: {dimension} of the principal axes hold 95 % of the variance, and a wider latent would \
                 add nothing"
            ),
            None if encoder.is_none() => f.write_str("no encoder is trained"),
            None => write!(f, "the encoder is {encoder}"),
        }
    }
}

impl FitConfig {
    /// The encoder of these samples: that of the settings, or else the method's, whose latent is made no wider than the
    /// samples' own dimension. Methods that can do without an encoder have none for tables whose dimension is no greater
    /// than the width of the latent: a linear map already keeps everything.
    ///
    /// # Errors
    /// [`DataError`] if the samples are in a file that can't be read.
    pub fn encoder_for(&self, samples: &Samples) -> Result<EncoderChoice, DataError> {
        if !self.encoder.is_default() {
            return Ok(EncoderChoice { encoder: self.encoder.clone(), dimension: None });
        }
        let usual = self.method.architecture(samples);
        // The encoder of a front end's features is linear already, and as wide as their number of windows allows.
        if usual.is_none() || samples.layout() == Layout::Features {
            return Ok(EncoderChoice { encoder: usual, dimension: None });
        }
        let width = usual.latent_width().unwrap_or(usize::MAX);
        let is_linear = self.method.works_without_encoder() && samples.layout() == Layout::Table;
        let most = if is_linear { width } else { width.saturating_sub(1) };
        let dimension = own_dimension(samples, most)?;
        let encoder = match dimension {
            Some(_) if is_linear => Architecture::none(),
            Some(dimension) => usual.with_latent_within(dimension),
            None => usual,
        };
        Ok(EncoderChoice { encoder, dimension })
    }
}

/// The number of principal axes that hold [`HELD`] of the variance of scaled samples, if they are at most `most`.
fn own_dimension(samples: &Samples, most: usize) -> Result<Option<usize>, DataError> {
    if samples.are_all_equal() || samples.n_features() == 0 {
        return Ok(None);
    }
    let some = samples.thinned(SAMPLES);
    let scaled = Scaling::fit(samples)?.apply(&some.all()?);
    let values = scaled.into_iter().map(f64::from).collect();
    let z = from_rows(values, samples.n_features());
    Ok(dimension(z.view(), HELD, most.min(samples.n_features())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;
    use crate::methods::MethodConfig;
    use crate::random::{normal, stream};

    fn chosen(method: &str, samples: &Samples) -> String {
        let method = MethodConfig::named(method).unwrap();
        FitConfig { method, ..FitConfig::default() }.encoder_for(samples).unwrap().encoder.to_string()
    }

    /// `n` samples of `columns` columns that are sums of `of` numbers.
    fn sums(columns: usize, of: usize) -> Samples {
        let noise = normal(200 * of, &mut stream(0, "sums", 0));
        let weights = normal(columns * of, &mut stream(0, "sums", 1));
        let value = |i: usize, d: usize| (0..of).map(|k| noise[i * of + k] * weights[d * of + k]).sum::<f32>();
        let values = (0..200).flat_map(|i| (0..columns).map(move |d| (i, d))).map(|(i, d)| value(i, d));
        Samples::new("sums", values.collect(), columns)
    }

    #[test]
    fn the_latent_is_no_wider_than_the_samples() {
        for method in MethodConfig::NAMES {
            let expected = match *method {
                "grow" | "ae-kmeans" | "ae-gmm" | "dpm" | "kmeans" | "gmm" => "none",
                "k-dvae" | "k-dae" => "100-50-2",
                _ => "256-128-2",
            };
            assert_eq!(chosen(method, &sums(2, 2)), expected, "{method}");
        }
        // Many columns of few numbers.
        assert_eq!(chosen("grow", &sums(60, 3)), "none");
        assert_eq!(chosen("dec", &sums(60, 3)), "256-128-3");
        assert_eq!(chosen("grow", &sums(60, 40)), "256-128-10");
    }

    #[test]
    fn images_have_an_encoder_and_the_digits_the_usual_one() {
        let digits = data::digits().samples;
        assert_eq!(chosen("grow", &digits), "256-128-10");
        let two = sums(64, 2).with_layout(digits.layout());
        assert_eq!(chosen("grow", &two), "256-128-2");
    }

    #[test]
    fn settings_decide_before_the_samples_do() {
        let settings = |encoder: &str| FitConfig { encoder: encoder.parse().unwrap(), ..FitConfig::default() };
        assert_eq!(settings("32-5").encoder_for(&sums(2, 2)).unwrap().encoder.to_string(), "32-5");
        assert!(settings("none").encoder_for(&sums(60, 40)).unwrap().encoder.is_none());
    }
}
