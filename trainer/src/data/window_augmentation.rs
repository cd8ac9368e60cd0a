//! Random changes of the windows of a recording, before a front end computes their features.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use crate::base::random::normal;

/// How windows of a recording are changed, each by its own random draw. Zero turns a change off, and all are off unless
/// asked for: which of them leave the kind of a window what it is depends on what the sensor senses.
///
/// ```
/// use edgemix::data::WindowAugmentation;
///
/// // An accelerometer that may be mounted askew by up to 20 degrees.
/// let augmentation: WindowAugmentation = toml::from_str("rotation = 20.0\naxes = [[0, 1, 2]]")?;
/// assert!(augmentation.changes_anything());
/// assert!(!WindowAugmentation::default().changes_anything());
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct WindowAugmentation {
    /// Shift in time, as a share of the window's length, either way. The instants that leave a window at one end enter it at the
    /// other.
    pub shift: f64,
    /// Deviations from each channel's mean in the window are multiplied by a factor from `1 / (1 + amplitude)` to
    /// `1 + amplitude`, the same in all channels. Its logarithm is uniform.
    pub amplitude: f64,
    /// Standard deviation of normal noise, as a share of the channel's standard deviation in all windows.
    pub noise: f64,
    /// Rotation of the sensor about a random axis, in degrees, either way.
    pub rotation: f64,
    /// The channels, from 0, of the three axes of each sensor that is rotated. All sensors are rotated alike, as on one board.
    pub axes: Vec<[usize; 3]>,
}

impl WindowAugmentation {
    /// Whether any change is on.
    pub fn changes_anything(&self) -> bool {
        [self.shift, self.amplitude, self.noise, self.rotation].iter().any(|&bound| bound > 0.0)
    }

    /// The setting that is impossible for windows of this many channels, and what it must be.
    pub(crate) fn problem(&self, channels: usize) -> Option<(&'static str, String)> {
        let within = |bound: f64, most: f64| (0.0..=most).contains(&bound);
        if !within(self.shift, 0.5) {
            return Some((
                "window-augmentation.shift",
                "must be a share from 0 to 0.5 of the window; 0.2 is usual".into(),
            ));
        }
        if !within(self.amplitude, 10.0) {
            return Some(("window-augmentation.amplitude", "must be from 0 to 10; 0.1 is usual".into()));
        }
        if !within(self.noise, 10.0) {
            return Some(("window-augmentation.noise", "must be from 0 to 10; 0.05 is usual".into()));
        }
        if !within(self.rotation, 180.0) {
            return Some(("window-augmentation.rotation", "must be from 0 to 180 degrees; 10 is usual".into()));
        }
        if self.rotation > 0.0 && self.axes.is_empty() {
            let problem = "must name the channels that are rotated together, such as [[0, 1, 2]]";
            return Some(("window-augmentation.axes", problem.into()));
        }
        let named = self.axes.as_flattened();
        let is_wrong = |(at, channel): (usize, &usize)| *channel >= channels || named[..at].contains(channel);
        named.iter().enumerate().find(|&(at, channel)| is_wrong((at, channel))).map(|(_, channel)| {
            let problem =
                format!("names channel {channel}: it must name different channels from 0 to {}", channels - 1);
            ("window-augmentation.axes", problem)
        })
    }

    /// Changes a window, instant by instant with the channels of an instant together. `deviations` has the standard deviation of
    /// each channel in all windows.
    ///
    /// ```
    /// use edgemix::data::WindowAugmentation;
    /// use edgemix::random::stream;
    ///
    /// let shift = WindowAugmentation { shift: 0.5, ..WindowAugmentation::default() };
    /// let mut window = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    /// shift.apply(&mut window, &[1.0], &mut stream(0, "example", 0));
    /// let first = window.iter().position(|&value| value == 1.0).unwrap();
    /// window.rotate_left(first);
    /// assert_eq!(window, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
    /// ```
    pub fn apply(&self, window: &mut [f32], deviations: &[f32], rng: &mut impl Rng) {
        let channels = deviations.len().max(1);
        if self.shift > 0.0 {
            let instants = window.len() / channels;
            let most = (self.shift * instants as f64) as usize;
            let by = rng.random_range(0..=2 * most);
            window.rotate_right((by + instants - most) % instants.max(1) * channels);
        }
        if self.rotation > 0.0 {
            let matrix = rotation(self.rotation.to_radians(), rng);
            for instant in window.chunks_exact_mut(channels) {
                self.axes.iter().for_each(|&axes| turn(instant, axes, &matrix));
            }
        }
        if self.amplitude > 0.0 {
            let bound = (1.0 + self.amplitude).ln();
            let factor = (uniform(bound, rng)).exp();
            (0..channels).for_each(|channel| scale_about_mean(window, channel, channels, factor));
        }
        if self.noise > 0.0 {
            let noise = normal(window.len(), rng);
            for ((value, noise), deviation) in window.iter_mut().zip(noise).zip(deviations.iter().cycle()) {
                *value += self.noise as f32 * deviation * noise;
            }
        }
    }
}

