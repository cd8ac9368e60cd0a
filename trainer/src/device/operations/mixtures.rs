//! Steps of mixtures on latents: the nearest centres, and the E and M steps of Gaussians and of a Dirichlet process.

use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use ndarray::Array2;

use super::case::{Case, Draw, Extent};
use crate::base::arrays::to_tensor;
use crate::mixture::dirichlet::DirichletProcess;
use crate::mixture::gmm::{self, Gmm};
use crate::mixture::kmeans::nearest;
use crate::mixture::{CovarianceType, Mixture};

/// K.
const COMPONENTS: usize = 7;

/// The cases of this file.
pub(super) fn cases<B: AutodiffBackend>(extent: Extent) -> Vec<Case<B>> {
    let shapes = match extent {
        Extent::Whole => &[(256, 6), (2_048, 10), (256, 50)][..],
        Extent::Small => &[(37, 10)][..],
    };
    let forms = [CovarianceType::Full, CovarianceType::Diagonal, CovarianceType::Spherical];
    let of_shape = |&(n, d): &(usize, usize)| {
        let mut cases = vec![centers(n, d), dirichlet(n, d)];
        cases.extend(forms.map(|form| gaussians(form, n, d)));
        cases
    };
    shapes.iter().flat_map(of_shape).collect()
}

/// The squared distances to the nearest centres.
fn centers<B: AutodiffBackend>(n: usize, d: usize) -> Case<B> {
    let inputs = [([n, d], Draw::Normal)];
    Case::without_gradient(format!("the nearest of {COMPONENTS} centres, {n} latents of {d}"), &inputs, move |z| {
        let (distances, _) = nearest(&z[0], means(d).view());
        vec![distances]
    })
}

/// The responsibilities of an E step, and the mixture of the M step after it.
fn gaussians<B: AutodiffBackend>(covariance: CovarianceType, n: usize, d: usize) -> Case<B> {
    let name = format!("E and M step of a mixture, {covariance:?} covariances, {n} latents of {d}");
    let gmm = Gmm { n_components: COMPONENTS, covariance, ..Gmm::default() };
    Case::without_gradient(name, &shared(n, d), move |inputs| {
        let [z, shares] = [inputs[0].clone().inner(), responsibilities(&inputs[1])];
        // The mixture of these shares, and that of an E step with it.
        let first = gmm.maximise(&z, &shares);
        let (shares, _) = gmm::expect(&z, &first).expect("variances have a floor");
        let mut results: Vec<Tensor<B, 2>> = values(&gmm.maximise(&z, &shares), &z);
        results.push(Tensor::from_inner(shares));
        results
    })
}

/// The update of a Dirichlet process mixture under given responsibilities, and the responsibilities that follow from it.
fn dirichlet<B: AutodiffBackend>(n: usize, d: usize) -> Case<B> {
    let name = format!("update of a Dirichlet process, {n} latents of {d}");
    let process = DirichletProcess { truncation: COMPONENTS, ..DirichletProcess::default() };
    Case::without_gradient(name, &shared(n, d), move |inputs| {
        let [z, shares] = [inputs[0].clone().inner(), responsibilities(&inputs[1])];
        let (mixture, _) = process.update(&z, &shares);
        let (shares, _) = gmm::expect(&z, &mixture).expect("the prior keeps variances from vanishing");
        let mut results: Vec<Tensor<B, 2>> = values(&mixture, &z);
        results.push(Tensor::from_inner(shares));
        results
    })
}

/// Latents, and what responsibilities are made of.
fn shared(n: usize, d: usize) -> [([usize; 2], Draw); 2] {
    [([n, d], Draw::Normal), ([n, COMPONENTS], Draw::Positive)]
}

/// Rows that sum to 1, of unequal columns.
fn responsibilities<B: AutodiffBackend>(positive: &Tensor<B, 2>) -> Tensor<B::InnerBackend, 2> {
    let positive = positive.clone().inner();
    let columns = Tensor::arange(1..COMPONENTS as i64 + 1, &positive.device()).float().unsqueeze_dim::<2>(0);
    let shares = positive * columns;
    shares.clone() / shares.sum_dim(1)
}

/// A mixture's means and log variances, as tensors beside `z`.
fn values<B: AutodiffBackend>(mixture: &Mixture, z: &Tensor<B::InnerBackend, 2>) -> Vec<Tensor<B, 2>> {
    let log_variances = mixture.log_variances();
    [&mixture.means, &log_variances].map(|values| on::<B>(values, z)).into()
}

fn on<B: AutodiffBackend>(values: &Array2<f64>, z: &Tensor<B::InnerBackend, 2>) -> Tensor<B, 2> {
    Tensor::from_inner(to_tensor::<B::InnerBackend>(values.view(), &z.device()))
}

/// `K x D` centres on a spiral.
fn means(d: usize) -> Array2<f64> {
    Array2::from_shape_fn((COMPONENTS, d), |(k, d)| (k as f64 * 0.9 + d as f64).sin() * 2.0)
}
