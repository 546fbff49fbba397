//! `/v1/consumers` and `/v1/projections`: consumers, their dead letters and their documents.

use sillok::ErrorCode;
use sillok::gateway::partition_of;
use sillok::handler::ConsumerName;
use sillok::store::limits::DOCUMENT_WAIT_MILLIS;
use sillok::store::{Direction, ReadRange, json_string};
use sillok_bridge::{Failure, now};
use worker::Env;

use super::accept::Media;
use super::names::{consumer_name, document_key, event_in, letter_id};
use super::problem::Problem;
use super::request::{Method, Request};
use super::respond::Answer;
use super::{documents, query, request};
use crate::auth::{Principal, Scope};
use crate::consumer::{
    self, ConsumerRequest, Define, Discard, DocumentRequest, DocumentsRequest, Letters, Reach, StatusRequest,
};
use crate::journal;
use crate::objects::{Receipt, RemoteError, Reply, partitions};

/// A path below `/v1/consumers` or `/v1/projections`. Its names and keys are still percent-encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'a> {
    /// `/v1/consumers`
    All,
    /// `/v1/consumers/{name}`
    One(&'a str),
    /// `/v1/consumers/{name}/pause`, `/v1/consumers/{name}/resume`, `/v1/consumers/{name}/rebuild` or
    /// `/v1/consumers/{name}/retry`
    Act(&'a str, Act),
    /// `/v1/consumers/{name}/dead-letters`
    Letters(&'a str),
    /// `/v1/consumers/{name}/dead-letters/{id}`
    Letter(&'a str, &'a str),
    /// `/v1/projections/{name}/documents`
    Documents(&'a str),
    /// `/v1/projections/{name}/documents/{key}`
    Document(&'a str, &'a str),
}

impl<'a> Target<'a> {
    /// Finds the target of a path below `/v1/consumers`.
    pub(super) fn consumers(path: &'a str) -> Option<Self> {
        let Some(path) = path.strip_prefix('/') else { return path.is_empty().then_some(Self::All) };
        match path.split_once('/') {
            None if path.is_empty() => None,
            None => Some(Self::One(path)),
            Some((name, "dead-letters")) => Some(Self::Letters(name)),
            Some((name, rest)) if Act::parse(rest).is_some() => {
                Act::parse(rest).map(|act| Self::Act(name, act))
            }
            Some((name, rest)) => {
                let id = rest.strip_prefix("dead-letters/").filter(|id| !id.is_empty() && !id.contains('/'));
                id.map(|id| Self::Letter(name, id))
            }
        }
    }

    /// Finds the target of a path below `/v1/projections`.
    pub(super) fn projections(path: &'a str) -> Option<Self> {
        let (name, rest) = path.strip_prefix('/')?.split_once('/')?;
        match rest.strip_prefix("documents")?.split_once('/') {
            None if rest == "documents" => Some(Self::Documents(name)),
            Some(("", key)) if !key.is_empty() && !key.contains('/') => Some(Self::Document(name, key)),
            _ => None,
        }
    }

    /// The methods of the path, as in the header `Allow`.
    fn methods(self) -> &'static str {
        match self {
            Self::One(_) => "GET, HEAD, PUT, DELETE",
            Self::Act(..) => "POST",
            Self::Letters(_) => "GET, HEAD, DELETE",
            Self::Letter(..) => "DELETE",
            _ => "GET, HEAD",
        }
    }
}

/// An act of an operator on a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Pause,
    Resume,
    Rebuild,
    Retry,
}

impl Act {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "pause" => Some(Self::Pause),
            "resume" => Some(Self::Resume),
            "rebuild" => Some(Self::Rebuild),
            "retry" => Some(Self::Retry),
            _ => None,
        }
    }

    fn request(self) -> ConsumerRequest {
        match self {
            Self::Pause => ConsumerRequest::Pause,
            Self::Resume => ConsumerRequest::Resume,
            Self::Rebuild => ConsumerRequest::Rebuild,
            Self::Retry => ConsumerRequest::Retry,
        }
    }
}

/// A consumer that the caller may use.
pub(super) struct Found(pub(super) consumer::Remote);

