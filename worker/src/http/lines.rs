//! A range of a stream or of the feed as lines, read page after page while they are taken.

use futures_util::stream::TryStream;
use sillok::ErrorCode;
use sillok::store::limits::PAGE_EVENTS;
use sillok_bridge::{Failure, Scalar};
use worker::console_error;

use super::accept::Media;
use super::chunks::{Pieces, chunks};
use super::precondition::EntityTag;
use super::problem::Problem;
use super::source::Source;
use crate::objects::RemoteError;

/// Events, one a line. Only one page of them is in memory at a time.
pub(super) struct Lines {
    source: Source,
    /// What was read and not yet given away.
    ready: String,
    /// How much may still be read.
    left: Share,
}

/// How much is read, and what is told of it.
pub(super) struct Share {
    /// The limit of all events, however many pages they are.
    pub(super) limit: u64,
    /// Whether a page of which nothing was wanted has a line that says how far it came.
    pub(super) progress: bool,
}

/// Whether the reader asks to be told how far reading has come. Only lines say nothing of it by themselves.
pub(super) fn progress(value: Option<&Scalar>, media: Media) -> Result<bool, Failure> {
    match value.map(Scalar::as_str) {
        None => Ok(false),
        Some(Some("true")) if media == Media::Ndjson => Ok(true),
        Some(_) => {
            let detail =
                "`progress` is only for `Accept: application/x-ndjson`, and its only value is `true`";
            Err(Failure::new(ErrorCode::InvalidParameter, detail).in_field("progress"))
        }
    }
}

/// The limit of all events, however many pages they are.
pub(super) fn limit(limit: Option<Scalar>) -> Result<u64, Failure> {
    let limit = limit.map_or(Some(u64::MAX), |limit| limit.as_u64());
    limit.filter(|limit| *limit > 0).ok_or_else(|| {
        Failure::new(ErrorCode::InvalidParameter, "`limit` must be a whole number from 1").in_field("limit")
    })
}

impl Lines {
    /// Reads the first page, so that what is wrong from the beginning is still answered with a problem.
    pub(super) async fn open(source: Source, left: Share) -> Result<Self, Problem> {
        let mut lines = Self { source, ready: String::new(), left };
        lines.advance().await?;
        Ok(lines)
    }

    /// The entity tag of the stream when reading began; nothing where it is the feed that is read.
    pub(super) fn entity_tag(&self) -> Option<EntityTag> {
        match &self.source {
            Source::Stream(stream) => stream.began,
            Source::Feed(_) => None,
        }
    }

    /// The lines as a body. A space before it is cut off begins a line that never ends.
    pub(super) fn body(self) -> impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static {
        chunks(self, " ")
    }

    async fn advance(&mut self) -> Result<(), RemoteError> {
        let most = usize::try_from(self.left.limit).unwrap_or(usize::MAX).min(PAGE_EVENTS);
        let events = self.source.advance(most).await?;
        self.left.limit = self.left.limit.saturating_sub(u64::try_from(events.len()).unwrap_or(u64::MAX));
        if events.is_empty() && self.left.progress && self.source.is_behind() {
            self.ready.push_str(&self.source.progress());
            self.ready.push('\n');
        }
        for event in events {
            self.ready.push_str(&event.line);
            self.ready.push('\n');
        }
        Ok(())
    }
}

impl Pieces for Lines {
    async fn next(&mut self) -> Result<Option<String>, RemoteError> {
        while self.ready.is_empty() {
            if self.left.limit == 0 || !self.source.is_behind() {
                return Ok(None);
            }
            self.advance().await?;
        }
        Ok(Some(std::mem::take(&mut self.ready)))
    }
}

/// What ends a response amid its body.
pub(super) fn cut_off(error: &RemoteError) -> worker::Error {
    console_error!("a stream of events was cut off: {error}");
    worker::Error::from("the rest of the events could not be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_asked_for_with_lines_alone() {
        let asked = |value: Option<&str>, media| progress(value.map(Scalar::from).as_ref(), media);
        assert_eq!(asked(None, Media::Json), Ok(false));
        assert_eq!(asked(Some("true"), Media::Ndjson), Ok(true));
        for (value, media) in [("true", Media::Json), ("true", Media::EventStream), ("1", Media::Ndjson)] {
            assert_eq!(asked(Some(value), media).unwrap_err().field.as_deref(), Some("progress"));
        }
    }

    #[test]
    fn a_limit_is_not_that_of_a_page() {
        assert_eq!(limit(Some(1_000_000_u64.into())), Ok(1_000_000));
        assert_eq!(limit(None), Ok(u64::MAX));
        for wrong in [Scalar::from(0_u64), Scalar::from("ten")] {
            assert_eq!(limit(Some(wrong)).unwrap_err().field.as_deref(), Some("limit"));
        }
    }
}
