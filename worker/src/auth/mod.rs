//! Who is calling, and what they may do.
//!
//! A caller proves itself by `Authorization: Bearer …`: a JSON Web Token signed with the secret by HS256, or the
//! secret itself, which makes it the administrator of the default tenant. Without a secret nobody gets in,
//! unless `SILLOK_AUTH` is `off`. A secret always counts, also one that is too short to be taken: beside one, `SILLOK_AUTH`
//! changes nothing.

mod claims;
mod glob;
mod refusal;
mod seal;

use sillok::store::{RecordedTime, StreamId, Tenant};
use sillok_bridge::part;
use subtle::ConstantTimeEq;
use worker::Env;

pub(crate) use refusal::Refusal;
pub(crate) use seal::Seal;

/// Shortest secret, in bytes: as long as what HS256 makes of it. A shorter one could be guessed from one token.
const SECRET_BYTES: usize = 32;

/// How this deployment checks its callers.
pub(crate) enum Policy {
    /// Every caller is the administrator: `SILLOK_AUTH` is `off` and there is no secret.
    Off {
        /// By which names, besides those of this machine, the deployment may be called: what `SILLOK_HOSTS` holds.
        hosts: Vec<String>,
    },
    /// Callers prove themselves with what `SILLOK_SECRET` holds.
    Secret(String),
    /// There is nothing that a caller could prove itself with: all are refused.
    NotConfigured,
    /// What `SILLOK_SECRET` holds is no text, or a short one. It is not used: all are refused.
    WeakSecret,
}

/// What a caller may do with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Read,
    Append,
    /// To forget what was appended.
    Admin,
}

/// A caller that has proved itself.
#[derive(Debug)]
pub(crate) struct Principal {
    tenant: Option<Tenant>,
    scopes: Vec<Scope>,
    streams: Streams,
    /// From when on none of this counts any more; nothing where there is no such time.
    until: Option<RecordedTime>,
}

/// Which streams a caller may touch.
#[derive(Debug)]
enum Streams {
    All,
    /// Those whose names fit one of these globs.
    Matching(Vec<String>),
}

impl Policy {
    /// Reads the policy from the Worker's variables and secrets.
    pub(crate) fn of(env: &Env) -> Self {
        let variable = |name| part(env, name).unwrap_or_default();
        let secret = variable("SILLOK_SECRET");
        if !secret.is_undefined() {
            let secret = secret.as_string().filter(|secret| secret.len() >= SECRET_BYTES);
            return secret.map_or(Self::WeakSecret, Self::Secret);
        }
        match variable("SILLOK_AUTH").as_string().as_deref() {
            Some("off") => Self::Off { hosts: hosts(env) },
            _ => Self::NotConfigured,
        }
    }

    /// Tells who is calling, from the request's `Authorization` header.
    pub(crate) fn authenticate(
        &self,
        authorization: Option<&str>,
        now: impl FnOnce() -> RecordedTime,
    ) -> Result<Principal, Refusal> {
        let secret = match self {
            Self::Off { .. } => return Ok(Principal::administrator()),
            Self::NotConfigured => return Err(Refusal::NotConfigured),
            Self::WeakSecret => return Err(Refusal::WeakSecret),
            Self::Secret(secret) => secret,
        };
        let token = bearer_token(authorization.ok_or(Refusal::MissingToken)?)?;
        // Compared in constant time: how long it takes does not tell how much of a guess was right.
        if token.as_bytes().ct_eq(secret.as_bytes()).into() {
            return Ok(Principal::administrator());
        }
        claims::verify(token, secret, now()).map_err(Refusal::InvalidToken)
    }
}

impl Principal {
    fn administrator() -> Self {
        Self { tenant: None, scopes: Scope::ALL.to_vec(), streams: Streams::All, until: None }
    }

    /// A caller that may read the streams that fit these globs.
    #[cfg(test)]
    pub(crate) fn reader_of(globs: &[&str]) -> Self {
        let globs = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Self { tenant: None, scopes: vec![Scope::Read], streams: Streams::Matching(globs), until: None }
    }

    /// Refuses a caller that has no such scope.
    pub(crate) fn require(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(Refusal::InsufficientScope(scope)) }
    }

    /// Refuses a caller that may not touch every stream.
    pub(crate) fn require_all_streams(&self) -> Result<(), Refusal> {
        match self.streams {
            Streams::All => Ok(()),
            Streams::Matching(_) => Err(Refusal::NotForAllStreams),
        }
    }

    /// Refuses a caller that may not touch this stream.
    pub(crate) fn require_stream(&self, stream: &StreamId) -> Result<(), Refusal> {
        if self.may_touch(stream.as_str()) { Ok(()) } else { Err(Refusal::StreamNotAllowed) }
    }

    /// Whether the caller may touch a stream of this name.
    pub(crate) fn may_touch(&self, stream: &str) -> bool {
        match &self.streams {
            Streams::All => true,
            Streams::Matching(globs) => globs.iter().any(|glob| glob::matches(glob, stream)),
        }
    }

    /// Whether the caller may touch every stream of its tenant.
    pub(crate) fn may_touch_all(&self) -> bool {
        matches!(self.streams, Streams::All)
    }

    /// With what the names of all streams begin that the caller may touch.
    pub(crate) fn common_prefix(&self) -> &str {
        match &self.streams {
            Streams::All => "",
            Streams::Matching(globs) => glob::common_prefix(globs),
        }
    }

    /// Whose streams the caller may touch, and which: two callers of whom this is the same see the same.
    fn rights(&self) -> String {
        let globs = match &self.streams {
            Streams::All => None,
            Streams::Matching(globs) => Some(globs),
        };
        // Two texts and a list of texts can always be written.
        serde_json::to_string(&(self.tenant.as_ref().map(Tenant::as_str), globs)).unwrap_or_default()
    }

    /// Whose objects the caller has to do with: each tenant's are its own.
    pub(crate) fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// From when on the caller may do nothing any more: what goes on for longer than a request must end by then.
    pub(crate) fn until(&self) -> Option<RecordedTime> {
        self.until
    }
}

impl Scope {
    /// What the administrator may do.
    const ALL: [Self; 3] = [Self::Read, Self::Append, Self::Admin];

    /// The scope as a token's claim names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Append => "append",
            Self::Admin => "admin",
        }
    }
}

/// The hosts that lead to this deployment, as the variable `SILLOK_HOSTS` lists them, separated by commas.
pub(crate) fn hosts(env: &Env) -> Vec<String> {
    let hosts = part(env, "SILLOK_HOSTS").unwrap_or_default().as_string().unwrap_or_default();
    hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect()
}

fn bearer_token(authorization: &str) -> Result<&str, Refusal> {
    let (scheme, token) = authorization.trim().split_once(' ').unwrap_or((authorization.trim(), ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::MissingToken);
    }
    match token.trim() {
        "" => Err(Refusal::MissingToken),
        token => Ok(token),
    }
}
