//! Errors in the form that JavaScript and HTTP use: a stable code, a sentence and the fields that matter.

use std::ops::Deref;

use serde::Serialize;
use sillok::ErrorCode;
use sillok::gateway::{CommandError, RecordError};
use sillok::handler::{
    DocumentError, Fault, FollowError, InvalidCommand, InvalidConsumerName, InvalidDocumentKey,
    InvalidLetterId, OpenError, RebuildError,
};
use sillok::store::{
    AppendAllError, AppendError, InvalidIdempotencyKey, InvalidRange, InvalidStreamId, ReadError,
    StorageError, TruncateError,
};
use thiserror::Error;
use wasm_bindgen::JsValue;

use crate::events::InvalidEvents;
use crate::events::expected_version_json;
use crate::failure_code::FailureCode;
use crate::js::Message;
use crate::js::Scalar;

/// An error, in the form for callers. It is one pointer wide, because most results contain it and few are errors.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{}", self.detail)]
#[serde(transparent)]
pub struct Failure(Box<FailureParts>);

/// The parts of a [`Failure`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FailureParts {
    /// The stable code, the same in Rust, JavaScript and HTTP.
    pub code: FailureCode,
    /// A sentence for people that says what is wrong.
    pub detail: String,
    /// The wrong field of the input, such as `events[2].type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// For `wrong_expected_version`: the stream of the append.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// For `wrong_expected_version`: the expected version, a number, `"no-stream"` or `"stream-exists"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Scalar>,
    /// For `wrong_expected_version`: the actual version of the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<u64>,
}

crate::message!(FailureParts {
    code: "code",
    detail: "detail",
    field: "field",
    stream: "stream",
    expected: "expected",
    actual: "actual",
});

impl Message for Failure {
    fn to_js(&self) -> JsValue {
        self.0.to_js()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        FailureParts::from_js(value).map(|parts| Self(Box::new(parts)))
    }
}

impl Deref for Failure {
    type Target = FailureParts;

    fn deref(&self) -> &FailureParts {
        &self.0
    }
}

impl Failure {
    /// Creates a failure with this code and sentence.
    #[must_use]
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        let (code, detail) = (code.into(), detail.into());
        Self(Box::new(FailureParts { code, detail, field: None, stream: None, expected: None, actual: None }))
    }

    /// The same failure, with the name of the wrong field of the input.
    #[must_use]
    pub fn in_field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }
}

impl Failure {
    /// The same failure, as that of an append to several streams. `place` is the index of the append, counted from 0.
    #[must_use]
    pub fn of_append(mut self, place: usize) -> Self {
        self.0.field = self.0.field.take().map(|field| format!("appends[{place}].{field}"));
        self
    }
}

impl From<InvalidStreamId> for Failure {
    fn from(error: InvalidStreamId) -> Self {
        Self::new(error.code(), error.to_string()).in_field("stream")
    }
}

impl From<InvalidConsumerName> for Failure {
    fn from(error: InvalidConsumerName) -> Self {
        Self::new(error.code(), error.to_string()).in_field("name")
    }
}

impl From<InvalidDocumentKey> for Failure {
    fn from(error: InvalidDocumentKey) -> Self {
        Self::new(error.code(), error.to_string()).in_field("key")
    }
}

impl From<InvalidLetterId> for Failure {
    fn from(error: InvalidLetterId) -> Self {
        Self::new(error.code(), error.to_string()).in_field("id")
    }
}

impl From<InvalidCommand> for Failure {
    fn from(error: InvalidCommand) -> Self {
        Self::new(error.code(), error.to_string()).in_field(error.field())
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let mut failure = Self::new(fault.code, fault.detail);
        failure.0.field = fault.field;
        failure
    }
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Refused(error) => error.into(),
            CommandError::Unreadable(error) => error.into(),
            CommandError::Code(fault) => fault.into(),
            CommandError::BeyondEnd { .. } => Self::new(error.code(), error.to_string()).in_field("version"),
            error => Self::new(error.code(), error.to_string()),
        }
    }
}

impl From<InvalidIdempotencyKey> for Failure {
    fn from(error: InvalidIdempotencyKey) -> Self {
        Self::new(error.code(), error.to_string()).in_field("idempotencyKey")
    }
}

impl From<TruncateError> for Failure {
    fn from(error: TruncateError) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match error {
            TruncateError::BeyondEnd { .. } => failure.in_field("before"),
            _ => failure,
        }
    }
}

impl From<InvalidEvents> for Failure {
    fn from(error: InvalidEvents) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match error.field() {
            Some(field) => failure.in_field(field),
            None => failure,
        }
    }
}

impl From<InvalidRange> for Failure {
    fn from(error: InvalidRange) -> Self {
        Self::new(error.code(), format!("`{}` {error}", error.field())).in_field(error.field())
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match error {
            DocumentError::Key(_) => failure.in_field("key"),
            DocumentError::TooLarge { .. } | DocumentError::Mismatch { .. } => failure.in_field("document"),
            _ => failure,
        }
    }
}

impl From<FollowError> for Failure {
    fn from(error: FollowError) -> Self {
        match error {
            FollowError::Documents(error) => error.into(),
            _ => Self::new(error.code(), error.to_string()).in_field("after"),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match error {
            OpenError::Policy { field } => failure.in_field(field),
            OpenError::After => failure.in_field("after"),
            OpenError::KindFixed { .. } => failure.in_field("kind"),
            _ => failure,
        }
    }
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<RebuildError> for Failure {
    fn from(error: RebuildError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<AppendAllError> for Failure {
    fn from(error: AppendAllError) -> Self {
        match error {
            AppendAllError::Refused { place, error } => Self::from(error).of_append(place),
            AppendAllError::Count { .. } => {
                Self::new(error.code(), format!("`appends` {error}")).in_field("appends")
            }
            AppendAllError::SameStream { place } => {
                Self::new(error.code(), format!("`stream` {error}")).in_field("stream").of_append(place)
            }
            _ => Self::new(error.code(), error.to_string()),
        }
    }
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        let mut failure = Self::new(error.code(), error.to_string());
        match error {
            AppendError::WrongExpectedVersion { stream, expected, actual } => {
                failure.0.stream = Some(stream.as_str().to_owned());
                failure.0.expected = Some(expected_version_json(expected));
                failure.0.actual = Some(actual.get());
                failure
            }
            AppendError::NoEvents
            | AppendError::TooManyEvents { .. }
            | AppendError::CommitTooLarge { .. } => failure.in_field("events"),
            AppendError::InvalidWithCause { event, reason } => {
                failure.in_field(format!("events[{event}].{}", reason.field()))
            }
            _ => failure,
        }
    }
}
