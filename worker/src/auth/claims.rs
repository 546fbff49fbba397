//! JSON Web Tokens: their signature and their claims.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use jwt::{AlgorithmType, JoseHeader, Token, Verified, VerifyWithKey};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use sha2::Sha256;
use sillok::store::{InvalidTenant, RecordedTime, Tenant};
use thiserror::Error;

use super::{Principal, Scope, Streams};

/// The largest difference between the clocks of the token's issuer and of this machine, in seconds.
const LEEWAY: f64 = 60.0;
/// The last second that JavaScript's clock can show.
const END_OF_TIME: f64 = 8.64e12;

/// The reason why a token is not valid.
#[derive(Debug, Error)]
pub(crate) enum InvalidToken {
    #[error("is neither the secret nor a JSON Web Token")]
    Malformed,
    #[error("is not signed by HS256")]
    Algorithm,
    #[error("has a `crit` header; this server knows no critical extension")]
    CriticalHeader,
    #[error("has a signature that does not match")]
    Signature,
    #[error("has expired")]
    Expired,
    #[error("is not valid yet")]
    NotYetValid,
    #[error("has claims that are not valid: {0}")]
    Claims(String),
    #[error("has a `tenant` that is not valid: {0}")]
    Tenant(InvalidTenant),
}

/// The part of a token's header that Sillok must not ignore.
#[derive(Deserialize)]
struct Header {
    alg: String,
    // RFC 7515, section 4.1.11: a reader that does not understand an extension named here must refuse the token.
    crit: Option<IgnoredAny>,
}

impl JoseHeader for Header {
    fn algorithm_type(&self) -> AlgorithmType {
        match self.alg.as_str() {
            "HS256" => AlgorithmType::Hs256,
            // This deployment has no key for any other algorithm.
            _ => AlgorithmType::None,
        }
    }
}

/// The claims that Sillok knows. A claim that is `null` is malformed, not absent: a restriction must not be lost because nobody
/// filled it in.
#[derive(Debug, Deserialize)]
struct Grants {
    #[serde(default)]
    scope: OneOrMany,
    #[serde(default, deserialize_with = "present")]
    streams: Option<OneOrMany>,
    #[serde(default, deserialize_with = "present")]
    tenant: Option<String>,
    /// The times between which the token is valid, in seconds since 1970.
    #[serde(default, deserialize_with = "present")]
    exp: Option<f64>,
    #[serde(default, deserialize_with = "present")]
    nbf: Option<f64>,
}

