//! The behaviour of every store of decisions for pending commands: timers and sent commands.

use std::ops::ControlFlow;

use super::subject::{Outcome, Subject, counted, stream};
use crate::store::{
    Append, CommandHash, Decided, DecisionLog, DecisionParts, DuePlace, EventId, IdempotencyKey, JsonText,
    PendingChange, PendingCommand, PendingKey, PendingKind, PendingLog, PendingState, ReadRange, Receiver,
    RecordedTime, StorageError, StreamId, Version,
};

type Found<T> = Result<T, Box<dyn std::error::Error>>;

const fn at(millis: u64) -> RecordedTime {
    RecordedTime::from_millis(millis)
}

/// A timer that is due at a time.
fn timer(key: &str, due: u64) -> Found<PendingCommand> {
    let command = JsonText::parse(r#"{"type":"Lapse","data":{ "n" : 1e400 },"metadata":{}}"#)?;
    let (key, at, state) = (PendingKey::timer(key)?, at(due), PendingState::Due(at(due)));
    Ok(PendingCommand { key, receiver: None, command, at, failed: 0, state, error: None })
}

/// A command that was sent at a time.
fn sent(id: &str, time: u64) -> Found<PendingCommand> {
    let receiver = Some(Receiver { stream: StreamId::new("account-b")?, name: "debit".into() });
    Ok(PendingCommand { key: PendingKey::sent(id)?, receiver, ..timer("other", time)? })
}

fn change<L: DecisionLog>(
    subject: &mut Subject<L>,
    stream: &StreamId,
    pending: &[PendingChange],
) -> Result<(), StorageError> {
    let parts = DecisionParts { pending, ..DecisionParts::default() };
    subject.store().log_mut().exclusively(|log| log.insert_decision(stream, parts))
}

fn put<L: DecisionLog>(subject: &mut Subject<L>, pending: &[PendingCommand]) -> Outcome {
    let changes: Vec<_> = pending.iter().cloned().map(PendingChange::Put).collect();
    Ok(change(subject, &stream()?, &changes)?)
}

/// The pending commands after a key, at most `most`.
fn after<L: DecisionLog>(
    subject: &mut Subject<L>,
    key: &PendingKey,
    most: usize,
) -> Found<Vec<PendingCommand>> {
    let mut found = Vec::new();
    subject.store().log().scan_pending(&stream()?, key, &mut |pending| {
        found.push(pending);
        if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
}

/// All pending commands of a kind.
fn all<L: DecisionLog>(subject: &mut Subject<L>, kind: PendingKind) -> Found<Vec<PendingCommand>> {
    after(subject, &PendingKey::first(kind), usize::MAX)
}

fn agenda<L: DecisionLog>(
    subject: &mut Subject<L>,
    stream: &StreamId,
) -> Found<Vec<(PendingKey, PendingState)>> {
    let mut found = Vec::new();
    subject.store().log().agenda(stream, &mut |key, state| found.push((key, state)))?;
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// A pending command comes back as it was stored, until another takes its key or it is removed. The changes of one
/// decision are carried out in their order.
pub fn a_pending_command_is_stored_replaced_and_removed<L: DecisionLog>(subject: &mut Subject<L>) -> Outcome {
    let name = stream()?;
    let first = timer("lapse", 7000)?;
    assert_eq!(subject.store().log().pending(&name, &first.key)?, None);
    change(subject, &name, &[PendingChange::Remove(first.key.clone())])?;
    let error = Some(JsonText::parse(r#"{"code":"decider_failed","detail":"x"}"#)?);
    let parked = PendingCommand { failed: 8, state: PendingState::Parked, error, ..first.clone() };
    let refused = PendingCommand { state: PendingState::Rejected, failed: 0, ..parked.clone() };
    let later = PendingCommand { at: at(8000), state: PendingState::Due(at(8000)), ..parked.clone() };
    let sent = sent("id-1", 6000)?;
    let error = Some(JsonText::parse(r#"{"code":"stream_deleted"}"#)?);
    let answered = PendingCommand { state: PendingState::Answered(at(7000)), error, ..sent.clone() };
    for stored in [first, parked, refused, later, sent, answered] {
        put(subject, std::slice::from_ref(&stored))?;
        assert_eq!(subject.store().log().pending(&name, &stored.key)?, Some(stored));
    }
    assert_eq!(all(subject, PendingKind::Timer)?.len(), 1, "a key has one timer");
    let (key, again) = (PendingKey::timer("lapse")?, timer("lapse", 9000)?);
    let removed = PendingChange::Remove(key.clone());
    change(subject, &name, &[removed.clone(), PendingChange::Put(again.clone())])?;
    assert_eq!(subject.store().log().pending(&name, &key)?, Some(again.clone()));
    change(subject, &name, &[PendingChange::Put(again.clone()), PendingChange::Park(key.clone())])?;
    let parked = PendingCommand { state: PendingState::Parked, ..again };
    assert_eq!(subject.store().log().pending(&name, &key)?, Some(parked.clone()));
    change(subject, &name, &[PendingChange::Put(parked), removed, PendingChange::Park(key.clone())])?;
    assert_eq!(subject.store().log().pending(&name, &key)?, None);
    assert_eq!(all(subject, PendingKind::Sent)?.len(), 1, "the sent command is left");
    Ok(())
}

/// A timer and a sent command may have the same key.
pub fn a_timer_and_a_sent_command_are_apart<L: DecisionLog>(subject: &mut Subject<L>) -> Outcome {
    let (timer, sent) = (timer("same", 5000)?, sent("same", 6000)?);
    put(subject, &[timer.clone(), sent.clone()])?;
    assert_eq!(all(subject, PendingKind::Timer)?.as_slice(), std::slice::from_ref(&timer));
    assert_eq!(all(subject, PendingKind::Sent)?.as_slice(), std::slice::from_ref(&sent));
    change(subject, &stream()?, &[PendingChange::Remove(timer.key)])?;
    assert_eq!(all(subject, PendingKind::Timer)?, []);
    assert_eq!(all(subject, PendingKind::Sent)?, [sent]);
    Ok(())
}

/// A scan visits the pending commands of one kind after a key, in the order of the bytes of their keys.
pub fn pending_commands_are_visited_in_the_order_of_their_keys<L: DecisionLog>(
    subject: &mut Subject<L>,
) -> Outcome {
    let keys = [" ", "B", "a", "aa", "b", "é", "日", "\u{1F552}"];
    let mut pending = keys.map(|key| timer(key, 5000)).into_iter().collect::<Result<Vec<_>, _>>()?;
    pending.reverse();
    pending.insert(3, sent("c", 5000)?);
    put(subject, &pending)?;
    let names = |found: Vec<PendingCommand>| -> Vec<String> {
        found.iter().map(|pending| pending.key.as_str().to_owned()).collect()
    };
    assert_eq!(names(all(subject, PendingKind::Timer)?), keys);
    let mut key = PendingKey::first(PendingKind::Timer);
    let mut pages = Vec::new();
    while let [first, rest @ ..] = after(subject, &key, 3)?.as_slice() {
        key = rest.last().unwrap_or(first).key.clone();
        pages.push(1 + rest.len());
    }
    assert_eq!(pages, [3, 3, 2]);
    assert_eq!(names(after(subject, &PendingKey::timer("aab")?, 2)?), ["b", "é"]);
    assert_eq!(names(all(subject, PendingKind::Sent)?), ["c"]);
    Ok(())
}

/// The agenda has each pending command of the stream once, with its state.
pub fn the_agenda_has_the_state_of_each_pending_command<L: DecisionLog>(subject: &mut Subject<L>) -> Outcome {
    let (name, other) = (stream()?, StreamId::new("account-43")?);
    assert_eq!(agenda(subject, &name)?, []);
    let parked = PendingCommand { state: PendingState::Parked, ..sent("id-1", 5000)? };
    let rejected = PendingCommand { state: PendingState::Rejected, ..timer("b", 5000)? };
    put(subject, &[timer("a", 9000)?, rejected, parked, sent("id-2", 7000)?])?;
    change(subject, &other, &[PendingChange::Put(timer("z", 5000)?)])?;
    let expected = [
        (PendingKey::timer("a")?, PendingState::Due(at(9000))),
        (PendingKey::timer("b")?, PendingState::Rejected),
        (PendingKey::sent("id-1")?, PendingState::Parked),
        (PendingKey::sent("id-2")?, PendingState::Due(at(7000))),
    ];
    assert_eq!(agenda(subject, &name)?, expected);
    assert_eq!(agenda(subject, &other)?, [(PendingKey::timer("z")?, PendingState::Due(at(5000)))]);
    Ok(())
}

/// The commit, the outcome and the pending commands of one decision are stored together.
pub fn a_decision_is_stored_with_all_its_parts<L: DecisionLog>(subject: &mut Subject<L>) -> Outcome {
    let (name, id) = (stream()?, IdempotencyKey::new("k-1")?);
    put(subject, &[timer("old", 5000)?])?;
    let append = Append::to(name.clone(), vec![counted(1)?]);
    let head = subject.store().head(&name)?;
    let commit = append.plan(&head, at(1000), || append.encode(&mut EventId::default))?;
    let decided = Decided::Events { first_version: Version::FIRST };
    let (command, version) = (CommandHash::default(), Version::FIRST);
    let outcome = crate::store::Outcome { command, time: at(1000), version, decided };
    let pending = [
        PendingChange::Put(timer("new", 5000)?),
        PendingChange::Put(sent("id-1", 1000)?),
        PendingChange::Remove(PendingKey::timer("old")?),
    ];
    let parts = DecisionParts { commit: Some(commit), outcome: Some((&id, &outcome)), pending: &pending };
    subject.store().log_mut().exclusively(|log| log.insert_decision(&name, parts))?;
    assert_eq!(subject.versions(&name, &ReadRange::all())?, [1]);
    assert_eq!(subject.store().log().outcome(&name, &id)?, Some(outcome));
    assert_eq!(all(subject, PendingKind::Timer)?, [timer("new", 5000)?]);
    assert_eq!(all(subject, PendingKind::Sent)?, [sent("id-1", 1000)?]);
    assert_eq!(subject.store().verify(&name)?.broken, None, "pending commands are no part of the chain");
    Ok(())
}

/// A truncation leaves the pending commands, and a deletion removes them.
pub fn a_deletion_removes_pending_commands<L: DecisionLog>(subject: &mut Subject<L>) -> Outcome {
    let (name, other) = (stream()?, StreamId::new("account-43")?);
    subject.fill(&name, 3)?;
    put(subject, &[timer("a", 5000)?, sent("id-1", 5000)?])?;
    change(subject, &other, &[PendingChange::Put(timer("z", 5000)?)])?;
    subject.store().truncate(&name, Version::new(3).unwrap_or_default())?;
    assert_eq!(agenda(subject, &name)?.len(), 2);
    subject.store().delete(&name)?;
    assert_eq!(agenda(subject, &name)?, []);
    assert_eq!(all(subject, PendingKind::Timer)?, []);
    assert_eq!(subject.store().log().pending(&name, &PendingKey::sent("id-1")?)?, None);
    assert_eq!(agenda(subject, &other)?.len(), 1, "the other stream is untouched");
    Ok(())
}

/// A stream may have pending commands before its first event. A deletion removes them too.
pub fn a_deletion_of_a_stream_without_events_removes_pending_commands<L: DecisionLog>(
    subject: &mut Subject<L>,
) -> Outcome {
    put(subject, &[timer("a", 5000)?])?;
    let name = stream()?;
    subject.store().delete(&name)?;
    assert_eq!(agenda(subject, &name)?, []);
    Ok(())
}

/// The pending commands of all streams are visited in the order in which they are due. Parked and rejected ones are not.
pub fn commands_that_are_due_first_are_visited_first<L: DecisionLog + PendingLog>(
    subject: &mut Subject<L>,
) -> Outcome {
    let due = |subject: &mut Subject<L>, most: usize| -> Found<Vec<(String, String, u64)>> {
        let mut found = Vec::new();
        subject.store().log().scan_due(None, &mut |DuePlace { due, stream, key }| {
            found.push((stream.as_str().to_owned(), key.as_str().to_owned(), due.as_millis()));
            if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(found)
    };
    let row = |stream: &str, key: &str, due| (stream.to_owned(), key.to_owned(), due);
    assert_eq!(due(subject, 9)?, []);
    let (name, other) = (stream()?, StreamId::new("account-43")?);
    subject.fill(&name, 1)?;
    put(subject, &[timer("a", 9000)?, timer("b", 3000)?, sent("id-1", 4000)?])?;
    put(subject, &[PendingCommand { state: PendingState::Parked, ..timer("c", 1)? }])?;
    put(subject, &[PendingCommand { state: PendingState::Rejected, ..timer("d", 1)? }])?;
    // A timer that has failed is due at its next attempt.
    let failed = PendingCommand { state: PendingState::Due(at(8000)), ..timer("z", 2000)? };
    change(subject, &other, &[PendingChange::Put(failed)])?;
    let [first, second] = [row("account-42", "b", 3000), row("account-42", "id-1", 4000)];
    let [third, fourth] = [row("account-43", "z", 8000), row("account-42", "a", 9000)];
    assert_eq!(due(subject, 9)?, [first.clone(), second.clone(), third.clone(), fourth]);
    assert_eq!(due(subject, 2)?, [first, second.clone()]);
    put(subject, &[timer("a", 2000)?, timer("b", 9000)?])?;
    let sent = PendingCommand { state: PendingState::Answered(at(8500)), ..sent("id-1", 4000)? };
    put(subject, std::slice::from_ref(&sent))?;
    assert_eq!(due(subject, 9)?.get(2), Some(&row("account-42", "id-1", 8500)));
    change(subject, &name, &[PendingChange::Park(sent.key)])?;
    let [earlier, later] = [row("account-42", "a", 2000), row("account-42", "b", 9000)];
    assert_eq!(due(subject, 9)?, [earlier, third.clone(), later]);
    subject.store().delete(&name)?;
    assert_eq!(due(subject, 9)?, [third]);
    Ok(())
}
