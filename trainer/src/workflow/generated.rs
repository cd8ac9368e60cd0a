//! Samples drawn from the clusters of a run, as files.

use std::io::{self, Cursor};
use std::path::Path;

use image::{DynamicImage, GenericImage, ImageFormat};
use ndarray::{Array1, ArrayView};
use ndarray_npy::NpzWriter;

use super::error::WorkflowError;
use super::models::RunModels;
use crate::data::pixels;
use crate::random::stream;
use crate::run::{RunDir, RunError, write_whole};
use crate::trained::{Drawn, Picture};

/// How many numbers are drawn at most: a gigabyte of them.
const MOST_VALUES: usize = 1 << 28;
/// How many samples of a cluster the sheet shows at most.
const COLUMNS: usize = 32;
/// The least height and width of a sample on the sheet, in pixels. Smaller ones are enlarged by a whole number.
const TILE: usize = 32;
/// The pixels between samples on the sheet.
const GAP: usize = 2;

/// Samples drawn from the clusters of a run.
///
/// ```
/// # use edgemix::data::{self, Source};
/// # use edgemix::methods::{FitConfig, MethodConfig};
/// # use edgemix::workflow::{ExistingRun, FitOptions, Plan, fit, start};
/// use edgemix::workflow::Generated;
///
/// # let folder = tempfile::tempdir()?;
/// # let (source, dataset) = (Source::new("digits"), data::digits());
/// # let epochs = edgemix::training::PhaseSettings::with_epochs(1);
/// # let method = MethodConfig::named("vade").unwrap();
/// # let config = FitConfig { encoder: "16-4".parse()?, reconstruction: epochs, clustering: epochs, method, ..FitConfig::default() };
/// # let plan = Plan::new(&source, &dataset, config)?;
/// # let run = start(folder.path(), &plan, ExistingRun::Refuse)?;
/// # fit(&run, &plan, &FitOptions { allow_disagreement: true, ..FitOptions::default() }, &mut ())?;
/// // A run of VaDE with ten clusters of images of 8 x 8 pixels.
/// let generated = Generated::draw(&run, 3, 0)?;
/// assert_eq!((generated.drawn().clusters.len(), generated.drawn().values.len()), (30, 30 * 64));
/// generated.write(&folder.path().join("drawn.npz"), &folder.path().join("drawn.png"))?;
/// assert!(folder.path().join("drawn.png").exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Generated {
    drawn: Drawn,
    picture: Option<Picture>,
}

impl Generated {
    /// Draws so many samples of each cluster of a run's model file. The same seed draws the same samples.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] if a file of the run can't be read, [`WorkflowError::Mismatch`] if the two models of the run differ
    /// in their sizes, [`WorkflowError::TooManyDrawn`] if the samples would take more than a gigabyte, and
    /// [`WorkflowError::Draw`] if the run's method has no variational decoder.
    pub fn draw(run: &RunDir, per_cluster: usize, seed: u64) -> Result<Self, WorkflowError> {
        let trained = RunModels::read(run)?.trained;
        let width = trained.head.n_clusters() * trained.n_inputs();
        let most = MOST_VALUES / width.max(1);
        if per_cluster > most {
            return Err(WorkflowError::TooManyDrawn { asked: per_cluster, most });
        }
        let drawn = trained.draw(per_cluster, &mut stream(seed, "generate", 0))?;
        Ok(Self { drawn, picture: trained.decoder.and_then(|decoder| decoder.picture) })
    }

    /// The samples.
    pub fn drawn(&self) -> &Drawn {
        &self.drawn
    }

    /// Writes the samples as an NPZ file with the arrays `x`, in the unit of the data, and `cluster`. If they are images, a sheet
    /// with a row for each cluster is written as a PNG file, too. Returns whether it was.
    ///
    /// # Errors
    /// [`WorkflowError::Run`] if a file can't be written.
    pub fn write(&self, npz: &Path, sheet: &Path) -> Result<bool, WorkflowError> {
        let bytes = self.npz().map_err(RunError::io(npz))?;
        let picture = self.sheet().map_err(RunError::io(sheet))?;
        write_whole(npz, &bytes).map_err(RunError::io(npz))?;
        if let Some(picture) = &picture {
            write_whole(sheet, picture).map_err(RunError::io(sheet))?;
        }
        Ok(picture.is_some())
    }

    fn npz(&self) -> io::Result<Vec<u8>> {
        let Drawn { values, clusters } = &self.drawn;
        let n = clusters.len();
        let shape = match self.picture.map(|picture| picture.shape) {
            Some(image) if image.channels == 1 => vec![n, image.height, image.width],
            Some(image) => vec![n, image.height, image.width, image.channels],
            None => vec![n, values.len() / n.max(1)],
        };
        let x = ArrayView::from_shape(shape, values).map_err(io::Error::other)?;
        let mut archive = NpzWriter::new_compressed(Cursor::new(vec![]));
        archive.add_array("x", &x).map_err(io::Error::other)?;
        archive.add_array("cluster", &Array1::from(clusters.clone())).map_err(io::Error::other)?;
        Ok(archive.finish().map_err(io::Error::other)?.into_inner())
    }

    /// A row of samples for each cluster, as PNG; `None` if they are no images.
    fn sheet(&self) -> io::Result<Option<Vec<u8>>> {
        let Some(Picture { shape, black, white }) = self.picture else { return Ok(None) };
        let Drawn { values, clusters } = &self.drawn;
        let rows: Vec<&[u16]> = clusters.chunk_by(|a, b| a == b).collect();
        let columns = rows.iter().map(|row| row.len()).max().unwrap_or(0).min(COLUMNS);
        let factor = TILE.div_ceil(shape.height.min(shape.width).max(1)).max(1);
        let [height, width] = [shape.height, shape.width].map(|size| factor * size + GAP);
        let mut sheet =
            DynamicImage::new_rgb8((columns * width + GAP) as u32, (rows.len() * height + GAP) as u32).to_rgb8();
        sheet.pixels_mut().for_each(|pixel| pixel.0 = [96; 3]);
        let mut first = 0;
        for (row, samples) in rows.iter().enumerate() {
            for column in 0..samples.len().min(COLUMNS) {
                let sample = &values[(first + column) * shape.n_values()..][..shape.n_values()];
                let Some(tile) = pixels(sample, shape, [black, white]) else { return Ok(None) };
                let size = [shape.width, shape.height].map(|size| (factor * size) as u32);
                let tile = tile.resize_exact(size[0], size[1], image::imageops::FilterType::Nearest).to_rgb8();
                let at = [column * width + GAP, row * height + GAP].map(|at| at as u32);
                sheet.copy_from(&tile, at[0], at[1]).map_err(io::Error::other)?;
            }
            first += samples.len();
        }
        let mut bytes = Cursor::new(vec![]);
        DynamicImage::ImageRgb8(sheet).write_to(&mut bytes, ImageFormat::Png).map_err(io::Error::other)?;
        Ok(Some(bytes.into_inner()))
    }
}
