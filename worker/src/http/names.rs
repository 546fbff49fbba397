//! Names in paths and parameters. Here the text of a request becomes a name, or is refused.

use percent_encoding::percent_decode_str;
use sillok::ErrorCode;
use sillok::handler::{
    ConsumerName, DocumentKey, InvalidConsumerName, InvalidDocumentKey, InvalidLetterId, LetterId,
};
use sillok::store::{InvalidName, InvalidStreamId, PendingKey, PendingKind, StreamId, Version};
use sillok_bridge::Failure;

/// The stream that a segment of a path names.
pub(super) fn stream_id(segment: &str) -> Result<StreamId, Failure> {
    let text = decoded(segment, ErrorCode::InvalidStreamId, "stream")?;
    StreamId::new(&text).map_err(|error: InvalidStreamId| error.into())
}

/// The consumer, or the projection, that a segment of a path names.
pub(super) fn consumer_name(segment: &str) -> Result<ConsumerName, Failure> {
    let text = decoded(segment, ErrorCode::InvalidConsumerName, "name")?;
    ConsumerName::new(&text).map_err(|error: InvalidConsumerName| error.into())
}

/// The document key in a segment of a path.
pub(super) fn document_key(segment: &str) -> Result<DocumentKey, Failure> {
    let text = decoded(segment, ErrorCode::InvalidDocumentKey, "key")?;
    DocumentKey::new(&text).map_err(|error: InvalidDocumentKey| error.into())
}

/// The id of a dead letter in a segment of a path.
pub(super) fn letter_id(segment: &str) -> Result<LetterId, Failure> {
    let text = decoded(segment, ErrorCode::InvalidParameter, "id")?;
    LetterId::parse(&text).map_err(|error: InvalidLetterId| error.into())
}

/// The key of a timer, or the id of a sent command, in a segment of a path.
pub(super) fn pending_key(segment: &str, kind: PendingKind) -> Result<String, Failure> {
    let name = if kind == PendingKind::Timer { "key" } else { "id" };
    let text = decoded(segment, ErrorCode::InvalidParameter, name)?;
    let invalid = |error| {
        Failure::new(ErrorCode::InvalidParameter, format!("the {name} in the path {error}")).in_field(name)
    };
    check_pending_key(&text, kind).map(|()| text).map_err(invalid)
}

/// The key of the parameter `after`, after which a page of timers or sent commands begins.
pub(super) fn pending_after(text: String, kind: PendingKind) -> Result<String, Failure> {
    let invalid =
        |error| Failure::new(ErrorCode::InvalidParameter, format!("`after` {error}")).in_field("after");
    check_pending_key(&text, kind).map(|()| text).map_err(invalid)
}

fn check_pending_key(text: &str, kind: PendingKind) -> Result<(), InvalidName> {
    match kind {
        PendingKind::Timer => PendingKey::timer(text).map(drop),
        PendingKind::Sent => PendingKey::sent(text).map(drop),
    }
}

/// The event of `stream@version`. A stream id may contain an `@` itself.
pub(super) fn event_in(min: &str) -> Result<(StreamId, Version), Failure> {
    let invalid = || {
        let detail = "`min` must be a stream's name, an @ and a version";
        Failure::new(ErrorCode::InvalidParameter, detail).in_field("min")
    };
    let (stream, version) = min.rsplit_once('@').ok_or_else(invalid)?;
    let version = version.parse().ok().and_then(Version::new).filter(|version| !version.is_empty());
    Ok((StreamId::new(stream).map_err(|_| invalid())?, version.ok_or_else(invalid)?))
}

/// Decodes a segment, which is percent-encoded. An encoded slash is a part of the name.
fn decoded(segment: &str, code: ErrorCode, field: &str) -> Result<String, Failure> {
    let invalid = |reason| Failure::new(code, format!("the {field} in the path {reason}")).in_field(field);
    if !is_percent_encoded(segment) {
        return Err(invalid("contains a % without two hexadecimal digits after it"));
    }
    let text = percent_decode_str(segment).decode_utf8().map_err(|_| invalid("is not UTF-8"))?;
    Ok(text.into_owned())
}

fn is_percent_encoded(segment: &str) -> bool {
    segment.split('%').skip(1).all(|rest| {
        let mut bytes = rest.bytes();
        (0..2).all(|_| bytes.next().is_some_and(|byte| byte.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(stream_id("a%2Fb+c%C3%A9").unwrap(), "a/b+cé");
        assert_eq!(consumer_name("a%2Fb").unwrap(), "a/b");
        assert_eq!(document_key("%20").unwrap(), " ");
        assert_eq!(letter_id("%37").unwrap(), LetterId::new(7));
    }

    #[test]
    fn an_invalid_name_is_refused_with_its_code_and_field() {
        let refused = |segment| {
            [
                stream_id(segment).unwrap_err(),
                consumer_name(segment).unwrap_err(),
                document_key(segment).unwrap_err(),
                letter_id(segment).unwrap_err(),
            ]
        };
        for wrong in
            ["", "%", "a%2", "%zz", "%FF", "%00", "%0A", "%1F", "a%1Fb", "%7F", "%C2%85", &"9x".repeat(101)]
        {
            let found = refused(wrong).map(|failure| (failure.code.clone(), failure.field.clone()));
            let expected = [
                (ErrorCode::InvalidStreamId, "stream"),
                (ErrorCode::InvalidConsumerName, "name"),
                (ErrorCode::InvalidDocumentKey, "key"),
                (ErrorCode::InvalidParameter, "id"),
            ];
            assert_eq!(found, expected.map(|(code, field)| (code.into(), Some(field.to_owned()))), "{wrong}");
        }
        for wrong in ["x", "1.5", "-1", "+1", " 1"] {
            assert_eq!(letter_id(wrong).unwrap_err().field.as_deref(), Some("id"), "{wrong}");
        }
    }

    #[test]
    fn the_event_to_wait_for() {
        let (stream, version) = event_in("plane@home-1@3").unwrap();
        assert_eq!((stream.as_str(), version.get()), ("plane@home-1", 3));
        for wrong in [
            "",
            "plane-1",
            "plane-1@",
            "plane-1@0",
            "plane-1@x",
            "@3",
            "plane-1@9007199254740992",
            "acme\u{1f}plane-1@3",
            "plane\u{7f}@3",
        ] {
            assert_eq!(event_in(wrong).unwrap_err().field.as_deref(), Some("min"), "{wrong}");
        }
    }
}
