//! Values of enums with `#[serde(tag = "type", content = "data")]`.

use serde::Serialize;

use crate::store::{JsonText, members, string_text};

/// The type and the data of a value. A value without data has `null`. The error says what is wrong.
pub(super) fn tagged<T: Serialize>(value: &T) -> Result<(String, JsonText), String> {
    let text = serde_json::to_string(value).map_err(|error| format!("cannot be written as JSON: {error}"))?;
    let [name, data] = members(&text, ["type", "data"]).unwrap_or_default();
    let name = name.and_then(string_text).map(String::from).ok_or_else(|| {
        "must be an object with a `type`: write `#[serde(tag = \"type\", content = \"data\")]` at its enum".to_owned()
    })?;
    Ok((name, JsonText::trusted(data.unwrap_or("null"))))
}
