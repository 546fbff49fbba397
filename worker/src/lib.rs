//! Sillok on Cloudflare: an HTTP gateway without state, and Durable Objects: one for each stream, one for each partition
//! of the journal, and one for each consumer.
//!
//! ```text
//! client ── HTTP ──▶ gateway: auth, routing, conditions ── RPC ──▶ Aggregate object: the store of one stream
//!                                                       │             │ forwards commits
//!                                                       ├─── RPC ──▶ Journal object: all streams in one order
//!                                                       │             │ wakes
//!                                                       └─── RPC ──▶ Consumer object: what one handler has made of them
//! ```
//!
//! - `http` answers HTTP. It keeps nothing between two requests.
//! - `auth` says who is calling and what they may do.
//! - `aggregate` is the object that keeps one stream, and the messages that travel to and from it.
//! - `journal` is the object that keeps the commits of all streams of a partition, and its messages.
//! - `consumer` is the object that runs one projection, reactor, webhook or queue, and what is asked of it.
//! - `objects` is what all three have in common.
//! - `app` is the registry of the projections and reactors that are written in Rust.
//!
//! The rules of the store are the core's; what an event or an error looks like as JSON is the bridge's.
//! This crate only carries requests to them and answers back. It holds no `unwrap`, no indexing and no other way to
//! panic, because a panic resets every object of the isolate.

// What calls the objects is made for wasm only: to a native build they look unused.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod aggregate;
mod app;
mod auth;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod consumer;
mod http;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod journal;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod objects;

use worker::{Env, Response, web_sys};

pub use app::{App, AppError, app};
pub use consumer::{Reactor, ReactorContext};
pub use sillok_bridge::Failure;

/// Answers an HTTP request: what `#[event(fetch)]` of a Worker hands on. It is the runtime's own request, because the crate
/// `worker` takes a method that it does not know for GET.
///
/// # Errors
/// Whatever the runtime throws. What is wrong with the request is an answer.
pub async fn fetch(request: web_sys::Request, env: &Env) -> worker::Result<Response> {
    http::answer(request.into(), env).await
}

/// The plain Worker, which is also the engine of `sillok/worker`: what is written in TypeScript is registered there.
#[cfg(feature = "plain")]
#[worker::event(fetch)]
async fn answer(request: web_sys::Request, env: Env, _: worker::Context) -> worker::Result<Response> {
    fetch(request, &env).await
}

/// The memory of the plain Worker. The standard library's allocator for wasm is made for larger programs and takes 3 KB
/// more of the compressed wasm. A Worker of one's own has the one it chooses.
#[cfg(all(target_arch = "wasm32", feature = "plain"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
