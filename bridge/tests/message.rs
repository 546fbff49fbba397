//! A message from another version of the code: absent fields, unknown fields, and values that cannot be read.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used)] // a test may panic

use js_sys::JSON;
use sillok_bridge::{JsValue, Message, message};
use wasm_bindgen_test::wasm_bindgen_test;

/// The current form of a message. Its first version had only `stream` and `base`.
#[derive(Debug, PartialEq, Eq)]
struct Forward {
    stream: String,
    base: u64,
    deleted: bool,
    commits: Vec<Commit>,
    source: String,
    cause: Option<String>,
}

message!(Forward {
    stream: "stream",
    base: "base",
    deleted: "deleted" = false,
    commits: "commits" = Vec::new(),
    source: "source" = "client".to_owned(),
    cause: "cause",
});

#[derive(Debug, PartialEq, Eq)]
struct Commit {
    version: u64,
    size: u64,
}

message!(Commit { version: "version", size: "size" = 1 });

/// Reads the message from JSON, as a sender in JavaScript would form it.
fn read(json: &str) -> Option<Forward> {
    Forward::from_js(&JSON::parse(json).unwrap())
}

fn oldest() -> Forward {
    let (stream, source) = ("account-42".to_owned(), "client".to_owned());
    Forward { stream, base: 7, deleted: false, commits: Vec::new(), source, cause: None }
}

#[wasm_bindgen_test]
fn a_missing_new_field_has_its_default() {
    assert_eq!(read(r#"{"stream":"account-42","base":7}"#), Some(oldest()));
    let commits = vec![Commit { version: 8, size: 1 }];
    let with_commit = r#"{"stream":"account-42","base":7,"commits":[{"version":8}]}"#;
    assert_eq!(read(with_commit), Some(Forward { commits, ..oldest() }));
}

#[wasm_bindgen_test]
fn a_new_field_that_is_there_counts() {
    let commits = vec![Commit { version: 8, size: 3 }];
    let (source, cause) = ("reactor".to_owned(), Some("e".to_owned()));
    let newest = Forward { deleted: true, commits, source, cause, ..oldest() };
    assert_eq!(Forward::from_js(&newest.to_js()), Some(newest));
}

#[wasm_bindgen_test]
fn an_unknown_field_is_ignored() {
    let extra = r#"{"stream":"account-42","base":7,"shard":{"of":[1]},"commits":[]}"#;
    assert_eq!(read(extra), Some(oldest()));
    assert_eq!(<()>::from_js(&JSON::parse(extra).unwrap()), Some(()));
}

#[wasm_bindgen_test]
fn a_message_without_a_required_field_cannot_be_read() {
    assert_eq!(read(r#"{"stream":"account-42"}"#), None);
    assert_eq!(read(r#"{"base":7}"#), None);
    let within = r#"{"stream":"account-42","base":7,"commits":[{"size":3}]}"#;
    assert_eq!(read(within), None);
}

#[wasm_bindgen_test]
fn a_field_of_another_shape_has_no_default() {
    for wrong in
        [r#""deleted":null"#, r#""deleted":"no""#, r#""commits":{}"#, r#""source":1"#, r#""cause":7"#]
    {
        assert_eq!(read(&format!(r#"{{"stream":"account-42","base":7,{wrong}}}"#)), None, "{wrong}");
    }
}

#[wasm_bindgen_test]
fn a_value_that_is_not_an_object_cannot_be_read() {
    for value in [JsValue::UNDEFINED, JsValue::NULL, 7.into(), "account-42".into()] {
        assert_eq!(Forward::from_js(&value), None, "{value:?}");
    }
}
