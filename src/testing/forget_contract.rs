//! What every store does when it is told to forget.

use super::subject::{Outcome, Subject, counted, range, stream};
use crate::store::{
    Append, AppendError, Direction, ExpectedVersion, IdempotencyKey, ReadRange, StreamLog, TruncateError,
    Version,
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

/// Events before the cut are not read in either direction, whether the cut falls between commits or into one.
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
        assert_eq!(subject.read(&stream, &ReadRange::all())?.version.get(), 9);
    }
    Ok(())
}

/// Truncating where it was truncated before, or earlier, changes nothing.
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

/// A stream of which all was forgotten still counts on, knows its time and gives a key free.
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

/// Only what exists can be forgotten.
pub fn a_truncation_beyond_the_end_is_refused<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    fill_with_batches(subject)?;
    let refused = subject.store().truncate(&stream, version(11));
    assert_eq!(refused, Err(TruncateError::BeyondEnd { stream: stream.clone(), actual: version(9) }));
    assert_eq!(
        subject.store().truncate(&stream, version(0)).map_err(|error| error.code()),
        Err("invalid_parameter")
    );
    assert_eq!(subject.versions(&stream, &ReadRange::all())?.len(), 9);
    Ok(())
}

/// A deleted stream has no events, takes none and cannot be truncated; to delete it again changes nothing.
pub fn a_deleted_stream_stays_deleted<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    fill_with_batches(subject)?;
    for _ in 0..2 {
        subject.store().delete(&stream)?;
        let page = subject.read(&stream, &ReadRange::all())?;
        assert_eq!((page.version.get(), page.events.len(), page.next), (9, 0, None));
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
