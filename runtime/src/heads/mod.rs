//! From a latent to one score per component, in units of 2^-16 nat.

mod autoencoders;
mod mixture;
mod softmax;

use edgemix_format::view::Head;
use edgemix_format::{AUTOENCODERS, SOFTMAX};

/// Writes one score per component. `latent` has the length of the model's latent, `scores` has one element per
/// component, and `scratch` has [`Head::scratch`] elements. Autoencoders take the sample's int8 steps instead of a
/// latent.
///
/// ```
/// use edgemix_runtime::{Model, Workspace, heads};
///
/// # let bytes = edgemix_format::testing::Spec::default().build().unwrap();
/// let model = Model::from_bytes(&bytes).unwrap();
/// let mut workspace = Workspace::<64>::new();
/// let latent = model.encode(&[2.0; 6], &mut workspace).unwrap().to_vec();
/// let mut scores = vec![0; model.n_components()];
/// heads::run(&model.file().head, &latent, &mut scores, &mut []);
/// assert_eq!(scores, model.assign(&[2.0; 6], &mut workspace).unwrap().scores());
/// ```
pub fn run(head: &Head, latent: &[i16], scores: &mut [i32], scratch: &mut [i16]) {
    match head {
        Head::Mixture(mixture) => mixture::run(mixture, latent, scores),
        Head::Softmax(softmax) if SOFTMAX => softmax::run(softmax, latent, scores),
        Head::Autoencoders(pairs) if AUTOENCODERS => {
            // Scratch memory of that length is enough: loading checked it against the layers.
            let _ = autoencoders::run(pairs, latent, scores, scratch);
        }
        // Without their features, loading refuses such heads.
        Head::Softmax(_) | Head::Autoencoders(_) => {}
    }
}
