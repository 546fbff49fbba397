//! What a verification found, as JSON.

use serde::Serialize;
use sillok::store::Verification;

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

#[derive(Debug, Serialize)]
struct BrokenJson {
    version: u64,
    reason: String,
}

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
