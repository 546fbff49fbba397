//! Signatures of webhooks, by the Standard Webhooks specification: <https://www.standardwebhooks.com>.

use base64ct::{Base64, Encoding};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// The first characters of a secret's text.
const PREFIX: &str = "whsec_";
/// The allowed length of a secret, in bytes.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The secret that a webhook's sender and receiver share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// Creates a secret from these bytes.
    pub(super) fn of(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec())
    }

    /// Reads a secret's text: `whsec_` and 24 to 64 bytes in base64.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = Base64::decode_vec(text.strip_prefix(PREFIX)?).ok()?;
        BYTES.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// The secret as text.
    pub(super) fn text(&self) -> String {
        [PREFIX, &Base64::encode_string(&self.0)].concat()
    }

    /// The value of the header `webhook-signature` for a message. `seconds` is the time of the message since 1970.
    pub(super) fn sign(&self, id: &str, seconds: u64, body: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new(); // a key may have any length
        };
        mac.update([id, &seconds.to_string(), body].join(".").as_bytes());
        ["v1,", &Base64::encode_string(&mac.finalize().into_bytes())].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn the_example_of_the_specification() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    }

    #[test]
    fn invalid_secrets_are_refused() {
        for wrong in ["", "whsec_", "whsec_!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ="] {
            assert_eq!(Secret::parse(wrong), None, "{wrong}");
        }
    }
}
