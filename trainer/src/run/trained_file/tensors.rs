//! Named arrays, written to and read from safetensors.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use sha2::{Digest, Sha256};

use super::error::TrainedFileError;

/// The entry of the metadata that holds the description of the model.
const DESCRIPTION: &str = "edgemix";
/// The tensor that holds the SHA-256 of the description and of all other tensors.
const CHECKSUM: &str = "checksum";

/// The type of the elements of a tensor.
pub(super) trait Element: Copy {
    const TYPE: Dtype;
    const SIZE: usize;

    fn to_bytes(self) -> Vec<u8>;
    /// From `SIZE` bytes.
    fn from_bytes(bytes: &[u8]) -> Self;
    fn is_finite(self) -> bool;
}

macro_rules! element {
    ($type:ty, $dtype:ident, $is_finite:expr) => {
        impl Element for $type {
            const TYPE: Dtype = Dtype::$dtype;
            const SIZE: usize = size_of::<Self>();

            fn to_bytes(self) -> Vec<u8> {
                self.to_le_bytes().to_vec()
            }

            fn from_bytes(bytes: &[u8]) -> Self {
                let mut array = [0; Self::SIZE];
                array.copy_from_slice(bytes);
                Self::from_le_bytes(array)
            }

            fn is_finite(self) -> bool {
                $is_finite(self)
            }
        }
    };
}

element!(f32, F32, f32::is_finite);
element!(f64, F64, f64::is_finite);
element!(u16, U16, |_| true);

struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Tensors that are to be written.
#[derive(Default)]
pub(super) struct TensorWriter {
    tensors: Vec<(String, Tensor)>,
}

impl TensorWriter {
    /// Adds a tensor, row-major.
    pub(super) fn add<T: Element>(&mut self, name: &str, shape: &[usize], values: impl IntoIterator<Item = T>) {
        let bytes = values.into_iter().flat_map(T::to_bytes).collect();
        self.tensors.push((name.to_owned(), Tensor { dtype: T::TYPE, shape: shape.to_vec(), bytes }));
    }

    /// Adds a tensor of a file, whatever it contains.
    #[cfg(test)]
    pub(super) fn add_view(&mut self, name: &str, view: &TensorView) {
        let tensor = Tensor { dtype: view.dtype(), shape: view.shape().to_vec(), bytes: view.data().to_vec() };
        self.tensors.push((name.to_owned(), tensor));
    }

    /// The bytes of the file.
    pub(super) fn finish(mut self, description: &str) -> Result<Vec<u8>, TrainedFileError> {
        self.tensors.sort_by(|a, b| a.0.cmp(&b.0));
        let entries = self.tensors.iter().map(|(name, tensor)| (&**name, tensor.dtype, &*tensor.shape, &*tensor.bytes));
        let checksum = checksum(description, entries).to_vec();
        self.tensors.push((CHECKSUM.into(), Tensor { dtype: Dtype::U8, shape: vec![checksum.len()], bytes: checksum }));
        let views = self.tensors.iter().map(|(name, tensor)| {
            TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes).map(|view| (name, view))
        });
        // With a single entry, the order of the map, and thus the bytes of the file, are always the same.
        let metadata = HashMap::from([(DESCRIPTION.to_owned(), description.to_owned())]);
        Ok(serialize(views.collect::<Result<Vec<_>, _>>()?, Some(metadata))?)
    }
}

/// Tensors that were read.
pub(super) struct TensorReader<'a> {
    file: SafeTensors<'a>,
    description: String,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> TensorReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, TrainedFileError> {
        let metadata = SafeTensors::read_metadata(bytes)?.1;
        let description = metadata.metadata().as_ref().and_then(|entries| entries.get(DESCRIPTION));
        let description = description.ok_or(TrainedFileError::NotAModel)?.clone();
        Ok(Self { file: SafeTensors::deserialize(bytes)?, description, read: RefCell::default() })
    }

    pub(super) fn description(&self) -> &str {
        &self.description
    }

    /// The shape of a tensor.
    pub(super) fn shape(&self, name: &str) -> Result<Vec<usize>, TrainedFileError> {
        Ok(self.view(name)?.shape().to_vec())
    }

    /// The elements of a tensor, row-major, which must have this type and shape and be finite.
    pub(super) fn get<T: Element>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>, TrainedFileError> {
        let view = self.view(name)?;
        let name = || name.to_owned();
        if view.dtype() != T::TYPE {
            return Err(TrainedFileError::Type { name: name(), expected: T::TYPE, found: view.dtype() });
        }
        if view.shape() != shape {
            let (expected, found) = (shape.to_vec(), view.shape().to_vec());
            return Err(TrainedFileError::Shape { name: name(), expected, found });
        }
        let values: Vec<T> = view.data().chunks_exact(T::SIZE).map(T::from_bytes).collect();
        if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(TrainedFileError::NotFinite(name())) }
    }

    fn view(&self, name: &str) -> Result<TensorView<'a>, TrainedFileError> {
        let view = self.file.tensor(name).map_err(|_| TrainedFileError::MissingTensor(name.to_owned()))?;
        self.read.borrow_mut().insert(name.to_owned());
        Ok(view)
    }

    /// Checks that all tensors were read, and that nothing was changed since the file was written.
    pub(super) fn finish(self) -> Result<(), TrainedFileError> {
        let expected: Vec<u8> = {
            let view = self.view(CHECKSUM)?;
            view.data().to_vec()
        };
        let mut tensors = self.file.tensors();
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some((name, _)) = tensors.iter().find(|(name, _)| !self.read.borrow().contains(name)) {
            return Err(TrainedFileError::UnexpectedTensor(name.clone()));
        }
        let entries = tensors.iter().filter(|(name, _)| name != CHECKSUM);
        let entries = entries.map(|(name, view)| (&**name, view.dtype(), view.shape(), view.data()));
        if checksum(&self.description, entries)[..] == expected[..] { Ok(()) } else { Err(TrainedFileError::Checksum) }
    }
}

/// The SHA-256 of the description and of the tensors in the order of their names.
fn checksum<'a>(description: &str, tensors: impl Iterator<Item = (&'a str, Dtype, &'a [usize], &'a [u8])>) -> [u8; 32] {
    let mut hash = Sha256::new();
    // Each part is preceded by its length, so that no byte can move from one to the next.
    let mut update = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    update(description.as_bytes());
    for (name, dtype, shape, bytes) in tensors {
        update(name.as_bytes());
        update(format!("{dtype:?} {shape:?}").as_bytes());
        update(bytes);
    }
    hash.finalize().into()
}
