//! Events: their values, their JSON, and the text that is stored.

pub(crate) mod cause;
pub(crate) mod content;
pub(crate) mod event;
pub(crate) mod json_text;
