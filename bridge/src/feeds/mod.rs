//! The feed and the directory as values and JSON.

mod directory;
mod feed;

pub use directory::{DirectoryPageJson, DirectoryValue, StreamEntryJson, parse_directory};
pub use feed::{FeedPageJson, FeedValue, feed_page, parse_feed, read_feed, write_feed_event};
