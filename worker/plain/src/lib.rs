//! The plain Worker: Sillok's, in which nothing is registered in Rust. It is also the engine of `sillok/worker`, which
//! registers what is written in TypeScript.

use worker::{Context, Env, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> worker::Result<Response> {
    sillok_worker::fetch(request, &env).await
}
