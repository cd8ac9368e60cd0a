//! Folders of images. If the images are in subfolders, each subfolder is a class; classes are numbered by name.

use std::fs;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader};
use rayon::prelude::*;

use super::dataset::Dataset;
use super::error::{DataError, content};
use super::image_shape::ImageShape;
use super::memory::MemoryLimit;
use super::samples::{Layout, Samples};
use super::table::sample_name;
use super::values::{Sink, Values};

/// Number of images that are decoded at once.
const BLOCK: usize = 256;

/// The endings of the names of images.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];

/// Reads the images of a folder, or of its subfolders, in the order of their names. All must have the same size.
pub(super) fn read(folder: &Path, memory: MemoryLimit) -> Result<Dataset, DataError> {
    let (files, folders): (Vec<PathBuf>, Vec<PathBuf>) = entries(folder)?.into_iter().partition(|path| !path.is_dir());
    let own = images(files);
    let labels: Vec<(u32, PathBuf)> = if own.is_empty() {
        let mut labelled = vec![];
        for (label, folder) in (0..).zip(&folders) {
            labelled.extend(images(entries(folder)?).into_iter().map(|path| (label, path)));
        }
        labelled
    } else {
        own.into_iter().map(|path| (0, path)).collect()
    };
    let is_labelled = labels.iter().any(|(_, path)| path.parent() != Some(folder));
    let look = |path: &PathBuf| open(path).map(|picture| (picture.width(), picture.height(), is_colored(&picture)));
    let looks = labels.par_iter().map(|(_, path)| look(path)).collect::<Result<Vec<_>, _>>()?;
    let Some(&(width, height, _)) = looks.first() else {
        let expected = ENDINGS.join(", ");
        return Err(content(
            folder,
            format!("there are no images in it or in its subfolders: expected files that end in {expected}"),
        ));
    };
    if let Some(other) = looks.iter().position(|&(w, h, _)| (w, h) != (width, height)) {
        let (path, (w, h, _)) = (&labels[other].1, looks[other]);
        let problem = format!(
            "its size is {w} x {h}, but {} is {width} x {height}: resize them to one size",
            labels[0].1.display()
        );
        return Err(content(path, problem));
    }
    let are_colored = looks.iter().any(|look| look.2);
    let pixels =
        |picture: DynamicImage| if are_colored { picture.to_rgb8().into_raw() } else { picture.to_luma8().into_raw() };
    let mut sink = Sink::new(memory);
    for block in labels.chunks(BLOCK) {
        let block = block.par_iter().map(|(_, path)| open(path).map(pixels)).collect::<Result<Vec<_>, _>>()?;
        sink.push(&block.into_iter().flatten().map(f32::from).collect::<Vec<f32>>())?;
    }
    let shape =
        ImageShape { channels: if are_colored { 3 } else { 1 }, height: height as usize, width: width as usize };
    let values = Values::new(sink.finish()?, shape.n_values());
    let samples = Samples::from_values(sample_name(folder), values)?.with_layout(Layout::Images(shape)).with_count(1.0);
    Ok(Dataset { samples, labels: is_labelled.then(|| labels.iter().map(|(label, _)| *label).collect()), groups: None })
}

/// Whether any pixel has a colour: many programs write grey images with three channels.
fn is_colored(picture: &DynamicImage) -> bool {
    picture.color().has_color() && picture.to_rgb8().pixels().any(|p| p.0[0] != p.0[1] || p.0[1] != p.0[2])
}

/// The entries of a folder by name, without hidden ones.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = DataError::io(folder);
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>())
        .map_err(io)?;
    paths.retain(|path| path.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')));
    paths.sort();
    Ok(paths)
}

fn images(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let ending = |path: &PathBuf| path.extension().and_then(|e| e.to_str()).map(str::to_lowercase);
    paths.retain(|path| ending(path).is_some_and(|ending| ENDINGS.contains(&ending.as_str())));
    paths
}

fn open(path: &Path) -> Result<DynamicImage, DataError> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let reader = reader.map_err(DataError::io(path))?;
    reader.decode().map_err(|error| content(path, format!("not a readable image: {error}")))
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;

    fn put(folder: &Path, name: &str, size: (u32, u32), color: [u8; 3]) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(size.0, size.1, Rgb(color)));
        let is_grey = color[0] == color[1] && color[1] == color[2];
        if is_grey { picture.to_luma8().save(path).unwrap() } else { picture.save(path).unwrap() }
    }

    #[test]
    fn folders_are_labels_and_grey_stays_grey() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "b/1.png", (3, 2), [7; 3]);
        put(folder.path(), "a/2.PNG", (3, 2), [9; 3]);
        put(folder.path(), "a/10.bmp", (3, 2), [8; 3]);
        put(folder.path(), "a/.hidden.png", (5, 5), [1; 3]);
        let found = read(folder.path(), MemoryLimit(40)).unwrap();
        assert_eq!(found.samples.image(), Some(ImageShape { channels: 1, height: 2, width: 3 }));
        let firsts: Vec<f32> = found.samples.chunks(1).map(|row| row.unwrap()[0]).collect();
        assert_eq!((firsts, found.labels), (vec![8.0, 9.0, 7.0], Some(vec![0, 0, 1])));

        put(folder.path(), "b/3.png", (3, 2), [1, 2, 3]);
        let colored = read(folder.path(), MemoryLimit(40)).unwrap().samples;
        assert_eq!(colored.image().unwrap().channels, 3);
        assert_eq!(colored.all().unwrap()[54..57], [1.0, 2.0, 3.0]);
    }

    #[test]
    fn a_flat_folder_has_no_labels_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = || read(folder.path(), MemoryLimit(40)).unwrap_err().to_string();
        assert!(error().contains("there are no images in it"));
        put(folder.path(), "x.png", (3, 2), [7; 3]);
        assert_eq!(read(folder.path(), MemoryLimit(40)).unwrap().labels, None);
        put(folder.path(), "y.png", (2, 2), [7; 3]);
        assert!(error().contains("y.png: its size is 2 x 2") && error().contains("x.png is 3 x 2"));
        fs::write(folder.path().join("y.png"), b"none").unwrap();
        assert!(error().contains("y.png: not a readable image"));
    }
}
