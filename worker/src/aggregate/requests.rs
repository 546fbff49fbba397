//! The requests to a stream: converts messages to values of the core, and back.

use std::cell::Ref;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{Forget, ForgetError, Forgotten};
use sillok::store::{Append, Cause, EventId, IdempotencyKey, KeyOrigin, Version};
use sillok_bridge::{
    AppendedJson, Failure, PageJson, ProofPage, TruncatedJson, fresh_id, now, parse_events,
    parse_expected_version, parse_ndjson, parse_range, read_commits, read_page, rfc3339, verify_page,
};

use super::carrying_out::Driver;
use super::{
    AppendRequest, EventsFormat, HeadReply, Inner, ProofRequest, ReadRequest, StreamRequest, TruncateRequest,
};
use crate::objects::{Driven, Receipt, forgotten, partitions};

impl Inner {
    pub(super) fn append_events(self: &Rc<Self>, request: AppendRequest) -> Result<AppendedJson, Failure> {
        partitions(&self.env)?;
        let append = append_of(request)?;
        // This turn is the gate that makes the append atomic: nothing is awaited while the store is borrowed.
        let mut fresh_id = || fresh_id(now());
        let appended = self.drive(|driver, turn| driver.append(turn, append, &mut fresh_id))??;
        Ok(AppendedJson::from(&appended))
    }

    pub(super) fn read_events(&self, request: &ReadRequest) -> Result<PageJson, Failure> {
        let range = parse_range(&request.range)?;
        read_page(self.driver()?.store(), &request.stream, &range).map_err(Failure::from)
    }

    pub(super) fn read_head(&self, request: &StreamRequest) -> Result<HeadReply, Failure> {
        let head = self.driver()?.store().head(&request.stream)?;
        Ok(HeadReply {
            version: head.version.get(),
            first_version: head.first_version().get(),
            time: rfc3339(head.time),
            deleted: head.deleted,
        })
    }

    pub(super) fn verify_chain(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        verify_page(self.driver()?.store(), request.stream.clone(), request.next.as_deref())
    }

    pub(super) fn read_commits(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        read_commits(self.driver()?.store(), &request.stream, request.next.as_deref())
    }

    fn driver(&self) -> Result<Ref<'_, Driver>, Failure> {
        Ok(self.named()?.driver.borrow())
    }

    pub(super) async fn truncate(
        self: Rc<Self>,
        TruncateRequest { stream, before }: TruncateRequest,
    ) -> (Result<String, Failure>, Receipt) {
        let before = Version::new(before).unwrap_or(Version::EMPTY);
        let (forgotten, receipt) = self.forget(Forget::Before(before)).await;
        let left = forgotten.and_then(|forgotten| match forgotten {
            Forgotten::Truncated(left) => serde_json::to_string(&TruncatedJson::new(&stream, left))
                .map_err(|error| Failure::new(ErrorCode::Internal, error.to_string())),
            Forgotten::Deleted => Err(Failure::new(ErrorCode::Internal, "the stream was deleted")),
        });
        (left, receipt)
    }

    pub(super) async fn forget(self: &Rc<Self>, forget: Forget) -> (Result<Forgotten, Failure>, Receipt) {
        let call = self.forgetting.open();
        if let Err(failure) = self.drive(|driver, turn| driver.forget(turn, call.id(), forget)) {
            return (Err(failure), self.meter.take());
        }
        match call.answer().await {
            Some((forgotten, receipt)) => (forgotten.map_err(forget_failure), receipt),
            None => (Err(forgotten()), Receipt::default()),
        }
    }
}

fn append_of(request: AppendRequest) -> Result<Append, Failure> {
    let expected = parse_expected_version(&request.expected_version)?;
    // Only a reactor's append has a cause. Callers over HTTP cannot send one.
    let origin = if request.cause.is_some() { KeyOrigin::Reactor } else { KeyOrigin::Client };
    let key = request.key.as_deref().map(|key| IdempotencyKey::of(origin, key)).transpose()?;
    let events = match request.format {
        EventsFormat::Json => parse_events(&request.events),
        EventsFormat::Ndjson => parse_ndjson(&request.events),
    }?;
    let cause = request
        .cause
        .as_ref()
        .map(|cause| EventId::new(&cause.event).map(|event| Cause::within(event, &cause.correlation)));
    let cause =
        cause.transpose().map_err(|error| Failure::new(ErrorCode::InvalidEventId, error.to_string()))?;
    Ok(Append { stream: request.stream, expected, events, key, cause })
}

fn forget_failure(error: ForgetError) -> Failure {
    match error {
        ForgetError::Refused(error) => Failure::from(error),
        _ => Failure::new(
            ErrorCode::Unavailable,
            "the journal does not have these events yet; nothing was forgotten; try again",
        ),
    }
}
