//! The behaviour of every store that stores many streams in one order.

use super::subject::{Outcome, Subject, counted, stream};
use crate::store::{
    Append, Category, Direction, DirectoryRange, EventType, ExpectedVersion, FeedEnd, FeedLog, FeedRange,
    IdempotencyKey, JsonText, NewEvent, Position, ReadRange, StorageError, StreamDirectory, StreamId,
    StreamLog,
};

/// The position, the stream and the version of an event.
type Found = (u64, String, u64);

/// The events on one page of a feed, and the end of the page.
fn page<L: StreamLog + FeedLog>(
    subject: &mut Subject<L>,
    range: &FeedRange,
) -> Result<(Vec<Found>, FeedEnd), StorageError> {
    let mut found = Vec::new();
    let end = subject.store().visit_feed(range, &mut |found_event| {
        let version = found_event.event.version.get();
        found.push((found_event.position.get(), found_event.stream.to_owned(), version));
    })?;
    Ok((found, end))
}

/// Three streams of two categories, in which one event in four is a `Renamed`: 12 events at positions 1 to 12.
fn fill<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    for (name, batch) in
        [("account-1", 3), ("order-7", 2), ("account-2", 1), ("account-1", 1), ("order-7", 5)]
    {
        let (stream, mut events) = (StreamId::new(name)?, Vec::new());
        for number in 1..batch {
            events.push(counted(number)?);
        }
        events.push(NewEvent::new("Renamed", JsonText::from_value(&name)?)?);
        subject.append(&stream, ExpectedVersion::Any, events)?;
    }
    Ok(())
}

/// A log without events ends at its start.
pub fn an_empty_feed_ends_at_its_start<L: StreamLog + FeedLog>(subject: &mut Subject<L>) -> Outcome {
    let (found, end) = page(subject, &FeedRange::after(Position::START))?;
    assert!(found.is_empty());
    assert_eq!(end, FeedEnd { checkpoint: Position::START, more: false, end: Position::START });
    Ok(())
}

/// Every event has a position, without gaps, and the versions of each stream are in order.
pub fn the_feed_has_every_event_once_in_order<L: StreamLog + FeedLog>(subject: &mut Subject<L>) -> Outcome {
    fill(subject)?;
    let (found, end) = page(subject, &FeedRange::after(Position::START))?;
    assert!(found.iter().map(|(position, ..)| *position).eq(1..=12));
    let of_account_1: Vec<(u64, u64)> =
        found.iter().filter(|(_, stream, _)| stream == "account-1").map(|found| (found.0, found.2)).collect();
    assert_eq!(of_account_1, [(1, 1), (2, 2), (3, 3), (7, 4)]);
    assert!(!end.more);
    assert_eq!(end.checkpoint, subject.store().end()?);
    Ok(())
}

/// A feed continues from any position, in pages of any size, without missing or repeated events.
pub fn a_feed_is_resumed_anywhere<L: StreamLog + FeedLog>(subject: &mut Subject<L>) -> Outcome {
    fill(subject)?;
    for limit in 1..=13 {
        for start in 0..=12 {
            let (mut seen, mut after) = (Vec::new(), Position::new(start).unwrap_or_default());
            loop {
                let (found, end) = page(subject, &FeedRange::after(after).limited(limit)?)?;
                assert!(found.len() <= usize::try_from(limit)?);
                seen.extend(found.into_iter().map(|(position, ..)| position));
                after = end.checkpoint;
                if !end.more {
                    break;
                }
            }
            assert!(seen.into_iter().eq(start + 1..=12), "from {start} in pages of {limit}");
        }
    }
    Ok(())
}

/// A category and types limit the events of a page, but not its checkpoint.
pub fn a_feed_is_of_a_category_and_of_types<L: StreamLog + FeedLog>(subject: &mut Subject<L>) -> Outcome {
    fill(subject)?;
    let all = || FeedRange::after(Position::START);
    let positions = |found: Vec<Found>| found.into_iter().map(|found| found.0).collect::<Vec<_>>();
    let (found, end) = page(subject, &all().of_category(Category::new("account")?))?;
    assert_eq!(positions(found), [1, 2, 3, 6, 7]);
    let last = subject.store().end()?;
    assert_eq!(end, FeedEnd { checkpoint: last, more: false, end: last });
    let renamed = || -> Result<_, Box<dyn std::error::Error>> { Ok(vec![EventType::new("Renamed")?]) };
    let (found, _) = page(subject, &all().of_types(renamed()?))?;
    assert_eq!(positions(found), [3, 5, 6, 7, 12]);
    let (found, end) =
        page(subject, &all().of_types(renamed()?).of_category(Category::new("order")?).limited(1)?)?;
    assert_eq!(positions(found), [5]);
    assert!(end.more);
    let (found, _) = page(subject, &all().of_category(Category::new("acc")?))?;
    assert!(found.is_empty());
    Ok(())
}

