//! An event as a CloudEvent, version 1.0, in its JSON format: what a webhook and a queue are sent.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::gateway::stream_path;
use sillok::store::{json_string, members};

/// The parts of an event as the feed has it. All stay the text that they are but for the name of the stream, which becomes
/// part of a URL.
#[derive(Deserialize)]
struct FeedEvent<'a> {
    stream: String,
    version: u64,
    #[serde(borrow)]
    id: &'a RawValue,
    #[serde(borrow, rename = "type")]
    event_type: &'a RawValue,
    #[serde(borrow)]
    time: &'a RawValue,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
    position: u64,
}

/// Writes an event of the feed as a CloudEvent. Its place goes into the attributes `streamversion` and `sequence`, the
/// correlation and causation ids of its metadata, where they are texts, into attributes of their own.
///
/// # Errors
/// What is wrong with the event's JSON, which the feed never gives.
pub(super) fn cloud_event(event: &str) -> Result<String, serde_json::Error> {
    let FeedEvent { stream, version, id, event_type, time, data, metadata, position } =
        serde_json::from_str(event)?;
    let (source, subject) = (json_string(&stream_path(&stream)), json_string(&stream));
    let mut text = format!(
        "{{\"specversion\":\"1.0\",\"id\":{id},\"source\":{source},\"type\":{event_type},\"subject\":{subject},\
         \"time\":{time},\"streamversion\":\"{version}\",\"sequence\":\"{position}\""
    );
    let ids = members(metadata.get(), ["correlationId", "causationId"]).unwrap_or_default();
    for (attribute, value) in ["correlationid", "causationid"].into_iter().zip(ids) {
        if let Some(value) = value.filter(|value| value.starts_with('"')) {
            // Writing to a String cannot fail.
            let _ = write!(text, ",\"{attribute}\":{value}");
        }
    }
    let _ = write!(text, ",\"datacontenttype\":\"application/json\",\"data\":{data}}}");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::cloud_event;

    #[test]
    fn metadata_may_have_any_names() {
        let event = concat!(
            r#"{"stream":"s","version":1,"id":"e","type":"A","time":"t","data":null,"#,
            r#""metadata":{"\ud83d":1,"causationId":"c"},"position":1,"checkpoint":"1"}"#
        );
        assert!(cloud_event(event).unwrap().contains(r#","causationid":"c","#));
    }

    #[test]
    fn an_event_as_a_cloud_event() {
        let event = concat!(
            r#"{"stream":"account/4 2","version":3,"id":"e\"1","type":"Deposited","time":"2026-11-23T01:02:03.456Z","#,
            r#""data":{"amount":1e400},"metadata":{"correlationId":"c-1","causationId":7},"position":17,"checkpoint":"17"}"#
        );
        let expected = concat!(
            r#"{"specversion":"1.0","id":"e\"1","source":"/v1/streams/account%2F4%202","type":"Deposited","#,
            r#""subject":"account/4 2","time":"2026-11-23T01:02:03.456Z","streamversion":"3","sequence":"17","#,
            r#""correlationid":"c-1","datacontenttype":"application/json","data":{"amount":1e400}}"#
        );
        assert_eq!(cloud_event(event).unwrap(), expected);
    }
}
