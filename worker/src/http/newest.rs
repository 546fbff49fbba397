//! Events in the newest schema versions of this Worker's aggregates.

use sillok_bridge::{Failure, Message};
use worker::Env;

use crate::app;
use crate::composed::Composed;
use crate::objects::{Receipt, RemoteError};

/// The conversion of the events of a reader that asks for the newest schema versions.
#[derive(Debug)]
pub(super) struct Newest(Composed);

impl Newest {
    pub(super) fn of(env: &Env) -> Self {
        Self(Composed::of(env))
    }

    /// Converts the events of a page, a JSON array that was read at this price. Events without an aggregate keep their text.
    pub(super) fn shown(&self, mut page: String, receipt: Receipt) -> Result<String, RemoteError> {
        let refused = |failure| RemoteError::Refused(failure, Box::new(receipt));
        for code in app::aggregates() {
            page = (code.newest_events)(&page).map_err(|fault| refused(fault.into()))?;
        }
        // A failure without a code is not one of an upcast: the Worker's log has it.
        self.0
            .newest_events(page)
            .map_err(|thrown| Failure::from_js(&thrown).map_or(RemoteError::Broken, refused))
    }
}
