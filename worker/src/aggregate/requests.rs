//! The requests to a stream: converts messages to values of the core, and back.

use std::borrow::Cow;
use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{Forget, ForgetError, Forgotten, SnapshotStatus};
use sillok::handler::Fault;
use sillok::store::{
    Append, Cause, EventId, IdempotencyKey, InvalidName, JsonText, KeyOrigin, NewEvent, Version, members,
};
use sillok_bridge::{
    AppendedJson, Failure, PageJson, ProofPage, TruncatedJson, fresh_id, now, parse_events,
    parse_expected_version, parse_ndjson, parse_range, read_commits, read_page, rfc3339, verify_page,
};

use super::carrying_out::Answer;
use super::{
    AppendRequest, CauseMessage, EventsFormat, HeadReply, Inner, ProofRequest, ReadRequest, SnapshotsMessage,
    StreamRequest, TruncateRequest,
};
use crate::objects::{Driven, Receipt, forgotten, partitions};

impl Inner {
    pub(super) fn append_events(self: &Rc<Self>, request: AppendRequest) -> Result<AppendedJson, Failure> {
        partitions(&self.env)?;
        let append = self.append_of(request)?;
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
        let driver = self.driver()?;
        let head = driver.store().head(&request.stream)?;
        let snapshots = driver.snapshots().map(|SnapshotStatus { version, error }| SnapshotsMessage {
            version: version.get(),
            error: error.clone(),
        });
        Ok(HeadReply {
            version: head.version.get(),
            first_version: head.first_version().get(),
            time: rfc3339(head.time),
            deleted: head.deleted,
            snapshots,
        })
    }

    pub(super) fn verify_chain(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        verify_page(self.driver()?.store(), request.stream.clone(), request.next.as_deref())
    }

    pub(super) fn read_commits(&self, request: &ProofRequest) -> Result<ProofPage, Failure> {
        read_commits(self.driver()?.store(), &request.stream, request.next.as_deref())
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
        let call = self.calls.open();
        let given = self.drive(|driver, turn| driver.forget(turn, call.id(), forget));
        let (answer, receipt) = call.answer_to(given, || self.driving.meter.take(), forgotten).await;
        let forgotten = answer.and_then(|answer| match answer {
            Answer::Forgot(forgotten) => forgotten.map_err(forget_failure),
            _ => Err(forgotten()),
        });
        (forgotten, receipt)
    }

    fn append_of(&self, request: AppendRequest) -> Result<Append, Failure> {
        let expected = parse_expected_version(&request.expected_version)?;
        // Only a reactor's append has a cause. Callers over HTTP cannot send one.
        let origin = if request.cause.is_some() { KeyOrigin::Reactor } else { KeyOrigin::Client };
        let key = request.key.as_deref().map(|key| IdempotencyKey::of(origin, key)).transpose()?;
        let events = match request.format {
            EventsFormat::Json => parse_events(&request.events),
            EventsFormat::Ndjson => parse_ndjson(&request.events),
        }?;
        self.refuse_direct(&request, &events)?;
        // The schemas do not matter to an append that writes nothing: a repeat, or one that its condition refuses.
        let events = match self.code.is_given() {
            true if self.driver()?.store().would_write(&request.stream, expected, key.as_ref())? => {
                self.checked(&request, events)?
            }
            _ => events,
        };
        let cause = request.cause.as_ref().map(cause_of).transpose()?;
        Ok(Append { stream: request.stream, expected, events, key, cause })
    }

    /// Refuses what only the administrator may append. A reactor is code of this deployment, and may do the same.
    fn refuse_direct(&self, request: &AppendRequest, events: &[NewEvent]) -> Result<(), Failure> {
        if request.admin || request.cause.is_some() {
            return Ok(());
        }
        for (place, event) in events.iter().enumerate() {
            refuse_causation(event.metadata(), || named(request, place, "metadata.causationId"))?;
        }
        if self.code.is_closed() {
            let detail = "the category of this stream has an aggregate: send it commands, or append with a token that has the scope `admin`";
            return Err(Failure::new(ErrorCode::InsufficientScope, detail));
        }
        Ok(())
    }

    /// Checks events by the schemas of the aggregate, and gives them the newest schema versions.
    fn checked(&self, request: &AppendRequest, events: Vec<NewEvent>) -> Result<Vec<NewEvent>, Failure> {
        let text = || match request.format {
            EventsFormat::Json => Cow::from(&request.events),
            EventsFormat::Ndjson => array_of_lines(&request.events).into(),
        };
        let Some(newest) = self.code.newest(&events, text)? else { return Ok(events) };
        let newest = newest.into_iter().chain(std::iter::repeat(1));
        let events = events.into_iter().zip(newest).enumerate().map(|(place, (event, newest))| {
            let event = in_version(request, place, event, newest)?;
            let invalid = |Fault { code, detail, field }| {
                Failure::new(code, detail).in_field(named(request, place, field.as_deref().unwrap_or("data")))
            };
            self.code.check(&event).map_err(invalid).map(|()| event)
        });
        events.collect()
    }
}

/// The event in the newest schema version of its type. The schemas have checked its data.
fn in_version(
    request: &AppendRequest,
    place: usize,
    event: NewEvent,
    newest: u32,
) -> Result<NewEvent, Failure> {
    let invalid = |detail: String| {
        Failure::new(ErrorCode::InvalidEvent, detail).in_field(named(request, place, "schemaVersion"))
    };
    match event.schema_version() {
        1 => event.with_schema_version(newest).map_err(|error| invalid(error.to_string())),
        given if given == newest => Ok(event),
        _ => Err(invalid(format!("`schemaVersion` must be left out, or the newest: {newest}"))),
    }
}

/// The name of a field of an event.
fn named(request: &AppendRequest, place: usize, field: &str) -> String {
    let is_alone = request.format == EventsFormat::Json && request.events.trim_start().starts_with('{');
    if is_alone { field.to_owned() } else { format!("events[{place}].{field}") }
}

/// Refuses metadata that name a cause: only the administrator and a reactor may.
pub(super) fn refuse_causation(metadata: &JsonText, field: impl FnOnce() -> String) -> Result<(), Failure> {
    match members(metadata.as_str(), ["causationId"]) {
        Some([Some(_)]) => {
            let detail = "only a token with the scope `admin` may set `causationId`; leave it out";
            Err(Failure::new(ErrorCode::InsufficientScope, detail).in_field(field()))
        }
        _ => Ok(()),
    }
}

fn array_of_lines(lines: &str) -> String {
    let lines: Vec<&str> = lines.lines().filter(|line| !line.trim().is_empty()).collect();
    ["[", &lines.join(","), "]"].concat()
}

/// The cause of an append.
pub(crate) fn cause_of(cause: &CauseMessage) -> Result<Cause, Failure> {
    let invalid = |error: InvalidName| Failure::new(ErrorCode::InvalidEventId, error.to_string());
    let event = EventId::new(&cause.event).map_err(invalid)?;
    let within = Cause::within(event, &cause.correlation);
    Ok(match &cause.trace {
        Some(trace) => within.traced(trace),
        None => within,
    })
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