/// A text, or a list of texts.
#[derive(Debug)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or an array of strings")
    }

    fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany::One(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<OneOrMany, A::Error> {
        let mut many = Vec::new();
        while let Some(text) = texts.next_element()? {
            many.push(text);
        }
        Ok(OneOrMany::Many(many))
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
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Checks the signature and the times of a token, and returns its principal.
pub(super) fn verify(token: &str, secret: &str, now: RecordedTime) -> Result<Principal, InvalidToken> {
    if !is_written_as_issued(token) {
        return Err(InvalidToken::Malformed);
    }
    // The claims stay text until the signature is verified.
    let token: Token<Header, Box<RawValue>, _> =
        Token::parse_unverified(token).map_err(|_| InvalidToken::Malformed)?;
    if token.header().crit.is_some() {
        return Err(InvalidToken::CriticalHeader);
    }
    let key: Hmac<Sha256> = Mac::new_from_slice(secret.as_bytes()).map_err(|_| InvalidToken::Signature)?;
    // The key is for HS256 only. `none` is refused like every other algorithm.
    let token: Token<_, _, Verified> = token.verify_with_key(&key).map_err(|error| match error {
        jwt::Error::AlgorithmMismatch(..) => InvalidToken::Algorithm,
        _ => InvalidToken::Signature,
    })?;
    let claims = token.claims().get();
    if !claims.starts_with('{') {
        return Err(InvalidToken::Claims("they are not an object".to_owned()));
    }
    let grants: Grants =
        serde_json::from_str(claims).map_err(|error| InvalidToken::Claims(error.to_string()))?;
    check_times(&grants, now)?;
    grant(grants)
}

/// Whether the token has its only correct spelling: each part is base64url without padding and without unused bits. The parser
/// of tokens would accept other spellings.
fn is_written_as_issued(token: &str) -> bool {
    token.split('.').all(|part| Base64UrlUnpadded::decode_vec(part).is_ok())
}

/// A token without `exp` does not expire. A token without `nbf` is valid from the beginning.
fn check_times(grants: &Grants, now: RecordedTime) -> Result<(), InvalidToken> {
    if grants.exp.into_iter().chain(grants.nbf).any(|time| time.abs() > END_OF_TIME) {
        return Err(InvalidToken::Claims(
            "`exp` or `nbf` is out of range; the most is 8640000000000".to_owned(),
        ));
    }
    #[allow(clippy::cast_precision_loss)] // a clock's milliseconds
    let now = now.as_millis() as f64 / 1000.0;
    if grants.exp.is_some_and(|exp| exp + LEEWAY < now) {
        return Err(InvalidToken::Expired);
    }
    if grants.nbf.is_some_and(|nbf| nbf > now + LEEWAY) {
        return Err(InvalidToken::NotYetValid);
    }
    Ok(())
}

fn grant(claims: Grants) -> Result<Principal, InvalidToken> {
    let tenant = claims.tenant.as_deref().map(Tenant::new).transpose().map_err(InvalidToken::Tenant)?;
    let streams = claims.streams.map_or(Streams::All, |globs| Streams::Matching(globs.as_slice().to_vec()));
    let words = claims.scope.as_slice().iter().flat_map(|text| text.split_ascii_whitespace());
    // Unknown scopes are ignored, because they belong to other systems.
    let scopes = words.flat_map(scopes_of).copied().collect();
    Ok(Principal { tenant, scopes, streams, until: claims.exp.map(end_of) })
}

/// The time up to which a token with this `exp` is valid.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // it is within time, and has not passed
fn end_of(exp: f64) -> RecordedTime {
    RecordedTime::from_millis(((exp + LEEWAY) * 1000.0) as u64)
}

fn scopes_of(word: &str) -> &'static [Scope] {
    match word {
        "read" => &[Scope::Read],
        "append" => &[Scope::Append],
        "execute" => &[Scope::Execute],
        "admin" => &Scope::ALL,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of the tests, of more than 32 bytes";

    fn signed(claims: &str) -> String {
        let encode = Base64UrlUnpadded::encode_string;
        let text = [encode(br#"{"alg":"HS256"}"#), encode(claims.as_bytes())].join(".");
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        format!("{text}.{}", encode(&mac.finalize().into_bytes()))
    }

    fn read(token: &str) -> Result<Principal, InvalidToken> {
        verify(token, SECRET, RecordedTime::from_millis(1_000_000))
    }

    #[test]
    fn a_token_has_one_spelling() {
        let token = signed(r#"{"scope":"read"}"#);
        assert!(read(&token).is_ok());
        // Two bits of the last character of a signature of 32 bytes are unused.
        let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let last = digits.find(&token[token.len() - 1..]).unwrap();
        let other = &digits[last + 1..last + 2];
        let again = format!("{}{other}", &token[..token.len() - 1]);
        let padded = ["=", "==", "\n", " ", "%3D"].map(|more| format!("{token}{more}"));
        let inside = [token.replacen('.', "=.", 1), token.replacen('.', "==.", 1)];
        for spelling in [again].into_iter().chain(padded).chain(inside) {
            assert!(matches!(read(&spelling), Err(InvalidToken::Malformed)), "{spelling}");
        }
    }

    #[test]
    fn a_token_is_valid_until_the_leeway_after_its_end() {
        let until = |claims: &str| read(&signed(claims)).unwrap().until.map(RecordedTime::as_millis);
        assert_eq!(until(r#"{"scope":"read"}"#), None);
        assert_eq!(until(r#"{"scope":"read","exp":1000}"#), Some(1_060_000));
        assert_eq!(until(r#"{"scope":"read","exp":940}"#), Some(1_000_000));
        assert_eq!(until(r#"{"scope":"read","exp":1000.5}"#), Some(1_060_500));
        assert!(matches!(read(&signed(r#"{"scope":"read","exp":939}"#)), Err(InvalidToken::Expired)));
    }

    #[test]
    fn a_tenant_is_a_name() {
        let tenant = |claims: &str| read(&signed(claims)).map(|principal| principal.tenant);
        assert!(tenant("{}").unwrap().is_none());
        assert_eq!(tenant(r#"{"tenant":"acme"}"#).unwrap().unwrap(), "acme");
        for wrong in [r#"{"tenant":""}"#, r#"{"tenant":"acme\u001f"}"#, r#"{"tenant":"\u007f"}"#] {
            assert!(matches!(tenant(wrong), Err(InvalidToken::Tenant(_))), "{wrong}");
        }
    }
}
