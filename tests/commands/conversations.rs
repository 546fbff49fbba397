//! The correlation id and the trace of an input continue in everything that follows from it.

use super::world;
use crate::case::Case;
use crate::script::{Act, Asked, send, set};
use crate::world::{key, version};
use sillok::handler::{Answer, Input};
use sillok::store::limits::METADATA_BYTES;
use sillok::store::{DecisionLog, JsonText};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn case() -> Case<impl DecisionLog> {
    Case::new(world())
}

fn metadata(text: &str) -> JsonText {
    JsonText::parse(text).unwrap()
}

fn traced() -> JsonText {
    metadata(&format!(r#"{{"correlationId":"c-1","traceparent":"{TRACE}","other":1}}"#))
}

/// The metadata of the last event.
fn last<L: DecisionLog>(case: &Case<L>) -> serde_json::Value {
    serde_json::from_str(case.recorded().last().unwrap().metadata.as_str()).unwrap()
}

#[test]
fn timers_and_sent_commands_continue_the_conversation() {
    let mut case = case();
    let acts = vec![Act::Event(1), set("lapse", 1, Asked::event(2)), send("debit", "account-a")];
    let command = Asked::Do(acts).command().with_metadata(traced()).unwrap().with_id(key("k-1"));
    case.execute(&command).unwrap();
    let continued = format!(r#"{{"correlationId":"c-1","traceparent":"{TRACE}"}}"#);
    let [sent] = case.sent().try_into().unwrap();
    assert_eq!(case.sending(&sent).unwrap().command.metadata().as_str(), continued);

    case.fire("lapse").unwrap();
    let by_timer = serde_json::json!({ "correlationId": "c-1", "traceparent": TRACE });
    assert_eq!(last(&case), by_timer, "a timer has no id that could be the cause");

    case.answer(&sent, &Answer::Accepted { version: version(1) }).unwrap();
    let by_answer = serde_json::json!({ "correlationId": "c-1", "causationId": sent.as_str(), "traceparent": TRACE });
    assert_eq!(last(&case), by_answer, "the command that was answered is the cause");
    let asked = case.asked();
    assert!(asked[2].contains(&format!("\"metadata\":{continued}")), "the code sees it: {}", asked[2]);
}

#[test]
fn what_follows_from_what_follows_continues_the_conversation_too() {
    let mut case = case();
    let inner = Asked::Do(vec![Act::Event(2), set("second", 1, Asked::event(3)), send("debit", "account-a")]);
    let command = Asked::Do(vec![set("first", 1, inner)]).command().with_metadata(traced()).unwrap();
    case.execute(&command).unwrap();
    case.fire("first").unwrap();
    case.fire("second").unwrap();
    assert_eq!(last(&case)["correlationId"], "c-1");
    let [sent] = case.sent().try_into().unwrap();
    case.play.on_answer.replace(Some(vec![set("third", 1, Asked::event(4))]));
    case.answer(&sent, &Answer::Accepted { version: version(1) }).unwrap();
    case.fire("third").unwrap();
    assert_eq!(last(&case), serde_json::json!({ "correlationId": "c-1", "traceparent": TRACE }));
}

#[test]
fn a_command_without_a_correlation_begins_one_under_its_id() {
    let mut case = case();
    let acts = || vec![set("lapse", 1, Asked::event(2))];
    case.execute(&Asked::Do(acts()).command().with_id(key("k-1"))).unwrap();
    case.fire("lapse").unwrap();
    assert_eq!(last(&case), serde_json::json!({ "correlationId": "k-1" }));
    // An event after which nothing follows has no correlation.
    case.decide(vec![Act::Event(3)]);
    assert_eq!(last(&case), serde_json::json!({}));
}

/// The events, the timer and the sent command of one decision can be found together.
#[test]
fn a_command_without_an_id_begins_a_correlation_for_what_follows() {
    let mut case = case();
    case.decide(vec![Act::Event(1), set("lapse", 1, Asked::event(2)), send("debit", "account-a")]);
    let begun = last(&case);
    let id = begun["correlationId"].as_str().unwrap().to_owned();
    assert_eq!(begun, serde_json::json!({ "correlationId": id }));
    let [sent] = case.sent().try_into().unwrap();
    let continued = format!(r#"{{"correlationId":"{id}"}}"#);
    assert_eq!(case.sending(&sent).unwrap().command.metadata().as_str(), continued);
    case.fire("lapse").unwrap();
    assert_eq!(last(&case)["correlationId"], id);
    case.answer(&sent, &Answer::Accepted { version: version(1) }).unwrap();
    assert_eq!(last(&case)["correlationId"], id);
}

#[test]
fn an_event_of_another_stream_continues_in_what_it_starts() {
    let mut case = case();
    let event = Asked::Do(vec![Act::Event(1), send("debit", "account-a")]).command();
    let event = event.with_metadata(traced()).unwrap().with_id(key("e-1"));
    case.execute(&event.as_input(Input::Event { starts: true })).unwrap();
    assert_eq!(last(&case)["causationId"], "e-1");
    let [sent] = case.sent().try_into().unwrap();
    assert!(case.sending(&sent).unwrap().command.metadata().as_str().contains(r#""correlationId":"c-1""#));
}

/// Metadata without room for the conversation are no reason to lose a timer.
#[test]
fn metadata_without_room_stay_as_they_are() {
    let mut case = case();
    let full = format!(r#"{{"a":"{}"}}"#, "x".repeat(METADATA_BYTES - 8));
    let command = Asked::Do(vec![set("lapse", 1, Asked::Do(vec![]))]).command();
    case.execute(&command.with_metadata(metadata(&full)).unwrap().with_id(key("k-1"))).unwrap();
    let pending = case.all(sillok::store::PendingKind::Timer);
    assert_eq!(pending[0].command.as_str(), r#"{"type":"Do","data":[],"metadata":{"correlationId":"k-1"}}"#);
}
