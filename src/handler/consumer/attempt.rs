//! The outcome of one attempt at an event.

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;

use crate::handler::projections::projection::Failed;
use crate::{ErrorCode, Retry};

/// The most refusals that one attempt remembers. A handler may cause refusals without end.
const REFUSALS: usize = 16;

/// The outcome of an attempt at an event. The consumer's [`Policy`](crate::handler::Policy) decides what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The event is done.
    Done,
    /// The attempt has failed, but another may succeed. The consumer attempts the event again, as often as the policy
    /// allows.
    Failed {
        /// What is wrong.
        error: String,
        /// The stack of the handler's error, if it has one.
        stack: Option<String>,
        /// The least time before the next attempt, in milliseconds. The policy's `longest_delay` limits it.
        retry_after: Option<u64>,
    },
    /// No attempt at this event can succeed. The consumer gives it up at once.
    Refused {
        /// What is wrong.
        error: String,
        /// The stack of the handler's error, if it has one.
        stack: Option<String>,
    },
    /// The receiver accepts no more events, neither this one nor another. The consumer pauses in front of this event.
    Gone {
        /// What is wrong.
        error: String,
    },
}

impl Outcome {
    /// A failure after which another attempt may succeed.
    pub fn failed(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), stack: None, retry_after: None }
    }

    /// A failure that no other attempt can mend.
    pub fn refused(error: impl Into<String>) -> Self {
        Self::Refused { error: error.into(), stack: None }
    }

    /// The same outcome with the stack of the handler's error.
    ///
    /// ```
    /// use sillok::handler::Outcome;
    ///
    /// let outcome = Outcome::failed("no").with_stack(Some("Error: no\n    at handle".to_owned()));
    /// assert!(matches!(outcome, Outcome::Failed { stack: Some(_), .. }));
    /// assert_eq!(Outcome::Done.with_stack(None), Outcome::Done);
    /// ```
    #[must_use]
    pub fn with_stack(mut self, with: Option<String>) -> Self {
        if let Self::Failed { stack, .. } | Self::Refused { stack, .. } = &mut self {
            *stack = with;
        }
        self
    }

    /// The outcome of an attempt that ended with an error of this code. It is a refusal if no retry can help.
    ///
    /// ```
    /// use sillok::ErrorCode;
    /// use sillok::handler::Outcome;
    ///
    /// assert!(matches!(Outcome::of_code(ErrorCode::CommitTooLarge, "too large"), Outcome::Refused { .. }));
    /// assert!(matches!(Outcome::of_code(ErrorCode::Unavailable, "no answer"), Outcome::Failed { .. }));
    /// ```
    pub fn of_code(code: ErrorCode, error: impl Into<String>) -> Self {
        if is_permanent(code) { Self::refused(error) } else { Self::failed(error) }
    }

    /// Whether the event is done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// What is wrong. Empty for a done event.
    pub(in crate::handler) fn error(&self) -> &str {
        match self {
            Self::Done => "",
            Self::Failed { error, .. } | Self::Refused { error, .. } | Self::Gone { error } => error,
        }
    }

    /// The stack of the handler's error.
    pub(in crate::handler) fn stack(&self) -> Option<&str> {
        match self {
            Self::Failed { stack, .. } | Self::Refused { stack, .. } => stack.as_deref(),
            Self::Done | Self::Gone { .. } => None,
        }
    }
}

/// After an error without a code, another attempt may succeed.
impl<E: Into<String>> From<Result<(), E>> for Outcome {
    fn from(result: Result<(), E>) -> Self {
        result.map_or_else(Self::failed, |()| Self::Done)
    }
}

/// Whether a retry of the same call is always refused.
fn is_permanent(code: ErrorCode) -> bool {
    code.retry() == Retry::Never
}

/// The permanent refusals during one attempt of a handler in Rust. A [`Failed`] has no code. If its message is the
/// message of such a refusal, the refusal is the cause of the failure. Clones share the refusals.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Rc<RefCell<Vec<String>>>);

impl Refusals {
    /// Remembers a refusal, if no retry can help after its code.
    pub fn note(&self, code: ErrorCode, error: &impl Display) {
        if is_permanent(code) {
            self.remember(error);
        }
    }

    /// Remembers the rejection of a command. The outcome of a reactor's command is remembered, so a repeat gets it again.
    pub fn note_rejection(&self, rejection: &impl Display) {
        self.remember(rejection);
    }

    fn remember(&self, error: &impl Display) {
        if let Ok(mut refusals) = self.0.try_borrow_mut()
            && refusals.len() < REFUSALS
        {
            refusals.push(error.to_string());
        }
    }

    /// The outcome of the attempt.
    #[must_use]
    pub fn outcome(&self, handled: Result<(), Failed>) -> Outcome {
        let Err(failed) = handled else { return Outcome::Done };
        let error = failed.message().to_owned();
        let refused = self.0.try_borrow().is_ok_and(|refusals| refusals.contains(&error));
        if refused { Outcome::refused(error) } else { Outcome::failed(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_with_the_message_of_a_permanent_refusal_is_a_refusal() {
        let refusals = Refusals::default();
        refusals.note(ErrorCode::Unavailable, &"no answer");
        refusals.note(ErrorCode::NoEvents, &"there are no events");
        assert_eq!(refusals.outcome(Ok(())), Outcome::Done);
        assert_eq!(refusals.outcome(Err("no answer".into())), Outcome::failed("no answer"));
        let error = "there are no events".to_owned();
        assert_eq!(refusals.outcome(Err(error.as_str().into())), Outcome::refused(error));
        (0..100).for_each(|n| refusals.note(ErrorCode::NoEvents, &n));
        assert_eq!(refusals.0.borrow().len(), REFUSALS);
    }
}
