//! The messages between the participants.

use sillok::gateway::{CommandError, Executed, Forward};
use sillok::handler::{Command, FeedPage, Operation, Read};
use sillok::store::{Append, AppendError, Appended, Category, ExpectedVersion, Position, StreamId, Version};

use crate::random::Random;

/// A participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    Client(usize),
    /// A client of a bank.
    Teller(usize),
    Operator,
    /// The receiver of a webhook or a queue.
    Receiver(usize),
    Aggregate(usize),
    Journal(usize),
    Consumer(usize),
}

/// The number of a call, which no other call has.
pub type CallId = u64;

/// A request to another participant.
#[derive(Debug, Clone)]
pub enum Request {
    Append(Append),
    Execute(Command),
    /// Attempts all parked timers and sent commands of an aggregate again.
    RetryParked,
    Truncate(Version),
    Delete,
    Record(Forward),
    Register {
        consumer: usize,
    },
    Wake {
        partition: usize,
    },
    /// Waits until the journal has a version of a stream.
    Locate {
        stream: StreamId,
        version: Version,
        millis: u64,
    },
    /// Waits until a consumer has reached a position.
    Reach {
        partition: usize,
        position: Position,
        millis: u64,
    },
    ReadFeed {
        consumer: usize,
        category: Option<Category>,
        read: Read,
    },
    /// A delivery of ids and marks: one event, or a batch that is accepted wholly or not at all.
    Deliver(Vec<(String, String)>),
    Operate(Operation),
    /// Discards the first dead letter, or all of them.
    Discard,
    /// Defines the consumer anew.
    Redefine,
}

impl Request {
    /// Whether the request may arrive twice. An append without a key and an expected version is sent once, and
    /// a command without an id.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Self::Append(append) => append.key.is_some() || append.expected != ExpectedVersion::Any,
            Self::Execute(command) => command.id.is_some(),
            _ => true,
        }
    }

    /// How long the caller waits for the answer, in milliseconds: as long as the platform allows, or less.
    fn patience(&self) -> u64 {
        match self {
            Self::Record(_) => 15 * 60 * 1000,
            Self::Wake { .. } => 2000,
            _ => 30_000,
        }
    }
}

/// The answer to a request. If the request or its answer was lost, there is none.
#[derive(Debug, Clone)]
pub enum Reply {
    Appended(Result<Appended, AppendError>),
    Executed(Result<Executed, CommandError>),
    Recorded(Version),
    /// The version, or the position, was waited for.
    Found,
    Feed(FeedPage),
    Done,
    /// The request was not done, and may be repeated.
    Refused,
}

/// The faults of a run: how many times in a thousand each of them happens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// A message is lost.
    pub lost: u64,
    /// A message arrives twice.
    pub repeated: u64,
    /// A message takes a long time.
    pub slow: u64,
    /// An object crashes during a turn.
    pub crash: u64,
    /// An object is evicted from memory between turns.
    pub evicted: u64,
    /// An alarm rings late.
    pub late: u64,
    /// An alarm rings once more.
    pub again: u64,
    /// An alarm rings some milliseconds early.
    pub early: u64,
    /// The code of an aggregate fails in a turn.
    pub failing: u64,
}

impl Weather {
    /// Draws the faults of one run: none, some or many of each kind, so that runs differ in their kinds of faults. A
    /// run with a break has some of each kind.
    pub fn drawn(broken: bool, random: &mut Random) -> Self {
        let mut drawn =
            |some, a_lot| if broken { random.pick(&[some, a_lot]) } else { random.pick(&[0, some, a_lot]) };
        Self {
            lost: drawn(30, 200),
            repeated: drawn(50, 300),
            slow: drawn(50, 300),
            crash: drawn(20, 150),
            evicted: drawn(5, 50),
            late: drawn(50, 500),
            again: drawn(20, 100),
            early: 0,
            failing: 0,
        }
    }

    /// Draws the faults of a world with timers and processes.
    pub fn of_bank(broken: bool, random: &mut Random) -> Self {
        let drawn = Self::drawn(broken, random);
        Self { early: random.pick(&[0, 100, 700]), failing: random.pick(&[0, 30, 300]), ..drawn }
    }

    /// The travel time of a message, in milliseconds.
    pub fn delay(&self, random: &mut Random) -> u64 {
        if random.chance(self.slow) { random.between(100, 20_000) } else { random.between(1, 30) }
    }

    /// The time until a caller learns that there will be no answer, in milliseconds: because the connection breaks, or
    /// because the caller stops waiting.
    pub fn patience(&self, request: &Request, random: &mut Random) -> u64 {
        let longest = request.patience();
        if random.chance(self.lost) {
            random.pick(&[50, longest])
        } else {
            random.between(500, longest.min(30_000))
        }
    }
}
