//! The reports of failed attempts, for the operator.

use super::machine::Consumer;
use crate::gateway::Alarm;
use crate::handler::stored::state::FailedEvent;
use crate::store::RecordedTime;
use crate::store::limits::PAGE_EVENTS;
use crate::store::sqlite::Sql;

/// A failed attempt at an event, and what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureReport {
    /// The event.
    pub event: FailedEvent,
    /// The number of the attempt, counted from 1.
    pub attempt: u32,
    /// What is wrong, cut off at 4 KiB.
    pub error: String,
    /// The stack of the handler's error, cut off at 8 KiB.
    pub stack: Option<String>,
    /// What follows.
    pub next: AfterFailure,
}

/// What follows from a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// The event is attempted again, not before this time.
    Retry(RecordedTime),
    /// The event is a dead letter now, or stays one.
    DeadLetter,
    /// The consumer has stopped in front of the event.
    Stop,
    /// The consumer has paused in front of the event, because its receiver accepts no more events, or is not
    /// known.
    Pause,
}

impl AfterFailure {
    /// The word for it: `retry`, `dead-letter`, `stop` or `pause`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retry(_) => "retry",
            Self::DeadLetter => "dead-letter",
            Self::Stop => "stop",
            Self::Pause => "pause",
        }
    }
}

impl<S: Sql, A: Alarm> Consumer<S, A> {
    /// Takes the reports of the attempts that have failed since the last call, the oldest first. They are stored nowhere. If nobody takes them, the
    /// machine remembers the first 1,000.
    pub fn take_failures(&mut self) -> Vec<FailureReport> {
        self.failures.take()
    }

    /// Remembers a report. It is forgotten if its transaction fails.
    pub(super) fn report(&self, report: FailureReport) {
        let mut failures = self.failures.borrow_mut();
        if failures.len() < PAGE_EVENTS {
            failures.push(report);
        }
    }
}
