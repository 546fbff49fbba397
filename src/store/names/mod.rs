//! Names: texts that were checked once. Code that takes such a type cannot be given an unchecked text.

pub(crate) mod category;
pub(crate) mod name;
pub(crate) mod stream_id;
pub(crate) mod tenant;
