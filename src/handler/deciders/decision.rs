//! The results of a decider: decisions and refusals.

use std::error::Error;

use crate::handler::projections::projection::Failed;

/// What follows from a command that a [`Decider`](super::decider::Decider) accepts: its events. Without events, nothing
/// has to happen.
///
/// An event, a `Vec` of events and an array of events become a decision by `into`.
///
/// ```
/// use sillok::handler::Decision;
///
/// let one: Decision<&str> = "Opened".into();
/// let two: Decision<&str> = ["Withdrawn", "Closed"].into();
/// assert_eq!((one.events(), two.events()), (&["Opened"][..], &["Withdrawn", "Closed"][..]));
/// assert!(Decision::<&str>::nothing().events().is_empty());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<E> {
    events: Vec<E>,
}

impl<E> Decision<E> {
    /// Nothing has to happen. Nothing is appended.
    #[must_use]
    pub fn nothing() -> Self {
        Self { events: Vec::new() }
    }

    /// The decided events, in the order in which they are appended.
    #[must_use]
    pub fn events(&self) -> &[E] {
        &self.events
    }

    pub(super) fn into_events(self) -> Vec<E> {
        self.events
    }
}

impl<E> From<E> for Decision<E> {
    fn from(event: E) -> Self {
        Self { events: vec![event] }
    }
}

impl<E> From<Vec<E>> for Decision<E> {
    fn from(events: Vec<E>) -> Self {
        Self { events }
    }
}

impl<E, const N: usize> From<[E; N]> for Decision<E> {
    fn from(events: [E; N]) -> Self {
        Self { events: events.into() }
    }
}

/// The reason why a [`Decider`](super::decider::Decider) has not accepted a command.
///
/// The `?` operator makes [`Failed`](Self::Failed) from any error, so a fault is never taken for a rejection. A rejection is
/// made by [`reject`] alone.
///
/// ```
/// use sillok::handler::{Decision, Refusal, reject};
///
/// #[derive(Debug, PartialEq)]
/// struct TooMany;
///
/// fn decide(count: &str) -> Result<Decision<u32>, Refusal<TooMany>> {
///     let count: u32 = count.parse()?;
///     if count > 10 {
///         return reject(TooMany);
///     }
///     Ok(count.into())
/// }
///
/// assert!(matches!(decide("11"), Err(Refusal::Rejected(TooMany))));
/// assert!(matches!(decide("eleven"), Err(Refusal::Failed(_))));
/// ```
#[derive(Debug)]
pub enum Refusal<R> {
    /// The rules refuse the command. The rejection is the outcome of the command, and is remembered under its id.
    Rejected(R),
    /// The code cannot decide. This is a fault: nothing is remembered, and a repeat decides again.
    Failed(Failed),
}

// It does not implement `Error`, so that this conversion differs from the standard library's `From<T> for T`.
impl<R, E: Error> From<E> for Refusal<R> {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<R> From<Failed> for Refusal<R> {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

/// Refuses a command by the rules.
///
/// For an example, see [`Refusal`].
///
/// # Errors
/// Always: [`Refusal::Rejected`].
pub fn reject<T, R>(rejection: R) -> Result<T, Refusal<R>> {
    Err(Refusal::Rejected(rejection))
}
