//! What an observer is told, and how it stops a fit.

use std::io;

use burn::backend::{Autodiff, Flex};

use super::setup::{GROUPS, Log, Memory, blobs, config, fit, run};
use crate::methods::FitConfig;
use crate::training::{EpochReport, FitError, Observer};

#[test]
fn the_observer_sees_phases_losses_and_clusters() {
    let mut log = Log::default();
    fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config("alpha-jsd"), &mut (), &mut log).unwrap();
    let Log(reports, phases) = log;
    assert_eq!(phases, [("reconstruct".into(), 0, 12), ("cluster".into(), 0, 5)]);
    assert_eq!(reports.len(), 17);
    assert!(reports[11].losses[0].1 < 0.5 * reports[0].losses[0].1, "the reconstruction is learned");
    let names = |report: &EpochReport| report.losses.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!((names(&reports[0]), reports[0].clusters), (vec!["reconstruction".into()], None));
    assert_eq!(names(&reports[16]), ["reconstruction", "cluster"]);
    assert!(reports[16].clusters.is_some_and(|k| (GROUPS..=8).contains(&k)));
}

/// Asks for a stop after `epochs`, or fails after `batches`.
#[derive(Default)]
struct Impatient {
    epochs: Option<usize>,
    batches: Option<usize>,
    seen: Vec<(usize, usize)>,
    activities: Vec<String>,
    log: Log,
}

impl Observer for Impatient {
    fn phase(&mut self, name: &str, epoch: usize, epochs: usize) {
        self.log.phase(name, epoch, epochs);
    }

    fn epoch(&mut self, report: &EpochReport) {
        self.log.epoch(report);
    }

    fn activity(&mut self, name: &str) {
        self.activities.push(name.into());
    }

    fn batch(&mut self, done: usize, batches: usize) {
        self.seen.push((done, batches));
    }

    fn failure(&mut self) -> Option<io::Error> {
        self.batches.filter(|&most| self.seen.len() >= most).map(|_| io::Error::other("enough"))
    }

    fn is_asked_to_stop(&mut self) -> bool {
        self.epochs == Some(self.log.0.len())
    }
}

#[test]
fn who_asks_for_a_stop_finds_the_epoch_that_was_over_and_ends_with_the_same_bits() {
    let config = FitConfig { checkpoint_every: 100, ..config("alpha-jsd") };
    let whole = run::<Autodiff<Flex>>(&config);
    for epochs in [5, 12, 14, 17] {
        let mut store = Memory::default();
        let mut observer = Impatient { epochs: Some(epochs), ..Impatient::default() };
        let stopped = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut store, &mut observer);
        assert!(matches!(stopped, Err(FitError::Stopped(_))), "{epochs}");
        let mut log = Log::default();
        let resumed = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut store, &mut log).unwrap();
        assert_eq!(log.0.len(), 17 - epochs, "an epoch was lost or trained again");
        assert!(resumed == whole, "{epochs}");
    }
}

#[test]
fn the_observer_sees_batches_and_activities_and_can_stop_between_batches() {
    let config = config("alpha-jsd");
    let mut all = Impatient::default();
    fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut (), &mut all).unwrap();
    let expected: Vec<(usize, usize)> = (0..17).flat_map(|_| (1..=8).map(|done| (done, 8))).collect();
    assert_eq!(all.seen, expected);
    let [first, found, .., last] = &all.activities[..] else { panic!("{:?}", all.activities) };
    assert_eq!([first, found, last], ["preparing", "finding clusters", "last fit of the clusters"]);
    assert_eq!(all.activities[2..7], ["fitting the clusters"; 5]);

    let mut some = Impatient { batches: Some(20), ..Impatient::default() };
    let stopped = fit::<Autodiff<Flex>>(&Default::default(), &blobs(), &config, &mut (), &mut some);
    assert!(matches!(stopped, Err(FitError::Stopped(_))));
    assert_eq!((some.seen.len(), some.log.0.len()), (20, 2));
}
