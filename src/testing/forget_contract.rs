//! The behaviour of every store for truncations and deletions.

use super::subject::{Outcome, Subject, counted, range, stream};
use crate::ErrorCode;
use crate::store::{
    Append, AppendError, Direction, ExpectedVersion, IdempotencyKey, ReadError, ReadRange, StreamId,
    StreamLog, TruncateError, Version,
};

fn version(number: u64) -> Version {
    Version::new(number).unwrap_or(Version::MAX)
}

/// Appends three commits of three events each.
fn fill_with_batches<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    for batch in [[1, 2, 3], [4, 5, 6], [7, 8, 9]] {
        let events = batch.into_iter().map(counted).collect::<Result<Vec<_>, _>>()?;
        let key = IdempotencyKey::new(&format!("batch-{}", batch.first().unwrap_or(&0)))?;
        subject.send(Append::to(stream()?, events).keyed(key))?;
    }
    Ok(())
}

/// Reads in both directions begin at the first version, whether a truncation ends between commits or within one.
pub fn a_truncated_stream_begins_at_its_cut<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    fill_with_batches(subject)?;
    for cut in 1..=9 {
        let truncated = subject.store().truncate(&stream, version(cut))?;
        assert_eq!((truncated.first_version.get(), truncated.version.get()), (cut, 9));
        let forward: Vec<u64> = (cut..=9).collect();
        assert_eq!(subject.all_versions(&stream, ReadRange::all())?.0, forward);
        let backward: Vec<u64> = (cut..=9).rev().collect();
        assert_eq!(subject.all_versions(&stream, range(None, None, 2, Direction::Backward)?)?.0, backward);
        let page = subject.read(&stream, &ReadRange::all())?;
        assert_eq!((page.version.get(), page.first_version.get()), (9, cut));
    }
    Ok(())
}

/// A truncation before the first version, or at it, changes nothing.
pub fn a_truncation_goes_on_and_never_back<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    fill_with_batches(subject)?;
    subject.store().truncate(&stream, version(6))?;
    for cut in [6, 5, 1] {
        assert_eq!(subject.store().truncate(&stream, version(cut))?.first_version.get(), 6);
    }
    assert_eq!(subject.versions(&stream, &ReadRange::all())?, [6, 7, 8, 9]);
    Ok(())
}

/// A stream whose events are all truncated continues its versions and its time. Its keys are free again.
pub fn a_stream_truncated_at_its_end_goes_on_counting<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.set_clock(5000);
    fill_with_batches(subject)?;
    assert_eq!(subject.store().truncate(&stream, version(10))?.first_version.get(), 10);
    assert_eq!(subject.versions(&stream, &ReadRange::all())?, [0_u64; 0]);
    subject.set_clock(1000);
    let append = Append::to(stream.clone(), vec![counted(10)?]).keyed(IdempotencyKey::new("batch-1")?);
    let appended = subject.send(append.expecting(ExpectedVersion::Exactly(version(9))))?;
    assert_eq!((appended.version.get(), appended.time.as_millis(), appended.replayed), (10, 5000, false));
    assert_eq!(subject.versions(&stream, &ReadRange::all())?, [10]);
    assert_eq!(subject.store().verify(&stream)?.broken, None);
    Ok(())
}

/// Only existing events can be forgotten.
pub fn a_truncation_beyond_the_end_is_refused<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    fill_with_batches(subject)?;
    let refused = subject.store().truncate(&stream, version(11));
    assert_eq!(refused, Err(TruncateError::BeyondEnd { stream: stream.clone(), actual: version(9) }));
    assert_eq!(
        subject.store().truncate(&stream, version(0)).map_err(|error| error.code()),
        Err(ErrorCode::InvalidParameter)
    );
    assert_eq!(subject.versions(&stream, &ReadRange::all())?.len(), 9);
    Ok(())
}

/// A deleted stream cannot be read, appended to or truncated. A second deletion changes nothing.
pub fn a_deleted_stream_stays_deleted<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    fill_with_batches(subject)?;
    for _ in 0..2 {
        subject.store().delete(&stream)?;
        for direction in [Direction::Forward, Direction::Backward] {
            let refused = subject.read(&stream, &range(None, None, 2, direction)?);
            assert_eq!(refused, Err(ReadError::StreamDeleted { stream: stream.clone() }));
        }
        assert_eq!(subject.store().head(&stream)?.version.get(), 9);
        for expected in
            [ExpectedVersion::Any, ExpectedVersion::NoStream, ExpectedVersion::Exactly(version(9))]
        {
            let refused = subject.append(&stream, expected, vec![counted(1)?]);
            assert_eq!(refused, Err(AppendError::StreamDeleted { stream: stream.clone() }));
        }
        let refused = subject.store().truncate(&stream, version(10));
        assert_eq!(refused, Err(TruncateError::StreamDeleted { stream: stream.clone() }));
    }
    Ok(())
}

