//! A projection that reads the events of an aggregate: older ones are converted, as they are for the state.

use sillok::handler::{Event, Failed, FeedEvent, Projection, TypedDocuments, Upcasts};
use sillok::store::{JsonText, NewEvent};
use sillok::testing::projected;

use crate::account::{AccountEvent, opened};

struct Deposits;

impl Projection for Deposits {
    type Event = AccountEvent;
    type Document = u64;
    const TYPES: &[&str] = &["Deposited", "Closed"];
    const UPCASTS: Upcasts = AccountEvent::UPCASTS;

    fn apply(
        event: AccountEvent,
        source: &FeedEvent,
        deposits: &TypedDocuments<'_, u64>,
    ) -> Result<(), Failed> {
        let account = source.stream.as_str();
        match event {
            AccountEvent::Deposited { cents } => {
                deposits.put(account, &(deposits.get(account)?.unwrap_or_default() + cents))?;
            }
            _ => deposits.delete(account)?,
        }
        Ok(())
    }
}

fn deposited(schema_version: u32, data: &str) -> NewEvent {
    let event = NewEvent::new("Deposited", JsonText::parse(data).unwrap()).unwrap();
    event.with_schema_version(schema_version).unwrap()
}

#[test]
fn events_of_all_schema_versions_make_one_document() {
    let opened = opened().to_new().unwrap();
    let events = [opened, deposited(1, r#""3 coins""#), deposited(2, "4"), deposited(3, r#"{"cents":5}"#)];
    let documents = projected::<Deposits>(&events.map(|event| ("account-1", event))).unwrap();
    assert_eq!(documents["account-1"], 705);
}

#[test]
fn an_event_that_is_too_new_or_cannot_be_converted_fails() {
    for (event, text) in [
        (deposited(4, "1"), "Deposited has schema version 4; this code knows 3 at most"),
        (deposited(1, "1"), "invalid type: integer"),
    ] {
        let failed = projected::<Deposits>(&[("account-1", event)]).unwrap_err();
        assert!(failed.message().contains(text), "{}", failed.message());
    }
}
