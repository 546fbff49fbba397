//! Timers and sent commands, as pages of JSON.

use std::ops::ControlFlow;

use sillok::ErrorCode;
use sillok::store::{
    DecisionLog, JsonText, PendingCommand, PendingKey, PendingKind, PendingState, StorageError, StreamId,
    json_string, members, string_text,
};

use crate::clock::rfc3339;

/// A page of the timers or of the sent commands of a stream.
#[derive(Debug, Default)]
pub struct PendingPage {
    /// The timers or the sent commands, a JSON array as text.
    pub items: String,
    /// The key after which the next page begins. `None` if this is the last page.
    pub next: Option<String>,
}

crate::message!(PendingPage { items: "items", next: "next" });

/// The text that callers get in place of a fault's text that may be secret.
pub const SECRET_FAULT: &str = "the code of the aggregate failed; the cause is in the Worker's log";

/// The largest page, in bytes of JSON.
const PAGE_BYTES: usize = sillok::store::limits::PAGE_BYTES;

/// Reads a page of pending commands after a key, or from the first one. `is_secret`: the texts of faults of the code are not
/// shown.
///
/// # Errors
/// [`StorageError`].
pub fn read_pending(
    log: &dyn DecisionLog,
    stream: &StreamId,
    kind: PendingKind,
    after: Option<&PendingKey>,
    limit: usize,
    is_secret: bool,
) -> Result<PendingPage, StorageError> {
    let first = PendingKey::first(kind);
    let (mut items, mut last, mut next, mut count) = (String::from("["), None, None, 0);
    log.scan_pending(stream, after.unwrap_or(&first), &mut |pending| {
        if count == limit || items.len() > PAGE_BYTES {
            next = last.take();
            return ControlFlow::Break(());
        }
        if count > 0 {
            items.push(',');
        }
        count += 1;
        items.push_str(&pending_json(&pending, is_secret));
        last = Some(pending.key.as_str().to_owned());
        ControlFlow::Continue(())
    })?;
    items.push(']');
    Ok(PendingPage { items, next })
}

/// A timer: `{"key","due",…}`, or a sent command: `{"id","name","stream","sent",…}`.
fn pending_json(pending: &PendingCommand, is_secret: bool) -> String {
    let PendingCommand { key, receiver, command, at, failed, state, error } = pending;
    let name = json_string(key.as_str());
    let place = match receiver {
        None => format!("\"key\":{name},\"due\":\"{}\"", rfc3339(*at)),
        Some(receiver) => format!(
            "\"id\":{name},\"name\":{},\"stream\":{},\"sent\":\"{}\"",
            json_string(&receiver.name),
            json_string(receiver.stream.as_str()),
            rfc3339(*at)
        ),
    };
    let next = match state {
        PendingState::Due(due) | PendingState::Answered(due) if *failed > 0 => {
            format!(",\"nextAttempt\":\"{}\"", rfc3339(*due))
        }
        _ => String::new(),
    };
    let member = match state {
        PendingState::Rejected | PendingState::Answered(_) => "rejection",
        PendingState::Due(_) | PendingState::Parked => "lastError",
    };
    let shown = |error: &JsonText| match is_secret && is_fault_of_code(error) {
        true => format!("{{\"code\":\"decider_failed\",\"detail\":\"{SECRET_FAULT}\"}}"),
        false => error.as_str().to_owned(),
    };
    let error = error.as_ref().map(|error| format!(",\"{member}\":{}", shown(error))).unwrap_or_default();
    format!(
        "{{{place},\"command\":{},\"state\":\"{}\",\"failedAttempts\":{failed}{next}{error}}}",
        command.as_str(),
        state.as_str()
    )
}

fn is_fault_of_code(error: &JsonText) -> bool {
    let code = members(error.as_str(), ["code"]).and_then(|[code]| string_text(code?));
    code.as_deref() == Some(ErrorCode::DeciderFailed.as_str())
}
