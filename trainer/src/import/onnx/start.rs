//! How the input of a graph is laid out in the values of a sample.

use edgemix_format::view::MAX_INPUTS;

use super::problem::OnnxProblem;
use super::proto::{SizeValue, ValueInfo, kinds};
use crate::data::{ImageShape, Samples};

/// A way to read samples as the input of a graph.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Start {
    /// The sizes of the input without the first axis, along which samples lie.
    pub(super) sizes: Vec<usize>,
    /// Where each value of the input, row-major, lies in a sample.
    pub(super) order: Vec<u32>,
    /// The image that a sample forms, channels side by side.
    pub(super) image: Option<ImageShape>,
}

/// All ways in which samples have the sizes of the input: axes of channels may come first or last. Open sizes are those of
/// the samples.
pub(super) fn starts(input: &ValueInfo, samples: &Samples) -> Result<Vec<Start>, OnnxProblem> {
    let sizes = stated_sizes(input).ok_or_else(|| OnnxProblem::InputType(input.name.clone()))?;
    let fits = |start: &Start| {
        start.sizes.len() == sizes.len()
            && start.sizes.iter().zip(&sizes).all(|(own, stated)| stated.is_none_or(|stated| stated == *own as i64))
    };
    let mut possible = ways(samples);
    possible.extend(as_stated(&sizes, samples));
    possible.retain(fits);
    if possible.is_empty() {
        let size = |size: &Option<i64>| size.map_or_else(|| "?".into(), |size| size.to_string());
        let found: Vec<String> = std::iter::once("samples".into()).chain(sizes.iter().map(size)).collect();
        return Err(OnnxProblem::InputSizes {
            name: input.name.clone(),
            found: found.join(" x "),
            samples: described(samples),
        });
    }
    Ok(possible)
}

/// How many features an input of a table's rows has.
pub(super) fn features(input: &ValueInfo) -> Result<usize, OnnxProblem> {
    let features = match stated_sizes(input).as_deref() {
        Some(&[Some(n)]) => usize::try_from(n).ok().filter(|n| (1..=MAX_INPUTS).contains(n)),
        _ => None,
    };
    features.ok_or_else(|| OnnxProblem::InputType(input.name.clone()))
}

/// The sizes without the first; `None` for one that is open. Nothing if the input has no type that is read.
fn stated_sizes(input: &ValueInfo) -> Option<Vec<Option<i64>>> {
    let tensor = input.kind.as_ref()?.tensor.as_ref()?;
    if !matches!(tensor.kind, kinds::FLOAT | kinds::DOUBLE | kinds::FLOAT16 | kinds::BFLOAT16) {
        return None;
    }
    let number = |value: &Option<SizeValue>| match value {
        Some(SizeValue::Number(number)) => Some(*number),
        Some(SizeValue::Name(_)) | None => None,
    };
    let sizes = &tensor.shape.as_ref()?.sizes;
    Some(sizes.get(1..)?.iter().map(|size| number(&size.value)).collect())
}

/// The forms that such samples have by themselves.
fn ways(samples: &Samples) -> Vec<Start> {
    let n = samples.n_features();
    let flat = Start { sizes: vec![n], order: (0..n as u32).collect(), image: None };
    let Some(image) = samples.image().or_else(|| samples.instants()) else { return vec![flat] };
    let ImageShape { channels, height, width } = image;
    let channels_first = ordered([channels, height, width], |[c, y, x]| (y * width + x) * channels + c);
    let in_place = |sizes: Vec<usize>| (sizes, (0..n as u32).collect());
    let mut ways = vec![];
    if samples.instants().is_some() {
        ways.push((vec![channels, width], channels_first.clone()));
        ways.push(in_place(vec![width, channels]));
        ways.push((vec![channels, 1, width], channels_first));
        ways.push(in_place(vec![1, width, channels]));
        ways.push(in_place(vec![n]));
    } else {
        ways.push((vec![channels, height, width], channels_first));
        ways.push(in_place(vec![height, width, channels]));
        if channels == 1 {
            ways.push(in_place(vec![height, width]));
            ways.push(in_place(vec![n]));
        }
    }
    ways.into_iter().map(|(sizes, order)| Start { sizes, order, image: Some(image) }).collect()
}

/// Values of a table in the order of the input, if that has as many.
fn as_stated(sizes: &[Option<i64>], samples: &Samples) -> Option<Start> {
    let n = samples.n_features();
    if samples.image().or_else(|| samples.instants()).is_some() || sizes.len() < 2 {
        return None;
    }
    let sizes: Vec<usize> = sizes.iter().map(|&size| usize::try_from(size?).ok()).collect::<Option<_>>()?;
    let product = sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size))?;
    (product == n).then(|| Start { sizes, order: (0..n as u32).collect(), image: None })
}

/// Where each element lies, row-major.
fn ordered(sizes: [usize; 3], place: impl Fn([usize; 3]) -> usize) -> Vec<u32> {
    let [a, b, c] = sizes;
    (0..a * b * c).map(|i| place([i / (b * c), i / c % b, i % c]) as u32).collect()
}

fn described(samples: &Samples) -> String {
    let (name, n) = (samples.name(), samples.n_features());
    if let Some(ImageShape { channels, height, width }) = samples.image() {
        return format!("{name} has images of {height} x {width} pixels and {channels} channels");
    }
    match samples.instants() {
        Some(ImageShape { channels, width, .. }) => {
            format!("{name} has windows of {width} instants and {channels} channels")
        }
        None => format!("{name} has {n} features"),
    }
}
