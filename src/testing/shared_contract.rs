//! The behaviour of every store over a database to which another store also writes, over a connection of its own.
//!
//! Both stores run in one thread. If one of them has locked the database, the other must be refused and must not wait
//! without end.

use super::subject::{Outcome, Subject, counted, stream};
use crate::ErrorCode;
use crate::store::{
    Append, AppendError, Appended, ExpectedVersion, IdempotencyKey, ReadRange, StreamLog, Version,
};

type Appending = Result<Appended, AppendError>;

/// Sends an append by `one`. `other` sends its own append between the reads and the writes of `one`.
fn crossed<L: StreamLog>(
    (one, append): (&mut Subject<L>, Append),
    (other, between): (&mut Subject<L>, Append),
) -> Result<(Appending, Appending), Box<dyn std::error::Error>> {
    let mut came = None;
    let decided = one.send_while(append, &mut || came = Some(other.send(between.clone())));
    let came = came.ok_or("the append has asked for no id between its decision and its write")?;
    Ok((decided, came))
}

/// Whether an append found the database locked.
fn was_excluded(appending: &Appending) -> bool {
    matches!(appending, Err(AppendError::Storage(_)))
}

/// An append of one event without an id.
fn append(expected: ExpectedVersion) -> Result<Append, Box<dyn std::error::Error>> {
    Ok(Append::to(stream()?, vec![counted(1)?]).expecting(expected))
}

/// The same append under the key "k".
fn keyed() -> Result<Append, Box<dyn std::error::Error>> {
    Ok(append(ExpectedVersion::Any)?.keyed(IdempotencyKey::new("k")?))
}

/// The versions that both stores return, which must be the same.
fn seen_by_both<L: StreamLog>(
    one: &Subject<L>,
    other: &Subject<L>,
) -> Result<Vec<u64>, Box<dyn std::error::Error>> {
    let versions = one.versions(&stream()?, &ReadRange::all())?;
    assert_eq!(other.versions(&stream()?, &ReadRange::all())?, versions);
    Ok(versions)
}

/// Of two appends that expect the same version, one succeeds. The other append fails with the new version, or it is
/// excluded until the first is written. It never fails because of an append that decided later.
pub fn nobody_writes_between_a_decision_and_its_write<L: StreamLog>(
    one: &mut Subject<L>,
    other: &mut Subject<L>,
) -> Outcome {
    let first = ExpectedVersion::NoStream;
    let (decided, came) = crossed((one, append(first)?), (other, append(first)?))?;
    match &decided {
        Ok(appended) => {
            assert_eq!(appended.version, Version::FIRST);
            assert!(was_excluded(&came), "both have written version 1: {came:?}");
        }
        Err(AppendError::WrongExpectedVersion { actual, .. }) => {
            assert_eq!(*actual, Version::FIRST);
            assert!(came.is_ok(), "nobody has written version 1: {came:?}");
        }
        other => assert!(other.is_ok(), "the one that decided first has failed: {other:?}"),
    }
    assert_eq!(seen_by_both(one, other)?, [1]);
    assert_eq!(other.send(append(ExpectedVersion::Exactly(Version::FIRST))?)?.version.get(), 2);
    Ok(())
}

/// A store does not rely on a remembered head after another store has written. An append that expects an exact version
/// is refused, and an append without an expected version follows the other's events.
pub fn what_another_has_written_is_decided_by<L: StreamLog>(
    one: &mut Subject<L>,
    other: &mut Subject<L>,
) -> Outcome {
    one.fill(&stream()?, 1)?;
    let any = ExpectedVersion::Any;
    let (decided, came) = crossed((one, append(any)?), (other, append(any)?))?;
    let mut versions: Vec<u64> =
        [decided, came].iter().flatten().map(|appended| appended.version.get()).collect();
    versions.sort_unstable();
    let written: Vec<u64> = seen_by_both(one, other)?.into_iter().skip(1).collect();
    assert!(!versions.is_empty() && versions == written, "{versions:?} were answered, {written:?} are there");
    let last = one.store().head(&stream()?)?.version;
    other.send(append(any)?)?;
    let refused = one.send(append(ExpectedVersion::Exactly(last))?);
    assert!(matches!(refused, Err(AppendError::WrongExpectedVersion { .. })), "{refused:?}");
    Ok(())
}

/// Two stores append once under one key, in every order.
pub fn a_key_is_used_once_by_two_stores<L: StreamLog>(
    one: &mut Subject<L>,
    other: &mut Subject<L>,
) -> Outcome {
    one.fill(&stream()?, 1)?;
    let (decided, came) = crossed((one, keyed()?), (other, keyed()?))?;
    let answers: Vec<_> = [decided, came].into_iter().flatten().collect();
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1, "{answers:?}");
    for subject in [&mut *one, &mut *other] {
        let again = subject.send(keyed()?)?;
        assert_eq!((again.version.get(), again.replayed), (2, true));
    }
    assert_eq!(seen_by_both(one, other)?, [1, 2]);
    Ok(())
}

/// A truncation or deletion by one store holds for the other store, which wrote to the stream before.
pub fn what_one_forgets_the_other_does_not_show<L: StreamLog>(
    one: &mut Subject<L>,
    other: &mut Subject<L>,
) -> Outcome {
    let stream = stream()?;
    one.fill(&stream, 2)?;
    other.fill(&stream, 2)?;
    let cut = Version::new(3).unwrap_or(Version::MAX);
    assert_eq!(one.store().truncate(&stream, cut)?.first_version, cut);
    assert_eq!(seen_by_both(one, other)?, [3, 4]);
    assert_eq!(other.send(append(ExpectedVersion::Any)?)?.version.get(), 5);
    other.store().delete(&stream)?;
    let refused = one.send(append(ExpectedVersion::Any)?);
    assert_eq!(refused, Err(AppendError::StreamDeleted { stream: stream.clone() }));
    for sight in [&*one, &*other] {
        let refused = sight.versions(&stream, &ReadRange::all()).map_err(|error| error.code());
        assert_eq!(refused, Err(ErrorCode::StreamDeleted));
    }
    Ok(())
}