/// Answers a request below `/v1/consumers` or `/v1/projections`.
pub(super) async fn answer(
    request: &Request,
    env: &Env,
    principal: &Principal,
    target: Target<'_>,
) -> Result<Answer, Problem> {
    let reading = matches!(request.method, Method::Get | Method::Head);
    principal.require(if reading { Scope::Read } else { Scope::Admin })?;
    // The answers of a consumer may contain events of any stream.
    principal.require_all_streams()?;
    if reading && target == Target::All {
        return all(request, env, principal).await;
    }
    if let Target::Documents(name) = target
        && documents::is_live(request)?
    {
        return documents::follow(request, env, principal, name).await;
    }
    let Plan { found, mut asked, min, has_content } = plan(request, env, principal, target)?;
    if let ConsumerRequest::Define(define) = &mut asked {
        define.definition = request::body_text(request).await?;
    }
    let found = found.wait_for(env, min).await?;
    let (body, receipt) = found.call(&asked).await?;
    let answer = if has_content { Answer::text(body) } else { Answer::no_content() };
    Ok(answer.costing(receipt))
}

/// A request to a consumer whose headers and parameters are checked.
struct Plan {
    found: Found,
    asked: ConsumerRequest,
    /// The event that the consumer must cover first.
    min: Option<String>,
    /// Whether the answer has a body.
    has_content: bool,
}

impl Plan {
    fn ask(found: Found, asked: ConsumerRequest) -> Self {
        Self { found, asked, min: None, has_content: true }
    }

    fn perform(found: Found, asked: ConsumerRequest) -> Self {
        Self { has_content: false, ..Self::ask(found, asked) }
    }
}

/// Checks a request for one consumer.
fn plan(request: &Request, env: &Env, principal: &Principal, target: Target<'_>) -> Result<Plan, Problem> {
    let reading = matches!(request.method, Method::Get | Method::Head);
    let find = |name| Found::find(env, principal, name);
    let url = request.url();
    let check_change = || {
        query::none(url)?;
        request::check_forget_headers(request)
    };
    Ok(match (target, request.method) {
        (Target::One(name), _) if reading => {
            let found = find(name)?;
            request::check_json_headers(request)?;
            query::none(url)?;
            Plan::ask(found, status_for(principal))
        }
        (Target::One(name), Method::Put) => {
            let found = find(name)?;
            check_change()?;
            let (definition, asked_at) = (String::new(), url.to_owned());
            Plan::ask(found, ConsumerRequest::Define(Define { definition, asked_at }))
        }
        (Target::One(name), Method::Delete) => {
            let found = find(name)?;
            check_change()?;
            Plan::perform(found, ConsumerRequest::Remove)
        }
        (Target::Act(name, act), Method::Post) => {
            let found = find(name)?;
            check_change()?;
            Plan::ask(found, act.request())
        }
        (Target::Letters(name), _) if reading => {
            let found = find(name)?;
            request::check_json_headers(request)?;
            let [after, limit] = query::texts(url, ["after", "limit"])?;
            let after = query::whole("after", after)?.unwrap_or_default().to_string();
            Plan::ask(found, ConsumerRequest::Letters(Letters { after, limit: page(limit)? }))
        }
        (Target::Letters(name) | Target::Letter(name, _), Method::Delete) => {
            let found = find(name)?;
            let letter = match target {
                Target::Letter(_, id) => Some(letter_id(id)?),
                _ => None,
            };
            check_change()?;
            Plan::perform(found, ConsumerRequest::Discard(Discard { letter }))
        }
        (Target::Documents(name), _) if reading => {
            let found = find(name)?;
            request::check_live_headers(request)?;
            request::check_read_headers(request, &[Media::Json, Media::EventStream])?;
            let [prefix, after, limit, min] = query::texts(url, ["prefix", "after", "limit", "min"])?;
            let (prefix, after) = (prefix.unwrap_or_default(), after.unwrap_or_default());
            let asked = ConsumerRequest::Documents(DocumentsRequest { prefix, after, limit: page(limit)? });
            Plan { min, ..Plan::ask(found, asked) }
        }
        (Target::Document(name, key), _) if reading => {
            let (found, key) = (find(name)?, document_key(key)?);
            request::check_json_headers(request)?;
            let [min] = query::texts(url, ["min"])?;
            Plan { min, ..Plan::ask(found, ConsumerRequest::Document(DocumentRequest { key })) }
        }
        _ => return Err(Problem::method_not_allowed(target.methods())),
    })
}

/// Returns the status of every consumer. For a consumer that does not answer, it returns the name and the error.
async fn all(request: &Request, env: &Env, principal: &Principal) -> Result<Answer, Problem> {
    request::check_json_headers(request)?;
    query::none(request.url())?;
    let journal = journal::Remote::of_partition(env, principal.tenant(), 0).map_err(Problem::internal)?;
    let (status, mut receipt) = journal.status().await?;
    let mut consumers = Vec::new();
    for name in status.consumers {
        let found = Found::of(env, principal, name.clone())?;
        match found.call(&status_for(principal)).await {
            Ok((status, cost)) => {
                receipt = receipt + cost;
                consumers.push(status);
            }
            // This consumer is being removed.
            Err(RemoteError::Refused(failure, _)) if failure.code == ErrorCode::ConsumerNotFound => {}
            // One consumer without an answer hides no other.
            Err(error) => consumers.push(unavailable(name.as_str(), &error.into_failure("consumer"))),
        }
    }
    Ok(Answer::text(format!("{{\"consumers\":[{}]}}", consumers.join(","))).costing(receipt))
}

