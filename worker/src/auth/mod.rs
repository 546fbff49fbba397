//! Authentication of the caller, and its rights.
//!
//! A caller proves its rights by `Authorization: Bearer …`. The token is a JSON Web Token, signed with the secret by HS256, or
//! the secret itself. The secret makes the caller the administrator of the default tenant.
//!
//! A deployment without a secret refuses every caller, unless `SILLOK_AUTH` is `off`. If there is a secret, `SILLOK_AUTH`
//! changes nothing, even if the secret is too short to be used.

mod claims;
mod glob;
mod refusal;
mod seal;
mod tickets;

use sillok::store::{RecordedTime, StreamId, Tenant};
use sillok_bridge::part;
use subtle::ConstantTimeEq;
use worker::Env;

use crate::composed::Composed;
use claims::InvalidToken;

pub(crate) use refusal::Refusal;
pub(crate) use seal::Seal;
pub(crate) use tickets::Ticket;

/// The shortest secret, in bytes: the size of an HS256 signature. An attacker could guess a shorter secret from one token.
const SECRET_BYTES: usize = 32;

/// The way in which this deployment authenticates its callers.
pub(crate) enum Policy {
    /// Every caller is the administrator: `SILLOK_AUTH` is `off` and there is no secret.
    Off {
        /// The hosts of `SILLOK_HOSTS`: the deployment accepts requests for them and for the names of this machine.
        hosts: Vec<String>,
    },
    /// Callers prove their rights with the text in `SILLOK_SECRET`.
    Secret(String),
    /// The Worker's own code calls, by `connect` of its composition.
    Own {
        /// The tenant. The default tenant has no name.
        tenant: Option<String>,
    },
    /// There is no secret. All callers are refused.
    NotConfigured,
    /// `SILLOK_SECRET` is not a text, or is too short. It is not used, and all callers are refused.
    WeakSecret,
}

/// How a caller proves its rights.
#[derive(Clone, Copy)]
pub(crate) struct Proof<'a> {
    /// The header `Authorization`.
    pub(crate) authorization: Option<&'a str>,
    /// The parameter `ticket`. It counts only without the header.
    pub(crate) ticket: Option<&'a str>,
    /// The path of the request, percent-encoded.
    pub(crate) path: &'a str,
}

/// A scope: a right that a token can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Read,
    Append,
    /// To send commands to aggregates.
    Execute,
    /// To forget events, to append past the rules of aggregates, and to administer consumers.
    Admin,
}

/// An authenticated caller.
#[derive(Debug)]
pub(crate) struct Principal {
    tenant: Option<Tenant>,
    scopes: Vec<Scope>,
    streams: Streams,
    /// The time at which these rights end. `None` if they never end.
    until: Option<RecordedTime>,
}

/// The streams that a caller may use.
#[derive(Debug)]
enum Streams {
    All,
    /// The streams whose names match one of these globs.
    Matching(Vec<String>),
}

impl Policy {
    /// Reads the policy from the Worker's variables and secrets.
    pub(crate) fn of(env: &Env) -> Self {
        if let Some(tenant) = Composed::of(env).own_tenant() {
            return Self::Own { tenant };
        }
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

    /// Authenticates the caller.
    pub(crate) fn authenticate(
        &self,
        proof: Proof<'_>,
        now: impl FnOnce() -> RecordedTime,
    ) -> Result<Principal, Refusal> {
        let secret = match self {
            Self::Off { .. } => return Ok(Principal::administrator()),
            Self::Own { tenant } => return Principal::own(tenant.as_deref()),
            Self::NotConfigured => return Err(Refusal::NotConfigured),
            Self::WeakSecret => return Err(Refusal::WeakSecret),
            Self::Secret(secret) => secret,
        };
        if let Proof { authorization: None, ticket: Some(ticket), path } = proof {
            return tickets::verify(ticket, secret, path, now());
        }
        let token = bearer_token(proof.authorization.ok_or(Refusal::MissingToken)?)?;
        // The comparison takes the same time for every text, so its duration gives no hint about a guess.
        if token.as_bytes().ct_eq(secret.as_bytes()).into() {
            return Ok(Principal::administrator());
        }
        claims::verify(token, secret, now()).map_err(Refusal::from)
    }

    /// Makes a ticket with which this caller may read this path. Without a secret, nobody checks it.
    pub(crate) fn ticket(&self, principal: &Principal, path: &str, now: RecordedTime) -> Ticket {
        let secret = if let Self::Secret(secret) = self { secret } else { "" };
        tickets::issue(secret, principal, path, now)
    }
}

impl Principal {
    fn administrator() -> Self {
        Self { tenant: None, scopes: Scope::ALL.to_vec(), streams: Streams::All, until: None }
    }

