//! The answer to a command.

use crate::ErrorCode;
use crate::handler::{Command, Fault, Input};
use crate::store::limits::REJECTION_BYTES;
use crate::store::{
    Append, CommandHash, Commit, Decided, EventView, JsonText, Outcome, RecordedTime, StorageError, StreamId,
    Version,
};

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// The stream of the aggregate.
    pub stream: StreamId,
    /// The version of the stream after the decision.
    pub version: Version,
    /// The time of the decision. It is the recorded time of the events.
    pub time: RecordedTime,
    /// What was decided.
    pub decided: Decided,
    /// Whether the command was decided before, under the same id.
    pub replayed: bool,
    /// Whether the command was a dry run: nothing was written.
    dry_run: bool,
    /// Whether timers or sent commands were changed now.
    pub(super) changes_pending: bool,
    /// The commit of the events. `None` if there are none, or if they were forgotten since.
    commit: Option<Commit>,
}

impl Executed {
    /// Events that were decided now.
    pub(super) fn now(append: &Append, commit: Commit, dry_run: bool) -> Self {
        let Commit { first_version, version, time, .. } = commit;
        let decided = Decided::Events { first_version };
        Self {
            stream: append.stream.clone(),
            version,
            time,
            decided,
            replayed: false,
            dry_run,
            changes_pending: false,
            commit: Some(commit),
        }
    }

    /// A decision without events.
    pub(super) fn without_events(
        stream: &StreamId,
        version: Version,
        time: RecordedTime,
        decided: Decided,
    ) -> Self {
        let (stream, replayed) = (stream.clone(), false);
        Self {
            stream,
            version,
            time,
            decided,
            replayed,
            dry_run: false,
            changes_pending: false,
            commit: None,
        }
    }

    /// The remembered outcome, with its commit if the log still has it.
    pub(super) fn again(stream: &StreamId, outcome: Outcome, commit: Option<Commit>) -> Self {
        let Outcome { time, version, decided, .. } = outcome;
        let (stream, replayed) = (stream.clone(), true);
        Self { stream, version, time, decided, replayed, dry_run: false, changes_pending: false, commit }
    }

    /// The outcome to remember.
    pub(super) fn outcome(&self, command: CommandHash) -> Outcome {
        Outcome { command, time: self.time, version: self.version, decided: self.decided.clone() }
    }

    /// The version of the first event. It is `version` + 1 if there are no events.
    #[must_use]
    pub fn first_version(&self) -> Version {
        match self.decided {
            Decided::Events { first_version } => first_version,
            _ => self.version.after(1).unwrap_or(Version::MAX),
        }
    }

    /// The rejection as JSON, if the rules refused the command.
    #[must_use]
    pub fn rejection(&self) -> Option<&JsonText> {
        match &self.decided {
            Decided::Rejected { rejection } => Some(rejection),
            _ => None,
        }
    }

    /// Whether events were written now.
    #[must_use]
    pub fn is_written(&self) -> bool {
        self.commit.is_some() && !self.replayed && !self.dry_run
    }

    /// Whether timers or sent commands were changed now.
    #[must_use]
    pub fn changes_pending(&self) -> bool {
        self.changes_pending
    }

    /// The commit of the events, as it is stored.
    #[must_use]
    pub fn commit(&self) -> Option<&Commit> {
        self.commit.as_ref()
    }

    /// Calls `visit` with each event. A repeat of a command whose events were forgotten since has none.
    ///
    /// # Errors
    /// [`StorageError`] if the stored events cannot be read.
    pub fn visit_events(&self, visit: &mut dyn FnMut(EventView<'_>)) -> Result<(), StorageError> {
        self.commit.as_ref().map_or(Ok(()), |commit| commit.view().visit_events(visit))
    }
}

/// Checks that a rejection may be the answer to this input.
pub(super) fn check_rejection(command: &Command, rejection: &JsonText) -> Result<(), Fault> {
    if command.input() != Input::Command {
        let detail = "a process cannot reject an event or an answer; return [] if nothing has to happen";
        return Err(Fault::new(ErrorCode::DeciderFailed, detail));
    }
    let bytes = rejection.as_str().len();
    if bytes <= REJECTION_BYTES {
        return Ok(());
    }
    let detail = format!("the rejection is {bytes} bytes long; the most is {REJECTION_BYTES}");
    Err(Fault::new(ErrorCode::DeciderFailed, detail))
}
