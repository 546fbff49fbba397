//! Who is calling, and what they may do.
//!
//! A caller proves itself by `Authorization: Bearer …`: a JSON Web Token signed with the secret by HS256, or the
//! secret itself, which makes it the administrator of the default tenant. Without a secret nobody gets in,
//! unless `SILLOK_AUTH` is `off`. A secret always counts: beside one, `SILLOK_AUTH` changes nothing.

mod claims;
mod glob;
mod refusal;

use sillok::store::{RecordedTime, StreamId};
use sillok_bridge::part;
use subtle::ConstantTimeEq;
use worker::Env;

pub(crate) use refusal::Refusal;

/// How this deployment checks its callers.
pub(crate) enum Policy {
    /// Every caller is the administrator: `SILLOK_AUTH` is `off` and there is no secret.
    Off,
    /// Callers prove themselves with what `SILLOK_SECRET` holds.
    Secret(String),
    /// There is nothing that a caller could prove itself with: all are refused.
    NotConfigured,
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
    tenant: Option<String>,
    scopes: Vec<Scope>,
    streams: Streams,
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
        match (text(env, "SILLOK_SECRET"), text(env, "SILLOK_AUTH")) {
            (Some(secret), _) => Self::Secret(secret),
            (None, Some(auth)) if auth == "off" => Self::Off,
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
            Self::Off => return Ok(Principal::administrator()),
            Self::NotConfigured => return Err(Refusal::NotConfigured),
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
        Self { tenant: None, scopes: Scope::ALL.to_vec(), streams: Streams::All }
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

    /// Whose objects the caller has to do with: each tenant's are its own.
    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
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

/// The hosts that lead to this deployment, as the variable `SILLOK_HOSTS` lists them.
pub(crate) fn hosts(env: &Env) -> Vec<String> {
    let hosts = text(env, "SILLOK_HOSTS").unwrap_or_default();
    hosts.split(',').map(str::trim).filter(|host| !host.is_empty()).map(str::to_owned).collect()
}

fn text(env: &Env, name: &'static str) -> Option<String> {
    part(env, name).ok()?.as_string().filter(|text| !text.is_empty())
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
