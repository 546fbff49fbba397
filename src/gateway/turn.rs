//! Turns: how an object drives a machine.
//!
//! A machine never waits. Its object passes it an input: a call, an answer, the alarm, or the end of a time. The
//! machine decides in one synchronous turn. It returns [effects](Turn::into_effects) in the order in which the object
//! must carry them out. The object carries them out and passes their answers as further inputs. The object decides
//! nothing.

use crate::store::RecordedTime;

/// The number of a call. The object numbers the calls that it receives, and its machine numbers the calls that it
/// makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

impl CallId {
    /// The call of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number of the call.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Numbers the calls of a machine. It uses no number twice.
#[derive(Debug, Default)]
pub(crate) struct Calls(u64);

impl Calls {
    pub(crate) fn next(&mut self) -> CallId {
        self.0 += 1;
        CallId(self.0)
    }
}

/// One turn of a machine: its time, and its effects `E`.
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
    /// A turn at this time. Each call of `random` returns another random number.
    pub fn at(now: RecordedTime, random: &'a mut dyn FnMut() -> u64) -> Self {
        Self { now, random, effects: Vec::new(), payer: None }
    }

    /// The effects, in the order in which to carry them out.
    #[must_use]
    pub fn into_effects(self) -> Vec<E> {
        self.effects
    }

    /// The call that pays for the use of the storage in this turn. `None` if the turn was the machine's own work.
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

    /// Draws a random number of 32 bits.
    pub(crate) fn jitter(&mut self) -> u32 {
        jitter(self.random())
    }

    pub(crate) fn push(&mut self, effect: E) {
        self.effects.push(effect);
    }

    pub(crate) fn pays(&mut self, call: CallId) {
        self.payer = Some(call);
    }
}

impl<E: From<Trouble>> Turn<'_, E> {
    /// Adds a line for the operator's log, and returns the error.
    pub(crate) fn log<R: std::fmt::Display>(&mut self, what: &'static str, error: R) -> R {
        self.push(E::from(Trouble { what, error: error.to_string() }));
        error
    }
}

impl<E> std::fmt::Debug for Turn<'_, E> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Turn").field("now", &self.now).finish_non_exhaustive()
    }
}

/// The lower 32 bits of a random number.
pub(crate) fn jitter(random: u64) -> u32 {
    u32::try_from(random & u64::from(u32::MAX)).unwrap_or_default()
}

/// An error that no caller can correct: a line for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The failed action, as the beginning of a sentence.
    pub what: &'static str,
    /// The text of the error.
    pub error: String,
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.what, self.error)
    }
}
