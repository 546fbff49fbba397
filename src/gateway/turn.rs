//! Turns: how a machine is driven.
//!
//! A machine never waits. An object that runs one gives it an input: a call, an answer, the alarm, a time that is over. The machine
//! decides in one synchronous turn, and leaves [effects](Turn::into_effects) in the order in which they are to be carried out. The
//! object carries them out and gives back the answers as further inputs. It decides nothing.

use crate::store::{RecordedTime, StorageError};

/// The number of a call: one that an object was asked, or one that its machine has made. Each side numbers its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    /// The call of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Numbers the calls that a machine makes. No number is used twice.
#[derive(Debug, Default)]
pub(crate) struct Calls(u64);

impl Calls {
    pub(crate) fn next(&mut self) -> CallId {
        self.0 += 1;
        CallId(self.0)
    }
}

/// One turn of a machine: when it takes place, and the effects `E` that it leaves.
///
/// ```
/// use sillok::gateway::{Aggregate, AggregateDriver, AggregateEffect, Alarm, Turn};
/// use sillok::store::{Append, EventId, JsonText, MemoryLog, NewEvent, RecordedTime, StorageError, StreamId};
///
/// struct Never;
/// impl Alarm for Never {
///     fn set(&self, _: RecordedTime) -> Result<(), StorageError> {
///         Ok(())
///     }
/// }
///
/// let account = StreamId::new("account-42")?;
/// let mut driver = AggregateDriver::new(account.clone(), MemoryLog::new(), Never);
/// let mut random = || 7;
/// let mut turn = Turn::at(RecordedTime::from_millis(1_795_395_723_456), &mut random);
/// let opened = NewEvent::new("Opened", JsonText::parse("{}")?)?;
/// driver.append(&mut turn, Append::to(account, vec![opened]), &mut EventId::default)?;
/// // Readers learn that the stream has grown. Then the machine wants to forward the commit.
/// assert!(matches!(turn.into_effects()[..], [AggregateEffect::FindAlarm, AggregateEffect::Grown(_), AggregateEffect::Soon]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Turn<'a, E> {
    now: RecordedTime,
    random: &'a mut dyn FnMut() -> u64,
    effects: Vec<E>,
    payer: Option<CallId>,
}

impl<'a, E> Turn<'a, E> {
    /// A turn at this time. `random` draws any number, each time another.
    pub fn at(now: RecordedTime, random: &'a mut dyn FnMut() -> u64) -> Self {
        Self { now, random, effects: Vec::new(), payer: None }
    }

    /// What the machine wants done, in this order.
    #[must_use]
    pub fn into_effects(self) -> Vec<E> {
        self.effects
    }

    /// The call for which the turn used the storage; nothing where it was the machine's own work.
    #[must_use]
    pub const fn payer(&self) -> Option<CallId> {
        self.payer
    }

    pub(crate) const fn now(&self) -> RecordedTime {
        self.now
    }

    pub(crate) fn random(&mut self) -> u64 {
        (self.random)()
    }

    /// The same as a smaller number.
    pub(crate) fn jitter(&mut self) -> u32 {
        u32::try_from(self.random() & u64::from(u32::MAX)).unwrap_or_default()
    }

    pub(crate) fn push(&mut self, effect: E) {
        self.effects.push(effect);
    }

    pub(crate) fn pays(&mut self, call: CallId) {
        self.payer = Some(call);
    }
}

impl<E: From<Trouble>> Turn<'_, E> {
    /// Leaves a line for the operator's log, and gives the error back.
    pub(crate) fn log(&mut self, what: &'static str, error: StorageError) -> StorageError {
        self.push(E::from(Trouble { what, error: error.clone() }));
        error
    }
}

impl<E> std::fmt::Debug for Turn<'_, E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Turn").field("now", &self.now).finish_non_exhaustive()
    }
}

/// An error of the storage that no caller can mend: a line for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What failed, as the beginning of a sentence.
    pub what: &'static str,
    /// Why it failed.
    pub error: StorageError,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.what, self.error)
    }
}
