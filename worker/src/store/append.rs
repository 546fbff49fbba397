//! Appends of the Worker's own code.

use std::future::IntoFuture;
use std::pin::Pin;

use sillok::store::{ExpectedVersion, StreamId, Version};
use sillok_bridge::{Failure, expected_version_json};

use super::streams::Streams;
use super::version_of;
use crate::aggregate::{AppendRequest, EventsFormat};

/// An append that is sent when it is awaited. [`Store::append`](super::Store::append) makes it. It returns the new version of the
/// stream, or a [`Failure`] with the code of the HTTP interface, such as `wrong_expected_version`.
#[derive(Debug)]
#[must_use = "the append is sent when it is awaited"]
pub struct Append {
    streams: Streams,
    request: Result<AppendRequest, Failure>,
}

impl Append {
    pub(super) fn new(
        streams: Streams,
        stream: &str,
        events: Result<String, Failure>,
        expected: ExpectedVersion,
    ) -> Self {
        let request = events.and_then(|events| {
            Ok(AppendRequest {
                stream: StreamId::new(stream)?,
                expected_version: expected_version_json(expected),
                events,
                format: EventsFormat::Json,
                key: None,
                cause: None,
                admin: true,
            })
        });
        Self { streams, request }
    }

    /// Sets the idempotency key. A repeat of the append under its key writes nothing, and returns the version of the first one.
    pub fn with_key(mut self, key: &str) -> Self {
        if let Ok(request) = &mut self.request {
            request.key = Some(key.to_owned());
        }
        self
    }
}

impl IntoFuture for Append {
    type Output = Result<Version, Failure>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(version_of(self.streams.append(self.request?).await?.version)) })
    }
}
