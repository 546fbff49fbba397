//! The behaviour of every store for proofs.

use super::subject::{Outcome, Subject, counted, stream};
use crate::ErrorCode;
use crate::store::limits::{COMMIT_BYTES, PAGE_BYTES};
use crate::store::{
    Append, CommitHash, ExpectedVersion, Exported, Followed, IdempotencyKey, JsonText, NewEvent, StreamId,
    StreamLog, Verification, Verifier, Version,
};

/// An unchanged history is intact, beginning with the empty one. Its hash is the hash in the answer to the last append.
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

/// After a truncation, the chain is verified from the base, and ends in the same hash.
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

/// A long history is verified page by page, with the same result as at once. Each page is bounded.
pub fn a_long_history_is_verified_in_pages<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let commits = fill_with_large_commits(subject, &stream()?)?;
    let whole = subject.store().verify(&stream()?)?;
    assert_eq!((whole.commits, whole.broken.as_ref()), (commits, None));
    let (found, pages) = verified_in_pages(subject, Verifier::new(stream()?), &mut |_, _| Ok(()))?;
    assert_eq!((found, pages), (whole, 2));
    Ok(())
}

/// A change between two pages of a verification does not break it. A new append is verified too, and after a truncation
/// the verification continues from the new base.
pub fn a_verification_goes_on_whatever_happens_meanwhile<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let commits = fill_with_large_commits(subject, &stream)?;
    let (grown, _) = verified_in_pages(subject, Verifier::new(stream.clone()), &mut |subject, _| {
        subject.append(&stream, ExpectedVersion::Any, vec![counted(1)?])?;
        Ok(())
    })?;
    assert_eq!((grown.commits, grown.broken.as_ref()), (commits + 1, None));
    assert_eq!(grown, subject.store().verify(&stream)?);
    let (cut, _) = verified_in_pages(subject, Verifier::new(stream.clone()), &mut |subject, followed| {
        let beyond = followed.version.after(3).unwrap_or(Version::MAX);
        subject.store().truncate(&stream, beyond)?;
        remove_all(subject, &stream)
    })?;
    assert_eq!((cut.version, cut.head, cut.broken), (grown.version, grown.head, None));
    assert_eq!(cut.commits, commits - 1);
    Ok(())
}

/// An export can be verified without the store, with the same result.
pub fn an_export_proves_itself<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    assert_eq!(exported(subject, &stream, 0)?, (subject.store().verify(&stream)?, 1));
    fill_with_large_commits(subject, &stream)?;
    let keyed = Append::to(stream.clone(), vec![counted(1)?, counted(2)?]);
    subject.send(keyed.keyed(IdempotencyKey::new("k")?))?;
    assert_eq!(exported(subject, &stream, 0)?, (subject.store().verify(&stream)?, 2));
    subject.store().delete(&stream)?;
    // Commits that are not removed yet are not exported either.
    assert_eq!(exported(subject, &stream, 0)?.0.commits, 0);
    remove_all(subject, &stream)?;
    assert_eq!(exported(subject, &stream, 0)?, (subject.store().verify(&stream)?, 1));
    Ok(())
}

/// Removes all hidden events.
fn remove_all<L: StreamLog>(subject: &mut Subject<L>, stream: &StreamId) -> Outcome {
    while subject.store().remove_forgotten(stream)? {}
    Ok(())
}

/// An export begins with the first commit without a forgotten event.
pub fn an_export_does_not_hand_out_what_was_forgotten<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    for _ in 0..3 {
        subject.append(&stream, ExpectedVersion::Any, vec![counted(1)?, counted(2)?])?;
    }
    let whole = subject.store().verify(&stream)?;
    for (cut, commits) in [(1, 3), (2, 2), (3, 2), (4, 1), (5, 1), (6, 0), (7, 0)] {
        subject.store().truncate(&stream, Version::new(cut).unwrap_or(Version::MAX))?;
        let (found, _) = exported(subject, &stream, cut)?;
        assert_eq!(found, Verification { commits, ..whole.clone() }, "before {cut}");
    }
    Ok(())
}