    /// The Worker's own code is the administrator of every tenant.
    fn own(tenant: Option<&str>) -> Result<Self, Refusal> {
        let tenant = tenant.map(Tenant::new).transpose().map_err(InvalidToken::Tenant)?;
        Ok(Self { tenant, ..Self::administrator() })
    }

    /// A caller that may read the streams that match these globs.
    #[cfg(test)]
    pub(crate) fn reader_of(globs: &[&str]) -> Self {
        let globs = globs.iter().map(|glob| (*glob).to_owned()).collect();
        Self { tenant: None, scopes: vec![Scope::Read], streams: Streams::Matching(globs), until: None }
    }

    /// Refuses a caller without this scope.
    pub(crate) fn require(&self, scope: Scope) -> Result<(), Refusal> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(Refusal::InsufficientScope(scope)) }
    }

    /// Whether the caller may do everything in its tenant.
    pub(crate) fn is_admin(&self) -> bool {
        self.require(Scope::Admin).is_ok()
    }

    /// Refuses a caller that may not use every stream.
    pub(crate) fn require_all_streams(&self) -> Result<(), Refusal> {
        match self.streams {
            Streams::All => Ok(()),
            Streams::Matching(_) => Err(Refusal::NotForAllStreams),
        }
    }

    /// Refuses a caller that may not use this stream.
    pub(crate) fn require_stream(&self, stream: &StreamId) -> Result<(), Refusal> {
        if self.may_touch(stream.as_str()) { Ok(()) } else { Err(Refusal::StreamNotAllowed) }
    }

    /// Whether the caller may use a stream of this name.
    pub(crate) fn may_touch(&self, stream: &str) -> bool {
        match &self.streams {
            Streams::All => true,
            Streams::Matching(globs) => globs.iter().any(|glob| glob::matches(glob, stream)),
        }
    }

    /// Whether the caller may use every stream of its tenant.
    pub(crate) fn may_touch_all(&self) -> bool {
        matches!(self.streams, Streams::All)
    }

    /// The prefix of the names of all streams that the caller may use.
    pub(crate) fn common_prefix(&self) -> &str {
        match &self.streams {
            Streams::All => "",
            Streams::Matching(globs) => glob::common_prefix(globs),
        }
    }

    /// The tenant and the streams that the caller may use, as text. Two callers with the same text see the same streams.
    fn rights(&self) -> String {
        let globs = match &self.streams {
            Streams::All => None,
            Streams::Matching(globs) => Some(globs),
        };
        // The serialisation of texts never fails.
        serde_json::to_string(&(self.tenant.as_ref().map(Tenant::as_str), globs)).unwrap_or_default()
    }

    /// The tenant of the caller. Each tenant has its own objects.
    pub(crate) fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// The time at which the caller's rights end. A live response must end by then.
    pub(crate) fn until(&self) -> Option<RecordedTime> {
        self.until
    }
}

impl Scope {
    /// The scopes of the administrator.
    const ALL: [Self; 4] = [Self::Read, Self::Append, Self::Execute, Self::Admin];

    /// The name of the scope in a token's claim.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Append => "append",
            Self::Execute => "execute",
            Self::Admin => "admin",
        }
    }
}

/// The hosts of this deployment: the list in the variable `SILLOK_HOSTS`, separated by commas.
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
