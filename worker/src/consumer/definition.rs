//! The definition of a consumer: its reading, its stored form and its parts.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sillok::ErrorCode;
use sillok::handler::{ConsumerName, Kind, OnFailure, Policy, Settings, Window};
use sillok::store::{Checkpoint, json_string};
use sillok_bridge::{Failure, FeedValue, Scalar, parse_feed};

use super::address::Deployment;
use super::delivery::BATCH_MESSAGES;
use super::signature::Secret;

/// The most events that a webhook receives at once. The platform lets one object wait for this number of answers.
const MOST_AT_ONCE: usize = 6;
/// The longest definition, in bytes of JSON. It is stored in one row.
const DEFINITION_BYTES: usize = 64 * 1024;

/// The definition of a consumer. Requests or code define webhooks and queues. Only code defines
/// projections, reactors and processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Definition {
    #[serde(with = "KindText")]
    pub(crate) kind: Kind,
    /// The URL to which a webhook sends events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// The secret with which a webhook signs its events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<String>,
    /// The name of a queue's binding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) binding: Option<String>,
    /// The number of events that a webhook receives at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) concurrency: Option<usize>,
    /// The place where a new consumer begins, as the caller gave it: a checkpoint, or `end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    /// The end of the feed at the definition of the consumer, if `after` is `end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end: Option<String>,
    /// The only category to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) category: Option<Scalar>,
    /// The only event types to follow. An empty list means all types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) types: Vec<Scalar>,
    /// The rule for an event whose attempts have all failed.
    #[serde(default, with = "OnFailureText")]
    pub(crate) on_failure: OnFailure,
    /// The number of attempts.
    #[serde(default = "attempts")]
    pub(crate) attempts: u32,
    /// The delay after the first failure, in milliseconds.
    #[serde(default = "first_delay")]
    pub(crate) first_delay: u64,
    /// The longest delay between two attempts, in milliseconds.
    #[serde(default = "longest_delay")]
    pub(crate) longest_delay: u64,
    /// The version of a projection's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// The timeout of an attempt, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<u64>,
}

/// [`Kind`] as a word.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Kind", rename_all = "lowercase")]
pub(super) enum KindText {
    Projection,
    Reactor,
    Process,
    Webhook,
    Queue,
}

/// [`OnFailure`] as a word.
#[derive(Serialize, Deserialize)]
#[serde(remote = "OnFailure", rename_all = "kebab-case")]
pub(super) enum OnFailureText {
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
    /// Reads the body of a request that defines a consumer of this deployment, and checks every part. A webhook whose body has
    /// no secret gets one later.
    ///
    /// # Errors
    /// `body_too_large`, `malformed_json` or `invalid_consumer`, naming the part that is wrong.
    pub(crate) fn parse(body: &str, deployment: &Deployment) -> Result<Self, Failure> {
        if body.len() > DEFINITION_BYTES {
            let size = body.len();
            let detail = format!("the definition is {size} bytes long; the most is {DEFINITION_BYTES}");
            return Err(Failure::new(ErrorCode::BodyTooLarge, detail));
        }
        let body: &RawValue = serde_json::from_str(body)
            .map_err(|error| Failure::new(ErrorCode::MalformedJson, error.to_string()))?;
        if !body.get().starts_with('{') {
            return Err(invalid("kind", "the definition of a consumer must be a JSON object"));
        }
        let definition: Self = serde_json::from_str(body.get()).map_err(|error| {
            let message = error.to_string();
            let part = wrong_part(body.get()).or_else(|| {
                // The parser's message names a part that is missing or is there twice.
                message.split('`').nth(1).map(str::to_owned)
            });
            invalid(part.as_deref().unwrap_or("kind"), &message)
        })?;
        if definition.types.is_empty() && has_types(body.get()) {
            return Err(invalid("types", "must name at least one type; leave it out to follow all"));
        }
        definition.check(deployment)?;
        Ok(definition)
    }

    /// A consumer in Rust, unchecked. The start of the Worker checks it. `version` is that of a projection's code.
    pub(crate) fn in_code(
        kind: Kind,
        category: Option<&str>,
        types: &[&str],
        after: Option<&str>,
        version: Option<u32>,
        policy: Policy,
    ) -> Self {
        Self {
            kind,
            url: None,
            secret: None,
            binding: None,
            concurrency: None,
            after: after.map(str::to_owned),
            end: None,
            category: category.map(Scalar::from),
            types: types.iter().copied().map(Scalar::from).collect(),
            on_failure: policy.on_failure,
            attempts: policy.attempts,
            first_delay: policy.first_delay,
            longest_delay: policy.longest_delay,
            version,
            timeout: matches!(kind, Kind::Reactor | Kind::Process).then_some(policy.timeout),
        }
    }