fn uniform(bound: f64, rng: &mut impl Rng) -> f64 {
    (2.0 * rng.random::<f64>() - 1.0) * bound
}

fn scale_about_mean(window: &mut [f32], channel: usize, channels: usize, factor: f64) {
    let values = || window.iter().skip(channel).step_by(channels).map(|&value| f64::from(value));
    let mean = values().sum::<f64>() / values().count().max(1) as f64;
    let changed = |value: f32| (mean + factor * (f64::from(value) - mean)) as f32;
    window.iter_mut().skip(channel).step_by(channels).for_each(|value| *value = changed(*value));
}

/// A rotation by up to `bound` radians either way about an axis that is uniform on the sphere (Rodrigues' formula).
fn rotation(bound: f64, rng: &mut impl Rng) -> [[f64; 3]; 3] {
    let (height, around) = (uniform(1.0, rng), uniform(TAU / 2.0, rng));
    let radius = (1.0 - height * height).sqrt();
    let [x, y, z] = [radius * around.cos(), radius * around.sin(), height];
    let (sin, cos) = uniform(bound, rng).sin_cos();
    let rest = 1.0 - cos;
    [
        [cos + x * x * rest, x * y * rest - z * sin, x * z * rest + y * sin],
        [y * x * rest + z * sin, cos + y * y * rest, y * z * rest - x * sin],
        [z * x * rest - y * sin, z * y * rest + x * sin, cos + z * z * rest],
    ]
}

