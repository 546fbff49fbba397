//! A range of a stream as lines, read page after page while they are taken.

use futures_util::stream::TryStream;
use serde_json::Value;
use serde_json::value::RawValue;
use sillok::store::limits::PAGE_EVENTS;
use sillok_bridge::{Failure, PageJson, RangeValue, parse_range};
use worker::console_error;

use super::Object;
use super::chunks::{Pieces, chunks};
use super::problem::Problem;
use crate::aggregate::ReadRequest;
use crate::objects::RemoteError;

/// The events of a range, one a line. Only one page of them is in memory at a time.
pub(super) struct Lines {
    object: Object,
    /// The version of the stream when reading began. Events that are appended later are not read.
    pub(super) version: u64,
    /// What was read and not yet given away.
    ready: String,
    /// What is to be read next.
    rest: Option<RangeValue>,
    /// How many events may still be read.
    left: u64,
}

/// A range whose limit bounds all its events, however many pages they are.
pub(super) struct Whole {
    range: RangeValue,
    limit: u64,
}

impl Whole {
    pub(super) fn new(mut range: RangeValue) -> Result<Self, Failure> {
        let limit = range.limit.take().map_or(Some(u64::MAX), |limit| limit.as_u64());
        parse_range(&range)?;
        match limit.filter(|limit| *limit > 0) {
            Some(limit) => Ok(Self { range, limit }),
            None => {
                let detail = "`limit` must be a whole number from 1";
                Err(Failure::new("invalid_parameter", detail).in_field("limit"))
            }
        }
    }
}

impl Lines {
    /// Reads the first page, so that what is wrong from the beginning is still answered with a problem.
    pub(super) async fn open(object: Object, whole: Whole) -> Result<Self, Problem> {
        let mut lines = Self { object, version: 0, ready: String::new(), rest: None, left: whole.limit };
        let page = lines.page(whole.range).await?;
        lines.version = page.version;
        lines.take(page)?;
        Ok(lines)
    }

    /// The lines as a body. A space before it is cut off begins a line that never ends.
    pub(super) fn body(self) -> impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static {
        chunks(self, " ")
    }

    async fn page(&self, range: RangeValue) -> Result<PageJson, RemoteError> {
        let limit = usize::try_from(self.left).unwrap_or(usize::MAX).min(PAGE_EVENTS);
        let range = RangeValue { limit: Some(limit.into()), ..range };
        let (page, _) = self.object.remote.read(&ReadRequest { stream: self.object.name(), range }).await?;
        Ok(page)
    }

    fn take(&mut self, page: PageJson) -> Result<(), RemoteError> {
        let events: Vec<&RawValue> = serde_json::from_str(&page.events).map_err(|_| RemoteError::Broken)?;
        self.left = self.left.saturating_sub(u64::try_from(events.len()).unwrap_or(u64::MAX));
        self.ready.reserve(page.events.len());
        for event in events {
            self.ready.push_str(&line(event));
            self.ready.push('\n');
        }
        let next = page.next.filter(|_| self.left > 0);
        self.rest = next.map(|next| {
            let to = next.to.as_ref().and_then(Value::as_u64).unwrap_or(u64::MAX);
            RangeValue { to: Some(to.min(self.version).into()), ..next }
        });
        Ok(())
    }
}

impl Pieces for Lines {
    async fn next(&mut self) -> Result<Option<String>, RemoteError> {
        while self.ready.is_empty() {
            let Some(range) = self.rest.take() else { return Ok(None) };
            let page = self.page(range).await?;
            self.take(page)?;
        }
        Ok(Some(std::mem::take(&mut self.ready)))
    }
}

/// An event's JSON as one line. Events are kept as the text they were sent in, which may be broken into lines.
/// Within JSON's strings there is no line break as such, so each that is found is white space.
pub(super) fn line(event: &RawValue) -> String {
    event.get().replace(['\n', '\r'], " ")
}

/// What ends a response amid its body.
pub(super) fn cut_off(error: &RemoteError) -> worker::Error {
    console_error!("a stream of events was cut off: {error:?}");
    worker::Error::from("the events could not be read to their end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let events: Vec<&RawValue> = serde_json::from_str("[{\"a\":\n[1,\r\n2]},{\"b\":\"\\n\"}]").unwrap();
        let lines: Vec<String> = events.into_iter().map(line).collect();
        assert_eq!(lines, ["{\"a\": [1,  2]}", "{\"b\":\"\\n\"}"]);
    }

    #[test]
    fn a_limit_is_not_that_of_a_page() {
        let limited = |limit: Value| Whole::new(RangeValue { limit: Some(limit), ..RangeValue::default() });
        assert_eq!(limited(1_000_000.into()).map(|whole| whole.limit), Ok(1_000_000));
        for wrong in [Value::from(0), Value::from("ten")] {
            assert_eq!(limited(wrong).map(|whole| whole.limit).unwrap_err().field.unwrap(), "limit");
        }
    }
}