impl Found {
    pub(super) fn find(env: &Env, principal: &Principal, segment: &str) -> Result<Self, Problem> {
        Self::of(env, principal, consumer_name(segment)?)
    }

    fn of(env: &Env, principal: &Principal, name: ConsumerName) -> Result<Self, Problem> {
        consumer::Remote::find(env, principal.tenant(), name).map(Self).map_err(Problem::internal)
    }

    fn call(&self, request: &ConsumerRequest) -> Reply<'_, String> {
        self.0.ask(request)
    }

    /// Waits for a limited time until the consumer covers an event: `stream@version`.
    async fn wait_for(self, env: &Env, min: Option<String>) -> Result<Self, Problem> {
        let Some(min) = min else { return Ok(self) };
        let (stream, version) = event_in(&min)?;
        let partitions = partitions(env)?;
        let partition = partition_of(&stream, partitions);
        let journal = journal::Remote::of_stream(env, self.0.of.tenant(), &stream, partitions)
            .map_err(Problem::internal)?;
        let deadline = now().as_millis() + DOCUMENT_WAIT_MILLIS;
        let left = || deadline.saturating_sub(now().as_millis());
        let reach = |position| ConsumerRequest::Reach(Reach { partition, position, millis: left() });
        let (mut found, mut spent) = journal.position_of(&stream, version, 0).await?;
        if found.is_none() {
            // If the projection does not exist, this call fails before the wait.
            spent = spent + self.call(&reach(0)).await?.1;
            let (again, receipt) = journal.position_of(&stream, version, left()).await?;
            (found, spent) = (again, spent + receipt);
        }
        let Some(position) = found else { return Err(behind(&min, spent)) };
        let (reached, receipt) = self.call(&reach(position)).await?;
        if reached == "true" { Ok(self) } else { Err(behind(&min, spent + receipt)) }
    }
}

fn behind(min: &str, spent: Receipt) -> Problem {
    let detail = format!("the projection does not cover {min} yet; try again");
    let problem = Problem::from(Failure::new(ErrorCode::ProjectionBehind, detail).in_field("min"));
    problem.with("Retry-After", "1").costing(spent)
}

/// The request for a consumer's status, for this caller.
fn status_for(principal: &Principal) -> ConsumerRequest {
    ConsumerRequest::Status(StatusRequest { whole: principal.require(Scope::Admin).is_ok() })
}

/// The JSON for a consumer that does not answer.
fn unavailable(name: &str, failure: &Failure) -> String {
    let (name, code, detail) =
        (json_string(name), json_string(failure.code.as_str()), json_string(&failure.detail));
    format!(
        "{{\"name\":{name},\"status\":\"unavailable\",\"error\":{{\"code\":{code},\"detail\":{detail}}}}}"
    )
}

/// The most items of a page. The limit is the same as for a page of events.
fn page(limit: Option<String>) -> Result<usize, Failure> {
    let range = ReadRange::new(None, None, query::whole("limit", limit)?, Direction::Forward)?;
    Ok(range.limit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        use Target::{Act, All, Document, Documents, Letter, Letters, One};
        for (path, target) in [
            ("", Some(All)),
            ("/a", Some(One("a"))),
            ("/a/retry", Some(Act("a", super::Act::Retry))),
            ("/a/dead-letters", Some(Letters("a"))),
            ("/a/dead-letters/1", Some(Letter("a", "1"))),
            ("/a/dead-letters/", None),
            ("/a/dead-letters/1/2", None),
            ("/", None),
            ("/a/", None),
            ("/a/explode", None),
            ("/a/retry/1", None),
        ] {
            assert_eq!(Target::consumers(path), target, "{path}");
        }
        for (path, target) in [
            ("/a/documents", Some(Documents("a"))),
            ("/a/documents/k%2F1", Some(Document("a", "k%2F1"))),
            ("/a", None),
            ("/a/documents/", None),
            ("/a/documents/k/1", None),
            ("/a/documentsx/k", None),
        ] {
            assert_eq!(Target::projections(path), target, "{path}");
        }
    }
}
