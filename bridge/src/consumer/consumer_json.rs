//! The status, the dead letters and the documents of a consumer, as JSON.

use sillok::handler::{
    DeadLetter, DeadLetters, DocumentChange, DocumentPage, FailedEvent, FollowedChange, FollowedDocuments,
    LastError, RebuildStatus, Status,
};
use sillok::store::{Checkpoint, RecordedTime, json_string};

use crate::clock::rfc3339;

/// The status of a consumer, as the members of an object: `"status":…,"checkpoint":…`. `end` is the end of the feed.
#[must_use]
pub fn status_members(status: &Status, end: &Checkpoint) -> String {
    let place =
        |checkpoint: &Checkpoint| format!("\"checkpoint\":\"{checkpoint}\",\"lag\":{}", checkpoint.lag(end));
    let rebuild = status.rebuild.as_ref().map(|RebuildStatus { checkpoint, failures, retry_at }| {
        let retry_at = or_null(retry_at.map(time));
        format!("{{{},\"failures\":{failures},\"retryAt\":{retry_at}}}", place(checkpoint))
    });
    format!(
        "\"status\":\"{}\",{},\"rebuild\":{},\"failures\":{},\"retryAt\":{},\"lastError\":{},\"deadLetters\":{},\"retrying\":{}",
        status.running.as_str(),
        place(&status.checkpoint),
        or_null(rebuild),
        status.failures,
        or_null(status.retry_at.map(time)),
        or_null(status.error.as_ref().map(error_json)),
        status.dead_letters,
        status.retrying,
    )
}

/// The last error: `{"message","time","stream","version","position","rebuild"}`. Only the error of an event has the last four.
fn error_json(LastError { message, time: at, event }: &LastError) -> String {
    let event =
        event.as_ref().map_or_else(String::new, |FailedEvent { stream, version, position, in_rebuild }| {
            let stream = json_string(stream.as_str());
            format!(
                ",\"stream\":{stream},\"version\":{version},\"position\":{position},\"rebuild\":{in_rebuild}"
            )
        });
    format!("{{\"message\":{},\"time\":{}{event}}}", json_string(message), time(*at))
}

/// A page of dead letters: `{"<name>":[{"id","reason","error","stack","attempts","time","event"}],"next"}`. `next` is JSON.
#[must_use]
pub fn letters_json(name: &str, page: &DeadLetters, next: Option<String>) -> String {
    let mut letters = page.letters.iter().map(|DeadLetter { id, reason, error, attempts, time: at, event, .. }| {
        let stack = or_null(error.stack.as_deref().map(json_string));
        let (reason, error, time) = (reason.as_str(), json_string(&error.message), time(*at));
        // The event is JSON already. It stays unchanged.
        let event = &event.json;
        format!(
            "{{\"id\":{id},\"reason\":\"{reason}\",\"error\":{error},\"stack\":{stack},\"attempts\":{attempts},\"time\":{time},\"event\":{event}}}"
        )
    });
    page_json(name, &mut letters, next)
}

/// A page of documents: `{"<name>":[{"key","document"}],"next"}`. `next` is JSON.
#[must_use]
pub fn documents_json(name: &str, page: &DocumentPage, next: Option<String>) -> String {
    let mut documents = page.documents.iter().map(|(key, document)| {
        format!("{{\"key\":{},\"document\":{}}}", json_string(key), document.as_str())
    });
    page_json(name, &mut documents, next)
}

/// The next messages to a follower of documents: `{"changes":[{"kind",…,"checkpoint"}],"checkpoint","revision","more"}`.
#[must_use]
pub fn followed_json(followed: &FollowedDocuments) -> String {
    let mut text = "{\"changes\":[".to_owned();
    for FollowedChange { change, checkpoint } in &followed.changes {
        if !text.ends_with('[') {
            text.push(',');
        }
        match change {
            DocumentChange::Reset => text.push_str("{\"kind\":\"reset\""),
            DocumentChange::Put { key, document } => {
                text += "{\"kind\":\"put\",\"key\":";
                text += &json_string(key);
                text += ",\"document\":";
                text += document.as_str();
            }
            DocumentChange::Delete { key } => {
                text += "{\"kind\":\"delete\",\"key\":";
                text += &json_string(key);
            }
            DocumentChange::CaughtUp => text.push_str("{\"kind\":\"caught-up\""),
        }
        // A checkpoint needs no escape.
        text += ",\"checkpoint\":\"";
        text += checkpoint;
        text += "\"}";
    }
    let FollowedDocuments { checkpoint, revision, more, .. } = followed;
    text + &format!("],\"checkpoint\":\"{checkpoint}\",\"revision\":{revision},\"more\":{more}}}")
}

