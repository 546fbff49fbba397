//! An event as a CloudEvent, version 1.0, in the JSON format. Webhooks and queues send events in this form.

use sillok::handler::FeedEvent;
use sillok::store::{json_string, members};

use crate::http::{encoded, stream_path};

/// Writes an event of the feed as a CloudEvent. Its id is made of the event's place, so that no two events have the same one, also
/// where their writers gave them the same. The id that the event has is the attribute `eventid`, its place is `streamversion` and
/// `sequence`; the correlation and causation ids of its metadata, where they are texts, have attributes of their own.
/// Nothing where the event's JSON lacks a part, which the feed never does.
pub(super) fn cloud_event(event: &FeedEvent) -> Option<String> {
    let [time, data, metadata] = members(&event.json, ["time", "data", "metadata"])?;
    let (stream, version) = (event.stream.as_str(), event.version.get());
    let mut text = String::from("{\"specversion\":\"1.0\"");
    attribute(&mut text, "id", &format!("{}@{version}", encoded(stream)));
    attribute(&mut text, "source", &stream_path(stream));
    attribute(&mut text, "type", event.event_type.as_str());
    attribute(&mut text, "subject", stream);
    text.push_str(",\"time\":");
    text.push_str(time?);
    attribute(&mut text, "streamversion", &version.to_string());
    attribute(&mut text, "sequence", &event.position.get().to_string());
    attribute(&mut text, "eventid", event.id.as_str());
    // Metadata are whatever their writer says: what cannot be read of them is left out.
    let ids = members(metadata?, ["correlationId", "causationId"]).unwrap_or_default();
    for (name, value) in ["correlationid", "causationid"].into_iter().zip(ids) {
        let value = value.and_then(|value| serde_json::from_str::<String>(value).ok());
        if let Some(value) = value {
            attribute(&mut text, name, &value);
        }
    }
    attribute(&mut text, "datacontenttype", "application/json");
    text.push_str(",\"data\":");
    text.push_str(data?);
    text.push('}');
    Some(text)
}

/// Writes an attribute. U+FFFD replaces each character that CloudEvents forbids.
fn attribute(text: &mut String, name: &str, value: &str) {
    let allowed = value.replace(is_forbidden, "\u{fffd}");
    text.push_str(",\"");
    text.push_str(name);
    text.push_str("\":");
    text.push_str(&json_string(&allowed));
}

/// Whether CloudEvents forbids the character. It forbids control characters and Unicode's noncharacters.
fn is_forbidden(character: char) -> bool {
    let number = u32::from(character);
    character.is_control() || (0xfdd0..=0xfdef).contains(&number) || number & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};
    use sillok::store::{EventId, EventType, Position, StreamId, Version};

    use super::*;

    fn event(stream: &str, version: u64, id: &str, event_type: &str, metadata: &str) -> FeedEvent {
        let time = "2026-11-23T01:02:03.456Z";
        FeedEvent {
            position: Position::new(version + 14).unwrap(),
            stream: StreamId::new(stream).unwrap(),
            version: Version::new(version).unwrap(),
            id: EventId::new(id).unwrap(),
            event_type: EventType::new(event_type).unwrap(),
            json: format!(r#"{{"time":"{time}","data":{{"amount":1e400}},"metadata":{metadata}}}"#),
        }
    }

    fn attributes(event: &FeedEvent) -> Map<String, Value> {
        let text = cloud_event(event).unwrap().replace("1e400", "1");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_event_as_a_cloud_event() {
        let metadata = r#"{"correlationId":"c-1","causationId":7}"#;
        let event = event("account/4 2", 3, "e\"1", "Deposited", metadata);
        let expected = concat!(
            r#"{"specversion":"1.0","id":"account%2F4%202@3","source":"/v1/streams/account%2F4%202","type":"Deposited","#,
            r#""subject":"account/4 2","time":"2026-11-23T01:02:03.456Z","streamversion":"3","sequence":"17","#,
            r#""eventid":"e\"1","correlationid":"c-1","datacontenttype":"application/json","data":{"amount":1e400}}"#
        );
        assert_eq!(cloud_event(&event).unwrap(), expected);
    }

    #[test]
    fn forbidden_characters_in_an_attribute_are_replaced_and_other_values_left_out() {
        let odd_name = attributes(&event("s-1", 1, "e", "T", r#"{"\ud83d":1,"correlationId":"c"}"#));
        assert_eq!(odd_name["correlationid"], "c");
        let metadata = r#"{"correlationId":"a\u0000\u007f\u0085b\ufdd0","causationId":"\ud83d"}"#;
        let odd = attributes(&event("s-\u{ffff}", 1, "e\u{fdef}", "T\u{1fffe}", metadata));
        let expected = [
            ("id", "s-%EF%BF%BF@1"),
            ("source", "/v1/streams/s-%EF%BF%BF"),
            ("subject", "s-\u{fffd}"),
            ("eventid", "e\u{fffd}"),
            ("type", "T\u{fffd}"),
            ("correlationid", "a\u{fffd}\u{fffd}\u{fffd}b\u{fffd}"),
        ];
        for (name, value) in expected {
            assert_eq!(odd[name], value, "{name}");
        }
        assert_eq!(odd.get("causationid"), None);
    }

    fn placed() -> impl Strategy<Value = (String, u64)> {
        ("[a@/%1\u{ffff}-]{1,3}", 1..12_u64)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2048, ..ProptestConfig::default() })]

        /// Every event is sent, under an id of its own, and with attributes that CloudEvents allows.
        #[test]
        fn every_event_has_an_id_of_its_own_and_attributes_that_are_allowed(
            (one, other) in (placed(), placed()),
            (id, event_type) in ("[^\\p{Cc}]{1,9}", "[^\\p{Cc}]{1,9}"),
            correlation in any::<Vec<char>>(),
        ) {
            let correlation = json!({ "correlationId": String::from_iter(correlation) }).to_string();
            let [first, second] = [&one, &other].map(|(stream, version)| {
                attributes(&event(stream, *version, &id, &event_type, &correlation))
            });
            for (name, value) in first.iter().filter(|(name, _)| *name != "data") {
                let value = value.as_str().unwrap_or_default();
                prop_assert!(!value.is_empty() || name == "correlationid", "{}", name);
                prop_assert!(!value.contains(is_forbidden), "{}: {:?}", name, value);
            }
            prop_assert_eq!(first["id"] == second["id"], one == other);
        }
    }
}
