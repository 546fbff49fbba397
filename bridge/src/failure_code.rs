//! The code of a failure. An object of another version may have sent it.

use std::fmt;

use serde::{Serialize, Serializer};
use sillok::ErrorCode;
use wasm_bindgen::JsValue;

use crate::js::Message;

/// The code of a [`Failure`](crate::Failure).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureCode {
    /// A code of the registry.
    Known(ErrorCode),
    /// A code that this version does not know, from an object of another version. It stays unchanged.
    Foreign(Box<str>),
}

impl FailureCode {
    /// The code of this text.
    #[must_use]
    pub fn of(text: String) -> Self {
        ErrorCode::from_text(&text).map_or_else(|| Self::Foreign(text.into()), Self::Known)
    }

    /// The code, if this version knows it.
    #[must_use]
    pub fn known(&self) -> Option<ErrorCode> {
        match self {
            Self::Known(code) => Some(*code),
            Self::Foreign(_) => None,
        }
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(code) => code.as_str(),
            Self::Foreign(text) => text,
        }
    }
}

impl From<ErrorCode> for FailureCode {
    fn from(code: ErrorCode) -> Self {
        Self::Known(code)
    }
}

impl PartialEq<ErrorCode> for FailureCode {
    fn eq(&self, code: &ErrorCode) -> bool {
        self.known() == Some(*code)
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for FailureCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Message for FailureCode {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(self.as_str())
    }

    fn from_js(value: &JsValue) -> Option<Self> {
        String::from_js(value).map(Self::of)
    }
}
