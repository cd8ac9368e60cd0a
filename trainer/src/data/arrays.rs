//! Samples and labels from arrays: what the shape of an NPY, NPZ or IDX array means.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::dataset::Dataset;
use super::error::{DataError, content};
use super::image_shape::ImageShape;
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::npy::Npz;
use super::samples::{Layout, Samples};
use super::stream::Array;
use super::table::sample_name;
use super::values::Values;

/// The names of arrays of samples.
const SAMPLES: [&str; 7] = ["x", "X", "data", "images", "samples", "features", "windows"];

/// Reads an archive. The names of its arrays say what they are.
pub(super) fn read_npz(path: &Path, memory: MemoryLimit) -> Result<Dataset, DataError> {
    let file = BufReader::new(File::open(path).map_err(DataError::io(path))?);
    let mut archive = Npz::new(file).map_err(|problem| content(path, problem))?;
    let names = archive.names();
    let named = |wanted: &[&str]| names.iter().find(|name| wanted.contains(&name.as_str())).cloned();
    let x = named(&SAMPLES);
    let x = x.or_else(|| (names.len() == 1).then(|| names[0].clone()));
    let x = x.ok_or_else(|| {
        let listed = names.join(", ");
        content(path, format!(
                "none of its arrays has a name for samples (x, X, data, images, samples, features, windows): it has {listed}; \
                 rename the array of the samples"
            ))
    })?;
    let mut array = |name: &str| archive.array(name, memory).map_err(|problem| problem.at(path));
    let ignored: Vec<String> =
        names.iter().filter(|name| **name != x && SAMPLES.contains(&name.as_str())).cloned().collect();
    let note = (!ignored.is_empty()).then(|| DataNote::OtherArrays { used: x.clone(), ignored });
    let samples = samples(path, array(&x)?)?.with_notes(note);
    let mut own = |names: &[&str]| named(names).map(|name| labels(path, array(&name)?)).transpose();
    let labels = own(&["y", "labels", "label", "target", "targets"])?;
    let groups = own(&["groups", "group", "users", "user", "subjects", "subject"])?;
    Ok(Dataset { samples, labels, groups })
}

/// Samples from an array of shape `N x D`; from images, `N x height x width` or `N x height x width x channels`; or from
/// windows, `N x length x channels`.
pub(super) fn samples(path: &Path, array: Array) -> Result<Samples, DataError> {
    let Array { shape, store, are_integers } = array;
    let [n, ref rest @ ..] = shape[..] else {
        return Err(content(path, "it holds a single number: expected samples by features"));
    };
    if rest.is_empty() || rest.len() > 3 {
        return Err(content(
            path,
            format!("its shape is {shape:?}: expected samples by features, or by height by width"),
        ));
    }
    let n_features: usize = rest.iter().product();
    if n == 0 || n_features == 0 {
        return Err(content(path, format!("it is empty: its shape is {shape:?}")));
    }
    let samples = Samples::from_values(sample_name(path), Values::new(store, n_features))?;
    let samples = if are_integers { samples.with_count(1.0) } else { samples };
    Ok(match *rest {
        // Square arrays are images.
        [height, width] if height == width => {
            samples.with_layout(Layout::Images(ImageShape { channels: 1, height, width }))
        }
        // No image is so much higher than wide: these are windows of a recording.
        [length, channels] if length >= 4 * channels => samples.with_layout(Layout::Windows { channels }),
        [height, width, channels @ (1 | 3 | 4)] => {
            samples.with_layout(Layout::Images(ImageShape { channels, height, width }))
        }
        _ => samples,
    })
}

/// Labels from an array of integers from 0 to 65535.
pub(super) fn labels(path: &Path, array: Array) -> Result<Vec<u32>, DataError> {
    if array.shape.len() != 1 {
        return Err(content(path, format!("the labels have shape {:?}: expected one number per sample", array.shape)));
    }
    let mut values = vec![];
    array.store.read(0, array.store.len(), &mut values)?;
    let label = |(i, &y): (usize, &f32)| {
        let fits = y >= 0.0 && y.fract() == 0.0 && y < 65536.0;
        if fits {
            Ok(y as u32)
        } else {
            Err(content(path, format!("label {i} is {y}: expected integers from 0 to 65535")))
        }
    };
    values.iter().enumerate().map(label).collect()
}
