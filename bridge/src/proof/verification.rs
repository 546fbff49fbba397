//! The result of a verification as JSON, and the state of a verification between two pages.

use serde::Serialize;
use sillok::ErrorCode;
use sillok::store::{
    CommitHash, EventStore, Followed, RecordedTime, StreamId, StreamLog, Verification, Verifier, Version,
};

use crate::failure::Failure;

/// A page of a verification or of an export.
#[derive(Debug)]
pub struct ProofPage {
    /// The version of the stream, or the version up to which it was verified.
    pub version: u64,
    /// For an export: the first version that readers can see. It is `version` + 1 if they can see none.
    pub first_version: Option<u64>,
    /// The verification up to this page as JSON, or the commits as lines.
    pub text: String,
    /// The opaque text with which to ask for the next page. `None` on the last page.
    pub next: Option<String>,
}

crate::message!(ProofPage { version: "version", first_version: "firstVersion", text: "text", next: "next" });

/// The result of a verification: `{"intact":true,"version","head","commits"}`. If `"intact"` is false, it also has `"broken"`:
/// the first broken commit and the reason.
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

/// Verifies one page of a stream. `next` is `None` for the first page, or the text that the previous page returned.
///
/// # Errors
/// `storage_failed`, or `invalid_parameter` if no page returned this `next`.
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
