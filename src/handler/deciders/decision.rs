//! The results of a decider: decisions and refusals.

use std::error::Error;

use serde::Serialize;
use thiserror::Error;

use super::behaviour::{SentCommand, TimerChange};
use super::command::{Command, InvalidCommand};
use crate::handler::projections::projection::Failed;
use crate::store::{InvalidName, InvalidStreamId, PendingKey, RecordedTime, StreamId};

/// What follows from an input that a [`Decider`](super::decider::Decider) accepts: its events, its timers, and the commands that
/// a [`Process`](super::process::Process) sends. If all are empty, nothing has to happen.
///
/// An event, a `Vec` of events and an array of events become a decision by `into`.
///
/// ```
/// use sillok::handler::Decision;
/// use sillok::store::RecordedTime;
/// # #[derive(serde::Serialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum AccountCommand { Review, Withdraw { cents: u64 } }
///
/// let one: Decision<&str> = "Opened".into();
/// let two: Decision<&str> = ["Withdrawn", "Closed"].into();
/// assert_eq!((one.events(), two.events()), (&["Opened"][..], &["Withdrawn", "Closed"][..]));
/// assert!(Decision::<&str>::nothing().events().is_empty());
///
/// let review_at = RecordedTime::from_millis(1_795_395_723_456);
/// let three = one.schedule("review", review_at, &AccountCommand::Review)?.cancel("reminder")?;
/// let four = two.send("debit", "account-7", &AccountCommand::Withdraw { cents: 100 })?;
/// # assert_ne!(three, four);
/// # Ok::<(), sillok::handler::InvalidPending>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<E> {
    events: Vec<E>,
    timers: Vec<TimerChange>,
    sent: Vec<SentCommand>,
}

/// The reason why a timer or a command to send is not valid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidPending {
    /// The key of a timer is not valid.
    #[error("the key of a timer {0}")]
    Key(InvalidName),
    /// The name of a sent command is not valid.
    #[error("the name of a sent command {0}")]
    Name(InvalidName),
    /// The stream of the receiver is not valid.
    #[error(transparent)]
    Stream(#[from] InvalidStreamId),
    /// The command is not valid.
    #[error(transparent)]
    Command(#[from] InvalidCommand),
}

impl<E> Decision<E> {
    /// Nothing has to happen. Nothing is appended.
    #[must_use]
    pub fn nothing() -> Self {
        Vec::new().into()
    }

    /// The decided events, in the order in which they are appended.
    #[must_use]
    pub fn events(&self) -> &[E] {
        &self.events
    }

    /// The changes of timers, in their order.
    #[must_use]
    pub fn timers(&self) -> &[TimerChange] {
        &self.timers
    }

    /// The commands to send, in their order.
    #[must_use]
    pub fn sent(&self) -> &[SentCommand] {
        &self.sent
    }

    /// Also sends this command to the own stream at a time, under a key of 1 to 200 bytes. The timer takes the place of an
    /// earlier one with the same key. A time in the past is now.
    ///
    /// # Errors
    /// [`InvalidPending`].
    pub fn schedule<C: Serialize>(
        mut self,
        key: &str,
        at: RecordedTime,
        command: &C,
    ) -> Result<Self, InvalidPending> {
        let key = PendingKey::timer(key).map_err(InvalidPending::Key)?;
        self.timers.push(TimerChange::Set { key, at, command: Command::of(command)? });
        Ok(self)
    }

    /// Also cancels the timer with this key, if there is one.
    ///
    /// # Errors
    /// [`InvalidPending::Key`].
    pub fn cancel(mut self, key: &str) -> Result<Self, InvalidPending> {
        self.timers.push(TimerChange::Cancel(PendingKey::timer(key).map_err(InvalidPending::Key)?));
        Ok(self)
    }

    /// Also sends this command to another stream. The process gets the answer under this name of 1 to 200 bytes. Only a
    /// [`Process`](super::process::Process) may send commands.
    ///
    /// # Errors
    /// [`InvalidPending`].
    pub fn send<C: Serialize>(
        mut self,
        name: &str,
        stream: &str,
        command: &C,
    ) -> Result<Self, InvalidPending> {
        PendingKey::timer(name).map_err(InvalidPending::Name)?;
        let (name, stream) = (name.into(), StreamId::new(stream)?);
        self.sent.push(SentCommand { name, stream, command: Command::of(command)? });
        Ok(self)
    }

    pub(super) fn into_parts(self) -> (Vec<E>, Vec<TimerChange>, Vec<SentCommand>) {
        (self.events, self.timers, self.sent)
    }
}

impl<E> From<E> for Decision<E> {
    fn from(event: E) -> Self {
        vec![event].into()
    }
}

impl<E> From<Vec<E>> for Decision<E> {
    fn from(events: Vec<E>) -> Self {
        Self { events, timers: Vec::new(), sent: Vec::new() }
    }
}

impl<E, const N: usize> From<[E; N]> for Decision<E> {
    fn from(events: [E; N]) -> Self {
        Vec::from(events).into()
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
