//! Timers and sent commands: how a command is sent to its receiver, and the requests of operators.

use std::rc::Rc;

use sillok::ErrorCode;
use sillok::gateway::{FailedAttempt, Sending};
use sillok::handler::Answer;
use sillok::store::{
    ExpectedVersion, IdempotencyKey, JsonText, MalformedJson, PendingKey, PendingKind, StorageError, Version,
};
use sillok_bridge::{
    ExecutedJson, Failure, PendingPage, expected_version_json, parse_rejection, read_pending,
};

use super::{ChangePendingRequest, ExecuteRequest, Inner, Origin, PendingAct, PendingRequest, Remote};
use crate::objects::Driven;

impl Inner {
    /// Sends a command of a process to its receiver.
    pub(super) async fn send_command(&self, sending: Sending) -> Result<Answer, FailedAttempt> {
        let executed = self.execute_at(sending).await;
        executed.and_then(|executed| answer_of(&executed)).map_err(|failure| FailedAttempt {
            code: failure.code.known().unwrap_or(ErrorCode::Internal),
            detail: failure.detail.clone(),
        })
    }

    async fn execute_at(&self, Sending { receiver, command }: Sending) -> Result<ExecutedJson, Failure> {
        let tenant = self.named()?.name.tenant();
        let remote = Remote::find(&self.env, tenant, &receiver)
            .map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
        let request = ExecuteRequest {
            stream: receiver,
            command: command.to_json(),
            expected_version: expected_version_json(ExpectedVersion::Any),
            id: command.id.as_ref().map(IdempotencyKey::as_str).map(str::to_owned),
            origin: Origin::Process,
            cause: None,
            event_starts: None,
            dry_run: false,
            admin: true,
            traceparent: None,
            prepared: None,
        };
        let executed = remote.execute(&request).await;
        executed.map(|(executed, _)| executed).map_err(|error| error.into_failure("receiver"))
    }

    /// Reads a page of timers or sent commands.
    pub(super) fn read_pending(&self, request: &PendingRequest) -> Result<PendingPage, Failure> {
        let after = request.after.as_deref().map(|key| key_of(request.kind.0, key)).transpose()?;
        let (driver, limit) = (self.driver()?, usize::try_from(request.limit).unwrap_or(usize::MAX));
        let log = driver.store().log();
        Ok(read_pending(log, &request.stream, request.kind.0, after.as_ref(), limit, self.code.is_in_rust())?)
    }

    /// Cancels a timer or a sent command. Or attempts or answers it, if it is parked.
    pub(super) fn change_pending(self: &Rc<Self>, request: &ChangePendingRequest) -> Result<(), Failure> {
        let key = key_of(request.kind.0, &request.key)?;
        let rejection = request.rejection.as_deref().map(parse_rejection).transpose()?;
        let changed = self.drive(|driver, turn| match (request.act, &rejection) {
            (PendingAct::Cancel, _) => driver.cancel_pending(turn, &key),
            (PendingAct::Retry, _) => driver.retry_pending(turn, &key),
            (PendingAct::Reject, Some(rejection)) => driver.reject_sent(turn, &key, rejection),
            // The gateway sends the rejection with the act.
            (PendingAct::Reject, None) => Err(StorageError::failed("the request has no rejection")),
        })??;
        if changed { Ok(()) } else { Err(not_found(request)) }
    }
}

fn answer_of(executed: &ExecutedJson) -> Result<Answer, Failure> {
    let Some(rejection) = &executed.rejection else {
        return Ok(Answer::Accepted { version: Version::new(executed.version).unwrap_or_default() });
    };
    let malformed = |error: MalformedJson| Failure::new(ErrorCode::MalformedJson, error.to_string());
    Ok(Answer::Rejected { rejection: JsonText::parse(rejection).map_err(malformed)? })
}

fn key_of(kind: PendingKind, text: &str) -> Result<PendingKey, Failure> {
    let (key, name) = match kind {
        PendingKind::Timer => (PendingKey::timer(text), "key"),
        PendingKind::Sent => (PendingKey::sent(text), "id"),
    };
    key.map_err(|error| Failure::new(ErrorCode::InvalidParameter, format!("`{name}` {error}")).in_field(name))
}

fn not_found(ChangePendingRequest { kind, act, .. }: &ChangePendingRequest) -> Failure {
    let parked = if *act == PendingAct::Cancel { "" } else { " that is parked" };
    match kind.0 {
        PendingKind::Timer => {
            Failure::new(ErrorCode::TimerNotFound, format!("the stream has no timer of this key{parked}"))
        }
        PendingKind::Sent => Failure::new(
            ErrorCode::SentCommandNotFound,
            format!("the stream has no sent command of this id{parked}"),
        ),
    }
}
