//! Constants whose numbers are in another file, as PyTorch's exporter writes them.
//!
//! The file is one beside the graph, and never elsewhere: a graph that came from somebody else must not decide which files are
//! read.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use prost::Message;
use prost::bytes::Bytes;

use super::problem::{ExternalProblem, OnnxProblem};
use super::proto::{Entry, Tensor};
use crate::data::DataError;
use crate::import::error::ImportError;
use crate::import::limits::LARGEST;

/// The value of a tensor's `location` if its numbers are in another file.
const ELSEWHERE: i32 = 1;
/// The most entries that say where.
const ENTRIES: usize = 8;

/// The files beside a graph, each of which is read once.
pub(super) struct ExternalFiles<'a> {
    graph: &'a Path,
    read: HashMap<PathBuf, Bytes>,
}

/// Where the numbers of a tensor are.
#[derive(Default)]
struct Place {
    file: PathBuf,
    first: u64,
    length: Option<u64>,
}

impl<'a> ExternalFiles<'a> {
    /// No file was read yet.
    pub(super) fn beside(graph: &'a Path) -> Self {
        Self { graph, read: HashMap::new() }
    }

    /// Gives a tensor its numbers if they are in another file.
    pub(super) fn fill(&mut self, tensor: &mut Tensor) -> Result<(), ImportError> {
        if tensor.location != ELSEWHERE {
            return Ok(());
        }
        let refused = |problem| {
            let tensor = tensor.name.clone();
            ImportError::of_onnx(self.graph)(OnnxProblem::External { tensor, problem })
        };
        let place = Place::of(&tensor.external).map_err(refused)?;
        let bytes = self.bytes(&place.file, &tensor.name)?;
        let length = place.length.unwrap_or_else(|| (bytes.len() as u64).saturating_sub(place.first));
        let end = place.first.checked_add(length).filter(|&end| end <= bytes.len() as u64);
        let Some(end) = end else {
            let (file, found) = (place.file, bytes.len());
            let problem = ExternalProblem::Short { file, first: place.first, length, found };
            return Err(ImportError::of_onnx(self.graph)(OnnxProblem::External {
                tensor: tensor.name.clone(),
                problem,
            }));
        };
        // Both are within the file, which is no longer than memory.
        tensor.raw = bytes.slice(place.first as usize..end as usize);
        (tensor.location, tensor.external) = (0, vec![]);
        Ok(())
    }

    /// The bytes of a file; all files together have no more than any microcontroller holds.
    fn bytes(&mut self, file: &Path, tensor: &str) -> Result<Bytes, ImportError> {
        if let Some(bytes) = self.read.get(file) {
            return Ok(bytes.clone());
        }
        let path = self.graph.with_file_name(file);
        let known: u64 = self.read.values().map(|bytes| bytes.len() as u64).sum();
        let missing = |_| {
            let problem = ExternalProblem::Missing(file.into());
            ImportError::of_onnx(self.graph)(OnnxProblem::External { tensor: tensor.to_owned(), problem })
        };
        let opened = File::open(&path).map_err(missing)?;
        let length = opened.metadata().map_err(DataError::io(&path))?.len();
        if known.saturating_add(length) > LARGEST {
            return Err(ImportError::TooLarge { path, length: known.saturating_add(length) });
        }
        let mut bytes = vec![];
        opened.take(LARGEST).read_to_end(&mut bytes).map_err(DataError::io(&path))?;
        let bytes = Bytes::from(bytes);
        self.read.insert(file.into(), bytes.clone());
        Ok(bytes)
    }
}

impl Place {
    fn of(entries: &[Bytes]) -> Result<Self, ExternalProblem> {
        if entries.len() > ENTRIES {
            return Err(ExternalProblem::Unreadable(format!("it has {} entries", entries.len())));
        }
        let mut place = Self::default();
        for entry in entries {
            let Entry { key, value } =
                Entry::decode(entry.clone()).map_err(|error| ExternalProblem::Unreadable(error.to_string()))?;
            let number = || value.parse().map_err(|_| ExternalProblem::Unreadable(format!("{key} is {value:?}")));
            match &*key {
                "location" => place.file = PathBuf::from(&value),
                "offset" => place.first = number()?,
                "length" => place.length = Some(number()?),
                _ => {}
            }
        }
        let mut parts = place.file.components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(_)), None) => Ok(place),
            _ => Err(ExternalProblem::Place(place.file)),
        }
    }
}
