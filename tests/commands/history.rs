//! Earlier states of random histories, against a model: the state at a version or a time is the fold of its events, or it is
//! refused, because the history that it needs was truncated.

use proptest::prelude::*;
use sillok::ErrorCode;
use sillok::gateway::{CommandError, StateAt};
use sillok::store::{DecisionLog, Snapshot};

use crate::database::Database;
use crate::world::{World, at, in_memory, many_streams, one_stream, stream, version};

/// A commit: the time since the one before it, and the number of its events.
type Commits = Vec<(u64, usize)>;

/// The model: the time of each event. The number of each event is its version.
fn times(commits: &Commits) -> Vec<u64> {
    let (mut now, mut times) = (0, Vec::new());
    for (later, count) in commits {
        now += later;
        times.extend(std::iter::repeat_n(now, *count));
    }
    times
}

fn fill<L: DecisionLog>(world: &mut World<L>, commits: &Commits) {
    let (mut now, mut number) = (0, 0);
    for (later, count) in commits {
        now += later;
        world.now = now;
        let numbers: Vec<u64> = (number + 1..).take(*count).collect();
        number += *count as u64;
        world.append(&numbers);
    }
}

/// Stores a snapshot at the end of a commit, and truncates up to it or less.
fn truncate<L: DecisionLog>(world: &mut World<L>, kept: u64, cut: u64) {
    let load = world.sum_at(StateAt::Version(version(kept))).unwrap();
    let page = world.store.verify(&stream()).unwrap();
    assert_eq!((load.0, page.broken), (kept, None));
    world.alter(|log| {
        let mut hash = None;
        let mut visit = |commit: sillok::store::CommitView<'_>| {
            hash = Some(commit.hash);
            std::ops::ControlFlow::Break(())
        };
        log.scan(&stream(), version(kept), sillok::store::Direction::Forward, &mut visit).unwrap();
        let state = sillok::store::JsonText::from_value(&serde_json::json!({ "sum": load.1 })).unwrap();
        let snapshot = Snapshot { code: "1".into(), version: version(kept), hash: hash.unwrap(), state };
        log.insert_snapshot(&stream(), &snapshot).unwrap();
    });
    world.store.truncate(&stream(), version(cut + 1)).unwrap();
}

fn agrees<L: DecisionLog>(mut world: World<L>, commits: &Commits, cut: Option<(usize, u64)>) {
    fill(&mut world, commits);
    let times = times(commits);
    // The first version whose state can be loaded.
    let mut first = 0;
    if let Some((place, less)) = cut.filter(|_| !commits.is_empty()) {
        let kept: usize = commits.iter().take(place % commits.len() + 1).map(|(_, count)| count).sum();
        let cut = (kept as u64).saturating_sub(less);
        truncate(&mut world, kept as u64, cut);
        first = if cut == 0 { 0 } else { kept as u64 };
    }
    let check = |wanted, expected: u64| match world.sum_at(wanted) {
        Ok(found) => {
            assert!(expected >= first, "{wanted:?} has a state");
            assert_eq!(found, (expected, (1..=expected).sum()), "{wanted:?}");
        }
        Err(error) => {
            assert!(expected < first, "{wanted:?}: {error}");
            assert!(matches!(error, CommandError::StateUnavailable { .. }), "{wanted:?}: {error}");
            assert_eq!(error.code(), ErrorCode::StateUnavailable);
        }
    };
    for expected in 0..=times.len() as u64 {
        check(StateAt::Version(version(expected)), expected);
    }
    for millis in 0..=times.last().copied().unwrap_or_default() + 1 {
        let expected = times.iter().filter(|time| **time <= millis).count() as u64;
        check(StateAt::Time(at(millis)), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn an_earlier_state_is_a_fold_or_refused(
        commits in prop::collection::vec((0..4_u64, 1..5_usize), 0..12),
        cut in prop::option::of((0..12_usize, 0..6_u64)),
    ) {
        agrees(in_memory(), &commits, cut);
        agrees(one_stream(Database::in_memory()), &commits, cut);
        agrees(many_streams(Database::in_memory()), &commits, cut);
    }
}