/// The change between the first page of a read and the second: a truncation before this version, or `None` for a
/// deletion.
type Forget = Option<u64>;

/// Reads a page of nine versions, and forgets events. Then it returns the versions of all pages, or the code of the
/// error.
fn read_over<L: StreamLog>(
    subject: &mut Subject<L>,
    name: &str,
    first: ReadRange,
    forget: Forget,
) -> Result<Result<Vec<u64>, ErrorCode>, Box<dyn std::error::Error>> {
    let stream = StreamId::new(name)?;
    subject.fill(&stream, 9)?;
    let page = subject.read(&stream, &first)?;
    match forget {
        Some(cut) => subject.store().truncate(&stream, version(cut)).map(|_| ())?,
        None => subject.store().delete(&stream)?,
    }
    let mut versions: Vec<u64> = page.events.iter().map(|event| event.version.get()).collect();
    let Some(next) = page.next else { return Ok(Ok(versions)) };
    Ok(subject.all_versions(&stream, next).map_err(|error| error.code()).map(|(rest, _)| {
        versions.extend(rest);
        versions
    }))
}

/// The next page contains every event that a page has promised, or it is refused. A read never silently skips a
/// truncation or a deletion. Events that were already read may be forgotten.
pub fn a_read_is_whole_or_refused<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let all: Vec<u64> = (1..=9).collect();
    let newest_first: Vec<u64> = (1..=9).rev().collect();
    let (forward, backward) = (Direction::Forward, Direction::Backward);
    let cases = [
        (range(None, None, 3, forward)?, Some(4), Ok(all.clone())),
        (range(None, None, 3, forward)?, Some(5), Err(ErrorCode::StreamTruncated)),
        (range(None, None, 3, forward)?, Some(10), Err(ErrorCode::StreamTruncated)),
        (range(None, Some(6), 3, forward)?, Some(9), Err(ErrorCode::StreamTruncated)),
        (range(None, None, 3, forward)?, None, Err(ErrorCode::StreamDeleted)),
        (range(None, None, 9, forward)?, Some(10), Ok(all)),
        (range(None, None, 3, backward)?, Some(1), Ok(newest_first.clone())),
        (range(None, None, 3, backward)?, Some(2), Err(ErrorCode::StreamTruncated)),
        (range(Some(3), None, 3, backward)?, Some(3), Ok(newest_first.iter().copied().take(7).collect())),
        (range(Some(3), None, 3, backward)?, Some(4), Err(ErrorCode::StreamTruncated)),
        (range(None, None, 3, backward)?, None, Err(ErrorCode::StreamDeleted)),
        (range(None, None, 9, backward)?, None, Ok(newest_first)),
    ];
    for (place, (first, forget, expected)) in cases.into_iter().enumerate() {
        let found = read_over(subject, &format!("account-{place}"), first.clone(), forget)?;
        assert_eq!(found, expected, "{first:?}, forgotten before {forget:?}");
    }
    Ok(())
}

/// A read of a truncated stream begins with the first version, unless its range must be complete. A next page is
/// refused only if more was truncated meanwhile.
pub fn a_read_begins_with_what_is_left<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 9)?;
    subject.store().truncate(&stream, version(4))?;
    for (direction, expected) in
        [(Direction::Forward, vec![4, 5, 6, 7, 8, 9]), (Direction::Backward, vec![9, 8, 7, 6, 5, 4])]
    {
        let part = range(Some(2), None, 2, direction)?;
        assert_eq!(subject.all_versions(&stream, part.clone())?, (expected, 3));
        let refused = subject.read(&stream, &part.complete());
        let first_version = version(4);
        assert_eq!(refused, Err(ReadError::StreamTruncated { stream: stream.clone(), first_version }));
    }
    let whole = range(Some(4), None, 2, Direction::Forward)?.complete();
    assert_eq!(subject.all_versions(&stream, whole)?.0, [4, 5, 6, 7, 8, 9]);
    Ok(())
}