/// An export ends at the version that the caller asked for. It is refused if a truncation has passed it, or the stream
/// was deleted meanwhile.
pub fn an_export_is_of_one_history<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 4)?;
    let version = |number| Version::new(number).unwrap_or(Version::MAX);
    let mut versions = Vec::new();
    let end = subject.store().export(&stream, Some(version(1)), version(3), &mut |part| {
        if let Exported::Commit { first_version, commit } = part {
            versions.push((first_version.get(), commit.version.get()));
        }
    })?;
    assert_eq!((versions, end.version, end.next), (vec![(2, 2), (3, 3)], version(4), None));
    subject.store().truncate(&stream, version(3))?;
    assert!(subject.store().export(&stream, Some(version(2)), version(4), &mut |_| ()).is_ok());
    let overtaken = subject.store().export(&stream, Some(version(1)), version(4), &mut |_| ());
    assert_eq!(overtaken.map_err(|error| error.code()), Err(ErrorCode::StreamTruncated));
    subject.store().delete(&stream)?;
    let deleted = subject.store().export(&stream, Some(version(2)), version(4), &mut |_| ());
    assert_eq!(deleted.map_err(|error| error.code()), Err(ErrorCode::StreamDeleted));
    Ok(())
}

/// Appends commits that fill a page of a verification and begin another. Returns their number.
fn fill_with_large_commits<L: StreamLog>(
    subject: &mut Subject<L>,
    stream: &StreamId,
) -> Result<u64, Box<dyn std::error::Error>> {
    let text = "x".repeat(COMMIT_BYTES - 100);
    let count = PAGE_BYTES / text.len() + 4;
    for _ in 0..count {
        let large = NewEvent::new("Large", JsonText::from_value(&text)?)?;
        subject.append(stream, ExpectedVersion::Any, vec![large])?;
    }
    Ok(u64::try_from(count)?)
}

/// Verifies one page after the other. Each page has a verifier that knows only the verified part so far. `between` is
/// called before each further page.
fn verified_in_pages<L: StreamLog>(
    subject: &mut Subject<L>,
    mut verifier: Verifier,
    between: &mut dyn FnMut(&mut Subject<L>, Followed) -> Outcome,
) -> Result<(Verification, usize), Box<dyn std::error::Error>> {
    let mut pages = 1;
    while subject.store().verify_page(&mut verifier)? {
        pages += 1;
        between(subject, verifier.followed())?;
        verifier = Verifier::after(verifier.stream().clone(), verifier.followed());
    }
    Ok((verifier.found(), pages))
}

/// Verifies the export of a stream without the store. Returns the result and the number of pages. The export contains
/// no version before `cut`.
fn exported<L: StreamLog>(
    subject: &mut Subject<L>,
    stream: &StreamId,
    cut: u64,
) -> Result<(Verification, usize), Box<dyn std::error::Error>> {
    let mut verifier = Verifier::new(stream.clone());
    let (mut after, mut pages) = (None, 0);
    loop {
        let end = subject.store().export(stream, after, Version::MAX, &mut |part| match part {
            Exported::Base { version, hash } => {
                assert_eq!(verifier.followed(), Followed::default(), "a base amid an export");
                verifier = Verifier::after(stream.clone(), Followed { version, hash, ..Followed::default() });
            }
            Exported::Commit { first_version, commit } => {
                assert!(first_version.get() >= cut, "{first_version} was forgotten");
                assert_eq!(Some(first_version), verifier.followed().version.after(1));
                verifier.add(&commit);
            }
        })?;
        pages += 1;
        after = end.next;
        if after.is_none() {
            return Ok((verifier.found(), pages));
        }
    }
}

/// Histories with different streams, times or contents have different hashes.
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
