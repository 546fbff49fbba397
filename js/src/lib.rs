//! The wasm-bindgen bindings behind the npm package `sillok`: the core's store over memory or over a SQLite file, with
//! JavaScript values going in and out through the bridge. Only `js/ts/local/engine.ts` calls this.
//!
//! Everything that is handed in is checked here or in the bridge, so no argument can make the engine panic.
//! What is refused is thrown as a plain object with the fields of [`Failure`](sillok_bridge::Failure).

mod consumer;
mod database;
mod log;
mod operate;
mod proof;
mod store;
mod thrown;

pub use consumer::{Consumer, DocumentsHandle};
pub use database::Database;
pub use proof::{LineProof, StreamProof};
pub use store::Store;

/// The engine's memory. The standard library's allocator for wasm is made for larger programs and takes 3 KB more of the
/// compressed wasm.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