    fn check(&self, deployment: &Deployment) -> Result<(), Failure> {
        let Self { kind, url, secret, binding, concurrency, .. } = self;
        match kind {
            Kind::Webhook => {
                let url = url
                    .as_deref()
                    .ok_or_else(|| invalid("url", "a webhook needs the URL of its receiver"))?;
                deployment.check_url(url).map_err(|reason| invalid("url", reason))?;
                if secret.as_deref().is_some_and(|secret| Secret::parse(secret).is_none()) {
                    return Err(invalid(
                        "secret",
                        "a secret must be `whsec_` and then 24 to 64 bytes in base64",
                    ));
                }
                if concurrency.is_some_and(|most| !(1..=MOST_AT_ONCE).contains(&most)) {
                    return Err(invalid(
                        "concurrency",
                        "must be 1 to 6, the events that a webhook is sent at once",
                    ));
                }
            }
            Kind::Queue if binding.is_none() => {
                return Err(invalid("binding", "a queue needs the name of its binding in wrangler.toml"));
            }
            Kind::Queue => {}
            Kind::Projection | Kind::Reactor | Kind::Process => {
                return Err(invalid(
                    "kind",
                    "must be `webhook` or `queue`; projections, reactors and processes are defined in code",
                ));
            }
        }
        let parts = [
            ("binding", binding.is_some(), Kind::Queue),
            ("url", url.is_some(), Kind::Webhook),
            ("secret", secret.is_some(), Kind::Webhook),
            ("concurrency", concurrency.is_some(), Kind::Webhook),
            // No caller may set these parts.
            ("end", self.end.is_some(), Kind::Reactor),
            ("version", self.version.is_some(), Kind::Projection),
        ];
        if let Some((name, ..)) = parts.into_iter().find(|(_, given, of)| *given && of != kind) {
            return Err(invalid(name, "a consumer of this kind does not have this field"));
        }
        parse_feed(&self.filter(), 0, 1).map_err(|failure| match failure.field.as_deref() {
            Some("type") => failure.in_field("types"),
            _ => failure,
        })?;
        Ok(())
    }

    /// The events that the consumer follows.
    pub(crate) fn filter(&self) -> FeedValue {
        FeedValue { category: self.category.clone(), types: self.types.clone(), ..FeedValue::default() }
    }

    fn policy(&self) -> Policy {
        Policy {
            on_failure: self.on_failure,
            attempts: self.attempts,
            first_delay: self.first_delay,
            longest_delay: self.longest_delay,
            timeout: self.timeout(),
        }
    }

    /// The timeout of an attempt, in milliseconds.
    pub(super) fn timeout(&self) -> u64 {
        self.timeout.unwrap_or(Policy::DEFAULT.timeout)
    }

    fn window(&self) -> Window {
        match self.kind {
            Kind::Queue => Window::Batch(BATCH_MESSAGES),
            _ => Window::Streams(self.concurrency.unwrap_or(1)),
        }
    }

    /// The machine's settings for a consumer of this name, in a feed of so many partitions.
    pub(crate) fn settings(&self, name: ConsumerName, partitions: usize) -> Result<Settings, Failure> {
        let (kind, policy, window) = (self.kind, self.policy(), self.window());
        let (after, version) = (self.begins(partitions)?, self.version.unwrap_or(1));
        Ok(Settings { name, kind, partitions, policy, window, after, version })
    }

    /// The place where a new consumer begins, in a feed of so many partitions.
    pub(super) fn begins(&self, partitions: usize) -> Result<Option<Checkpoint>, Failure> {
        let checkpoint = self.end.as_ref().or(self.after.as_ref());
        let checkpoint = checkpoint.map(|text| Checkpoint::parse(text, partitions)).transpose();
        checkpoint.map_err(|error| Failure::new(error.code(), error.to_string()).in_field("after"))
    }
}

