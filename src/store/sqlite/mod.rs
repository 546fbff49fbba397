//! Streams kept in SQLite, behind a small synchronous port: a Durable Object's storage, a file, or a
//! database in memory.

mod content;
mod port;
mod stream_table;

pub use port::{Row, Sql, SqlFailure, Value};
pub use stream_table::StreamTable;
