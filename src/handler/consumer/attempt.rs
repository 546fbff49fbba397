//! What comes of one attempt at an event.

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;

use crate::handler::projections::projection::Failed;
use crate::{ErrorCode, Retry};

/// So many refusals of one attempt are remembered: a handler may be refused without end.
const REFUSALS: usize = 16;

/// What came of an attempt at an event. What follows from it, the consumer decides by its [`Policy`](super::Policy).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The event is done.
    Done,
    /// It failed, and may succeed later: the event is attempted again, so often as the policy says.
    Failed {
        /// What is wrong.
        error: String,
        /// In how many milliseconds the next attempt may come at the earliest. The policy's `longest_delay` counts where
        /// it is shorter.
        retry_after: Option<u64>,
    },
    /// No attempt at this event can succeed: it is given up at once.
    Refused {
        /// What is wrong.
        error: String,
    },
    /// Whoever takes the events takes no more of them, neither this one nor another: the consumer pauses in front of this
    /// one.
    Gone {
        /// What is wrong.
        error: String,
    },
}

impl Outcome {
    /// A failure that may heal.
    pub fn failed(error: impl Into<String>) -> Self {
        Self::Failed { error: error.into(), retry_after: None }
    }

    /// The outcome of an attempt that ended with an error of this code. Where no retry can help, it is a refusal.
    ///
    /// ```
    /// use sillok::ErrorCode;
    /// use sillok::handler::Outcome;
    ///
    /// assert!(matches!(Outcome::of_code(ErrorCode::CommitTooLarge, "too large"), Outcome::Refused { .. }));
    /// assert!(matches!(Outcome::of_code(ErrorCode::Unavailable, "no answer"), Outcome::Failed { .. }));
    /// ```
    pub fn of_code(code: ErrorCode, error: impl Into<String>) -> Self {
        if is_permanent(code) { Self::Refused { error: error.into() } } else { Self::failed(error) }
    }

    /// Whether the event is done.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// What is wrong; empty where nothing is.
    pub(in crate::handler) fn error(&self) -> &str {
        match self {
            Self::Done => "",
            Self::Failed { error, .. } | Self::Refused { error } | Self::Gone { error } => error,
        }
    }
}

/// An error without a code may heal.
impl<E: Into<String>> From<Result<(), E>> for Outcome {
    fn from(result: Result<(), E>) -> Self {
        result.map_or_else(Self::failed, |()| Self::Done)
    }
}

/// Whether the same call is refused again, whenever it is made.
fn is_permanent(code: ErrorCode) -> bool {
    code.retry() == Retry::Never
}

/// What was refused for good while a handler in Rust was at an event. A [`Failed`] has no code: a handler that fails in the
/// words of such a refusal has failed by it. Clones are the same refusals.
#[derive(Debug, Clone, Default)]
pub struct Refusals(Rc<RefCell<Vec<String>>>);

impl Refusals {
    /// Remembers a refusal of this code, unless it may heal.
    pub fn note(&self, code: ErrorCode, error: &impl Display) {
        if let Ok(mut refusals) = self.0.try_borrow_mut()
            && is_permanent(code)
            && refusals.len() < REFUSALS
        {
            refusals.push(error.to_string());
        }
    }

    /// What came of the attempt.
    #[must_use]
    pub fn outcome(&self, handled: Result<(), Failed>) -> Outcome {
        let Err(failed) = handled else { return Outcome::Done };
        let error = failed.message().to_owned();
        let refused = self.0.try_borrow().is_ok_and(|refusals| refusals.contains(&error));
        if refused { Outcome::Refused { error } } else { Outcome::failed(error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_that_fails_by_what_was_refused_for_good_is_refused() {
        let refusals = Refusals::default();
        refusals.note(ErrorCode::Unavailable, &"no answer");
        refusals.note(ErrorCode::NoEvents, &"there are no events");
        assert_eq!(refusals.outcome(Ok(())), Outcome::Done);
        assert_eq!(refusals.outcome(Err("no answer".into())), Outcome::failed("no answer"));
        let error = "there are no events".to_owned();
        assert_eq!(refusals.outcome(Err(error.as_str().into())), Outcome::Refused { error });
        (0..100).for_each(|n| refusals.note(ErrorCode::NoEvents, &n));
        assert_eq!(refusals.0.borrow().len(), REFUSALS);
    }
}
