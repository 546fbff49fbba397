//! The feed and the directory as values and JSON.

mod directory;
mod feed;

pub use directory::{DirectoryPageJson, DirectoryValue, StreamEntryJson, parse_directory};
pub use feed::{
    FeedHeadsPage, FeedPageJson, FeedValue, parse_feed, read_feed, read_feed_heads, write_feed_event,
};
