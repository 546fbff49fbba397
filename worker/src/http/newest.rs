//! Events in the newest schema versions of this Worker's aggregates.

use sillok_bridge::Failure;
use worker::Env;

use crate::app;
use crate::composed::Composed;

/// The conversion of the events of a reader that asks for the newest schema versions.
#[derive(Debug)]
pub(super) struct Newest(Composed);

impl Newest {
    pub(super) fn of(env: &Env) -> Self {
        Self(Composed::of(env))
    }

    /// Converts the events of a page, a JSON array. Events without an aggregate keep their text.
    pub(super) fn shown(&self, page: String) -> Result<String, Failure> {
        let page = app::aggregates().iter().try_fold(page, |page, code| (code.newest_events)(&page))?;
        self.0.newest_events(page)
    }
}
