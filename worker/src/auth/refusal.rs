//! The reasons for which a caller is refused.

use sillok::ErrorCode;
use thiserror::Error;

use super::Scope;
use super::claims::InvalidToken;

const REALM: &str = "Bearer realm=\"sillok\"";

impl Scope {
    /// The header `WWW-Authenticate` of a request that needs this scope.
    pub(crate) fn challenge(self) -> String {
        format!("{REALM}, error=\"insufficient_scope\", scope=\"{}\"", self.name())
    }
}

/// The reason for which a caller is refused.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    /// The deployment has no secret.
    #[error("this deployment has no secret: set SILLOK_SECRET, or SILLOK_AUTH to \"off\"")]
    NotConfigured,
    /// The secret of the deployment is too short.
    #[error(
        "SILLOK_SECRET is shorter than 32 bytes or is not text, so it is not used; set 32 random bytes or more"
    )]
    WeakSecret,
    /// The request has no bearer token.
    #[error("the request has no token; send the header `Authorization: Bearer <token>`")]
    MissingToken,
    /// The token is not valid.
    #[error("the token {0}")]
    InvalidToken(#[from] InvalidToken),
    /// The ticket is not valid.
    #[error("the ticket {0}")]
    InvalidTicket(&'static str),
    /// The token does not have the scope.
    #[error("the token does not have the scope `{}`", .0.name())]
    InsufficientScope(Scope),
    /// The token does not allow this stream.
    #[error("the token does not allow this stream")]
    StreamNotAllowed,
    /// The request needs all streams, and the token allows only some.
    #[error("this request needs a token for all streams, without the claim `streams`")]
    NotForAllStreams,
}

impl Refusal {
    /// Whether the configuration of the deployment is wrong, and not the request.
    pub(crate) fn is_for_the_operator(&self) -> bool {
        matches!(self, Self::NotConfigured | Self::WeakSecret)
    }

    /// The stable code of this refusal.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::NotConfigured | Self::WeakSecret => ErrorCode::AuthNotConfigured,
            Self::MissingToken => ErrorCode::MissingToken,
            Self::InvalidToken(_) | Self::InvalidTicket(_) => ErrorCode::InvalidToken,
            Self::InsufficientScope(_) => ErrorCode::InsufficientScope,
            Self::StreamNotAllowed | Self::NotForAllStreams => ErrorCode::StreamNotAllowed,
        }
    }

    /// The header `WWW-Authenticate` (RFC 6750). It has an error only if the caller sent a token.
    pub(crate) fn challenge(&self) -> String {
        let realm = REALM;
        match self {
            Self::NotConfigured | Self::WeakSecret | Self::MissingToken => realm.to_owned(),
            Self::InvalidToken(_) | Self::InvalidTicket(_) => {
                format!("{realm}, error=\"invalid_token\"")
            }
            Self::InsufficientScope(scope) => scope.challenge(),
            Self::StreamNotAllowed | Self::NotForAllStreams => {
                format!("{realm}, error=\"insufficient_scope\"")
            }
        }
    }
}
