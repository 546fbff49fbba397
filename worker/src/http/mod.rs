//! HTTP: requests, the objects that they are for, and answers.
//!
//! A request is checked in this order, and the first failed check answers: path outside the API (404), authentication (401),
//! path (404), method (405), scope (403), stream id (400), the token's streams (403), headers and parameters (400, 406), and
//! then the events of an append or the command. The object of a stream with an aggregate refuses direct appends (403) last.

mod accept;
mod aggregates;
mod chunks;
mod commands;
mod commits;
mod consumers;
mod cors;
mod description;
mod directory;
mod documents;
mod events;
mod feed;
mod fields;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod hostile;
mod hosts;
mod lines;
mod live;
mod names;
mod newest;
mod partitions;
mod pending;
mod precondition;
mod problem;
mod query;
mod request;
mod respond;
mod routes;
mod socket;
mod source;
mod sse;
mod state;
mod streams;
mod tickets;
pub(crate) mod times;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod validators;

use sillok::ErrorCode;
use sillok::store::{RecordedTime, StreamId};
use sillok_bridge::{Failure, now};
use worker::{Env, Response, console_error};

use crate::aggregate::{HeadReply, PendingAct, Remote, StreamRequest};
use crate::auth::{Policy, Principal, Proof, Scope};
use crate::objects::Receipt;
use problem::Problem;
use request::{Method, Request};
use respond::Answer;
pub(crate) use respond::{encoded, stream_path};
use routes::{Part, Route};

/// Answers one request. Every error becomes a problem document. This function fails only if the runtime fails.
pub(crate) async fn answer(request: Request, env: &Env) -> worker::Result<Response> {
    let policy = Policy::of(env);
    let answer = match cors::preflight(&request, &policy) {
        Some(answer) => answer,
        None => dispatch(&request, env, &policy).await.unwrap_or_else(Answer::from),
    };
    respond::response(cors::readable(answer, &policy), request.method)
}

async fn dispatch(request: &Request, env: &Env, policy: &Policy) -> Result<Answer, Problem> {
    hosts::check_host(request, policy)?;
    cors::check_origin(request, policy)?;
    match Route::of(request.path()) {
        Route::Outside => Err(Problem::not_found()),
        Route::Health => public(request, Answer::health),
        Route::Description => public(request, || Answer::text(description::json())),
        Route::Unknown => {
            authenticate(request, policy)?;
            Err(Problem::not_found())
        }
        Route::Consumers(target) => {
            let principal = authenticate(request, policy)?;
            consumers::answer(request, env, &principal, target).await
        }
        Route::Directory => directory::list(request, env, reader(request, policy)?).await,
        Route::Feed => feed::read(request, env, reader(request, policy)?).await,
        Route::Aggregates => {
            let principal = reader(request, policy)?;
            principal.require(Scope::Read)?;
            aggregates::list(request, env)
        }
        Route::Journal => partitions::status(request, env, &reader(request, policy)?).await,
        Route::Tickets => {
            let principal = authenticate(request, policy)?;
            match request.method {
                Method::Post => tickets::issue(request, policy, &principal).await,
                _ => Err(Problem::method_not_allowed("POST")),
            }
        }
        Route::Stream { stream, part } => {
            let principal = authenticate(request, policy)?;
            let find = |scope| Object::find(env, &principal, scope, stream);
            match (part, request.method) {
                (Part::Whole, Method::Get | Method::Head) => {
                    streams::summary(request, &find(Scope::Read)?).await
                }
                (Part::Whole, Method::Delete) => streams::delete(request, &find(Scope::Admin)?).await,
                (Part::Events, Method::Get | Method::Head) => events::read(request, find(Scope::Read)?).await,
                (Part::Events, Method::Post) => events::append(request, &find(Scope::Append)?).await,
                (Part::Verify, Method::Get | Method::Head) => {
                    streams::verify(request, &find(Scope::Read)?).await
                }
                (Part::Commits, Method::Get | Method::Head) => {
                    commits::export(request, find(Scope::Read)?).await
                }
                (Part::Commands, Method::Post) => commands::execute(request, &find(Scope::Execute)?).await,
                (Part::State, Method::Get | Method::Head) => state::load(request, &find(Scope::Read)?).await,
                (Part::Pending(kind), Method::Get | Method::Head) => {
                    pending::list(request, &find(Scope::Read)?, kind).await
                }
                (Part::OnePending(kind, key), Method::Delete) => {
                    pending::change(request, &find(Scope::Admin)?, kind, key, PendingAct::Cancel).await
                }
                (Part::RetryPending(kind, key), Method::Post) => {
                    pending::change(request, &find(Scope::Admin)?, kind, key, PendingAct::Retry).await
                }
                (Part::RejectSent(id), Method::Post) => {
                    pending::reject(request, &find(Scope::Admin)?, id).await
                }
                (Part::Truncate, Method::Post) => streams::truncate(request, &find(Scope::Admin)?).await,
                _ => Err(Problem::method_not_allowed(part.methods())),
            }
        }
    }
}

/// Answers a read that needs no token.
fn public(request: &Request, answer: impl FnOnce() -> Answer) -> Result<Answer, Problem> {
    match request.method {
        Method::Get | Method::Head => Ok(answer()),
        _ => Err(Problem::method_not_allowed("GET, HEAD")),
    }
}

fn authenticate(request: &Request, policy: &Policy) -> Result<Principal, Problem> {
    let authorization = request::header(request, "Authorization");
    let (authorization, ticket, path) = (authorization.as_deref(), request.ticket(), request.path());
    policy.authenticate(Proof { authorization, ticket, path }, now).map_err(|refusal| {
        if refusal.is_for_the_operator() {
            console_error!("a request was refused: {refusal}");
        }
        refusal.into()
    })
}

/// The caller of a path that has only reads.
fn reader(request: &Request, policy: &Policy) -> Result<Principal, Problem> {
    let principal = authenticate(request, policy)?;
    match request.method {
        Method::Get | Method::Head => Ok(principal),
        _ => Err(Problem::method_not_allowed("GET, HEAD")),
    }
}

/// A stream that the caller may use, and its object.
struct Object {
    stream: StreamId,
    remote: Remote,
    /// The time at which the caller's token expires.
    until: Option<RecordedTime>,
    /// Whether the caller has the scope `admin`.
    admin: bool,
}

impl Object {
    fn find(env: &Env, principal: &Principal, scope: Scope, segment: &str) -> Result<Self, Problem> {
        principal.require(scope)?;
        let stream = names::stream_id(segment)?;
        principal.require_stream(&stream)?;
        let remote = Remote::find(env, principal.tenant(), &stream).map_err(Problem::internal)?;
        Ok(Self { stream, remote, until: principal.until(), admin: principal.is_admin() })
    }

    /// The first version and the head of the stream. It fails if the stream was deleted.
    async fn head(&self) -> Result<(HeadReply, Receipt), Problem> {
        let (head, receipt) = self.remote.head(self.request()).await?;
        if head.deleted {
            return Err(Problem::stream_deleted(&self.stream).costing(receipt));
        }
        Ok((head, receipt))
    }

    fn request(&self) -> StreamRequest {
        StreamRequest { stream: self.stream.clone() }
    }
}

/// A failure that names the wrong header.
fn header_failure(code: ErrorCode, header: &str, detail: impl Into<String>) -> Failure {
    Failure::new(code, detail).in_field(header)
}
