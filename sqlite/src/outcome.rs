//! The outcome of a command in the types of its aggregate.

use sillok::ErrorCode;
use sillok::gateway;
use sillok::handler::{Decider, Executed, Fault, Recorded};

use crate::error::ExecuteError;

/// Converts the outcome of a command.
pub(crate) fn typed<D: Decider>(
    executed: &gateway::Executed,
) -> Result<Executed<D::Event>, ExecuteError<D::Rejection>> {
    if let Some(rejection) = executed.rejection() {
        let misfit = |error: serde_json::Error| {
            let detail = format!("the rejection {} cannot be read: {error}", rejection.as_str());
            Fault::new(ErrorCode::DeciderFailed, detail)
        };
        return Err(ExecuteError::Rejected(serde_json::from_str(rejection.as_str()).map_err(misfit)?));
    }
    let mut events = Vec::new();
    executed.visit_events(&mut |event| events.push(Recorded::read(&event, &executed.stream)))?;
    Ok(Executed {
        first_version: executed.first_version(),
        version: executed.version,
        time: executed.time,
        events: events.into_iter().collect::<Result<_, _>>()?,
        replayed: executed.replayed,
    })
}
