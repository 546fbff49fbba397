//! Events: their values, their JSON, and their stored text.

pub(crate) mod cause;
pub(crate) mod content;
pub(crate) mod event;
pub(crate) mod event_json;
pub(crate) mod json_reader;
pub(crate) mod json_text;
