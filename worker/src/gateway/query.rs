//! The parameters of a read.

use serde_json::Value;
use sillok_bridge::{Failure, RangeValue};

/// Reads the range from a request's URL. Unknown and repeated parameters are refused; the values are checked
/// by whoever parses the range.
pub(super) fn range(url: &str) -> Result<RangeValue, Failure> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut range = RangeValue::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let (part, value) = match &*name {
            "from" => (&mut range.from, number_or_text(&value)),
            "to" => (&mut range.to, number_or_text(&value)),
            "limit" => (&mut range.limit, number_or_text(&value)),
            "direction" => (&mut range.direction, Value::from(value)),
            "type" => (&mut range.event_type, Value::from(value)),
            _ => return Err(invalid(&name, "is not a parameter of a read")),
        };
        if part.replace(value).is_some() {
            return Err(invalid(&name, "is given twice"));
        }
    }
    Ok(range)
}

/// The parameters of these names, as texts. Others, and repeated ones, are refused.
pub(super) fn texts<const N: usize>(url: &str, names: [&str; N]) -> Result<[Option<String>; N], Failure> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let mut found = [const { None }; N];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let place = names.iter().position(|known| *known == name).and_then(|place| found.get_mut(place));
        let place = place.ok_or_else(|| invalid(&name, "is not a parameter of this path"))?;
        if place.replace(value.into_owned()).is_some() {
            return Err(invalid(&name, "is given twice"));
        }
    }
    Ok(found)
}

/// Refuses every parameter, where a path takes none.
pub(super) fn none(url: &str) -> Result<(), Failure> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    match form_urlencoded::parse(query.as_bytes()).next() {
        None => Ok(()),
        Some((name, _)) => Err(invalid(&name, "is not a parameter: this path takes none")),
    }
}

/// A whole number where the text is nothing but digits. One too large for any limit stays too large.
fn number_or_text(text: &str) -> Value {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Value::from(text.parse().unwrap_or(u64::MAX))
    } else {
        Value::from(text)
    }
}

fn invalid(name: &str, reason: &str) -> Failure {
    Failure::new("invalid_parameter", format!("`{name}` {reason}")).in_field(name)
}
