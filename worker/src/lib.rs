#![doc = include_str!("../README.md")]
#![doc = ""]
//! # The parts
//!
//! Sillok on Cloudflare: an HTTP layer without state, and Durable Objects. Each stream, each partition of the journal and each
//! consumer has an object.
//!
//! ```text
//! client ── HTTP ──▶ HTTP layer: auth, routing, conditions ── RPC ──▶ Aggregate object: the store of one stream
//!                                                          │             │ forwards commits
//!                                                          ├─── RPC ──▶ Journal object: all streams in one order
//!                                                          │             │ wakes
//!                                                          └─── RPC ──▶ Consumer object: one handler and its checkpoint
//! ```
//!
//! - `http` answers HTTP. It stores nothing between two requests.
//! - `auth` authenticates callers and checks their rights.
//! - `aggregate` is the object that stores one stream, and its messages.
//! - `journal` is the object that stores the commits of all streams of a partition, and its messages.
//! - `consumer` is the object that runs one projection, reactor, webhook or queue, and its messages.
//! - `store` is the store for the Worker's own code in Rust, without HTTP.
//! - `testing` tests a reactor natively.
//! - `objects` has the parts that all three objects share.
//! - `composed` has the definitions in JavaScript that a request needs.
//! - `app` is the registry of the aggregates, projections and reactors that are written in Rust.
//!
//! The core has the rules of the store. The bridge has the JSON of events and errors. This crate passes requests to them, and
//! returns their answers. It has no `unwrap`, no indexing and no other way to panic, because a panic resets every object of the
//! isolate.

// Code that calls objects is used only in wasm, so a native build finds it unused.
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod aggregate;
mod app;
mod app_error;
mod auth;
mod composed;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod consumer;
mod http;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod journal;
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
mod objects;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

use worker::{Env, Response, web_sys};

pub use app::{App, app};
pub use app_error::AppError;
pub use consumer::{Reactor, ReactorContext};
pub use sillok::handler::{EventPage, Executed, Loaded, Recorded};
pub use sillok_bridge::Failure;
pub use store::{Append, ExecuteError, Execution, Store, store};

/// Answers an HTTP request. Call it in the function `#[event(fetch)]` of your Worker. It takes the runtime's own request,
/// because the crate `worker` replaces an unknown method by GET.
///
/// # Errors
/// An exception of the runtime. A wrong request is not an error: it gets an answer.
pub async fn fetch(request: web_sys::Request, env: &Env) -> worker::Result<Response> {
    http::answer(request.into(), env).await
}

/// The plain Worker, which is also the engine of `sillok/worker`. TypeScript code registers its consumers itself.
#[cfg(feature = "plain")]
#[worker::event(fetch)]
async fn answer(request: web_sys::Request, env: Env, _: worker::Context) -> worker::Result<Response> {
    fetch(request, &env).await
}

/// The allocator of the plain Worker. The standard library's allocator for wasm is made for larger programs, and adds 3 KB to
/// the compressed wasm. A Worker of your own chooses its own allocator.
#[cfg(all(target_arch = "wasm32", feature = "plain"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
