//! A range of a stream or of the feed as lines. It is read page by page while the client receives it.

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

/// Events, one a line. Only one page is in memory at a time.
pub(super) struct Lines {
    source: Source,
    /// The lines that were read and not yet sent.
    ready: String,
    /// The number of events that may still be read.
    left: Share,
}

/// The limit of a read, and whether it has lines of progress.
pub(super) struct Share {
    /// The limit for all events of all pages.
    pub(super) limit: u64,
    /// Whether a page without a wanted event has a line with the progress.
    pub(super) progress: bool,
}

/// Whether the reader asks for progress. Only lines need this: the other forms always have their place.
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

/// The limit for all events of all pages.
pub(super) fn limit(limit: Option<Scalar>) -> Result<u64, Failure> {
    let limit = limit.map_or(Some(u64::MAX), |limit| limit.as_u64());
    limit.ok_or_else(|| {
        Failure::new(ErrorCode::InvalidParameter, "`limit` must be a whole number").in_field("limit")
    })
}

impl Lines {
    /// Reads the first page. So an error at the beginning still becomes a problem document.
    pub(super) async fn open(source: Source, left: Share) -> Result<Self, Problem> {
        let mut lines = Self { source, ready: String::new(), left };
        lines.advance().await?;
        Ok(lines)
    }

    /// The entity tag of the stream at the beginning of the read. `None` for the feed.
    pub(super) fn entity_tag(&self) -> Option<EntityTag> {
        match &self.source {
            Source::Stream(stream) => stream.began,
            Source::Feed(_) | Source::Documents(_) => None,
        }
    }

    /// The lines as a body. Before an error it sends a space, which begins a line that never ends.
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

/// The error that ends a response inside its body.
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
        assert_eq!(limit(Some(0_u64.into())), Ok(0));
        assert_eq!(limit(Some(Scalar::from("ten"))).unwrap_err().field.as_deref(), Some("limit"));
    }
}
