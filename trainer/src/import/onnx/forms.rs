//! Linear and quadratic functions of the dimensions in which a clustering lies.

use ndarray::{Array1, Array2, s};

use super::problem::NodeProblem;

/// The most numbers of the functions of a value, which are counted before memory is taken for them.
const MOST: usize = 1 << 22;

/// Functions of `z`, one in each row: `linear z + constant`, and `z' quadratic z` besides if they have it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Forms {
    /// A row for each function.
    pub(super) linear: Array2<f64>,
    pub(super) constant: Array1<f64>,
    /// A symmetric matrix for each function, all in a row; none if the functions are linear.
    pub(super) quadratic: Option<Array2<f64>>,
}

impl Forms {
    /// The dimensions themselves.
    pub(super) fn dimensions(n: usize) -> Result<Self, NodeProblem> {
        check(n, n, false)?;
        Ok(Self { linear: Array2::eye(n), constant: Array1::zeros(n), quadratic: None })
    }

    /// Number of their coefficients.
    pub(super) fn size(&self) -> usize {
        self.linear.len() + self.quadratic.as_ref().map_or(0, |quadratic| quadratic.len())
    }

    /// Number of functions.
    pub(super) fn len(&self) -> usize {
        self.constant.len()
    }

    /// Number of dimensions.
    pub(super) fn dims(&self) -> usize {
        self.linear.ncols()
    }

    /// Sums of the functions with these weights, a row for each sum.
    pub(super) fn combined(&self, weights: &Array2<f64>) -> Result<Self, NodeProblem> {
        check(weights.nrows(), self.dims(), self.quadratic.is_some())?;
        Ok(Self {
            linear: weights.dot(&self.linear),
            constant: weights.dot(&self.constant),
            quadratic: self.quadratic.as_ref().map(|quadratic| weights.dot(quadratic)),
        })
    }

    /// Each function times a factor, plus a shift.
    pub(super) fn scaled(mut self, factor: impl Fn(usize) -> f64, shift: impl Fn(usize) -> f64) -> Self {
        for row in 0..self.len() {
            let factor = factor(row);
            self.linear.row_mut(row).mapv_inplace(|x| x * factor);
            self.constant[row] = self.constant[row] * factor + shift(row);
            if let Some(quadratic) = &mut self.quadratic {
                quadratic.row_mut(row).mapv_inplace(|x| x * factor);
            }
        }
        self
    }

    /// The square of each function, none of which may be quadratic.
    pub(super) fn squared(&self) -> Result<Self, NodeProblem> {
        if self.quadratic.is_some() {
            return Err(NodeProblem::Operator);
        }
        let dims = self.dims();
        check(self.len(), dims, true)?;
        let mut quadratic = Array2::zeros((self.len(), dims * dims));
        let mut linear = self.linear.clone();
        for (row, l) in self.linear.rows().into_iter().enumerate() {
            for (i, factor) in l.iter().enumerate() {
                quadratic.slice_mut(s![row, i * dims..(i + 1) * dims]).assign(&(&l * *factor));
            }
            linear.row_mut(row).mapv_inplace(|x| 2.0 * self.constant[row] * x);
        }
        Ok(Self { linear, constant: self.constant.mapv(|c| c * c), quadratic: Some(quadratic) })
    }

    /// The sum of all functions, as the only one.
    pub(super) fn total(&self) -> Result<Self, NodeProblem> {
        self.combined(&Array2::ones((1, self.len())))
    }

    /// `n` functions: these, or the only one of them as often.
    pub(super) fn widened(&self, n: usize) -> Result<Self, NodeProblem> {
        match self.len() {
            own if own == n => Ok(self.clone()),
            1 => {
                check(n, self.dims(), self.quadratic.is_some())?;
                self.combined(&Array2::ones((n, 1)))
            }
            own => {
                let what = "the value without its first axis".into();
                Err(NodeProblem::Sizes { what, found: vec![own], expected: format!("{n}") })
            }
        }
    }

    /// The sums of these functions and others; a single one is added to each.
    pub(super) fn plus(&self, other: &Self) -> Result<Self, NodeProblem> {
        let n = self.len().max(other.len());
        let (own, other) = (self.widened(n)?, other.widened(n)?);
        let quadratic = match (own.quadratic, other.quadratic) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        Ok(Self { linear: own.linear + other.linear, constant: own.constant + other.constant, quadratic })
    }

    /// All functions of a list after each other.
    pub(super) fn joined(list: &[&Self]) -> Result<Self, NodeProblem> {
        let dims = list.first().map_or(0, |first| first.dims());
        let squares = list.iter().any(|forms| forms.quadratic.is_some());
        let n = list.iter().map(|forms| forms.len()).sum();
        check(n, dims, squares)?;
        let mut joined = Self {
            linear: Array2::zeros((n, dims)),
            constant: Array1::zeros(n),
            quadratic: squares.then(|| Array2::zeros((n, dims * dims))),
        };
        let mut first = 0;
        for forms in list {
            let rows = first..first + forms.len();
            joined.linear.slice_mut(s![rows.clone(), ..]).assign(&forms.linear);
            joined.constant.slice_mut(s![rows.clone()]).assign(&forms.constant);
            if let (Some(all), Some(own)) = (&mut joined.quadratic, &forms.quadratic) {
                all.slice_mut(s![rows, ..]).assign(own);
            }
            first += forms.len();
        }
        Ok(joined)
    }
}

/// So many functions must not be too many.
fn check(functions: usize, dims: usize, are_quadratic: bool) -> Result<(), NodeProblem> {
    let each = if are_quadratic { dims.saturating_mul(dims).saturating_add(dims) } else { dims };
    if functions.saturating_mul(each) <= MOST { Ok(()) } else { Err(NodeProblem::TooManyDimensions(dims)) }
}
