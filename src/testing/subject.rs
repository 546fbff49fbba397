//! A store under test, with a clock and ids that a test can predict.

use crate::store::{
    Append, AppendError, Appended, Direction, EventId, EventStore, ExpectedVersion, JsonText, NewEvent, Page,
    ReadError, ReadRange, RecordedTime, StreamId, StreamLog,
};

/// The result of a behaviour: `Ok` if the store has it. A failed assertion panics.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// A store under test. Its clock stands at 1,000 ms until a test sets it. Its fresh ids are `id-1`, `id-2`, ….
#[derive(Debug)]
pub struct Subject<L> {
    store: EventStore<L>,
    ids_given: u32,
    now: u64,
}

impl<L: StreamLog> Subject<L> {
    /// Wraps a store for a test.
    pub fn new(store: EventStore<L>) -> Self {
        Self { store, ids_given: 0, now: 1000 }
    }

    /// Sets the clock, forward or back, to this many milliseconds since 1970.
    pub fn set_clock(&mut self, millis: u64) {
        self.now = millis;
    }

    /// Appends to a stream with the clock and the ids of the test.
    ///
    /// # Errors
    /// The error of the store.
    pub fn append(
        &mut self,
        stream: &StreamId,
        expected: ExpectedVersion,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        self.send(Append::to(stream.clone(), events).expecting(expected))
    }

    /// Sends an append with the clock and the ids of the test.
    ///
    /// # Errors
    /// The error of the store.
    pub fn send(&mut self, append: Append) -> Result<Appended, AppendError> {
        self.send_while(append, &mut || ())
    }

    /// Sends an append with the clock and the ids of the test. The store calls `meanwhile` with each request for an id:
    /// after it has read the data for its decision, and before it writes.
    ///
    /// # Errors
    /// The error of the store.
    pub fn send_while(
        &mut self,
        append: Append,
        meanwhile: &mut dyn FnMut(),
    ) -> Result<Appended, AppendError> {
        let ids_given = &mut self.ids_given;
        let mut fresh_id = || {
            meanwhile();
            *ids_given += 1;
            EventId::new(&format!("id-{ids_given}")).unwrap_or_default()
        };
        self.store.append(append, RecordedTime::from_millis(self.now), &mut fresh_id)
    }

    /// Appends `count` events whose data are their versions, each in a commit of its own.
    ///
    /// # Errors
    /// The error of the store.
    pub fn fill(&mut self, stream: &StreamId, count: u64) -> Outcome {
        for _ in 0..count {
            let next = self.store.head(stream)?.version.get() + 1;
            self.append(stream, ExpectedVersion::Any, vec![counted(next)?])?;
        }
        Ok(())
    }

    /// The store.
    pub fn store(&mut self) -> &mut EventStore<L> {
        &mut self.store
    }

    /// Reads one page.
    ///
    /// # Errors
    /// The error of the store.
    pub fn read(&self, stream: &StreamId, range: &ReadRange) -> Result<Page, ReadError> {
        self.store.read(stream, range)
    }

    /// The versions on one page, in their order on the page.
    ///
    /// # Errors
    /// The error of the store.
    pub fn versions(&self, stream: &StreamId, range: &ReadRange) -> Result<Vec<u64>, ReadError> {
        Ok(self.read(stream, range)?.events.iter().map(|event| event.version.get()).collect())
    }

    /// The versions on all pages of a range, and the number of pages.
    ///
    /// # Errors
    /// The error of the store.
    pub fn all_versions(&self, stream: &StreamId, range: ReadRange) -> Result<(Vec<u64>, usize), ReadError> {
        let (mut versions, mut pages, mut next) = (Vec::new(), 0, Some(range));
        while let Some(range) = next {
            versions.extend(self.versions(stream, &range)?);
            next = self.read(stream, &range)?.next;
            pages += 1;
        }
        Ok((versions, pages))
    }
}

/// The stream to which the behaviours write.
pub(super) fn stream() -> Result<StreamId, Box<dyn std::error::Error>> {
    Ok(StreamId::new("account-42")?)
}

/// An event whose data is a number.
pub(super) fn counted(number: u64) -> Result<NewEvent, Box<dyn std::error::Error>> {
    Ok(NewEvent::new("Counted", JsonText::from_value(&number)?)?)
}

/// A range, from its four parts.
pub(super) fn range(
    from: Option<u64>,
    to: Option<u64>,
    limit: u64,
    direction: Direction,
) -> Result<ReadRange, Box<dyn std::error::Error>> {
    Ok(ReadRange::new(from, to, Some(limit), direction)?)
}
