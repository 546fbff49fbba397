//! JSON Web Tokens: their signature and their claims.

use chrono::{DateTime, TimeDelta, Utc};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, TimeOptions, Token, UntrustedToken, ValidationError};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use sillok::store::RecordedTime;
use thiserror::Error;
use wildmatch::WildMatch;

use super::{Principal, Scope, Streams};

/// How far the clocks of the token's issuer and of this machine may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// Longest name of a tenant, in bytes of UTF-8.
const TENANT_BYTES: usize = 200;

/// Why a token proves nothing.
#[derive(Debug, Error)]
pub(crate) enum InvalidToken {
    #[error("is neither the secret nor a JSON Web Token")]
    Malformed,
    #[error("is not signed by HS256")]
    Algorithm,
    #[error("has a critical header that is not understood")]
    CriticalHeader,
    #[error("has a signature that does not match")]
    Signature,
    #[error("has expired")]
    Expired,
    #[error("is not valid yet")]
    NotYetValid,
    #[error("has claims of the wrong shape: {0}")]
    Claims(String),
    #[error("has a `tenant` that is not 1 to {TENANT_BYTES} bytes without control characters")]
    Tenant,
}

/// The part of a token's header that must not be passed over.
#[derive(Debug, Clone, Deserialize)]
struct Extensions {
    // RFC 7515, section 4.1.11: whoever does not understand an extension named here must refuse the token.
    crit: Option<IgnoredAny>,
}

/// The claims that Sillok knows, beside `exp` and `nbf`. A claim that is `null` is malformed, not absent: a
/// restriction must not vanish because it was not filled in.
#[derive(Debug, Deserialize)]
struct Grants {
    #[serde(default)]
    scope: OneOrMany,
    #[serde(default, deserialize_with = "present")]
    streams: Option<OneOrMany>,
    #[serde(default, deserialize_with = "present")]
    tenant: Option<String>,
}

/// A text, or several.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl TryFrom<Value> for OneOrMany {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        let text = |value| match value {
            Value::String(text) => Ok(text),
            _ => Err("neither a string nor an array of strings"),
        };
        match value {
            Value::Array(texts) => texts.into_iter().map(text).collect::<Result<_, _>>().map(Self::Many),
            one => text(one).map(Self::One),
        }
    }
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl OneOrMany {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Tells whom a token speaks for, once its signature and its times were found right.
pub(super) fn verify(token: &str, secret: &str, now: RecordedTime) -> Result<Principal, InvalidToken> {
    let untrusted: UntrustedToken<'_, Extensions> = token.try_into().map_err(|_| InvalidToken::Malformed)?;
    if untrusted.header().other_fields.crit.is_some() {
        return Err(InvalidToken::CriticalHeader);
    }
    let key = Hs256Key::new(secret);
    // The validator takes HS256 and nothing else: `none` is refused like every other algorithm.
    let token: Token<Grants, _> = Hs256.validator(&key).validate(&untrusted).map_err(invalid)?;
    let claims = token.claims();
    check_times(claims, now)?;
    grant(&claims.custom)
}

fn invalid(error: ValidationError) -> InvalidToken {
    match error {
        ValidationError::AlgorithmMismatch { .. } => InvalidToken::Algorithm,
        ValidationError::MalformedClaims(error) => InvalidToken::Claims(error.to_string()),
        _ => InvalidToken::Signature,
    }
}

/// A token without `exp` does not expire; one without `nbf` was always valid.
fn check_times<T>(claims: &Claims<T>, now: RecordedTime) -> Result<(), InvalidToken> {
    let millis = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    let now = DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC);
    let options = TimeOptions::new(LEEWAY, || now);
    if claims.expiration.is_some() {
        claims.validate_expiration(&options).map_err(|_| InvalidToken::Expired)?;
    }
    let latest = now.checked_add_signed(LEEWAY).unwrap_or(now);
    if claims.not_before.is_some_and(|not_before| not_before > latest) {
        return Err(InvalidToken::NotYetValid);
    }
    Ok(())
}

fn grant(claims: &Grants) -> Result<Principal, InvalidToken> {
    if let Some(tenant) = &claims.tenant
        && (tenant.is_empty() || tenant.len() > TENANT_BYTES || tenant.chars().any(char::is_control))
    {
        return Err(InvalidToken::Tenant);
    }
    let streams = claims.streams.as_ref().map_or(Streams::All, |globs| {
        Streams::Matching(globs.as_slice().iter().map(|glob| WildMatch::new(glob)).collect())
    });
    let words = claims.scope.as_slice().iter().flat_map(|text| text.split_ascii_whitespace());
    // Words that other systems gave a meaning to are passed over.
    let scopes = words.flat_map(scopes_of).copied().collect();
    Ok(Principal { tenant: claims.tenant.clone(), scopes, streams })
}

fn scopes_of(word: &str) -> &'static [Scope] {
    match word {
        "read" => &[Scope::Read],
        "append" => &[Scope::Append],
        "admin" => &Scope::ALL,
        _ => &[],
    }
}
