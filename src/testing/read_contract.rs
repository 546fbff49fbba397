//! The behaviour of every store for reads.

use super::subject::{Outcome, Subject, counted, range, stream};
use crate::store::limits::PAGE_BYTES;
use crate::store::{Direction, EventType, ExpectedVersion, JsonText, NewEvent, ReadRange, StreamLog};

use Direction::{Backward, Forward};

/// A read returns a stream from its first event to its last, or from its last event to its first.
pub fn a_read_goes_forward_and_backward<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 4)?;
    assert_eq!(subject.versions(&stream, &range(None, None, 1000, Forward)?)?, [1, 2, 3, 4]);
    assert_eq!(subject.versions(&stream, &range(None, None, 1000, Backward)?)?, [4, 3, 2, 1]);
    Ok(())
}

/// `from` and `to` are both inclusive, and mean the same in both directions.
pub fn a_range_is_inclusive_at_both_ends<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 6)?;
    let cases: [(Option<u64>, Option<u64>, &[u64]); 5] = [
        (Some(2), Some(4), &[2, 3, 4]),
        (Some(3), Some(3), &[3]),
        (None, Some(2), &[1, 2]),
        (Some(5), None, &[5, 6]),
        (Some(6), Some(99), &[6]),
    ];
    for (from, to, versions) in cases {
        assert_eq!(subject.versions(&stream, &range(from, to, 1000, Forward)?)?, versions);
        let backward: Vec<u64> = versions.iter().rev().copied().collect();
        assert_eq!(subject.versions(&stream, &range(from, to, 1000, Backward)?)?, backward);
    }
    Ok(())
}

/// A range may begin and end within a commit.
pub fn a_range_cuts_through_commits<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    for batch in [[1, 2, 3], [4, 5, 6], [7, 8, 9]] {
        let events = batch.into_iter().map(counted).collect::<Result<Vec<_>, _>>()?;
        subject.append(&stream, ExpectedVersion::Any, events)?;
    }
    for from in 1..=9 {
        for to in from..=9 {
            let forward: Vec<u64> = (from..=to).collect();
            assert_eq!(subject.versions(&stream, &range(Some(from), Some(to), 1000, Forward)?)?, forward);
            let backward: Vec<u64> = (from..=to).rev().collect();
            assert_eq!(subject.versions(&stream, &range(Some(from), Some(to), 1000, Backward)?)?, backward);
        }
    }
    Ok(())
}

/// The pages of a range contain each of its events once, in order. The last page names no next page.
pub fn pages_follow_each_other_without_hole_or_repeat<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let events = (1..=7).map(counted).collect::<Result<Vec<_>, _>>()?;
    subject.append(&stream, ExpectedVersion::Any, events)?;
    subject.fill(&stream, 5)?;
    for (limit, pages) in [(1, 10), (3, 4), (5, 2), (10, 1), (11, 1)] {
        let forward: Vec<u64> = (2..=11).collect();
        assert_eq!(
            subject.all_versions(&stream, range(Some(2), Some(11), limit, Forward)?)?,
            (forward, pages)
        );
        let backward: Vec<u64> = (2..=11).rev().collect();
        assert_eq!(
            subject.all_versions(&stream, range(Some(2), Some(11), limit, Backward)?)?,
            (backward, pages)
        );
    }
    Ok(())
}

/// Every read of a part of a stream returns the version of the whole stream.
pub fn a_partial_read_tells_the_version_of_the_stream<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 9)?;
    for direction in [Forward, Backward] {
        for part in [range(None, Some(3), 2, direction)?, range(Some(50), None, 2, direction)?] {
            assert_eq!(subject.read(&stream, &part)?.version.get(), 9);
        }
    }
    Ok(())
}

/// A page ends with the event that fills it, and the next page begins after that event.
pub fn a_page_of_large_events_ends_early<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    let megabyte = "x".repeat(1_000_000);
    for _ in 0..6 {
        let event = NewEvent::new("Large", JsonText::parse(&format!("\"{megabyte}\""))?)?;
        subject.append(&stream, ExpectedVersion::Any, vec![event])?;
    }
    let first = subject.read(&stream, &ReadRange::all())?;
    let bytes: usize = first.events.iter().map(|event| event.data.as_str().len()).sum();
    assert!((PAGE_BYTES..PAGE_BYTES + 1_100_000).contains(&bytes), "{bytes} bytes on a page");
    assert_eq!(subject.all_versions(&stream, ReadRange::all())?, (vec![1, 2, 3, 4, 5, 6], 2));
    Ok(())
}

/// A range beyond the end of the stream contains nothing and has no next page.
pub fn a_range_beyond_the_end_is_empty<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 3)?;
    for direction in [Forward, Backward] {
        let page = subject.read(&stream, &range(Some(4), None, 10, direction)?)?;
        assert_eq!((page.events.len(), page.next), (0, None));
    }
    Ok(())
}

/// A read with a type returns only the events of that type, and its limit counts only these.
pub fn one_type_alone_is_read_in_pages<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    for number in 1..=10 {
        let event_type = if number % 3 == 0 { "Third" } else { "Other" };
        let event = NewEvent::new(event_type, JsonText::null())?;
        subject.append(&stream, ExpectedVersion::Any, vec![event])?;
    }
    let third = || EventType::new("Third");
    for limit in 1..=4 {
        let forward = range(None, None, limit, Forward)?.of_type(third()?);
        assert_eq!(subject.all_versions(&stream, forward)?.0, [3, 6, 9]);
        let backward = range(Some(2), Some(8), limit, Backward)?.of_type(third()?);
        assert_eq!(subject.all_versions(&stream, backward)?.0, [6, 3]);
    }
    let none = ReadRange::all().of_type(EventType::new("third")?);
    assert_eq!(subject.all_versions(&stream, none)?.0, [0_u64; 0]);
    Ok(())
}

/// A range is empty if its limit or its end is 0, or if it ends before it begins. It has no next page.
pub fn an_empty_range_has_no_events<L: StreamLog>(subject: &mut Subject<L>) -> Outcome {
    let stream = stream()?;
    subject.fill(&stream, 3)?;
    for direction in [Forward, Backward] {
        for empty in [
            range(None, None, 0, direction)?,
            range(None, Some(0), 10, direction)?,
            range(Some(3), Some(2), 10, direction)?,
        ] {
            let page = subject.read(&stream, &empty)?;
            assert_eq!((page.version.get(), page.events.len(), page.next), (3, 0, None));
        }
    }
    Ok(())
}
