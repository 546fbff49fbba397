//! A page of the feed in the newest schema versions.

use sillok::ErrorCode;
use sillok::handler::{Fault, newest_events};

use crate::account::AccountEvent;

/// An event of the account in its form on the wire. `rest` begins with the type.
fn event(version: u64, rest: &str) -> String {
    format!(r#"{{"stream":"account-1","version":{version},"id":"\u0061",{rest},"metadata":{{"n":1e400}}}}"#)
}

fn page(events: &[String]) -> String {
    format!("[{}]", events.join(","))
}

fn newest(page: &str) -> Result<String, Fault> {
    newest_events::<AccountEvent>("account", page)
}

#[test]
fn older_data_are_converted_and_every_other_text_stays() {
    let stored = [
        event(1, r#""type":"Deposited","time":"t","data":"3 coins""#),
        event(2, r#""type":"Deposited","schemaVersion":2,"time":"t","data":3"#),
        event(3, r#""type":"Deposited","schemaVersion":3,"time":"t","data":{ "cents" : 3.0 }"#),
        event(4, r#""type":"Renamed","schemaVersion":9,"time":"t","data":[1e400]"#),
        event(5, r#""type":"Closed","time":"t","data":{}"#),
        r#"{"stream":"other-1","version":1,"type":"Deposited","data":"3 coins"}"#.to_owned(),
        r#"{"stream":"accounts-1","version":1,"type":"Deposited","data":"3 coins"}"#.to_owned(),
    ];
    let mut expected = stored.clone();
    expected[0] = event(1, r#""type":"Deposited","schemaVersion":3,"time":"t","data":{"cents":300}"#);
    expected[1] = event(2, r#""type":"Deposited","schemaVersion":3,"time":"t","data":{"cents":300}"#);
    assert_eq!(newest(&page(&stored)).unwrap(), page(&expected));
    assert_eq!(newest("[]").unwrap(), "[]");
}

#[test]
fn an_event_that_cannot_be_shown_is_an_error_with_its_place_and_its_type() {
    for (code, rest) in [
        (ErrorCode::EventTooNew, r#""type":"Deposited","schemaVersion":4,"data":{"cents":3}"#),
        (ErrorCode::EventTooNew, r#""type":"Closed","schemaVersion":2,"data":null"#),
        (ErrorCode::DeciderFailed, r#""type":"Deposited","data":"some coins""#),
    ] {
        let fault = newest(&page(&[event(1, r#""type":"Closed","data":null"#), event(2, rest)])).unwrap_err();
        assert_eq!(fault.code, code, "{fault:?}");
        assert!(fault.detail.starts_with("version 2 of stream account-1, "), "{fault:?}");
        let event_type = if rest.contains("Closed") { "Closed" } else { "Deposited" };
        assert!(fault.detail.contains(event_type), "{fault:?}");
    }
    assert_eq!(newest("{}").unwrap_err().code, ErrorCode::StoredDataCorrupt);
    assert_eq!(newest("[{}]").unwrap_err().code, ErrorCode::StoredDataCorrupt);
}
