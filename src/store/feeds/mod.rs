//! Feeds: the events of many streams in one order, and the directory of streams.

pub(crate) mod checkpoint;
pub(crate) mod directory;
pub(crate) mod feed;
pub(crate) mod position;
