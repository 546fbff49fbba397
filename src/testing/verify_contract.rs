//! What every store can prove.

use super::subject::{Outcome, Subject, counted, stream};
use crate::store::{CommitHash, ExpectedVersion, StreamLog, Version};

/// A history as it was written is intact, from the empty one on, and its hash is what the last append answered.
pub fn an_untouched_history_is_intact<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let empty = subject.store().verify(&stream)?;
    assert_eq!(
        (empty.version, empty.head, empty.commits, empty.broken),
        (Version::EMPTY, CommitHash::NONE, 0, None)
    );
    for commits in 1..=5 {
        let appended = subject.append(&stream, ExpectedVersion::Any, vec![counted(1)?, counted(2)?])?;
        let found = subject.store().verify(&stream)?;
        assert_eq!((found.version.get(), found.commits, found.broken), (2 * commits, commits, None));
        assert_eq!(found.head, appended.hash);
    }
    Ok(())
}

/// The chain is verified from the cut, and ends in the same hash.
pub fn a_history_is_intact_after_a_truncation<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    for _ in 0..3 {
        subject.append(&stream, ExpectedVersion::Any, vec![counted(1)?, counted(2)?])?;
    }
    let head = subject.store().verify(&stream)?.head;
    for (cut, commits) in [(1, 3), (2, 3), (3, 2), (4, 2), (5, 1), (6, 1), (7, 0)] {
        subject.store().truncate(&stream, Version::new(cut).unwrap_or(Version::MAX))?;
        let found = subject.store().verify(&stream)?;
        assert_eq!((found.head, found.commits, found.broken), (head, commits, None));
    }
    Ok(())
}

/// The hash tells one history from another: by stream, by time and by content.
pub fn histories_that_differ_have_different_hashes<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let mut hashes = Vec::new();
    for (name, clock, number) in [("a", 1000, 1), ("b", 1000, 1), ("c", 2000, 1), ("d", 1000, 2)] {
        subject.set_clock(clock);
        let stream = crate::store::StreamId::new(name)?;
        hashes.push(
            subject.append(&stream, ExpectedVersion::Any, vec![counted(number)?.with_id("same")?])?.hash,
        );
    }
    let distinct: std::collections::HashSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    Ok(())
}
