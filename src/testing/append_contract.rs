//! The behaviour of every store for appends.

use super::subject::{Outcome, Subject, counted, stream};
use crate::store::limits::{COMMIT_BYTES, COMMIT_EVENTS};
use crate::store::{
    Append, AppendAllError, AppendError, Appended, EventId, ExpectedVersion, IdempotencyKey, JsonText,
    NewEvent, ReadRange, RecordedTime, StreamId, StreamLog, Version,
};

/// The expected version "exactly `number`".
fn exactly(number: u64) -> ExpectedVersion {
    ExpectedVersion::Exactly(Version::new(number).unwrap_or(Version::MAX))
}

/// Asserts that an append was refused as a conflict with this actual version.
fn assert_conflict(
    result: &Result<Appended, AppendError>,
    expected_version: ExpectedVersion,
    actual_version: u64,
) {
    match result {
        Err(AppendError::WrongExpectedVersion { expected, actual, .. }) => {
            assert_eq!((*expected, actual.get()), (expected_version, actual_version));
        }
        other => {
            assert!(matches!(other, Err(AppendError::WrongExpectedVersion { .. })), "no conflict: {other:?}")
        }
    }
}

/// An event whose size in a commit is `bytes`.
fn sized(bytes: usize) -> Result<NewEvent, Box<dyn std::error::Error>> {
    let frame = r#"{"id":"own","type":"T","data":""}"#.len();
    let text = "x".repeat(bytes - frame);
    Ok(NewEvent::new("T", JsonText::parse(&format!("\"{text}\""))?)?.with_id("own")?)
}

/// An empty stream is at version 0 and has no events.
pub fn an_empty_stream_is_at_version_0<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let page = subject.read(&stream()?, &ReadRange::all())?;
    assert_eq!((page.version, page.events.len(), page.next), (Version::EMPTY, 0, None));
    Ok(())
}

/// Versions count from 1 without gaps, within a batch and from one commit to the next.
pub fn versions_count_from_1_without_gaps<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let first = subject.append(&stream, ExpectedVersion::Any, vec![counted(1)?, counted(2)?])?;
    assert_eq!((first.first_version.get(), first.version.get()), (1, 2));
    let second = subject.append(&stream, ExpectedVersion::Any, vec![counted(3)?])?;
    assert_eq!((second.first_version.get(), second.version.get()), (3, 3));
    assert_eq!(subject.versions(&stream, &ReadRange::all())?, [1, 2, 3]);
    Ok(())
}

/// "Any" appends at every version.
pub fn any_appends_at_every_version<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    for version in 1..=3 {
        let appended = subject.append(&stream, ExpectedVersion::Any, vec![counted(version)?])?;
        assert_eq!(appended.version.get(), version);
    }
    Ok(())
}

/// "No stream" holds for the first append and never after it.
pub fn no_stream_holds_only_once<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let (stream, expected) = (stream()?, ExpectedVersion::NoStream);
    subject.append(&stream, expected, vec![counted(1)?])?;
    assert_conflict(&subject.append(&stream, expected, vec![counted(2)?]), expected, 1);
    Ok(())
}

/// "Stream exists" does not hold for the first append, and always holds after it.
pub fn stream_exists_holds_only_after_the_first<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let (stream, expected) = (stream()?, ExpectedVersion::StreamExists);
    assert_conflict(&subject.append(&stream, expected, vec![counted(1)?]), expected, 0);
    subject.append(&stream, ExpectedVersion::Any, vec![counted(1)?])?;
    assert_eq!(subject.append(&stream, expected, vec![counted(2)?])?.version.get(), 2);
    Ok(())
}

/// An exact version holds at that version and at no other.
pub fn an_exact_version_holds_only_there<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 2)?;
    for wrong in [0, 1, 3, Version::MAX.get()] {
        assert_conflict(&subject.append(&stream, exactly(wrong), vec![counted(3)?]), exactly(wrong), 2);
    }
    assert_eq!(subject.append(&stream, exactly(2), vec![counted(3)?])?.version.get(), 3);
    Ok(())
}

