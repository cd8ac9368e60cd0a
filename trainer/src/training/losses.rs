//! The losses of an epoch's steps.
//!
//! Reading a number from a GPU waits until everything before it has been computed. So a step returns its losses as tensors,
//! and those of many steps are read at once.

use burn::tensor::backend::Backend;
use burn::tensor::{ElementConversion, Tensor};

use crate::nn::has_host_tensors;

/// Steps between two readings of a device that has its own memory.
const READ_EVERY: usize = 32;

/// A named loss of one step, in the order in which they are shown.
#[derive(Clone, Debug)]
pub(crate) struct Term<B: Backend> {
    pub(crate) name: &'static str,
    value: Value<B>,
}

#[derive(Clone, Debug)]
enum Value<B: Backend> {
    Known(f64),
    /// A tensor of one element, and a factor.
    Computed(Tensor<B, 1>, f64),
}

/// Named losses of one step.
pub(crate) type Terms<B> = Vec<Term<B>>;

impl<B: Backend> Term<B> {
    /// The element of this tensor.
    pub(crate) fn new(name: &'static str, loss: Tensor<B, 1>) -> Self {
        Self::scaled(name, loss, 1.0)
    }

    /// The element of this tensor, times a factor.
    pub(crate) fn scaled(name: &'static str, loss: Tensor<B, 1>, factor: f64) -> Self {
        Self { name, value: Value::Computed(loss, factor) }
    }

    /// A number that is known already.
    pub(crate) fn known(name: &'static str, value: f64) -> Self {
        Self { name, value: Value::Known(value) }
    }

    #[cfg(test)]
    pub(crate) fn value(&self) -> f64 {
        match &self.value {
            Value::Known(value) => *value,
            Value::Computed(loss, factor) => loss.clone().into_scalar().elem::<f64>() * factor,
        }
    }
}

/// Adds up the losses of an epoch.
pub(super) struct EpochLosses<B: Backend> {
    sums: Vec<(&'static str, f64)>,
    unread: Vec<Terms<B>>,
    read_every: usize,
}

/// A loss that is infinite or not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NotFinite {
    pub(super) term: &'static str,
    pub(super) value: f64,
}

impl<B: Backend> EpochLosses<B> {
    pub(super) fn new() -> Self {
        let read_every = if has_host_tensors::<B>() { 1 } else { READ_EVERY };
        Self { sums: vec![], unread: vec![], read_every }
    }

    /// Adds a step's losses, and reads them if it is time.
    ///
    /// # Errors
    /// [`NotFinite`] if one of the losses that are read is infinite or not a number.
    pub(super) fn add(&mut self, terms: Terms<B>) -> Result<(), NotFinite> {
        self.unread.push(terms);
        if self.unread.len() >= self.read_every { self.read() } else { Ok(()) }
    }

    /// The mean of each loss over the steps.
    ///
    /// # Errors
    /// See [`add`](Self::add).
    pub(super) fn means(mut self, steps: usize) -> Result<Vec<(String, f64)>, NotFinite> {
        self.read()?;
        Ok(self.sums.into_iter().map(|(name, sum)| (name.into(), sum / steps as f64)).collect())
    }

    fn read(&mut self) -> Result<(), NotFinite> {
        let steps = std::mem::take(&mut self.unread);
        let computed = steps.iter().flatten().filter_map(|term| match &term.value {
            Value::Computed(loss, _) => Some(loss.clone()),
            Value::Known(_) => None,
        });
        let mut values = read_all(computed.collect()).into_iter();
        for terms in steps {
            self.sums.resize(terms.len(), ("", 0.0));
            for (sum, Term { name: term, value }) in self.sums.iter_mut().zip(terms) {
                let value = match value {
                    Value::Known(value) => value,
                    Value::Computed(_, factor) => values.next().unwrap_or(f64::NAN) * factor,
                };
                if !value.is_finite() {
                    return Err(NotFinite { term, value });
                }
                *sum = (term, sum.1 + value);
            }
        }
        Ok(())
    }
}

/// The elements of tensors of one element each, read at once.
pub(crate) fn read_all<B: Backend>(mut tensors: Vec<Tensor<B, 1>>) -> Vec<f64> {
    match tensors.len() {
        0 => vec![],
        1 => vec![tensors.remove(0).into_scalar().elem()],
        _ => Tensor::cat(tensors, 0).into_data().iter::<f64>().collect(),
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn_ndarray::NdArray;

    use super::*;

    /// The means of three losses over steps, each step's computed by the backend.
    fn means<B: Backend>(steps: usize) -> Result<Vec<(String, f64)>, NotFinite> {
        let mut losses = EpochLosses::<B>::new();
        for step in 0..steps {
            let loss = Tensor::<B, 1>::from_data([step as f32 + 0.25], &Default::default());
            losses.add(vec![
                Term::new("a", loss.clone()),
                Term::known("b", step as f64),
                Term::scaled("c", loss, 0.5),
            ])?;
        }
        losses.means(steps)
    }

    #[test]
    fn losses_that_are_read_later_have_the_same_means() {
        for steps in [1, READ_EVERY - 1, READ_EVERY, READ_EVERY + 1, 3 * READ_EVERY + 5] {
            let middle = (steps - 1) as f64 / 2.0;
            let expected = [("a", middle + 0.25), ("b", middle), ("c", 0.5 * (middle + 0.25))];
            let expected = expected.map(|(name, mean)| (name.to_owned(), mean)).to_vec();
            assert_eq!(means::<Flex>(steps).unwrap(), expected, "{steps} steps, read one by one");
            assert_eq!(means::<NdArray>(steps).unwrap(), expected, "{steps} steps, read later");
        }
    }

    #[test]
    fn a_loss_that_is_not_finite_is_found_whether_it_is_read_at_once_or_later() {
        fn first<B: Backend>() -> NotFinite {
            let mut losses = EpochLosses::<B>::new();
            let step = |value: f32| vec![Term::new("loss", Tensor::<B, 1>::from_data([value], &Default::default()))];
            let found = [1.0, f32::INFINITY, 2.0].into_iter().try_for_each(|value| losses.add(step(value)));
            found.and_then(|()| losses.means(3).map(|_| ())).unwrap_err()
        }
        let expected = NotFinite { term: "loss", value: f64::INFINITY };
        assert_eq!((first::<Flex>(), first::<NdArray>()), (expected, expected));
    }
}
