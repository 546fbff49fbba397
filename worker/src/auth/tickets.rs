//! Tickets: proofs for one path and a minute, in the parameter `ticket` of a URL. They are for callers that cannot send a header,
//! such as the `EventSource` and the WebSocket of a browser.
//!
//! A ticket is `base64url(content).base64url(HMAC-SHA256)`. The key is derived from the deployment's secret for tickets only, so
//! no ticket is a token, and no token is a ticket.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sillok::store::{RecordedTime, Tenant};

use super::{Principal, Refusal, Scope, Streams};

/// The time for which a ticket is valid, in milliseconds.
const LIFETIME: u64 = 60_000;
/// The purpose of the key.
const PURPOSE: &[u8] = b"sillok: tickets";

/// A new ticket, and the time at which it ends.
pub(crate) struct Ticket {
    pub(crate) text: String,
    pub(crate) until: RecordedTime,
}

/// What a ticket says: its path, the time at which it ends, and the tenant, the streams and the end of its owner's rights.
type Content = (String, u64, Option<String>, Option<Vec<String>>, Option<u64>);

/// Makes a ticket with which this caller may read this path.
pub(super) fn issue(secret: &str, principal: &Principal, path: &str, now: RecordedTime) -> Ticket {
    let millis = now.as_millis() + LIFETIME;
    // A ticket does not live longer than the rights of its owner.
    let millis = principal.until.map_or(millis, |until| millis.min(until.as_millis()));
    let streams = match &principal.streams {
        Streams::All => None,
        Streams::Matching(globs) => Some(globs.clone()),
    };
    let tenant = principal.tenant.as_ref().map(|tenant| tenant.as_str().to_owned());
    let until = principal.until.map(RecordedTime::as_millis);
    let content: Content = (path.to_owned(), millis, tenant, streams, until);
    // The serialisation of texts and numbers never fails.
    let content = serde_json::to_string(&content).unwrap_or_default();
    let content = Base64UrlUnpadded::encode_string(content.as_bytes());
    let proof = seal(secret, &content).map(|mac| mac.finalize().into_bytes()).unwrap_or_default();
    let text = format!("{content}.{}", Base64UrlUnpadded::encode_string(&proof));
    Ticket { text, until: RecordedTime::from_millis(millis) }
}

/// Checks a ticket, and returns its caller: it may only read, and only this path.
pub(super) fn verify(
    ticket: &str,
    secret: &str,
    path: &str,
    now: RecordedTime,
) -> Result<Principal, Refusal> {
    const FORGED: Refusal = Refusal::InvalidTicket("was not issued by this deployment");
    let (content, proof) = ticket.split_once('.').ok_or(FORGED)?;
    let proof = Base64UrlUnpadded::decode_vec(proof).map_err(|_| FORGED)?;
    seal(secret, content).ok_or(FORGED)?.verify_slice(&proof).map_err(|_| FORGED)?;
    let content = Base64UrlUnpadded::decode_vec(content).map_err(|_| FORGED)?;
    let (of, end, tenant, streams, until): Content = serde_json::from_slice(&content).map_err(|_| FORGED)?;
    if end < now.as_millis() {
        return Err(Refusal::InvalidTicket("has expired; ask for another one"));
    }
    if of != path {
        return Err(Refusal::InvalidTicket("is for another path"));
    }
    Ok(Principal {
        tenant: tenant.as_deref().map(Tenant::new).transpose().map_err(|_| FORGED)?,
        scopes: vec![Scope::Read],
        streams: streams.map_or(Streams::All, Streams::Matching),
        until: until.map(RecordedTime::from_millis),
    })
}

fn seal(secret: &str, content: &str) -> Option<Hmac<Sha256>> {
    let mut key = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    key.update(PURPOSE);
    let mut seal = Hmac::<Sha256>::new_from_slice(&key.finalize().into_bytes()).ok()?;
    seal.update(content.as_bytes());
    Some(seal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of the tests, of more than 32 bytes";
    const PATH: &str = "/v1/streams/account-42/events";

    fn at(millis: u64) -> RecordedTime {
        RecordedTime::from_millis(millis)
    }

    fn reader(until: Option<u64>) -> Principal {
        let tenant = Some(Tenant::new("acme").unwrap());
        Principal { tenant, until: until.map(at), ..Principal::reader_of(&["account-*"]) }
    }

    #[test]
    fn a_ticket_reads_what_its_owner_may_read_and_nothing_else() {
        let owner = Principal { scopes: Scope::ALL.to_vec(), ..reader(Some(9_000_000)) };
        let Ticket { text, until } = issue(SECRET, &owner, PATH, at(1000));
        assert_eq!(until.as_millis(), 61_000);
        let caller = verify(&text, SECRET, PATH, until).unwrap();
        assert_eq!(caller.rights(), owner.rights());
        assert_eq!((caller.scopes, caller.until), (vec![Scope::Read], Some(at(9_000_000))));
        // It ends before the rights of its owner do.
        assert_eq!(issue(SECRET, &reader(Some(5000)), PATH, at(1000)).until.as_millis(), 5000);
    }

    #[test]
    fn every_other_ticket_is_refused() {
        let Ticket { text, until } = issue(SECRET, &reader(None), PATH, at(1000));
        let refused = |ticket: &str, secret, path, now| {
            let refusal = verify(ticket, secret, path, now).unwrap_err();
            assert!(matches!(refusal, Refusal::InvalidTicket(_)), "{refusal}");
        };
        refused(&text, SECRET, PATH, at(until.as_millis() + 1));
        refused(&text, SECRET, "/v1/streams/account-43/events", at(1000));
        refused(&text, "another secret of the tests, as long as the first", PATH, at(1000));
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
            refused(&String::from_utf8(bytes).unwrap(), SECRET, PATH, at(1000));
        }
        for other in ["", ".", "a.b", &text[1..], &format!("{text}="), SECRET] {
            refused(other, SECRET, PATH, at(1000));
        }
    }
}
