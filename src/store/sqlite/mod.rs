//! Streams in SQLite, behind a small synchronous port: a Durable Object's storage, a file, or a database in memory.

mod columns;
mod decision_table;
mod pending_table;
mod port;
mod stream_table;
mod streams_table;
mod table;

pub use port::{Row, Sql, Value};
pub use stream_table::StreamTable;
pub use streams_table::StreamsTable;
pub(crate) use table::{Schema, Table};
