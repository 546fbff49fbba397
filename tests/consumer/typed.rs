//! Projections in Rust: their events and documents are the projection's own types.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sillok::handler::{
 DocumentError, Failed, FeedEvent, Kind, Next, OnFailure, Projection, TypedDocuments, apply};
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
    /// As they were written: `1e400` and `0.10` are no numbers of Rust's.
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
fn what_is_not_followed_is_passed_over() {
    let documents = projected::<Statements>(&[
        ("order-1", deposited("1")),
        ("account-1", event("Renamed", "7")),
        ("account-1", deposited("2")),
    ]);
    assert_eq!(documents.unwrap()["account-1"].amounts, ["2"]);
}

#[test]
fn what_is_wrong_is_told() {
    let failed = |events: &[(&str, NewEvent)]| {
        projected::<Statements>(events).map_err(|failed| failed.message().to_owned()).unwrap_err()
    };
    assert_eq!(failed(&[("account-1", deposited("1")), ("account-1", deposited("13"))]), "13 is not taken");
    let unreadable = failed(&[("account-1", event("Deposited", "7"))]);
    assert!(unreadable.starts_with("the event cannot be read: invalid type"), "{unreadable}");
    assert_eq!(failed(&[("", deposited("1"))]), "the stream id must not be empty");
}

/// It takes for numbers what are lists.
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
        assert!(matches!(&found, Err(error @ DocumentError::Mismatch { .. }) if error.code() == "document_mismatch"));
        Ok(found.map(|_| ())?)
    }
}

#[test]
fn a_document_of_another_type_is_an_error() {
    let database = super::database();
    let feed = Feed::of(&["a", "a"]);
    let mut consumer = open(&database, &settings(Kind::Projection, OnFailure::Stop));
    let Next::Read(read) = consumer.next(at(0)).unwrap() else { panic!("no read") };
    consumer.took(feed.read(read), at(0)).unwrap();
    let now = RecordedTime::default();
    consumer.next(now).unwrap();
    let mut first = true;
    let applied = &mut |event: &FeedEvent, documents: &_| {
        if std::mem::take(&mut first) { count(event, documents).into() } else { apply::<Odd, _>(event, documents) }
    };
    consumer.project(now, 0, applied).unwrap();
    let error = consumer.status().unwrap().error.unwrap().message;
    assert!(error.starts_with("the document does not fit its type: invalid type: sequence"), "{error}");
}
