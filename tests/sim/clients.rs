//! Clients: they append with and without expected versions and keys, try again when they hear nothing, and keep book.

use std::collections::BTreeMap;

use sillok::store::{
    Append, AppendError, Appended, ExpectedVersion, IdempotencyKey, JsonText, NewEvent, StreamId, Version,
};

use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Turn};
use crate::random::Random;
use crate::world::Plan;

/// What a client has asked for, and what it knows of it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub aggregate: usize,
    pub request: Request,
    /// What tells the append's events from all others, in their order.
    pub marks: Vec<String>,
    pub known: Known,
    /// Whether it was sent only once, so that a refusal is the whole truth.
    trusted: bool,
}

/// What a client knows of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It may have been done, once.
    Maybe,
    /// It was done, and the events were given versions from this one on.
    Done { first: Version },
    /// It was not done.
    Refused,
}

pub struct Client {
    number: usize,
    steps_left: u64,
    longest_wait: u64,
    /// To which version the client knows each aggregate.
    versions: BTreeMap<usize, u64>,
    /// What it has asked for, the last of which may be going on.
    pub asked: Vec<Asked>,
    waits_for: Option<CallId>,
    streams: Vec<StreamId>,
    /// Whether the network brings nothing twice.
    trusting: bool,
}

impl Client {
    pub fn new(number: usize, plan: &Plan, random: &mut Random) -> Self {
        Self {
            number,
            steps_left: random.between(1, plan.most_steps),
            longest_wait: plan.longest_wait,
            versions: BTreeMap::new(),
            asked: Vec::new(),
            waits_for: None,
            streams: plan.streams[..plan.for_clients].to_vec(),
            trusting: !plan.repeating,
        }
    }

    pub fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), String> {
        match input {
            Input::Ticked(_) => {
                if self.waits_for.is_some() {
                    self.send(turn);
                } else if self.steps_left > 0 {
                    self.steps_left -= 1;
                    let asked = self.next(turn.random);
                    self.asked.push(asked);
                    self.send(turn);
                }
                Ok(())
            }
            Input::Answered { call, reply } if self.waits_for == Some(call) => {
                let settled = match reply {
                    Some(Reply::Appended(outcome)) => self.appended(outcome)?,
                    Some(Reply::Done) => true,
                    _ => self.heard_nothing(),
                };
                if settled {
                    self.waits_for = None;
                }
                turn.tick_within(self.longest_wait);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn send(&mut self, turn: &mut Turn<'_>) {
        let asked = self.asked.last().unwrap();
        let aggregate = Address::Aggregate(asked.aggregate);
        self.waits_for = Some(turn.call(aggregate, asked.request.clone()));
    }

    /// Takes note of the answer to an append, which settles it.
    fn appended(&mut self, outcome: Result<Appended, AppendError>) -> Result<bool, String> {
        let asked = self.asked.last_mut().unwrap();
        let version = match outcome {
            Ok(appended) => {
                asked.known = Known::Done { first: appended.first_version };
                appended.version
            }
            Err(AppendError::WrongExpectedVersion { actual, .. }) => {
                asked.refuse();
                actual
            }
            Err(AppendError::StreamDeleted { .. }) => {
                asked.refuse();
                return Ok(true);
            }
            Err(refused) => return Err(format!("{asked:?} was answered by {refused}")),
        };
        self.versions.insert(asked.aggregate, version.get());
        Ok(true)
    }

    /// What is guarded by a key or an expected version is sent again until there is an answer.
    fn heard_nothing(&mut self) -> bool {
        let asked = self.asked.last_mut().unwrap();
        asked.trusted = false;
        !asked.request.may_be_repeated()
    }

    /// What to ask next. Some streams are truncated and deleted: there keys are forgotten with their commits, so that an
    /// expected version alone guards a repeat.
    fn next(&self, random: &mut Random) -> Asked {
        let aggregate = random.index(self.streams.len());
        let forgets = aggregate % 2 == 1;
        let version = self.versions.get(&aggregate).copied().unwrap_or_default();
        let (known, trusted) = (Known::Maybe, self.trusting);
        if forgets && random.chance(400) {
            let before = Version::new(random.between(1, version + 1)).unwrap();
            let request = if random.chance(100) { Request::Delete } else { Request::Truncate(before) };
            return Asked { aggregate, request, marks: Vec::new(), known, trusted };
        }
        let exactly = ExpectedVersion::Exactly(Version::new(version).unwrap());
        let expected = match random.below(10) {
            _ if forgets => exactly,
            0..=4 => exactly,
            5 => ExpectedVersion::NoStream,
            6 => ExpectedVersion::StreamExists,
            _ => ExpectedVersion::Any,
        };
        let place = self.asked.len();
        let mark = |event| format!("c{}.{place}.{event}", self.number);
        let marks: Vec<String> = (0..random.between(1, 4)).map(mark).collect();
        let events = marks.iter().map(|mark| marked(mark)).collect();
        let stream = self.streams[aggregate].clone();
        let key = IdempotencyKey::new(&format!("{}.{place}", self.number)).unwrap();
        // Where streams must not exist or must, only the key tells a repeat.
        let keyed = expected == ExpectedVersion::StreamExists || random.chance(600);
        let request =
            Request::Append(Append { stream, expected, events, key: keyed.then_some(key), cause: None });
        Asked { aggregate, request, marks, known, trusted }
    }
}

impl Asked {
    /// A refusal says that nothing was written, unless it is another attempt that wrote.
    fn refuse(&mut self) {
        self.known = if self.trusted { Known::Refused } else { Known::Maybe };
    }
}

/// An event by whose data it is told from every other.
pub fn marked(mark: &str) -> NewEvent {
    NewEvent::new("Marked", JsonText::from_value(mark).unwrap()).unwrap()
}