/// Rotates three channels of an instant.
fn turn(instant: &mut [f32], axes: [usize; 3], matrix: &[[f64; 3]; 3]) {
    let before = axes.map(|axis| f64::from(instant[axis]));
    for (axis, row) in axes.into_iter().zip(matrix) {
        instant[axis] = row.iter().zip(before).map(|(weight, value)| weight * value).sum::<f64>() as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::stream;

    const CHANNELS: usize = 4;

    /// 64 instants of three axes under gravity, and of another channel.
    fn window() -> Vec<f32> {
        let instant = |t: usize| {
            let phase = t as f32 / 5.0;
            [phase.sin(), 9.81 + 0.5 * phase.cos(), 0.3 * (2.0 * phase).sin(), 100.0 + phase]
        };
        (0..64).flat_map(instant).collect()
    }

    fn changed(augmentation: &WindowAugmentation, index: u64) -> Vec<f32> {
        let mut window = window();
        augmentation.apply(&mut window, &[1.0, 2.0, 3.0, 4.0], &mut stream(3, "windows", index));
        window
    }

    fn channel(window: &[f32], channel: usize) -> Vec<f64> {
        window.iter().skip(channel).step_by(CHANNELS).map(|&value| f64::from(value)).collect()
    }

    fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    }

    #[test]
    fn a_shift_moves_all_channels_of_a_window_together_and_keeps_their_values() {
        let shift = WindowAugmentation { shift: 0.25, ..WindowAugmentation::default() };
        let places = |index| {
            let moved = changed(&shift, index);
            let place = |instant: &[f32]| window().chunks(CHANNELS).position(|own| own == instant).unwrap();
            moved.chunks(CHANNELS).map(place).collect::<Vec<usize>>()
        };
        let shifts: Vec<usize> = (0..200).map(|index| places(index)[0]).collect();
        for index in 0..20 {
            let places = places(index);
            assert!(places.windows(2).all(|pair| pair[1] == (pair[0] + 1) % 64), "{places:?}");
        }
        // A quarter of 64 instants, either way.
        assert!(shifts.iter().all(|&by| by <= 16 || by >= 48), "{shifts:?}");
        assert!([0, 16, 48].iter().all(|by| shifts.iter().any(|shift| shift.abs_diff(*by) <= 2)));
    }

    #[test]
    fn a_rotation_keeps_the_magnitude_and_the_other_channels() {
        let turned = WindowAugmentation { rotation: 30.0, axes: vec![[2, 0, 1]], ..WindowAugmentation::default() };
        let magnitude = |instant: &[f32]| instant[..3].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let mut greatest: f64 = 0.0;
        for index in 0..100 {
            let (before, after) = (window(), changed(&turned, index));
            for (old, new) in before.chunks(CHANNELS).zip(after.chunks(CHANNELS)) {
                assert!((magnitude(old) - magnitude(new)).abs() < 1e-4);
                assert_eq!(old[3], new[3]);
                let along: f64 = old[..3].iter().zip(new).map(|(a, b)| f64::from(a * b)).sum();
                greatest = greatest.max((along / magnitude(old) / magnitude(new)).clamp(-1.0, 1.0).acos());
            }
        }
        let degrees = greatest.to_degrees();
        assert!((20.0..=30.1).contains(&degrees), "{degrees}");
    }

    #[test]
    fn an_amplitude_changes_deviations_and_not_means_and_all_channels_alike() {
        let stronger = WindowAugmentation { amplitude: 0.5, ..WindowAugmentation::default() };
        let mut factors = vec![];
        for index in 0..200 {
            let after = changed(&stronger, index);
            let of = |window: &[f32], c| mean_and_deviation(&channel(window, c));
            let ratio = |c| of(&after, c).1 / of(&window(), c).1;
            assert!((0..CHANNELS).all(|c| (of(&after, c).0 - of(&window(), c).0).abs() < 1e-4));
            assert!((1..CHANNELS).all(|c| (ratio(c) - ratio(0)).abs() < 1e-3));
            factors.push(ratio(0));
        }
        assert!(factors.iter().all(|factor| (1.0 / 1.501..=1.501).contains(factor)));
        assert!(factors.iter().any(|&factor| factor < 0.75) && factors.iter().any(|&factor| factor > 1.35));
    }

    #[test]
    fn noise_is_a_share_of_each_channels_deviation() {
        let noisy = WindowAugmentation { noise: 0.1, ..WindowAugmentation::default() };
        for c in 0..CHANNELS {
            let added = (0..50).flat_map(|index| {
                let (before, after) = (channel(&window(), c), channel(&changed(&noisy, index), c));
                after.into_iter().zip(before).map(|(after, before)| after - before).collect::<Vec<f64>>()
            });
            let (mean, deviation) = mean_and_deviation(&added.collect::<Vec<f64>>());
            let expected = 0.1 * (c + 1) as f64;
            assert!(mean.abs() < 0.1 * expected && (deviation / expected - 1.0).abs() < 0.05, "{c} {mean} {deviation}");
        }
    }

    #[test]
    fn impossible_settings_are_named() {
        let named = |augmentation: WindowAugmentation| augmentation.problem(CHANNELS).map(|(setting, _)| setting);
        let default = WindowAugmentation::default;
        assert_eq!(named(default()), None);
        assert_eq!(named(WindowAugmentation { rotation: 9.0, axes: vec![[1, 2, 3]], ..default() }), None);
        assert_eq!(named(WindowAugmentation { shift: 0.6, ..default() }), Some("window-augmentation.shift"));
        assert_eq!(named(WindowAugmentation { noise: f64::NAN, ..default() }), Some("window-augmentation.noise"));
        assert_eq!(named(WindowAugmentation { amplitude: -1.0, ..default() }), Some("window-augmentation.amplitude"));
        assert_eq!(named(WindowAugmentation { rotation: 181.0, ..default() }), Some("window-augmentation.rotation"));
        for axes in [vec![], vec![[1, 2, 4]], vec![[0, 1, 1]], vec![[0, 1, 2], [2, 3, 0]]] {
            assert_eq!(
                named(WindowAugmentation { rotation: 9.0, axes, ..default() }),
                Some("window-augmentation.axes")
            );
        }
    }
}