/// Version 0, expected exactly, is the version of an empty stream.
pub fn exactly_0_means_no_stream<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    assert_eq!(subject.append(&stream, exactly(0), vec![counted(1)?])?.version.get(), 1);
    assert_conflict(&subject.append(&stream, exactly(0), vec![counted(2)?]), exactly(0), 1);
    Ok(())
}

/// A conflict reports the stream's actual version, and writes nothing.
pub fn a_conflict_tells_the_actual_version_and_changes_nothing<L: StreamLog>(
    subject: &mut Subject<L>,
) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 5)?;
    let before = subject.read(&stream, &ReadRange::all())?;
    assert_conflict(&subject.append(&stream, exactly(3), vec![counted(0)?, counted(0)?]), exactly(3), 5);
    assert_eq!(subject.read(&stream, &ReadRange::all())?, before);
    Ok(())
}

/// All events of a batch are appended, in their order.
pub fn a_batch_is_appended_whole<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let batch = (1..=10).map(counted).collect::<Result<Vec<_>, _>>()?;
    subject.append(&stream, ExpectedVersion::NoStream, batch)?;
    let page = subject.read(&stream, &ReadRange::all())?;
    let data: Vec<_> = page.events.iter().map(|event| event.data.as_str().to_owned()).collect();
    assert_eq!(data, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    Ok(())
}

/// 1,024 events are appended at once. One more is refused, and nothing is written.
pub fn a_batch_of_1024_events_is_the_largest<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let events = |count: usize| (0..count).map(|_| counted(1)).collect::<Result<Vec<_>, _>>();
    let result = subject.append(&stream, ExpectedVersion::Any, events(COMMIT_EVENTS + 1)?);
    assert_eq!(result, Err(AppendError::TooManyEvents { count: 1025 }));
    assert_eq!(
        subject.append(&stream, ExpectedVersion::NoStream, events(COMMIT_EVENTS)?)?.version.get(),
        1024
    );
    Ok(())
}

/// Events of 1 MiB in their stored form are appended. One byte more is refused, and nothing is written.
pub fn a_commit_of_1_mebibyte_is_the_largest<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    // The stored text is `[event,event]`.
    let (one, other) = (COMMIT_BYTES / 2, COMMIT_BYTES / 2 - "[,]".len());
    let result = subject.append(&stream, ExpectedVersion::Any, vec![sized(one)?, sized(other + 1)?]);
    assert_eq!(result, Err(AppendError::CommitTooLarge { bytes: COMMIT_BYTES + 1 }));
    let events = vec![sized(one)?, sized(other)?];
    assert_eq!(subject.append(&stream, ExpectedVersion::NoStream, events)?.version.get(), 2);
    Ok(())
}

/// An append without events is refused.
pub fn an_append_needs_an_event<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    assert_eq!(subject.append(&stream()?, ExpectedVersion::Any, Vec::new()), Err(AppendError::NoEvents));
    Ok(())
}

/// Streams with similar names do not share events. This is for a store of many streams. A store of a single stream
/// receives only that one.
pub fn streams_are_apart<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let names =
        ["account-42", "account-4", "account-42 ", "Account-42", "account_42", "계좌-42", "%", "'\"\\"];
    for (count, name) in (1..).zip(names) {
        subject.fill(&StreamId::new(name)?, count)?;
    }
    for (count, name) in (1_u64..).zip(names) {
        let page = subject.read(&StreamId::new(name)?, &ReadRange::all())?;
        assert_eq!(page.version.get(), count, "{name}");
        assert!(page.events.iter().all(|event| event.stream.as_str() == name), "{name}");
    }
    Ok(())
}

/// The store stores the writer's id of an event. An event without an id gets a fresh one.
pub fn ids_are_kept_or_fresh<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let events = vec![counted(1)?, counted(2)?.with_id("mine")?, counted(3)?];
    subject.append(&stream, ExpectedVersion::Any, events)?;
    let page = subject.read(&stream, &ReadRange::all())?;
    let ids: Vec<_> = page.events.iter().map(|event| event.id.as_str().to_owned()).collect();
    assert_eq!(ids, ["id-1", "mine", "id-2"]);
    Ok(())
}

