//! Folders of images. If the images are in subfolders, each subfolder is a class; classes are numbered by name.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::dataset::Dataset;
use super::error::{DataError, content};
use super::image_shape::ImageShape;
use super::memory::MemoryLimit;
use super::note::DataNote;
use super::picture::{Look, Picture};
use super::samples::{Layout, Samples};
use super::sink::Sink;
use super::table::sample_name;
use super::values::Values;

/// How many values of images are decoded at once, unless one image has more.
const BLOCK: usize = 1 << 20;

/// The endings of the names of images.
const ENDINGS: [&str; 7] = ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "webp"];

/// Reads the images of a folder, or of its subfolders, in the order of their names. All must have the same size.
pub(super) fn read(folder: &Path, memory: MemoryLimit) -> Result<Dataset, DataError> {
    let Listing { images: labels, is_labelled, left_out, deeper } = Listing::new(folder)?;
    let looks = labels.par_iter().map(|(_, path)| Picture::open(path).map(|picture| picture.look()));
    let looks = looks.collect::<Result<Vec<Look>, _>>()?;
    let Some(&first) = looks.first() else {
        let expected = ENDINGS.join(", ");
        return Err(content(
            folder,
            format!("there are no images in it or in its subfolders: expected files that end in {expected}"),
        ));
    };
    for ((_, path), look) in labels.iter().zip(&looks) {
        check_alike(path, look, &labels[0].1, &first)?;
    }
    let are_colored = looks.iter().any(|look| look.is_colored);
    let Look { width, height, .. } = first;
    let shape = ImageShape { channels: if are_colored { 3 } else { 1 }, height, width };
    let mut sink = Sink::new(memory);
    for block in labels.chunks((BLOCK / shape.n_values()).max(1)) {
        let values = block.par_iter().map(|(_, path)| Picture::open(path).map(|picture| picture.values(are_colored)));
        for values in values.collect::<Result<Vec<_>, _>>()? {
            sink.push(&values)?;
        }
    }
    let values = Values::new(sink.finish()?, shape.n_values());
    let samples = Samples::from_values(sample_name(folder), values)?.with_layout(Layout::Images(shape)).with_count(1.0);
    let name = left_out.first().map(|path| path.display().to_string());
    let transparent = looks.iter().filter(|look| look.was_transparent).count();
    let samples = samples.with_notes(
        [
            name.map(|first| DataNote::FilesLeftOut { files: left_out.len(), first }),
            (deeper > 0).then_some(DataNote::DeeperFolders { images: deeper }),
            (transparent > 0).then_some(DataNote::Transparent { images: transparent }),
        ]
        .into_iter()
        .flatten(),
    );
    Ok(Dataset { samples, labels: is_labelled.then(|| labels.iter().map(|(label, _)| *label).collect()), groups: None })
}

/// Whether an image has the size and the depth of the first.
fn check_alike(path: &Path, look: &Look, first_path: &Path, first: &Look) -> Result<(), DataError> {
    let first_path = first_path.display();
    let bits = |look: &Look| if look.is_deep { 16 } else { 8 };
    let problem = if (look.width, look.height) != (first.width, first.height) {
        let (w, h) = (look.width, look.height);
        format!(
            "its size is {w} x {h}, but {first_path} is {} x {}: resize them to one size",
            first.width, first.height
        )
    } else if look.is_deep != first.is_deep {
        format!("its values have {} bits, those of {first_path} {}: convert them to one depth", bits(look), bits(first))
    } else {
        return Ok(());
    };
    Err(content(path, problem))
}

/// The entries of a folder by name, without hidden ones and those that systems add.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = DataError::io(folder);
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>())
        .map_err(io)?;
    paths.retain(|path| path.file_name().is_some_and(|name| !is_hidden(&name.to_string_lossy())));
    paths.sort();
    Ok(paths)
}

fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || ["Thumbs.db", "desktop.ini", "__MACOSX"].contains(&name)
}

/// What a folder holds.
struct Listing {
    /// The images, each with the number of its class.
    images: Vec<(u32, PathBuf)>,
    /// Whether the images are in subfolders, which are the classes.
    is_labelled: bool,
    /// Files that are not images.
    left_out: Vec<PathBuf>,
    /// How many images are in subfolders of subfolders.
    deeper: usize,
}