/// Writes the page item by item, because a page may have 4 MiB.
fn page_json(name: &str, items: &mut dyn Iterator<Item = String>, next: Option<String>) -> String {
    let mut page = format!("{{\"{name}\":[");
    for item in items {
        if !page.ends_with('[') {
            page.push(',');
        }
        page.push_str(&item);
    }
    page + "],\"next\":" + &or_null(next) + "}"
}

fn time(time: RecordedTime) -> String {
    format!("\"{}\"", rfc3339(time))
}

fn or_null(json: Option<String>) -> String {
    json.unwrap_or_else(|| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use sillok::handler::Running;
    use sillok::store::{JsonText, Position, StreamId, Version};

    use super::*;

    #[test]
    fn the_status_of_a_consumer_as_json() {
        let at = |position| Checkpoint::start(1).at(0, Position::new(position).unwrap());
        let mut status = Status {
            running: Running::Running,
            checkpoint: at(3),
            rebuild: None,
            failures: 0,
            retry_at: None,
            error: None,
            dead_letters: 0,
            retrying: false,
        };
        assert_eq!(
            status_members(&status, &at(5)),
            r#""status":"running","checkpoint":"3","lag":2,"rebuild":null,"failures":0,"retryAt":null,"lastError":null,"deadLetters":0,"retrying":false"#
        );
        let retry_at = Some(RecordedTime::from_millis(2));
        status.rebuild = Some(RebuildStatus { checkpoint: at(1), failures: 3, retry_at });
        status.failures = 2;
        status.retry_at = Some(RecordedTime::from_millis(1));
        let message = "\"no\"".to_owned();
        status.error = Some(LastError { message, time: RecordedTime::from_millis(0), event: None });
        assert_eq!(
            status_members(&status, &at(5)),
            r#""status":"running","checkpoint":"3","lag":2,"rebuild":{"checkpoint":"1","lag":4,"failures":3,"retryAt":"1970-01-01T00:00:00.002Z"},"failures":2,"retryAt":"1970-01-01T00:00:00.001Z","lastError":{"message":"\"no\"","time":"1970-01-01T00:00:00.000Z"},"deadLetters":0,"retrying":false"#
        );
        let (stream, version) = (StreamId::new("account-\"1").unwrap(), Version::new(3).unwrap());
        let event = FailedEvent { stream, version, position: Position::new(9).unwrap(), in_rebuild: true };
        let error = LastError { event: Some(event), ..status.error.unwrap() };
        assert_eq!(
            error_json(&error),
            r#"{"message":"\"no\"","time":"1970-01-01T00:00:00.000Z","stream":"account-\"1","version":3,"position":9,"rebuild":true}"#
        );
    }

    #[test]
    fn pages_of_none_one_and_two_documents() {
        let text = |text| JsonText::parse(text).unwrap();
        let all = [("a[".to_owned(), text("[1]")), ("b".to_owned(), text("{}"))];
        for (count, items, next) in [
            (0, "", None),
            (1, r#"{"key":"a[","document":[1]}"#, Some("7")),
            (2, r#"{"key":"a[","document":[1]},{"key":"b","document":{}}"#, None),
        ] {
            let page = DocumentPage { documents: all[..count].to_vec(), next: None };
            assert_eq!(
                documents_json("items", &page, next.map(str::to_owned)),
                format!(r#"{{"items":[{items}],"next":{}}}"#, next.unwrap_or("null"))
            );
        }
    }
}