/// The recorded time is the clock's time. While the clock is behind the recorded time, the recorded time does not
/// change.
pub fn the_recorded_time_never_goes_back<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    for (clock, recorded) in [(5000, 5000), (4000, 5000), (0, 5000), (6000, 6000)] {
        subject.set_clock(clock);
        let appended = subject.append(&stream, ExpectedVersion::Any, vec![counted(1)?])?;
        assert_eq!(appended.time.as_millis(), recorded);
    }
    let page = subject.read(&stream, &ReadRange::all())?;
    let times: Vec<_> = page.events.iter().map(|event| event.time.as_millis()).collect();
    assert_eq!(times, [5000, 5000, 5000, 6000]);
    Ok(())
}

/// Reads return data and metadata as exactly the text that was appended.
pub fn data_and_metadata_come_back_verbatim<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let texts = [
        "null",
        "1e400",
        "12345678901234567890",
        "-0.0",
        "[ 1 , 2 ]",
        r#""\u00e9\ud83d\ude00\u0000 é 😀 '""#,
        r#"{"a":1,"a":2,"":{}}"#,
        "{\n\t\"b\": true\n}",
    ];
    for text in texts {
        let metadata = JsonText::parse(&format!("{{\"of\":{text}}}"))?;
        let event =
            NewEvent::new("Ünïcödé \"quoted\" \\ type", JsonText::parse(text)?)?.with_metadata(metadata)?;
        subject.append(&stream, ExpectedVersion::Any, vec![event])?;
    }
    let page = subject.read(&stream, &ReadRange::all())?;
    assert_eq!(page.events.len(), texts.len());
    for (event, text) in page.events.iter().zip(texts) {
        assert_eq!(event.data.as_str(), text);
        assert_eq!(event.metadata.as_str(), format!("{{\"of\":{text}}}"));
        assert_eq!(event.event_type.as_str(), "Ünïcödé \"quoted\" \\ type");
    }
    Ok(())
}

/// The answer to an append has the ids of its events, and so has the answer to its repeat.
pub fn an_append_returns_the_ids_of_its_events<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let events =
        || Ok::<_, Box<dyn std::error::Error>>(vec![counted(1)?, counted(2)?.with_id("own")?, counted(3)?]);
    let keyed = |events| {
        Ok::<_, Box<dyn std::error::Error>>(
            Append::to(stream.clone(), events).keyed(IdempotencyKey::new("k")?),
        )
    };
    let first = subject.send(keyed(events()?)?)?;
    let read: Vec<_> =
        subject.read(&stream, &ReadRange::all())?.events.into_iter().map(|event| event.id).collect();
    assert_eq!(first.ids, read);
    assert_eq!(first.ids.get(1).map(EventId::as_str), Some("own"));
    assert_eq!(subject.send(keyed(events()?)?)?, Appended { replayed: true, ..first });
    Ok(())
}

/// Appends to several streams are written together or not at all.
pub fn appends_to_several_streams_are_one_act<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let to = |name: &str, expected| -> Result<Append, Box<dyn std::error::Error>> {
        Ok(Append::to(StreamId::new(name)?, vec![counted(1)?]).expecting(expected))
    };
    let mut all =
        |appends| subject.store().append_all(appends, RecordedTime::default(), &mut EventId::default);
    let appended = all(vec![to("a-1", ExpectedVersion::NoStream)?, to("a-2", ExpectedVersion::Any)?])?;
    assert_eq!(appended.iter().map(|appended| appended.version.get()).collect::<Vec<_>>(), [1, 1]);
    let conflict = all(vec![to("a-3", ExpectedVersion::Any)?, to("a-2", ExpectedVersion::NoStream)?]);
    assert!(matches!(conflict, Err(AppendAllError::Refused { place: 1, .. })), "{conflict:?}");
    let twice = all(vec![to("a-3", ExpectedVersion::Any)?, to("a-3", ExpectedVersion::Any)?]);
    assert_eq!(twice, Err(AppendAllError::SameStream { place: 1 }));
    assert_eq!(all(Vec::new()), Err(AppendAllError::Count { count: 0 }));
    assert_eq!(subject.store().head(&StreamId::new("a-3")?)?.version, Version::EMPTY);
    Ok(())
}
