//! Which run is trained next, and what became of the others.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::series::Turn;

/// Which run is trained next, and what became of the others.
pub(super) struct Queue {
    names: Vec<String>,
    pending: VecDeque<usize>,
    /// Runs that wait for another one.
    waiting: BTreeMap<usize, usize>,
    held: BTreeSet<usize>,
    lost: BTreeMap<usize, String>,
}

/// The runs of a series that this program did not train.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Remaining {
    /// The names of those that other programs train.
    pub(in crate::cli) held: Vec<String>,
    /// Why each of the others is not finished.
    pub(in crate::cli) lost: Vec<String>,
}

impl Queue {
    pub(super) fn new(names: Vec<String>) -> Self {
        let pending = (0..names.len()).collect();
        Self { names, pending, waiting: BTreeMap::new(), held: BTreeSet::new(), lost: BTreeMap::new() }
    }

    pub(super) fn name(&self, index: usize) -> &str {
        &self.names[index]
    }

    /// Such as `2/8 idec-1`.
    pub(super) fn title(&self, index: usize) -> String {
        format!("{}/{} {}", index + 1, self.names.len(), self.names[index])
    }

    /// The run to be trained next, if one can be.
    pub(super) fn next(&mut self) -> Option<usize> {
        self.pending.pop_front()
    }

    /// Whether no run will have to be trained any more, apart from those that are being trained.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.waiting.is_empty()
    }

    /// Takes note of what became of a run.
    pub(super) fn answer(&mut self, index: usize, turn: Turn) {
        self.held.remove(&index);
        match turn {
            Turn::Done => {}
            Turn::Held => _ = self.held.insert(index),
            Turn::WaitsFor(other) => _ = self.waiting.insert(index, other),
        }
    }

    /// Takes note that a run was not trained to its end, and why.
    pub(super) fn lose(&mut self, index: usize, reason: String) {
        self.lost.insert(index, reason);
    }

    /// Lets runs have another turn whose waiting is over: what they wait for is there, or its holder may have left it.
    pub(super) fn retry(&mut self, is_there: impl Fn(usize) -> bool) {
        for (index, other) in std::mem::take(&mut self.waiting) {
            if is_there(other) {
                self.pending.push_back(index);
            } else if self.lost.contains_key(&other) {
                let reason = format!("it starts from what {} learns, which is not finished", self.names[other]);
                self.lose(index, reason);
            } else {
                self.waiting.insert(index, other);
                if self.held.remove(&other) {
                    self.pending.push_back(other);
                }
            }
        }
    }

    /// What is left when no more runs are trained. What was not handed out is left for `reason`.
    pub(super) fn remaining(mut self, reason: &str) -> Remaining {
        let rest: Vec<usize> = self.pending.drain(..).chain(self.waiting.into_keys()).collect();
        rest.into_iter().for_each(|index| _ = self.lost.entry(index).or_insert_with(|| reason.to_owned()));
        let held = self.held.iter().map(|&index| self.names[index].clone()).collect();
        let lost = self.lost.iter().map(|(&index, reason)| format!("{}: {reason}", self.names[index])).collect();
        Remaining { held, lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(n: usize) -> Queue {
        Queue::new((0..n).map(|index| format!("run-{index}")).collect())
    }

    #[test]
    fn a_run_waits_until_what_it_starts_from_is_there() {
        let mut queue = queue(3);
        assert_eq!((queue.next(), queue.next()), (Some(0), Some(1)));
        queue.answer(1, Turn::WaitsFor(0));
        assert_eq!(queue.next(), Some(2));
        queue.answer(2, Turn::Done);
        queue.retry(|_| false);
        assert!(queue.next().is_none() && !queue.is_empty());
        queue.retry(|index| index == 0);
        assert_eq!((queue.next(), queue.is_empty()), (Some(1), true));
        queue.answer(0, Turn::Done);
        queue.answer(1, Turn::Done);
        assert_eq!(queue.remaining(""), Remaining::default());
    }

    #[test]
    fn a_run_that_others_wait_for_is_taken_when_its_holder_leaves_it() {
        let mut queue = queue(2);
        queue.next().into_iter().for_each(|index| queue.answer(index, Turn::Held));
        queue.next().into_iter().for_each(|index| queue.answer(index, Turn::WaitsFor(0)));
        queue.retry(|_| false);
        assert_eq!(queue.next(), Some(0));
        queue.answer(0, Turn::Held);
        assert_eq!(queue.next(), None);
        queue.retry(|_| false);
        assert_eq!(queue.next(), Some(0));
        queue.answer(0, Turn::Done);
        queue.retry(|index| index == 0);
        assert_eq!(queue.next(), Some(1));
    }

    #[test]
    fn what_waits_for_a_lost_run_is_lost_and_what_others_train_is_held() {
        let mut queue = queue(4);
        while let Some(index) = queue.next() {
            match index {
                0 => queue.lose(0, "it was ended by SIGKILL".into()),
                1 => queue.answer(1, Turn::WaitsFor(0)),
                2 => queue.answer(2, Turn::Held),
                _ => queue.answer(3, Turn::Done),
            }
        }
        queue.retry(|_| false);
        assert!(queue.is_empty());
        let Remaining { held, lost } = queue.remaining("");
        assert_eq!(held, ["run-2"]);
        let waited = "run-1: it starts from what run-0 learns, which is not finished";
        assert_eq!(lost, ["run-0: it was ended by SIGKILL", waited]);
    }
}
