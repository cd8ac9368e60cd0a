//! The modules of a state dict, in the order of their names.

use std::collections::VecDeque;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use super::problem::StateDictProblem;
use crate::import::onnx::{GraphBuilder, kinds};

/// Modules that no layer has taken yet.
pub(super) struct Modules<'a>(VecDeque<Module<'a>>);

/// The tensors of a module.
pub(super) struct Module<'a> {
    pub(super) name: String,
    /// Without the name of the module.
    tensors: Vec<(String, TensorView<'a>)>,
}

impl<'a> Modules<'a> {
    /// The modules whose names have this prefix.
    pub(super) fn read(bytes: &'a [u8], prefix: &str) -> Result<Self, StateDictProblem> {
        let file = SafeTensors::deserialize(bytes).map_err(|error| StateDictProblem::Unreadable(error.to_string()))?;
        let mut tensors = file.tensors();
        tensors.retain(|(name, _)| name.starts_with(prefix));
        if tensors.is_empty() {
            return Err(StateDictProblem::NoTensors(prefix.into()));
        }
        // Numbers in names count, so that 10 comes after 9.
        tensors.sort_by_cached_key(|(name, _)| natural(name));
        let mut modules: VecDeque<Module> = VecDeque::new();
        for (full, view) in tensors {
            let (module, tensor) = full.rsplit_once('.').unwrap_or(("", &full));
            if modules.back().is_none_or(|last| last.name != module) {
                modules.push_back(Module { name: module.into(), tensors: vec![] });
            }
            let last = modules.back_mut();
            last.into_iter().for_each(|last| last.tensors.push((tensor.into(), view.clone())));
        }
        Ok(Self(modules))
    }

    /// The module of a layer with weights.
    pub(super) fn next(&mut self, layer: usize) -> Result<Module<'a>, StateDictProblem> {
        self.0.pop_front().ok_or(StateDictProblem::NoModule { layer })
    }

    /// The module, if it is a batch normalisation.
    pub(super) fn next_normalization(&mut self) -> Option<Module<'a>> {
        self.0.pop_front_if(|module| module.view("running_var").is_some())
    }

    /// Checks that the layers have taken all modules.
    pub(super) fn finish(self) -> Result<(), StateDictProblem> {
        let left: Vec<String> = self.0.into_iter().take(8).map(|module| module.name).collect();
        if left.is_empty() { Ok(()) } else { Err(StateDictProblem::LeftOver(left)) }
    }
}

/// A name in parts, of which those of digits are numbers.
fn natural(name: &str) -> Vec<(bool, u64, String)> {
    let mut parts: Vec<(bool, u64, String)> = vec![];
    for c in name.chars() {
        let is_digit = c.is_ascii_digit();
        match parts.last_mut() {
            Some((last, _, text)) if *last == is_digit => text.push(c),
            _ => parts.push((is_digit, 0, c.into())),
        }
    }
    for (is_number, value, text) in &mut parts {
        if *is_number {
            *value = text.parse().unwrap_or(u64::MAX);
        }
    }
    // Numbers come before words, as in the order of characters.
    parts.into_iter().map(|(is_number, value, text)| (!is_number, value, text)).collect()
}

impl<'a> Module<'a> {
    fn view(&self, tensor: &str) -> Option<&TensorView<'a>> {
        self.tensors.iter().find(|(name, _)| name == tensor).map(|(_, view)| view)
    }

    fn full(&self, tensor: &str) -> String {
        if self.name.is_empty() { tensor.into() } else { format!("{}.{tensor}", self.name) }
    }

    /// A tensor must have these sizes.
    pub(super) fn check(&self, tensor: &str, sizes: &[usize]) -> Result<(), StateDictProblem> {
        let name = self.full(tensor);
        match self.view(tensor) {
            None => Err(StateDictProblem::MissingTensor(name)),
            Some(view) if view.shape() == sizes => Ok(()),
            Some(view) => Err(StateDictProblem::Sizes { name, found: view.shape().to_vec(), expected: sizes.to_vec() }),
        }
    }

    /// Adds weights and, if there are any, biases to the constants of a graph; returns their names.
    pub(super) fn weights(&self, graph: &mut GraphBuilder) -> Result<Vec<String>, StateDictProblem> {
        self.only(&["weight", "bias"])?;
        let tensors: &[&str] = if self.view("bias").is_some() { &["weight", "bias"] } else { &["weight"] };
        self.constants(tensors, graph)
    }

    /// Adds what a batch normalisation has learned to the constants of a graph; returns their names.
    pub(super) fn statistics(&self, graph: &mut GraphBuilder) -> Result<Vec<String>, StateDictProblem> {
        self.only(&["weight", "bias", "running_mean", "running_var", "num_batches_tracked"])?;
        self.constants(&["weight", "bias", "running_mean", "running_var"], graph)
    }

    /// The module must have no other tensors.
    fn only(&self, known: &[&str]) -> Result<(), StateDictProblem> {
        match self.tensors.iter().find(|(name, _)| !known.contains(&&**name)) {
            None => Ok(()),
            Some((name, _)) => Err(StateDictProblem::Unexpected(self.full(name))),
        }
    }

    fn constants(&self, tensors: &[&str], graph: &mut GraphBuilder) -> Result<Vec<String>, StateDictProblem> {
        let constant = |tensor: &&str| {
            let name = self.full(tensor);
            let view = self.view(tensor).ok_or_else(|| StateDictProblem::MissingTensor(name.clone()))?;
            let kind = match view.dtype() {
                Dtype::F32 => kinds::FLOAT,
                Dtype::F64 => kinds::DOUBLE,
                Dtype::F16 => kinds::FLOAT16,
                Dtype::BF16 => kinds::BFLOAT16,
                other => return Err(StateDictProblem::Kind { name, found: format!("{other:?}") }),
            };
            graph.constant(&name, kind, view.shape(), view.data().to_vec());
            Ok(name)
        };
        tensors.iter().map(constant).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::natural;

    #[test]
    fn names_are_in_the_order_of_their_numbers() {
        let mut names = ["encoder.10.bias", "encoder.9.weight", "encoder.2.weight", "encoder.10.a", "b1", "b"];
        names.sort_by_cached_key(|name| natural(name));
        assert_eq!(names, ["b", "b1", "encoder.2.weight", "encoder.9.weight", "encoder.10.a", "encoder.10.bias"]);
    }
}
