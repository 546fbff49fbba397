//! Errors as JavaScript and HTTP see them: a stable code, a sentence and the fields that matter.

use serde::Serialize;
use sillok::handler::DocumentError;
use sillok::store::{
    AppendError, InvalidIdempotencyKey, InvalidRange, InvalidStreamId, StorageError, TruncateError,
};
use thiserror::Error;
use wasm_bindgen::JsValue;

use crate::expected_version::expected_version_json;
use crate::message::Message;
use crate::new_events::InvalidEvents;
use crate::scalar::Scalar;

/// An error on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{detail}")]
#[serde(into = "Fields")]
pub struct Failure {
    /// The stable code, the same in Rust, JavaScript and HTTP.
    pub code: String,
    /// What is wrong, in a sentence for people.
    pub detail: String,
    /// The field of the input that is wrong, such as `events[2].type`.
    pub field: Option<String>,
    /// What a `wrong_expected_version` knows besides.
    pub conflict: Option<Box<Conflict>>,
}

/// The two versions of a conflict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The stream that was to be appended to.
    pub stream: String,
    /// What the writer expected: a number, `"no-stream"` or `"stream-exists"`.
    pub expected: Scalar,
    /// The stream's true version.
    pub actual: u64,
}

/// A failure as it travels: the parts of the conflict stand beside the others.
#[derive(Serialize)]
struct Fields {
    code: String,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Scalar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<u64>,
}

crate::message!(Fields {
    code: "code",
    detail: "detail",
    field: "field",
    stream: "stream",
    expected: "expected",
    actual: "actual",
});

impl Message for Failure {
    fn to_js(&self) -> JsValue {
        Fields::from(self.clone()).to_js()
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        Fields::from_js(value).map(Self::from)
    }
}

impl From<Failure> for Fields {
    fn from(failure: Failure) -> Self {
        let Failure { code, detail, field, conflict } = failure;
        let (stream, expected, actual) = match conflict {
            Some(conflict) => (Some(conflict.stream), Some(conflict.expected), Some(conflict.actual)),
            None => (None, None, None),
        };
        Self { code, detail, field, stream, expected, actual }
    }
}

impl From<Fields> for Failure {
    fn from(fields: Fields) -> Self {
        let Fields { code, detail, field, stream, expected, actual } = fields;
        let conflict = match (stream, expected, actual) {
            (Some(stream), Some(expected), Some(actual)) => {
                Some(Box::new(Conflict { stream, expected, actual }))
            }
            _ => None,
        };
        Self { code, detail, field, conflict }
    }
}

impl Failure {
    /// A failure with this code and sentence.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into(), field: None, conflict: None }
    }

    /// The same failure, naming the field of the input that is wrong.
    #[must_use]
    pub fn in_field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }
}

impl From<InvalidStreamId> for Failure {
    fn from(error: InvalidStreamId) -> Self {
        Self::new(error.code(), error.to_string()).in_field("stream")
    }
}

impl From<InvalidIdempotencyKey> for Failure {
    fn from(error: InvalidIdempotencyKey) -> Self {
        Self::new(error.code(), error.to_string()).in_field("idempotencyKey")
    }
}

impl From<&TruncateError> for Failure {
    fn from(error: &TruncateError) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match error {
            TruncateError::BeyondEnd { .. } => failure.in_field("before"),
            _ => failure,
        }
    }
}

impl From<&InvalidEvents> for Failure {
    fn from(error: &InvalidEvents) -> Self {
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

impl From<&StorageError> for Failure {
    fn from(error: &StorageError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<&DocumentError> for Failure {
    fn from(error: &DocumentError) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match error {
            DocumentError::Key(_) => failure.in_field("key"),
            DocumentError::TooLarge { .. } | DocumentError::Mismatch { .. } => failure.in_field("document"),
            _ => failure,
        }
    }
}

impl From<&AppendError> for Failure {
    fn from(error: &AppendError) -> Self {
        let failure = Self::new(error.code(), error.to_string());
        match error {
            AppendError::WrongExpectedVersion { stream, expected, actual } => {
                let stream = stream.as_str().to_owned();
                let expected = expected_version_json(*expected);
                Self {
                    conflict: Some(Box::new(Conflict { stream, expected, actual: actual.get() })),
                    ..failure
                }
            }
            AppendError::NoEvents
            | AppendError::TooManyEvents { .. }
            | AppendError::CommitTooLarge { .. } => failure.in_field("events"),
            _ => failure,
        }
    }
}
