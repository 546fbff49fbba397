//! The wasm-bindgen bindings of the npm package `sillok`: the core's store over memory or over a SQLite file. The bridge
//! converts the values of JavaScript. Only `js/ts/local/engine.ts` calls this crate.
//!
//! All arguments are checked here or in the bridge, so no argument can make the engine panic. An error is thrown as a plain
//! object with the fields of [`Failure`](sillok_bridge::Failure).

mod commands;
mod consumer;
mod database;
mod late_input;
mod log;
mod operate;
mod pending;
mod proof;
mod store;
mod thrown;

pub use commands::{Commands, StateLoad};
pub use consumer::{Consumer, DocumentsHandle};
pub use database::Database;
pub use pending::DueCommands;
pub use proof::{LineProof, StreamProof};
pub use store::Store;

/// The engine's allocator. The standard library's allocator for wasm is made for larger programs, and adds 3 KB to the
/// compressed wasm.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