/// The feed does not contain forgotten events, the other events stay at their positions, and no position is given
/// twice.
pub fn a_place_is_never_given_twice<L: StreamLog + FeedLog>(subject: &mut Subject<L>) -> Outcome {
    fill(subject)?;
    let order = StreamId::new("order-7")?;
    subject.store().delete(&order)?;
    let (found, end) = page(subject, &FeedRange::after(Position::START))?;
    assert!(found.iter().all(|(_, stream, _)| stream != "order-7"));
    let last = Position::new(12).unwrap_or_default();
    assert_eq!(end, FeedEnd { checkpoint: last, more: false, end: last });
    let account = StreamId::new("account-1")?;
    subject.append(&account, ExpectedVersion::Any, vec![counted(1)?])?;
    let cut = subject.store().head(&account)?.version.before(3).unwrap_or_default();
    subject.store().truncate(&account, cut)?;
    let (found, _) = page(subject, &FeedRange::after(Position::new(1).unwrap_or_default()))?;
    let left: Vec<(u64, &str, u64)> =
        found.iter().map(|(position, stream, version)| (*position, stream.as_str(), *version)).collect();
    assert_eq!(
        left,
        [
            (2, "account-1", 2),
            (3, "account-1", 3),
            (6, "account-2", 1),
            (7, "account-1", 4),
            (13, "account-1", 5)
        ]
    );
    // The last position now belongs to a forgotten event, and must not be given again.
    subject.store().delete(&account)?;
    subject.store().delete(&StreamId::new("account-2")?)?;
    subject.append(&StreamId::new("account-9")?, ExpectedVersion::Any, vec![counted(1)?])?;
    let (found, _) = page(subject, &FeedRange::after(Position::new(12).unwrap_or_default()))?;
    assert_eq!(found, [(14, "account-9".to_owned(), 1)]);
    Ok(())
}

/// The directory lists the streams by name, by prefix and by category, in pages.
pub fn the_directory_lists_streams<L: StreamLog + StreamDirectory>(subject: &mut Subject<L>) -> Outcome {
    for name in ["order-7", "account-2", "accounting-1", "account", "account-10", "gone-1"] {
        subject.append(&StreamId::new(name)?, ExpectedVersion::Any, vec![counted(1)?])?;
    }
    subject.store().delete(&StreamId::new("gone-1")?)?;
    let mut names = |range: &DirectoryRange| -> Result<(Vec<String>, Option<String>), StorageError> {
        let page = subject.store().streams(range)?;
        Ok((page.streams.into_iter().map(|entry| entry.stream.to_string()).collect(), page.next))
    };
    let all = ["account", "account-10", "account-2", "accounting-1", "order-7"];
    assert_eq!(names(&DirectoryRange::new("", ""))?, (all.map(str::to_owned).to_vec(), None));
    assert_eq!(names(&DirectoryRange::new("account-1", ""))?.0, ["account-10"]);
    assert_eq!(names(&DirectoryRange::new("account", "account-10"))?.0, ["account-2", "accounting-1"]);
    let accounts = DirectoryRange::new("", "").of_category(Category::new("account")?);
    assert_eq!(names(&accounts)?.0, ["account", "account-10", "account-2"]);
    assert_eq!(
        names(&DirectoryRange::new("account-2", "").of_category(Category::new("account")?))?.0,
        ["account-2"]
    );
    let two = DirectoryRange::new("", "").limited(2)?;
    assert_eq!(
        names(&two)?,
        (vec!["account".to_owned(), "account-10".to_owned()], Some("account-10".to_owned()))
    );
    assert_eq!(names(&DirectoryRange::new("nothing", ""))?, (Vec::new(), None));
    Ok(())
}

/// A stream's entry in the directory has the stream's version.
pub fn the_directory_tells_versions<L: StreamLog + StreamDirectory>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 3)?;
    let page = subject.store().streams(&DirectoryRange::new("", ""))?;
    let head = subject.store().head(&stream)?;
    let entries: Vec<_> =
        page.streams.iter().map(|entry| (&entry.stream, entry.version, entry.time)).collect();
    assert_eq!(entries, [(&stream, head.version, head.time)]);
    Ok(())
}

/// The answer to an append has the position of its last event, and a read of a stream has the positions of its events.
pub fn a_stream_is_read_with_its_positions<L: StreamLog + FeedLog>(subject: &mut Subject<L>) -> Outcome {
    fill(subject)?;
    let (account, number) =
        (StreamId::new("account-1")?, |position: Option<Position>| position.map(Position::get));
    for direction in [Direction::Forward, Direction::Backward] {
        let range = ReadRange::new(None, None, None, direction)?;
        let mut positions: Vec<_> =
            subject.read(&account, &range)?.events.iter().map(|event| number(event.position)).collect();
        if direction == Direction::Backward {
            positions.reverse();
        }
        assert_eq!(positions, [Some(1), Some(2), Some(3), Some(7)]);
    }
    let keyed = || -> Result<Append, Box<dyn std::error::Error>> {
        Ok(Append::to(account.clone(), vec![counted(1)?, counted(2)?]).keyed(IdempotencyKey::new("k")?))
    };
    assert_eq!(number(subject.send(keyed()?)?.position), Some(14));
    assert_eq!(number(subject.send(keyed()?)?.position), Some(14));
    // The stream is now remembered, and its next append is one statement.
    assert_eq!(number(subject.append(&account, ExpectedVersion::Any, vec![counted(3)?])?.position), Some(15));
    Ok(())
}
