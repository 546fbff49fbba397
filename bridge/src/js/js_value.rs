//! Conversion of JavaScript's values to values of the core, and back.
//!
//! A value of any kind gets an answer. Only texts and numbers are read, so an object that refers to itself, or a proxy, does
//! no harm.

use js_sys::{Array, JsString, Number};
use sillok::ErrorCode;
use sillok::store::limits::STREAM_ID_BYTES;
use sillok::store::{ExpectedVersion, IdempotencyKey, StreamId, Version};
use wasm_bindgen::{JsCast, JsValue};

use super::message::part;
use super::scalar::Scalar;
use crate::events::RangeValue;
use crate::events::parse_expected_version;
use crate::failure::Failure;
use crate::feeds::DirectoryValue;
use crate::feeds::FeedValue;

/// Reads a stream id.
///
/// # Errors
/// `invalid_stream_id`, naming the field `stream`.
pub fn stream_id_from_js(value: &JsValue) -> Result<StreamId, Failure> {
    let text = name_from_js(value).map_err(|reason| {
        Failure::new(ErrorCode::InvalidStreamId, format!("the stream id {reason}")).in_field("stream")
    })?;
    Ok(StreamId::new(&text)?)
}

/// Reads an expected version. Undefined means `any`.
///
/// # Errors
/// `invalid_expected_version`, naming the field `expectedVersion`.
pub fn expected_version_from_js(value: &JsValue) -> Result<ExpectedVersion, Failure> {
    if value.is_undefined() {
        return Ok(ExpectedVersion::Any);
    }
    parse_expected_version(&scalar(value))
}

/// Reads an idempotency key. Undefined means no key.
///
/// # Errors
/// `invalid_idempotency_key`, naming the field `idempotencyKey`.
pub fn idempotency_key_from_js(value: &JsValue) -> Result<Option<IdempotencyKey>, Failure> {
    if value.is_undefined() {
        return Ok(None);
    }
    let text = name_from_js(value).map_err(|reason| {
        let detail = format!("the idempotency key {reason}");
        Failure::new(ErrorCode::InvalidIdempotencyKey, detail).in_field("idempotencyKey")
    })?;
    Ok(Some(IdempotencyKey::new(&text)?))
}

/// Reads the version of an event.
///
/// # Errors
/// `invalid_parameter`, naming `field`.
pub fn version_from_js(value: &JsValue, field: &str) -> Result<Version, Failure> {
    let version = scalar(value).as_u64().and_then(Version::new).filter(|version| !version.is_empty());
    version.ok_or_else(|| {
        Failure::new(ErrorCode::InvalidParameter, format!("`{field}` must be a whole number from 1"))
            .in_field(field)
    })
}

/// Reads a whole number from 0.
///
/// # Errors
/// `invalid_parameter`, naming `field`.
pub fn number_from_js(value: &JsValue, field: &str) -> Result<u64, Failure> {
    scalar(value).as_u64().ok_or_else(|| {
        Failure::new(ErrorCode::InvalidParameter, format!("`{field}` must be a whole number from 0"))
            .in_field(field)
    })
}

/// Takes the parts of a range, unchecked. [`parse_range`](crate::parse_range) checks them.
#[must_use]
pub fn range_from_js(value: &JsValue) -> RangeValue {
    let part = |name| given(value, name).map(|part| scalar(&part));
    RangeValue {
        from: part("from"),
        to: part("to"),
        limit: part("limit"),
        direction: part("direction"),
        event_type: given(value, "type").map(|name| text(&name)),
        complete: part("complete"),
    }
}

/// Takes the parts of a range of the feed, unchecked. [`parse_feed`](crate::parse_feed) checks them. A checkpoint is a text
/// here, never a position. If `types` is not an array, the result has one invalid type.
#[must_use]
pub fn feed_from_js(value: &JsValue) -> FeedValue {
    let types = |types: JsValue| match types.dyn_ref::<Array>() {
        Some(types) => types.iter().map(|name| text(&name)).collect(),
        None => vec![Scalar::Other],
    };
    FeedValue {
        after: given(value, "after").map(|checkpoint| text(&checkpoint)),
        category: given(value, "category").map(|name| text(&name)),
        types: given(value, "types").map(types).unwrap_or_default(),
        limit: given(value, "limit").map(|limit| scalar(&limit)),
    }
}

/// Takes the parts of a range of the directory, unchecked. [`parse_directory`](crate::parse_directory) checks them.
#[must_use]
pub fn directory_from_js(value: &JsValue) -> DirectoryValue {
    let name = |field| given(value, field).map(|name| text(&name));
    DirectoryValue {
        prefix: name("prefix"),
        category: name("category"),
        after: name("after"),
        limit: given(value, "limit").map(|limit| scalar(&limit)),
    }
}

/// A field of an object, unless it is undefined.
fn given(value: &JsValue, name: &'static str) -> Option<JsValue> {
    let part = part(value, name).unwrap_or_default();
    (!part.is_undefined()).then_some(part)
}

/// A text that may be a name, unchecked.
fn text(value: &JsValue) -> Scalar {
    name_from_js(value).map_or(Scalar::Other, Scalar::from)
}

/// Reads the text of a name: of a stream, a type or a key. If the text cannot be a name, the error says why.
pub(crate) fn name_from_js(value: &JsValue) -> Result<String, String> {
    let Some(text) = value.dyn_ref::<JsString>() else {
        return Err("must be a string".to_owned());
    };
    // The length is checked before the copy: a long text must not fill the engine's memory. Types and keys may be as long as a
    // stream id.
    let length = usize::try_from(text.length()).unwrap_or(usize::MAX);
    if length > STREAM_ID_BYTES {
        return Err(format!("is {length} characters long; the most is {STREAM_ID_BYTES} bytes"));
    }
    let copy = String::from(text);
    // The copy has this character in place of lone surrogates. Only a copy with this character needs a check of each unit.
    if copy.contains(char::REPLACEMENT_CHARACTER) && !text.is_valid_utf16() {
        return Err("must be well-formed Unicode, without lone surrogates".to_owned());
    }
    Ok(copy)
}

/// The text of a number as JavaScript writes it. `None` for NaN, the infinities and values that are not numbers.
pub(crate) fn number_text(value: &JsValue) -> Option<String> {
    value.as_f64().filter(|number| number.is_finite())?;
    value.dyn_ref::<Number>()?.to_string_with_radix(10).ok().map(String::from)
}

/// A whole number or a short text.
fn scalar(value: &JsValue) -> Scalar {
    const LONGEST: u32 = 20;
    if let Some(number) = value.as_f64() {
        return whole(number).map_or(Scalar::Other, Scalar::Number);
    }
    match value.dyn_ref::<JsString>() {
        Some(text) if text.length() <= LONGEST => Scalar::from(String::from(text)),
        _ => Scalar::Other,
    }
}

/// The number, if it is whole, not negative, and exact in JavaScript.
pub(crate) fn whole(number: f64) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = Number::is_safe_integer(&number.into()).then_some(number as u64);
    whole.filter(|_| number >= 0.0)
}
