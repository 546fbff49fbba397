//! What is sent between those who take part.

use sillok::gateway::Forward;
use sillok::handler::{FeedPage, Read};
use sillok::store::{Append, AppendError, Appended, Category, ExpectedVersion, Position, StreamId, Version};

use crate::random::Random;

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    Client(usize),
    Operator,
    /// What a webhook delivers to.
    Receiver(usize),
    Aggregate(usize),
    Journal(usize),
    Consumer(usize),
}

/// What tells one call from every other.
pub type CallId = u64;

/// What is asked of another.
#[derive(Debug, Clone)]
pub enum Request {
    Append(Append),
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
    /// Ids and marks: one event, or a batch that is taken wholly or not at all.
    Deliver(Vec<(String, String)>),
    Operate(Operation),
}

/// What operators tell a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    Pause,
    Resume,
    Retry,
    Discard,
    Rebuild,
    Redefine,
}

impl Request {
    /// Whether it may arrive twice: an append that nothing guards is sent once by whoever wants it once.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Self::Append(append) => append.key.is_some() || append.expected != ExpectedVersion::Any,
            _ => true,
        }
    }

    /// How long its caller waits for the answer, in milliseconds: as long as the platform lets it, or less.
    fn patience(&self) -> u64 {
        match self {
            Self::Record(_) => 15 * 60 * 1000,
            Self::Wake { .. } => 2000,
            _ => 30_000,
        }
    }
}

/// What is answered. A call that was lost, or whose answer was, has none.
#[derive(Debug, Clone)]
pub enum Reply {
    Appended(Result<Appended, AppendError>),
    Recorded(Version),
    /// The version, or the position, was waited for.
    Found,
    Feed(FeedPage),
    Done,
    /// It was not done, and may be asked again.
    Refused,
}

/// How bad it is: how many times in a thousand each thing happens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// A message is lost.
    pub lost: u64,
    /// A message arrives twice.
    pub repeated: u64,
    /// A message takes a long time.
    pub slow: u64,
    /// An object dies amid a turn.
    pub crash: u64,
    /// An object is thrown out of memory between turns.
    pub evicted: u64,
    /// An alarm rings late.
    pub late: u64,
    /// An alarm rings once more.
    pub again: u64,
}

impl Weather {
    /// The weather of one run: of each kind none, some or a lot, so that runs differ in kind and not only in luck. What is
    /// broken is looked for where there is some of each.
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
        }
    }

    /// How long a message takes, in milliseconds.
    pub fn delay(&self, random: &mut Random) -> u64 {
        if random.chance(self.slow) { random.between(100, 20_000) } else { random.between(1, 30) }
    }

    /// When a caller learns that there will be no answer, in milliseconds: from a connection that breaks, or because it
    /// waits no longer.
    pub fn patience(&self, request: &Request, random: &mut Random) -> u64 {
        let longest = request.patience();
        if random.chance(self.lost) {
            random.pick(&[50, longest])
        } else {
            random.between(500, longest.min(30_000))
        }
    }
}
