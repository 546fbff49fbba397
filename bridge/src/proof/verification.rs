//! What a verification found, as JSON, and how it is carried from page to page.

use serde::Serialize;
use sillok::ErrorCode;
use sillok::store::{
    CommitHash, EventStore, Followed, RecordedTime, StreamId, StreamLog, Verification, Verifier, Version,
};

use crate::failure::Failure;

/// A page of a verification or of an export.
#[derive(Debug)]
pub struct ProofPage {
    /// The version of the stream, or up to which it was verified.
    pub version: u64,
    /// Of an export: the first version that is still shown; one beyond `version` where none is.
    pub first_version: Option<u64>,
    /// What was found so far as JSON, or the commits as lines.
    pub text: String,
    /// What to ask for the next page with, or nothing when this was the last. It means nothing to anybody else.
    pub next: Option<String>,
}

crate::message!(ProofPage { version: "version", first_version: "firstVersion", text: "text", next: "next" });

/// What a verification found: `{"intact":true,"version","head","commits"}`, or `"intact":false` with the first
/// commit that is broken and why.
#[derive(Debug, Serialize)]
pub struct VerificationJson {
    intact: bool,
    version: u64,
    head: String,
    commits: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken: Option<BrokenJson>,
}

crate::message!(VerificationJson {
    intact: "intact",
    version: "version",
    head: "head",
    commits: "commits",
    broken: "broken",
});

#[derive(Debug, Serialize)]
struct BrokenJson {
    version: u64,
    reason: String,
}

crate::message!(BrokenJson { version: "version", reason: "reason" });

impl From<Verification> for VerificationJson {
    fn from(found: Verification) -> Self {
        let broken = found.broken.map(|broken| BrokenJson { version: broken.version, reason: broken.reason });
        Self {
            intact: broken.is_none(),
            version: found.version.get(),
            head: found.head.to_string(),
            commits: found.commits,
            broken,
        }
    }
}

/// Verifies one page of a stream: the first, or the next of what an earlier page gave.
///
/// # Errors
/// `storage_failed`, or `invalid_parameter` where `next` was not given by an earlier page.
pub fn verify_page<L: StreamLog>(
    store: &EventStore<L>,
    stream: StreamId,
    next: Option<&str>,
) -> Result<ProofPage, Failure> {
    let followed = match next {
        Some(next) => parse_followed(next).ok_or_else(unknown_next)?,
        None => Followed::default(),
    };
    let mut verifier = Verifier::after(stream, followed);
    let has_more = store.verify_page(&mut verifier)?;
    let found = VerificationJson::from(verifier.found());
    let text = serde_json::to_string(&found)
        .map_err(|error| Failure::new(ErrorCode::Internal, error.to_string()))?;
    let next = has_more.then(|| {
        let Followed { version, time, hash, commits } = verifier.followed();
        format!("{version} {} {hash} {commits}", time.as_millis())
    });
    Ok(ProofPage { version: found.version, first_version: None, text, next })
}

fn parse_followed(text: &str) -> Option<Followed> {
    let mut parts = text.split(' ');
    Some(Followed {
        version: version(parts.next()?)?,
        time: RecordedTime::from_millis(parts.next()?.parse().ok()?),
        hash: CommitHash::from_hex(parts.next()?)?,
        commits: parts.next()?.parse().ok()?,
    })
}

pub(crate) fn version(text: &str) -> Option<Version> {
    Version::new(text.parse().ok()?)
}

pub(crate) fn unknown_next() -> Failure {
    Failure::new(ErrorCode::InvalidParameter, "`next` must be the text that the previous page returned")
        .in_field("next")
}
