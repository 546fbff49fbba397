//! JSON values as their original text.

use std::borrow::Cow;

use serde::Serialize;
use thiserror::Error;

use super::json_reader::{Reader, decoded, whole};

/// A JSON value as its original text. Numbers such as `1e400` and `12345678901234567890` never become floating-point
/// numbers, so they are never rounded. White space around the value is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(Box<str>);

/// The text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("is not valid JSON (line {line}, column {column})")]
pub struct MalformedJson {
    /// The line of the first mistake, counted from 1.
    pub line: usize,
    /// The column of the first mistake, counted from 1.
    pub column: usize,
}

impl From<&serde_json::Error> for MalformedJson {
    fn from(error: &serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

impl JsonText {
    /// Checks that the text is one JSON value.
    ///
    /// # Errors
    /// [`MalformedJson`] with the place of the first mistake.
    pub fn parse(text: &str) -> Result<Self, MalformedJson> {
        json_value(text).map(Self::trusted)
    }

    /// Makes JSON text from a serialisable value.
    ///
    /// # Errors
    /// [`MalformedJson`] if JSON has no form for the value, such as a map with keys that are not text.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, MalformedJson> {
        match serde_json::to_string(value) {
            Ok(text) => Ok(Self(text.into())),
            Err(error) => Err(MalformedJson::from(&error)),
        }
    }

    /// JSON's `null`.
    #[must_use]
    pub fn null() -> Self {
        Self("null".into())
    }

    /// An object without members.
    #[must_use]
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// The text, for any JSON parser.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the value is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }

    /// Accepts text without a check. The store itself wrote the text, and checked it then.
    pub(crate) fn trusted(text: &str) -> Self {
        Self(text.into())
    }
}

/// Checks that the text is one JSON value. Returns the value without the white space around it.
///
/// # Errors
/// [`MalformedJson`] with the place of the first mistake.
pub fn json_value(text: &str) -> Result<&str, MalformedJson> {
    whole(text).map_err(|mistake| mistake.in_text(text))
}

/// Returns a text as a JSON string, with its quotes.
///
/// ```
/// assert_eq!(sillok::store::json_string("say \"hello\""), r#""say \"hello\"""#);
/// ```
#[must_use]
pub fn json_string(text: &str) -> String {
    let mut json = String::new();
    push_json_string(&mut json, text);
    json
}

/// Appends a text as a JSON string, with its quotes.
///
/// ```
/// let mut json = String::from("{\"type\":");
/// sillok::store::push_json_string(&mut json, "Opened");
/// assert_eq!(json, r#"{"type":"Opened""#);
/// ```
pub fn push_json_string(json: &mut String, text: &str) {
    // Most texts have no character that needs an escape.
    if text.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\')) {
        json.extend(["\"", text, "\""]);
    } else {
        // Every text has a form in JSON.
        json.push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

/// Returns texts as a JSON array of strings.
pub(crate) fn json_strings<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.map(json_string).collect();
    format!("[{}]", texts.join(","))
}

/// Finds the members of an object with these names, as JSON text. Returns `None` if the text is not an object. If
/// several members have the same name, the last one counts, as in JavaScript. The names of other members may be any
/// text of JSON, even one that is not well-formed Unicode.
///
/// ```
/// use sillok::store::members;
///
/// let found = members(r#"{"\ud83d":1,"type":"Opened","id":7}"#, ["id", "data"]);
/// assert_eq!(found, Some([Some("7"), None]));
/// assert_eq!(members("[]", ["id"]), None);
/// ```
#[must_use]
pub fn members<'a, const N: usize>(object: &'a str, names: [&str; N]) -> Option<[Option<&'a str>; N]> {
    let (mut reader, mut found) = (Reader::new(object), [None; N]);
    reader.find_members(&names, &mut found).and_then(|_| reader.end()).ok()?;
    Some(found)
}

/// The items of an array, as JSON text.
///
/// ```
/// assert_eq!(sillok::store::items("[1, {\"a\":[]}]"), Ok(vec!["1", "{\"a\":[]}"]));
/// ```
///
/// # Errors
/// [`MalformedJson`] if the text is not an array.
pub fn items(array: &str) -> Result<Vec<&str>, MalformedJson> {
    let (mut reader, mut items) = (Reader::new(array), Vec::new());
    let mut read = || {
        reader.enter(b'[')?;
        while reader.next(b']', items.is_empty())? {
            items.push(reader.value()?);
        }
        reader.end()
    };
    read().map_err(|mistake| mistake.in_text(array))?;
    Ok(items)
}

/// Finds the members of an object as [`members`] does. The object may have no other members, and each of these once.
///
/// ```
/// use sillok::store::only_members;
///
/// assert_eq!(only_members(r#"{"data":1}"#, ["type", "data"]), Ok([None, Some("1")]));
/// let other = |name: &str| Err(Some(name.to_owned()));
/// assert_eq!(only_members(r#"{"type":1,"kind":2}"#, ["type", "data"]), other("kind"));
/// assert_eq!(only_members(r#"{"type":1,"type":2}"#, ["type", "data"]), other("type"));
/// assert_eq!(only_members("[]", ["type"]), Err(None));
/// ```
///
/// # Errors
/// The name of the first other member, or of the first member that is there twice. `None` if the text is not an object.
pub fn only_members<'a, const N: usize>(
    object: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], Option<String>> {
    let (mut reader, mut found) = (Reader::new(object), [None; N]);
    let other = reader.find_members(&names, &mut found);
    let other = other.and_then(|other| reader.end().map(|()| other)).map_err(|_| None)?;
    other.map_or(Ok(found), |other| Err(Some(other.shown_name().into_owned())))
}

/// A member of a JSON object, as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
}

impl<'a> Member<'a> {
    /// Whether the member has this name, in any escaped form.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        // The usual case, without a look for escapes.
        let plain = self.name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        plain == Some(name) || decoded(self.name).is_some_and(|own| own == name)
    }

    /// The name, or its JSON if it is not well-formed Unicode.
    fn shown_name(&self) -> Cow<'a, str> {
        decoded(self.name).unwrap_or_else(|| self.name.trim_matches('"').into())
    }
}

/// The members of a JSON object, in their order. `None` if the text is not an object. A name may be any text of
/// JavaScript, even one that is not well-formed Unicode.
pub(crate) fn all_members(text: &str) -> Option<Vec<Member<'_>>> {
    let (mut reader, mut members) = (Reader::new(text), Vec::new());
    reader.members(&mut |member| members.push(member)).and_then(|()| reader.end()).ok()?;
    Some(members)
}
