//! The behaviour of every store for idempotency keys.

use super::subject::{Outcome, Subject, counted, stream};
use crate::store::{
    Append, AppendError, Appended, Cause, EventId, ExpectedVersion, IdempotencyKey, KeyOrigin, NewEvent,
    ReadRange, StreamId, StreamLog,
};

/// An append to the stream of the test under the key "k".
fn keyed(events: Vec<NewEvent>) -> Result<Append, Box<dyn std::error::Error>> {
    Ok(Append::to(stream()?, events).keyed(IdempotencyKey::new("k")?))
}

/// An append that is sent again under its key returns the first answer, and appends nothing.
pub fn a_key_sent_again_answers_as_the_first_time<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    subject.fill(&stream()?, 3)?;
    let events = vec![counted(4)?, counted(5)?.with_id("mine")?];
    let first = subject.send(keyed(events.clone())?)?;
    subject.fill(&stream()?, 2)?;
    subject.set_clock(9000);
    let second = subject.send(keyed(events)?)?;
    assert!(!first.replayed);
    assert_eq!(second, Appended { replayed: true, ..first });
    assert_eq!(subject.versions(&stream()?, &ReadRange::all())?, [1, 2, 3, 4, 5, 6, 7]);
    Ok(())
}

/// A repeat is answered even if the expected version no longer holds.
pub fn a_key_holds_when_the_expected_version_no_longer_does<L: StreamLog>(
    subject: &mut Subject<L>,
) -> Outcome {
    let append = keyed(vec![counted(1)?])?.expecting(ExpectedVersion::NoStream);
    subject.send(append.clone())?;
    subject.fill(&stream()?, 4)?;
    let again = subject.send(append)?;
    assert_eq!((again.version.get(), again.replayed), (1, true));
    Ok(())
}

/// Other events under a used key are refused, and nothing is written.
pub fn a_key_with_other_events_is_refused<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.send(keyed(vec![counted(1)?])?)?;
    let other_type = NewEvent::new("Other", counted(1)?.data().clone())?;
    for events in
        [vec![counted(2)?], vec![counted(1)?, counted(1)?], vec![counted(1)?.with_id("x")?], vec![other_type]]
    {
        let refused = subject.send(keyed(events)?);
        assert_eq!(refused, Err(AppendError::IdempotencyKeyReused { stream: stream.clone() }));
    }
    assert_eq!(subject.versions(&stream, &ReadRange::all())?, [1]);
    Ok(())
}

/// The same key in another stream is another key.
pub fn a_key_is_of_its_stream<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    subject.send(keyed(vec![counted(1)?])?)?;
    let elsewhere = Append { stream: StreamId::new("account-43")?, ..keyed(vec![counted(2)?])? };
    assert!(!subject.send(elsewhere)?.replayed);
    Ok(())
}

/// The key of a refused append is free.
pub fn a_refused_append_does_not_use_up_its_key<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let refused = subject.send(keyed(vec![counted(1)?])?.expecting(ExpectedVersion::StreamExists));
    assert!(matches!(refused, Err(AppendError::WrongExpectedVersion { .. })), "{refused:?}");
    let appended = subject.send(keyed(vec![counted(2)?])?)?;
    assert_eq!((appended.version.get(), appended.replayed), (1, false));
    Ok(())
}

/// A repeated reaction has already taken effect, even if its events differ. The stored events name their cause.
pub fn a_reaction_takes_effect_once<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let cause = Cause::new(EventId::new("cause")?, r#"{"correlationId":"all"}"#);
    let reaction = |number| -> Result<_, Box<dyn std::error::Error>> {
        let key = IdempotencyKey::of(KeyOrigin::Reactor, "k")?;
        Ok(Append::to(stream()?, vec![counted(number)?]).keyed(key).caused_by(cause.clone()))
    };
    let first = subject.send(reaction(1)?)?;
    assert_eq!(subject.send(reaction(2)?)?, Appended { replayed: true, ..first });
    let page = subject.read(&stream()?, &ReadRange::all())?;
    let metadata: Vec<&str> = page.events.iter().map(|event| event.metadata.as_str()).collect();
    assert_eq!(metadata, [r#"{"correlationId":"all","causationId":"cause"}"#]);
    Ok(())
}

/// A key belongs to its origin. An append with the same text from another origin does not use it up. Only an append
/// from the same origin is a repeat.
pub fn a_key_is_of_its_origin<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let cause = Cause::new(EventId::new("cause")?, "{}");
    let of_client = |number| keyed(vec![counted(number)?]);
    let of_reactor = |number| -> Result<Append, Box<dyn std::error::Error>> {
        let key = IdempotencyKey::of(KeyOrigin::Reactor, "k")?;
        Ok(Append::to(stream()?, vec![counted(number)?]).keyed(key).caused_by(cause.clone()))
    };
    let client = subject.send(of_client(1)?)?;
    let reactor = subject.send(of_reactor(2)?)?;
    assert_eq!((client.replayed, reactor.replayed), (false, false));
    assert_eq!(subject.send(of_reactor(2)?)?, Appended { replayed: true, ..reactor });
    assert_eq!(subject.send(of_client(1)?)?, Appended { replayed: true, ..client });
    assert_eq!(subject.versions(&stream()?, &ReadRange::all())?, [1, 2]);
    assert_eq!(subject.store().verify(&stream()?)?.broken, None);
    Ok(())
}