impl Listing {
    fn new(folder: &Path) -> Result<Self, DataError> {
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            entries(folder)?.into_iter().partition(|path| path.is_dir());
        let (own, left_out): (Vec<PathBuf>, Vec<PathBuf>) = files.into_iter().partition(|path| is_image(path));
        let mut listing = Self { images: vec![], is_labelled: true, left_out, deeper: 0 };
        for (class, folder) in (0..).zip(&folders) {
            if leads_back(folder) {
                listing.left_out.push(folder.clone());
            } else {
                listing.add(class, folder, 0)?;
            }
        }
        match (own.len(), listing.images.len()) {
            (0, _) => Ok(listing),
            (_, 0) => {
                let images = own.into_iter().map(|path| (0, path)).collect();
                Ok(Self { images, is_labelled: false, ..listing })
            }
            (own, classes) => Err(content(
                folder,
                format!(
                    "there are images in it ({own}) and in its subfolders ({classes}): move all of them into subfolders, \
                     which are the classes, or none"
                ),
            )),
        }
    }

    /// Adds what is in a folder and in all folders below it to a class.
    fn add(&mut self, class: u32, folder: &Path, depth: usize) -> Result<(), DataError> {
        for path in entries(folder)? {
            if path.is_dir() && leads_back(&path) {
                self.left_out.push(path);
            } else if path.is_dir() {
                self.add(class, &path, depth + 1)?;
            } else if is_image(&path) {
                self.images.push((class, path));
                self.deeper += usize::from(depth > 0);
            } else {
                self.left_out.push(path);
            }
        }
        Ok(())
    }
}

/// Whether a folder is a link to one that it is in.
fn leads_back(folder: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    folder.is_symlink()
        && real(folder)
            .is_some_and(|target| folder.parent().and_then(real).is_some_and(|parent| parent.starts_with(target)))
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, Rgb, RgbImage};

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
    fn no_image_is_passed_over_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        let size = (3, 2);
        put(folder.path(), "a/1.png", size, [1; 3]);
        put(folder.path(), "a/2.tiff", size, [2; 3]);
        put(folder.path(), "b/day/3.webp", size, [3, 3, 4]);
        fs::write(folder.path().join("b/film.gif"), b"GIF").unwrap();
        fs::write(folder.path().join("b/Thumbs.db"), b"none").unwrap();
        let found = read(folder.path(), MemoryLimit(400)).unwrap();
        assert_eq!((found.samples.n_samples(), found.labels), (3, Some(vec![0, 0, 1])));
        let [DataNote::FilesLeftOut { files: 1, first }, DataNote::DeeperFolders { images: 1 }] = found.samples.notes()
        else {
            panic!("{:?}", found.samples.notes())
        };
        assert!(first.ends_with("film.gif"));
        // Beside class folders, an image has no class.
        put(folder.path(), "overview.png", size, [1; 3]);
        let error = read(folder.path(), MemoryLimit(400)).unwrap_err().to_string();
        assert!(error.contains("images in it (1) and in its subfolders (3)"), "{error}");
    }

    #[test]
    fn images_are_upright_and_of_one_depth() {
        let folder = tempfile::tempdir().unwrap();
        // A JPEG of 3 x 2 that its camera held on its side: orientation 6 of EXIF.
        let mut jpeg = vec![];
        let picture = DynamicImage::ImageLuma8(image::GrayImage::from_fn(3, 2, |x, _| image::Luma([100 * x as u8])));
        picture.write_to(&mut std::io::Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).unwrap();
        let tags = [&b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"[..]].concat();
        let length = (tags.len() as u16 + 2).to_be_bytes();
        let turned = [&jpeg[..2], &[0xff, 0xe1], &length, &tags, &jpeg[2..]].concat();
        fs::write(folder.path().join("a.jpg"), turned).unwrap();
        put(folder.path(), "b.png", (2, 3), [9; 3]);
        let found = read(folder.path(), MemoryLimit(400)).unwrap().samples;
        assert_eq!(found.image(), Some(ImageShape { channels: 1, height: 3, width: 2 }));
        let values = found.chunk(0..1).unwrap().into_owned();
        assert!(values[0] < 50.0 && (values[2] - 100.0).abs() < 50.0 && values[4] > 150.0, "{values:?}");

        let deep = image::ImageBuffer::from_pixel(2, 3, image::Luma([30_000u16]));
        DynamicImage::ImageLuma16(deep).save(folder.path().join("c.png")).unwrap();
        let error = read(folder.path(), MemoryLimit(400)).unwrap_err().to_string();
        assert!(error.contains("c.png: its values have 16 bits, those of"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_back_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "a/1.png", (3, 2), [1; 3]);
        put(folder.path(), "b/c/2.png", (3, 2), [2; 3]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("d")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("b"), folder.path().join("b/c/e")).unwrap();
        let found = read(folder.path(), MemoryLimit(400)).unwrap().samples;
        assert_eq!(found.n_samples(), 2);
        assert!(matches!(found.notes()[0], DataNote::FilesLeftOut { files: 2, .. }));
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
