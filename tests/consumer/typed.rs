//! Projections in Rust: their events and documents are the projection's own types.

use std::fmt::Debug;

use sillok::ErrorCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sillok::handler::{
 DocumentError, Failed, FeedEvent, Kind, Next, OnFailure, Projection, TypedDocuments, apply, read_event};
use sillok::store::{JsonText, NewEvent, RecordedTime};
use sillok::testing::projected;

use crate::world::*;

#[derive(Deserialize)]
#[serde(tag = "type", content = "data")]
enum AccountEvent {
    Deposited { amount: Box<RawValue> },
    Closed {},
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Statement {
    /// The amounts as they were written: `1e400` and `0.10` are not numbers of Rust.
    amounts: Vec<String>,
}

struct Statements;

impl Projection for Statements {
    type Event = AccountEvent;
    type Document = Statement;
    const CATEGORY: Option<&str> = Some("account");
    const TYPES: &[&str] = &["Deposited", "Closed"];

    fn apply(
        event: AccountEvent,
        source: &FeedEvent,
        statements: &TypedDocuments<'_, Statement>,
    ) -> Result<(), Failed> {
        let key = source.stream.as_str();
        match event {
            AccountEvent::Deposited { amount } => {
                let mut statement = statements.get(key)?.unwrap_or_default();
                statement.amounts.push(amount.get().to_owned());
                statements.put(key, &statement)?;
                if amount.get() == "13" { Err("13 is not taken".into()) } else { Ok(()) }
            }
            AccountEvent::Closed {} => Ok(statements.delete(key)?),
        }
    }
}

fn event(event_type: &str, data: &str) -> NewEvent {
    NewEvent::new(event_type, JsonText::parse(data).unwrap()).unwrap()
}

fn deposited(amount: &str) -> NewEvent {
    event("Deposited", &format!("{{\"amount\":{amount}}}"))
}

#[test]
fn numbers_stay_as_they_were_written() {
    let documents = projected::<Statements>(&[
        ("account-1", deposited("1e400")),
        ("account-1", deposited("12345678901234567890.10")),
        ("account-2", deposited("1")),
        ("account-2", event("Closed", "{}")),
    ]);
    let amounts = ["1e400", "12345678901234567890.10"].map(str::to_owned).into();
    assert_eq!(documents.unwrap(), [("account-1".to_owned(), Statement { amounts })].into());
}

#[test]
fn events_that_are_not_followed_are_skipped() {
    let documents = projected::<Statements>(&[
        ("order-1", deposited("1")),
        ("account-1", event("Renamed", "7")),
        ("account-1", deposited("2")),
    ]);
    assert_eq!(documents.unwrap()["account-1"].amounts, ["2"]);
}

#[test]
fn an_error_is_reported() {
    let failed = |events: &[(&str, NewEvent)]| {
        projected::<Statements>(events).map_err(|failed| failed.message().to_owned()).unwrap_err()
    };
    assert_eq!(failed(&[("account-1", deposited("1")), ("account-1", deposited("13"))]), "13 is not taken");
    let unreadable = failed(&[("account-1", event("Deposited", "7"))]);
    assert!(unreadable.starts_with("the event cannot be read: invalid type"), "{unreadable}");
    assert_eq!(failed(&[("", deposited("1"))]), "the stream id is empty; it needs at least 1 byte");
}

/// The event in its type, in Rust's debug form, or the error.
fn read<E: DeserializeOwned + Debug>(event_type: &str, data: &str, metadata: &str) -> String {
    let event = &Feed::of(&["a"]).partitions[0][0];
    let json = format!(
        r#"{{"stream":"a","version":1,"id":"e","type":"{event_type}","time":"t","data":{data},"metadata":{metadata},"position":1}}"#
    );
    match read_event::<E>(&FeedEvent { json, ..event.clone() }) {
        Ok(read) => format!("{read:?}"),
        Err(failed) => failed.message().to_owned(),
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "data")]
#[allow(dead_code)] // they are shown
enum Spelled {
    Unit,
    Braces {},
    UnitInside(()),
    TypeInside(Empty),
    Optional(Option<u8>),
    Number { number: u8 },
    Numbers(Vec<u8>),
    Raw { raw: Option<Box<RawValue>> },
}

#[derive(Debug, Deserialize)]
struct Empty {}

#[derive(Debug, Deserialize)]
#[allow(dead_code)] // it is shown
struct Placed {
    version: u64,
    #[serde(flatten)]
    event: Flattened,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Flattened {
    Unit,
    Braces {},
}

#[test]
fn a_variant_without_fields_takes_both_spellings_of_nothing() {
    // The other members of the event are not read.
    let read = |event_type: &str, data: &str| read::<Spelled>(event_type, data, r#"{"\ud800":1e400}"#);
    for data in ["null", "{}", "{ }", "{\n}"] {
        assert_eq!(read("Unit", data), "Unit", "{data}");
        assert_eq!(read("Braces", data), "Braces", "{data}");
        assert_eq!(read("UnitInside", data), "UnitInside(())", "{data}");
        assert_eq!(read("TypeInside", data), "TypeInside(Empty)", "{data}");
    }
}

#[test]
fn a_variant_within_a_type_with_more_of_the_event_accepts_both_too() {
    let read = |event_type: &str, data: &str| read::<Placed>(event_type, data, "{}");
    for data in ["null", "{}"] {
        assert_eq!(read("Unit", data), "Placed { version: 1, event: Unit }", "{data}");
        assert_eq!(read("Braces", data), "Placed { version: 1, event: Braces }", "{data}");
    }
}

#[test]
fn a_variant_with_fields_reads_its_fields() {
    let read = |event_type: &str, data: &str| read::<Spelled>(event_type, data, "{}");
    assert_eq!(read("Optional", "null"), "Optional(None)");
    assert_eq!(read("Raw", "null"), "Raw { raw: None }");
    assert_eq!(read("Raw", r#"{"raw":1e400}"#), "Raw { raw: Some(RawValue(1e400)) }");
    for (event_type, data, wrong) in [
        ("Unit", "7", "invalid type: integer `7`, expected unit variant"),
        ("Unit", r#"{"a":1}"#, "invalid type: map, expected unit variant"),
        ("Unit", "[]", "invalid type: sequence, expected unit variant"),
        ("Braces", "7", "invalid type: integer `7`, expected struct variant"),
        ("Optional", "{}", "invalid type: map, expected u8"),
        ("Number", "null", "invalid type: null, expected struct variant"),
        ("Number", "{}", "missing field `number`"),
        ("Numbers", "null", "invalid type: null, expected a sequence"),
        ("Numbers", "{}", "invalid type: map, expected a sequence"),
        ("Nothing", "null", "unknown variant `Nothing`"),
    ] {
        let found = read(event_type, data);
        let expected = format!("the event cannot be read: {wrong}");
        assert!(found.starts_with(&expected), "{event_type} {data}: {found}");
    }
}

#[test]
fn a_projection_takes_both_spellings_of_nothing() {
    for nothing in ["null", "{}"] {
        let documents =
            projected::<Statements>(&[("account-1", deposited("1")), ("account-1", event("Closed", nothing))]);
        assert_eq!(documents.unwrap(), [].into(), "{nothing}");
    }
}

/// A type that reads lists as numbers.
struct Odd;

impl Projection for Odd {
    type Event = serde_json::Value;
    type Document = u64;

    fn apply(
        _: serde_json::Value,
        source: &FeedEvent,
        documents: &TypedDocuments<'_, u64>,
    ) -> Result<(), Failed> {
        let found = documents.get(source.stream.as_str());
        assert!(matches!(&found, Err(error @ DocumentError::Mismatch { .. }) if error.code() == ErrorCode::DocumentMismatch));
        Ok(found.map(|_| ())?)
    }
}

#[test]
fn a_document_of_another_type_is_an_error() {
    let database = super::database();
    let feed = Feed::of(&["a", "a"]);
    let mut consumer = open(&database, &settings(Kind::Projection, OnFailure::Stop));
    let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
    consumer.take_page(feed.read(read), at(0)).unwrap();
    let now = RecordedTime::default();
    consumer.next(now).unwrap();
    let mut first = true;
    let applied = &mut |event: &FeedEvent, documents: &_| {
        if std::mem::take(&mut first) { count(event, documents).into() } else { apply::<Odd, _>(event, documents) }
    };
    consumer.project(now, 0, applied).unwrap();
    let error = consumer.status().unwrap().error.unwrap().message;
    assert!(error.starts_with("the document is not of the projection's type: invalid type: sequence"), "{error}");
}
