//! HTTP: what is asked, of which object, and how the answer looks.
//!
//! A request is checked in this order, and the first check that fails answers: path outside the API (404),
//! authentication (401), path (404), method (405), scope (403), stream id (400), the token's streams (403),
//! headers and parameters (400, 406), and then what is appended.

mod accept;
mod precondition;
mod problem;
mod query;
mod request;
mod respond;
mod routes;

use sillok::store::StreamId;
use sillok_bridge::{Failure, expected_version_json, now, parse_range};
use worker::{Env, Method, Request, Response};

use crate::aggregate::{AppendRequest, HeadRequest, ReadRequest, Remote};
use crate::auth::{Policy, Principal, Scope};
use problem::Problem;
use respond::Answer;
use routes::Route;

/// The binding of the objects, as wrangler.toml names it.
const OBJECTS: &str = "AGGREGATE";

/// Answers one request. What goes wrong becomes a problem document: only a broken runtime makes this fail.
pub(crate) async fn answer(mut request: Request, env: &Env) -> worker::Result<Response> {
    let method = request.method();
    let answer = dispatch(&mut request, &method, env).await;
    respond::response(answer.unwrap_or_else(Answer::from), &method)
}

async fn dispatch(request: &mut Request, method: &Method, env: &Env) -> Result<Answer, Problem> {
    let path = request.path();
    match Route::of(&path) {
        Route::Outside => Err(Problem::not_found()),
        Route::Health => match method {
            Method::Get | Method::Head => Ok(Answer::health()),
            _ => Err(Problem::method_not_allowed("GET, HEAD")),
        },
        Route::Unknown => {
            authenticate(request, env)?;
            Err(Problem::not_found())
        }
        Route::Events { stream } => {
            let principal = authenticate(request, env)?;
            match method {
                Method::Get | Method::Head => {
                    let object = Object::find(env, &principal, Scope::Read, stream)?;
                    read(request, method, &object).await
                }
                Method::Post => {
                    let object = Object::find(env, &principal, Scope::Append, stream)?;
                    append(request, object).await
                }
                _ => Err(Problem::method_not_allowed("GET, HEAD, POST")),
            }
        }
    }
}

fn authenticate(request: &Request, env: &Env) -> Result<Principal, Problem> {
    let authorization = request::header(request, "Authorization");
    Ok(Policy::of(env).authenticate(authorization.as_deref(), now())?)
}

/// A stream that the caller may touch, and the object that keeps it.
struct Object {
    stream: StreamId,
    remote: Remote,
}

impl Object {
    fn find(env: &Env, principal: &Principal, scope: Scope, segment: &str) -> Result<Self, Problem> {
        principal.require(scope)?;
        let stream = routes::stream_id(segment)?;
        principal.require_stream(&stream)?;
        let name = principal.object_name(&stream);
        let stub = env.durable_object(OBJECTS).and_then(|objects| objects.get_by_name(&name));
        Ok(Self { stream, remote: Remote::new(stub.map_err(Problem::internal)?) })
    }

    fn name(&self) -> String {
        self.stream.as_str().to_owned()
    }
}

async fn append(request: &mut Request, object: Object) -> Result<Answer, Problem> {
    request::check_append_headers(request)?;
    let expected = precondition::expected_version(
        request::header(request, "If-Match").as_deref(),
        request::header(request, "If-None-Match").as_deref(),
    )?;
    let format = request::events_format(request);
    let events = request::body_text(request).await?;
    let message = AppendRequest {
        stream: object.name(),
        expected_version: expected_version_json(expected),
        events,
        format,
    };
    Ok(Answer::appended(&object.remote.append(&message).await?))
}

async fn read(request: &Request, method: &Method, object: &Object) -> Result<Answer, Problem> {
    let range = query::range(request.inner().url().as_str())?;
    // Refused here already, so that a mistake wakes no object.
    parse_range(&range)?;
    request::check_read_headers(request)?;
    let known = request::header(request, "If-None-Match");
    if known.is_some() || *method == Method::Head {
        let head = object.remote.head(&HeadRequest { stream: object.name() }).await?;
        if known.is_some_and(|tags| precondition::is_known(&tags, head.version)) {
            return Ok(Answer::not_modified(head.version));
        }
        if *method == Method::Head {
            return Ok(Answer::head(head.version));
        }
    }
    let page = object.remote.read(&ReadRequest { stream: object.name(), range }).await?;
    Ok(Answer::page(&object.stream, &page))
}

/// A failure that names the header it is about.
fn header_failure(code: &str, header: &str, detail: impl Into<String>) -> Failure {
    Failure::new(code, detail).in_field(header)
}
