//! What a consumer is: as it is asked for, kept and shown.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sillok::handler::{Kind, OnFailure, Policy};
use sillok_bridge::{Failure, FeedValue, Scalar, parse_feed};

use super::address::check_url;
use super::signature::Secret;

/// What a consumer is. Webhooks and queues are defined by requests, projections and reactors in code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Definition {
    pub(crate) kind: ConsumerKind,
    /// Where a webhook's events go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// With what a webhook's events are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
    /// The name of a queue's binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) binding: Option<String>,
    /// The only category to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<Scalar>,
    /// The only event types to follow; all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) types: Vec<Scalar>,
    /// What is done about an event of which every attempt failed.
    #[serde(default)]
    pub(crate) on_failure: OnFailureText,
    /// How many attempts there are.
    #[serde(default = "attempts")]
    pub(crate) attempts: u32,
    /// Milliseconds after the first failure.
    #[serde(default = "first_delay")]
    pub(crate) first_delay: u64,
    /// The longest time between two attempts, in milliseconds.
    #[serde(default = "longest_delay")]
    pub(crate) longest_delay: u64,
}

/// What becomes of a consumer's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ConsumerKind {
    Projection,
    Reactor,
    Webhook,
    Queue,
}

/// [`OnFailure`] as a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnFailureText {
    #[default]
    Skip,
    HoldStream,
    Stop,
}

fn attempts() -> u32 {
    Policy::default().attempts
}

fn first_delay() -> u64 {
    Policy::default().first_delay
}

fn longest_delay() -> u64 {
    Policy::default().longest_delay
}

impl Definition {
    /// Reads the body of a request that defines a consumer, checking every part. A webhook without a secret has none yet.
    ///
    /// # Errors
    /// `malformed_json` or `invalid_consumer`, naming the part that is wrong.
    pub(crate) fn parse(body: &str) -> Result<Self, Failure> {
        let body: &RawValue =
            serde_json::from_str(body).map_err(|error| Failure::new("malformed_json", error.to_string()))?;
        if !body.get().starts_with('{') {
            return Err(invalid("kind", "a consumer is an object"));
        }
        let definition: Self = serde_json::from_str(body.get()).map_err(|error| {
            // The reader names the part between the first two back quotes.
            let message = error.to_string();
            let part = message.split('`').nth(1).unwrap_or("kind").to_owned();
            invalid(&part, &message)
        })?;
        definition.check()?;
        Ok(definition)
    }

    fn check(&self) -> Result<(), Failure> {
        let Self { kind, url, secret, binding, .. } = self;
        match kind {
            ConsumerKind::Webhook => {
                let url = url
                    .as_deref()
                    .ok_or_else(|| invalid("url", "a webhook needs the URL of its receiver"))?;
                check_url(url).map_err(|reason| invalid("url", reason))?;
                if secret.as_deref().is_some_and(|secret| Secret::parse(secret).is_none()) {
                    return Err(invalid("secret", "a secret is `whsec_` and 24 to 64 bytes in base64"));
                }
            }
            ConsumerKind::Queue if binding.is_none() => {
                return Err(invalid("binding", "a queue needs the name of its binding in wrangler.toml"));
            }
            ConsumerKind::Queue => {}
            ConsumerKind::Projection | ConsumerKind::Reactor => {
                return Err(invalid("kind", "projections and reactors are defined in code"));
            }
        }
        let foreign = match kind {
            ConsumerKind::Webhook => [("binding", binding.is_some()), ("", false)],
            _ => [("url", url.is_some()), ("secret", secret.is_some())],
        };
        if let Some((name, _)) = foreign.into_iter().find(|(_, given)| *given) {
            return Err(invalid(name, "is not a part of a consumer of this kind"));
        }
        parse_feed(&self.filter(), 0, 1)?;
        Ok(())
    }

    /// Which events the consumer follows.
    pub(super) fn filter(&self) -> FeedValue {
        FeedValue { category: self.category.clone(), types: self.types.clone(), ..FeedValue::default() }
    }

    pub(super) fn policy(&self) -> Policy {
        Policy {
            on_failure: match self.on_failure {
                OnFailureText::Skip => OnFailure::Skip,
                OnFailureText::HoldStream => OnFailure::HoldStream,
                OnFailureText::Stop => OnFailure::Stop,
            },
            attempts: self.attempts,
            first_delay: self.first_delay,
            longest_delay: self.longest_delay,
        }
    }

    /// What becomes of the events, to the machine.
    pub(super) fn machine_kind(&self) -> Kind {
        match self.kind {
            ConsumerKind::Projection => Kind::Projection,
            _ => Kind::Delivery,
        }
    }
}

pub(super) fn invalid(field: &str, reason: &str) -> Failure {
    Failure::new("invalid_consumer", format!("`{field}`: {reason}")).in_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_and_a_queue() {
        let webhook =
            Definition::parse(r#"{"kind":"webhook","url":"https://example.com/hook","types":["A"]}"#);
        let webhook = webhook.unwrap();
        assert_eq!((webhook.kind, webhook.attempts), (ConsumerKind::Webhook, 8));
        let queue = r#"{"kind":"queue","binding":"EVENTS","onFailure":"hold-stream","attempts":3}"#;
        let queue = Definition::parse(queue).unwrap();
        assert_eq!((queue.on_failure, queue.attempts), (OnFailureText::HoldStream, 3));
        let text = serde_json::to_string(&queue).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), queue);
    }

    #[test]
    fn what_is_no_consumer() {
        for (body, code, field) in [
            ("", "malformed_json", None),
            ("3", "invalid_consumer", Some("kind")),
            ("{}", "invalid_consumer", Some("kind")),
            (r#"{"kind":"webhook"}"#, "invalid_consumer", Some("url")),
            (r#"{"kind":"webhook","url":"http://example.com"}"#, "invalid_consumer", Some("url")),
            (r#"{"kind":"webhook","url":"https://a.b","secret":"x"}"#, "invalid_consumer", Some("secret")),
            (r#"{"kind":"webhook","url":"https://a.b","binding":"Q"}"#, "invalid_consumer", Some("binding")),
            (r#"{"kind":"webhook","url":"https://a.b","colour":1}"#, "invalid_consumer", Some("colour")),
            (r#"{"kind":"webhook","url":"https://a.b","category":7}"#, "invalid_category", Some("category")),
            (r#"{"kind":"webhook","url":"https://a.b","types":[""]}"#, "invalid_event_type", Some("type")),
            (r#"{"kind":"queue"}"#, "invalid_consumer", Some("binding")),
            (r#"{"kind":"projection"}"#, "invalid_consumer", Some("kind")),
        ] {
            let failure = Definition::parse(body).unwrap_err();
            assert_eq!((failure.code.as_str(), failure.field.as_deref()), (code, field), "{body}");
        }
    }
}