/// The name of a part that cannot be read even if it is the only part beside the kind.
fn wrong_part(body: &str) -> Option<String> {
    let parts: BTreeMap<String, &RawValue> = serde_json::from_str(body).ok()?;
    let mut names = parts.into_iter().filter(|(name, value)| {
        let kind = if name == "kind" { "" } else { r#""kind":"queue","# };
        let alone = format!("{{{kind}{}:{value}}}", json_string(name));
        serde_json::from_str::<Definition>(&alone).is_err()
    });
    names.next().map(|(name, _)| name)
}

/// Whether the definition has the part `types`, even if it is empty.
fn has_types(body: &str) -> bool {
    #[derive(Deserialize)]
    struct Types {
        types: Option<IgnoredAny>,
    }
    serde_json::from_str(body).is_ok_and(|Types { types }| types.is_some())
}

pub(super) fn invalid(field: &str, reason: &str) -> Failure {
    Failure::new(ErrorCode::InvalidConsumer, format!("`{field}`: {reason}")).in_field(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Definition, Failure> {
        Definition::parse(body, &Deployment::default())
    }

    #[test]
    fn a_webhook_and_a_queue() {
        let webhook = parse(r#"{"kind":"webhook","url":"https://example.com/hook","types":["A"]}"#);
        let webhook = webhook.unwrap();
        assert_eq!((webhook.kind, webhook.attempts), (Kind::Webhook, 8));
        let queue = r#"{"kind":"queue","binding":"EVENTS","onFailure":"hold-stream","attempts":3}"#;
        let queue = parse(queue).unwrap();
        assert_eq!((queue.on_failure, queue.attempts), (OnFailure::HoldStream, 3));
        let text = serde_json::to_string(&queue).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), queue);
    }

    #[test]
    fn a_definition_that_was_stored_when_there_was_less_to_say() {
        let stored = r#"{"kind":"webhook","url":"https://a.b","secret":"whsec_x","onFailure":"skip","attempts":8,"firstDelay":500,"longestDelay":300000}"#;
        let definition: Definition = serde_json::from_str(stored).unwrap();
        assert_eq!((definition.window(), definition.begins(1).unwrap()), (Window::Streams(1), None));
        assert_eq!(serde_json::to_string(&definition).unwrap(), stored, "and it stays as it was");
    }

    #[test]
    fn invalid_consumers_are_refused() {
        let invalid = [
            ("3", "kind"),
            ("{}", "kind"),
            (r#"{"kind":"webhook"}"#, "url"),
            (r#"{"kind":"webhook","url":"http://example.com"}"#, "url"),
            (r#"{"kind":"webhook","url":"http://localhost/"}"#, "url"),
            (r#"{"kind":"webhook","url":"https://a.b","types":[]}"#, "types"),
            (r#"{"kind":"queue","binding":"Q","types":[]}"#, "types"),
            (r#"{"kind":"webhook","url":"https://a.b","secret":"x"}"#, "secret"),
            (r#"{"kind":"webhook","url":"https://a.b","binding":"Q"}"#, "binding"),
            (r#"{"kind":"webhook","url":"https://a.b","colour":1}"#, "colour"),
            (r#"{"kind":"webhook","url":"https://a.b","concurrency":0}"#, "concurrency"),
            (r#"{"kind":"webhook","url":"https://a.b","concurrency":7}"#, "concurrency"),
            (r#"{"kind":"webhook","url":"https://a.b","end":"3"}"#, "end"),
            (r#"{"kind":"queue","binding":"Q","concurrency":2}"#, "concurrency"),
            (r#"{"kind":"queue","binding":"Q","version":2}"#, "version"),
            (r#"{"kind":"queue"}"#, "binding"),
            (r#"{"kind":"queue","binding":"Q","kind":"queue"}"#, "kind"),
            (r#"{"url":"https://a.b"}"#, "kind"),
            (r#"{"kind":"projection"}"#, "kind"),
        ]
        .map(|(body, field)| (body, ErrorCode::InvalidConsumer, Some(field)));
        let others = [
            ("", ErrorCode::MalformedJson, None),
            (
                r#"{"kind":"webhook","url":"https://a.b","category":7}"#,
                ErrorCode::InvalidCategory,
                Some("category"),
            ),
            (
                r#"{"kind":"webhook","url":"https://a.b","types":[""]}"#,
                ErrorCode::InvalidEventType,
                Some("types"),
            ),
        ];
        for (body, code, field) in invalid.into_iter().chain(others) {
            let failure = parse(body).unwrap_err();
            assert_eq!((failure.code.known(), failure.field.as_deref()), (Some(code), field), "{body}");
        }
    }

    #[test]
    fn a_definition_that_is_larger_than_a_row_is_refused() {
        let types = |count: usize| vec!["Deposited"; count].join(r#"",""#);
        let body = |count| format!(r#"{{"kind":"queue","binding":"Q","types":["{}"]}}"#, types(count));
        assert!(parse(&body(5000)).is_ok());
        assert_eq!(parse(&body(6000)).unwrap_err().code, ErrorCode::BodyTooLarge);
    }

    #[test]
    fn a_part_of_another_shape_is_named_itself_and_not_its_value() {
        for (part, field) in [
            (r#""kind":"nope""#, "kind"),
            (r#""kind":7"#, "kind"),
            (r#""kind":"queue","url":7"#, "url"),
            (r#""kind":"queue","secret":[]"#, "secret"),
            (r#""kind":"queue","binding":{"`x`":1}"#, "binding"),
            (r#""kind":"queue","concurrency":-1"#, "concurrency"),
            (r#""kind":"queue","after":3"#, "after"),
            (r#""kind":"queue","types":"x""#, "types"),
            (r#""kind":"queue","onFailure":"explode""#, "onFailure"),
            (r#""kind":"queue","attempts":1.5"#, "attempts"),
            (r#""kind":"queue","attempts":"3""#, "attempts"),
            (r#""kind":"queue","attempts":null"#, "attempts"),
            (r#""kind":"queue","firstDelay":-1"#, "firstDelay"),
            (r#""kind":"queue","longestDelay":true"#, "longestDelay"),
            (r#""kind":"queue","timeout":"1s""#, "timeout"),
            (r#""kind":"queue","co\"lour":1"#, "co\"lour"),
        ] {
            let failure = parse(&format!("{{{part}}}")).unwrap_err();
            assert_eq!(
                (failure.code.known(), failure.field.as_deref()),
                (Some(ErrorCode::InvalidConsumer), Some(field)),
                "{part}"
            );
        }
    }
}
