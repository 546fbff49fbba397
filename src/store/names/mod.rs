//! Names: checked texts. Code that takes a name type never receives an unchecked text.

pub(crate) mod category;
pub(crate) mod name;
pub(crate) mod stream_id;
pub(crate) mod tenant;
