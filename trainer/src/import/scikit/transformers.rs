//! Steps before the clustering: all are affine maps.

use ndarray::{Array1, Axis};

use super::step::{FINITE, NOT_NEGATIVE, POSITIVE, Step};
use crate::import::affine::Affine;
use crate::import::error::ImportError;

const CLASSES: &[&str] = &["StandardScaler", "MinMaxScaler", "PCA"];

/// The map so far and then this step's; `None` if nothing says yet how many features there are.
pub(super) fn apply(map: Option<Affine>, step: &mut Step) -> Result<Option<Affine>, ImportError> {
    match &*step.description.class {
        "StandardScaler" => standard_scaler(map, step),
        "MinMaxScaler" => min_max_scaler(map, step).map(Some),
        "PCA" => pca(map, step).map(Some),
        _ => Err(step.wrong_class(CLASSES)),
    }
}

/// `(x - mean) / scale`; either may be switched off.
fn standard_scaler(map: Option<Affine>, step: &mut Step) -> Result<Option<Affine>, ImportError> {
    let mut n = map.as_ref().map(Affine::outputs);
    let mean = if step.flag("with_mean")? { Some(step.vector("mean_", n, FINITE)?) } else { None };
    n = n.or(mean.as_ref().map(Array1::len));
    let scale = if step.flag("with_std")? { Some(step.vector("scale_", n, POSITIVE)?) } else { None };
    let Some(n) = n.or(scale.as_ref().map(Array1::len)) else { return Ok(map) };
    let factor = scale.map_or_else(|| Array1::ones(n), |scale| scale.mapv(f64::recip));
    let shift = mean.map_or_else(|| Array1::zeros(n), |mean| -mean * &factor);
    Ok(Some(map.unwrap_or_else(|| Affine::identity(n)).then_scaled(&factor, &shift)))
}

/// `scale x + min`.
fn min_max_scaler(map: Option<Affine>, step: &mut Step) -> Result<Affine, ImportError> {
    if step.flag("clip")? {
        return Err(step.wrong_parameter("clip", "false: set it and fit the pipeline again"));
    }
    let scale = step.vector("scale_", map.as_ref().map(Affine::outputs), POSITIVE)?;
    let least = step.vector("min_", Some(scale.len()), FINITE)?;
    Ok(map.unwrap_or_else(|| Affine::identity(scale.len())).then_scaled(&scale, &least))
}

/// `components (x - mean)`, divided by the deviation of each component if it whitens.
fn pca(map: Option<Affine>, step: &mut Step) -> Result<Affine, ImportError> {
    let mut components = step.matrix("components_", [None, map.as_ref().map(Affine::outputs)], FINITE)?;
    let (k, n) = components.dim();
    if step.flag("whiten")? {
        let variances = step.vector("explained_variance_", Some(k), NOT_NEGATIVE)?;
        // As scikit-learn does, so that a component without variance does not become infinite.
        let deviations = variances.mapv(|v| v.sqrt().max(f64::EPSILON));
        components /= &deviations.insert_axis(Axis(1));
    }
    let mean = step.vector("mean_", Some(n), FINITE)?;
    let shift = -components.dot(&mean);
    Ok(map.unwrap_or_else(|| Affine::identity(n)).then_projected(&components, &shift))
}
