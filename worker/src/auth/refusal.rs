//! Why a caller is turned away.

use sillok::ErrorCode;
use thiserror::Error;

use super::Scope;
use super::claims::InvalidToken;

/// Why a caller is turned away.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    /// The deployment has no secret.
    #[error("this deployment has no secret: set SILLOK_SECRET, or SILLOK_AUTH to \"off\"")]
    NotConfigured,
    /// The deployment has a secret that is too short to protect it.
    #[error(
        "SILLOK_SECRET is shorter than 32 bytes or is not text, so it is not used; set 32 random bytes or more"
    )]
    WeakSecret,
    /// The request carries no bearer token.
    #[error("the request has no token; send the header `Authorization: Bearer <token>`")]
    MissingToken,
    /// The token proves nothing.
    #[error("the token {0}")]
    InvalidToken(InvalidToken),
    /// The token does not allow to do this.
    #[error("the token does not have the scope `{}`", .0.name())]
    InsufficientScope(Scope),
    /// The token does not allow to do this with this stream.
    #[error("the token does not allow this stream")]
    StreamNotAllowed,
    /// What is asked for may come from any stream, and the token is for some alone.
    #[error("this request needs a token for all streams, without the claim `streams`")]
    NotForAllStreams,
}

impl Refusal {
    /// Whether the deployment is at fault and not the caller.
    pub(crate) fn is_for_the_operator(&self) -> bool {
        matches!(self, Self::NotConfigured | Self::WeakSecret)
    }

    /// The stable code of this refusal.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::NotConfigured | Self::WeakSecret => ErrorCode::AuthNotConfigured,
            Self::MissingToken => ErrorCode::MissingToken,
            Self::InvalidToken(_) => ErrorCode::InvalidToken,
            Self::InsufficientScope(_) => ErrorCode::InsufficientScope,
            Self::StreamNotAllowed | Self::NotForAllStreams => ErrorCode::StreamNotAllowed,
        }
    }

    /// The header `WWW-Authenticate` (RFC 6750): an error only where the caller did present a token.
    pub(crate) fn challenge(&self) -> String {
        let realm = "Bearer realm=\"sillok\"";
        match self {
            Self::NotConfigured | Self::WeakSecret | Self::MissingToken => realm.to_owned(),
            Self::InvalidToken(_) => format!("{realm}, error=\"invalid_token\""),
            Self::InsufficientScope(scope) => {
                format!("{realm}, error=\"insufficient_scope\", scope=\"{}\"", scope.name())
            }
            Self::StreamNotAllowed | Self::NotForAllStreams => {
                format!("{realm}, error=\"insufficient_scope\"")
            }
        }
    }
}
