//! The description of the HTTP interface in OpenAPI, which `GET /v1/openapi.json` answers.

/// The description as a person reads it.
const WRITTEN: &str = include_str!("openapi.json");
/// The number of bytes without the white space between values.
const SIZE: usize = without_space::<{ WRITTEN.len() }>().1;

/// The description without the white space between values.
pub(super) fn json() -> String {
    // It is a part of UTF-8 text without some ASCII, so it is UTF-8.
    str::from_utf8(&COMPACT).unwrap_or_default().to_owned()
}

/// The compiler removes the white space, so the wasm does not contain it.
static COMPACT: [u8; SIZE] = without_space::<SIZE>().0;

/// The text without the white space between values, cut off after `N` bytes, and its length.
#[expect(clippy::indexing_slicing, reason = "only the compiler runs it")]
#[allow(long_running_const_eval, reason = "the text has some ten thousand bytes")]
const fn without_space<const N: usize>() -> ([u8; N], usize) {
    let text = WRITTEN.as_bytes();
    let (mut compact, mut length) = ([0; N], 0);
    let (mut at, mut is_within_string) = (0, false);
    while at < text.len() {
        let byte = text[at];
        if byte == b'"' && (at == 0 || text[at - 1] != b'\\') {
            is_within_string = !is_within_string;
        }
        if is_within_string || !byte.is_ascii_whitespace() {
            if length < N {
                compact[length] = byte;
            }
            length += 1;
        }
        at += 1;
    }
    (compact, length)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_description_is_the_same_without_white_space() {
        let written: Value = serde_json::from_str(WRITTEN).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json()).unwrap(), written);
        assert_eq!(json().len(), serde_json::to_string(&written).unwrap().len());
    }

    /// The function above takes every quotation mark without a backslash in front of it for the end of a string.
    #[test]
    fn no_string_ends_with_a_backslash() {
        assert!(!WRITTEN.contains(r"\\"));
    }
}
