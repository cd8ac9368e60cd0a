//! Arrays in files and checkpoints: their shape, then their values row by row.
//!
//! `ndarray` has a feature for this, but enabling it would compile the backends, which share the crate, once more.

use ndarray::{Array, ArrayBase, ArrayD, Dimension};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer, D: Dimension>(array: &Array<f64, D>, serializer: S) -> Result<S::Ok, S::Error> {
    (array.shape(), array.iter().collect::<Vec<_>>()).serialize(serializer)
}

pub(crate) fn deserialize<'de, S: Deserializer<'de>, D: Dimension>(deserializer: S) -> Result<Array<f64, D>, S::Error> {
    let (shape, values): (Vec<usize>, Vec<f64>) = Deserialize::deserialize(deserializer)?;
    ArrayD::from_shape_vec(shape, values).and_then(ArrayBase::into_dimensionality).map_err(S::Error::custom)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Holder(#[serde(with = "super")] Array2<f64>);

    #[test]
    fn arrays_are_read_as_they_were_written_and_wrong_shapes_are_refused() {
        let holder = Holder(array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
        let bytes = postcard::to_stdvec(&holder).unwrap();
        assert_eq!(postcard::from_bytes::<Holder>(&bytes).unwrap(), holder);
        for (shape, n) in [(vec![2usize, 3], 5), (vec![6], 6), (vec![usize::MAX, 2], 2)] {
            let bytes = postcard::to_stdvec(&(shape, vec![0.0f64; n])).unwrap();
            assert!(postcard::from_bytes::<Holder>(&bytes).is_err());
        }
    }
}
