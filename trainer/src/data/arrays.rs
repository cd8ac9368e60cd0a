//! Samples and labels from arrays: what the shape of an NPY, NPZ or IDX array means.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::dataset::Dataset;
use super::error::{ColumnRole, DataError, content};
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::npy::Npz;
use super::samples::Samples;
use super::shape::layout;
use super::stream::Array;
use super::table::{Read, sample_name};
use super::values::Values;

/// The names of arrays of samples.
const SAMPLES: [&str; 7] = ["x", "X", "data", "images", "samples", "features", "windows"];

/// Reads an archive. The names of its arrays say what they are.
pub(super) fn read_npz(path: &Path, memory: MemoryLimit, origins: &[f64]) -> Result<Read, DataError> {
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
    let mut array = |name: &str, origins| archive.array(name, memory, origins).map_err(|problem| problem.at(path));
    let ignored: Vec<String> =
        names.iter().filter(|name| **name != x && SAMPLES.contains(&name.as_str())).cloned().collect();
    let note = (!ignored.is_empty()).then(|| DataNote::OtherArrays { used: x.clone(), ignored });
    let (samples, wanted) = samples(path, array(&x, origins)?)?;
    let samples = samples.with_notes(note);
    let n = samples.n_samples();
    let mut own =
        |role, names: &[&str]| named(names).map(|name| numbers(path, array(&name, &[])?, n, role)).transpose();
    let labels = own(ColumnRole::Labels, &["y", "labels", "label", "target", "targets"])?;
    let groups = own(ColumnRole::Groups, &["groups", "group", "users", "user", "subjects", "subject"])?;
    Ok((Dataset { samples, labels, groups }, wanted))
}

/// Samples from an array of shape `N x D`; from images, `N x height x width` or `N x height x width x channels`; or from
/// windows, `N x length x channels`.
pub(super) fn samples(path: &Path, array: Array) -> Result<(Samples, Option<Vec<f64>>), DataError> {
    let Array { shape, store, are_integers, origins, wanted } = array;
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
    let samples = samples.with_layout(layout(rest)).with_origins(&origins);
    Ok((if are_integers { samples.with_count(1.0) } else { samples }, wanted))
}

/// Labels or groups from an array of integers, one for each of `n` samples.
pub(super) fn numbers(path: &Path, array: Array, n: usize, role: ColumnRole) -> Result<Vec<u32>, DataError> {
    let (one, many, most) = match role {
        ColumnRole::Groups => ("group", "groups", 1 << 24),
        ColumnRole::Labels | ColumnRole::Times | ColumnRole::LeftOut => ("label", "labels", 1 << 16),
    };
    match array.shape[..] {
        [found] | [found, 1] if found == n => {}
        [found] | [found, 1] => {
            return Err(content(path, format!("it has {found} {many} for {n} samples: there must be one per sample")));
        }
        _ => {
            let shape = &array.shape;
            return Err(content(path, format!("the {many} have shape {shape:?}: expected one number per sample")));
        }
    }
    let mut values = vec![];
    array.store.read(0, array.store.len(), &mut values)?;
    let number = |(i, &y): (usize, &f32)| {
        let fits = y >= 0.0 && y.fract() == 0.0 && y < most as f32;
        let problem = || content(path, format!("{one} {i} is {y}: expected integers from 0 to {}", most - 1));
        if fits { Ok(y as u32) } else { Err(problem()) }
    };
    values.iter().enumerate().map(number).collect()
}
