//! Clients. They append with and without expected versions and keys, repeat an append without an answer, and record the
//! answers.

use std::collections::BTreeMap;

use sillok::gateway::{CommandError, Executed};
use sillok::handler::Command;
use sillok::store::{
    Append, AppendError, Appended, Decided, ExpectedVersion, IdempotencyKey, JsonText, NewEvent, StreamId,
    Version,
};

use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Turn};
use crate::plan::Plan;
use crate::random::Random;

/// A request of a client, and what the client knows of it.
#[derive(Debug, Clone)]
pub struct Asked {
    pub aggregate: usize,
    pub request: Request,
    /// The marks of the append's events, in their order. No other event has the same mark.
    pub marks: Vec<String>,
    pub known: Known,
    /// The outcome of the command that this one repeats, and then its own.
    outcome: Option<String>,
    /// Whether it was sent only once. Then a refusal shows that nothing was written.
    trusted: bool,
}

/// A client's knowledge of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It may have been done, once.
    Maybe,
    /// It was done, and its first event has this version.
    Done { first: Version },
    /// It was not done.
    Refused,
}

pub struct Client {
    number: usize,
    steps_left: u64,
    longest_wait: u64,
    /// The version of each aggregate that the client knows.
    versions: BTreeMap<usize, u64>,
    /// The requests of the client. The last one may be under way.
    pub asked: Vec<Asked>,
    waits_for: Option<CallId>,
    streams: Vec<StreamId>,
    /// Whether the network delivers no message twice.
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
                    Some(Reply::Executed(outcome)) => self.executed(outcome)?,
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

    /// Processes the answer to an append. It settles the append.
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

    /// Processes the outcome of a command. A repeat has the same outcome.
    fn executed(&mut self, outcome: Result<Executed, CommandError>) -> Result<bool, String> {
        let asked = self.asked.last_mut().unwrap();
        let executed = match outcome {
            Ok(executed) => executed,
            Err(CommandError::Refused(AppendError::WrongExpectedVersion { actual, .. })) => {
                asked.refuse();
                self.versions.insert(asked.aggregate, actual.get());
                return Ok(true);
            }
            Err(CommandError::Refused(AppendError::StreamDeleted { .. }))
            | Err(CommandError::StateUnavailable { .. }) => {
                asked.refuse();
                return Ok(true);
            }
            Err(refused) => return Err(format!("{asked:?} was answered by {refused}")),
        };
        let outcome = format!("{:?} at {}", executed.decided, executed.version);
        if let Some(first) = asked.outcome.replace(outcome.clone())
            && first != outcome
        {
            return Err(format!("{:?} had the outcome {first}, and now {outcome}", asked.request));
        }
        asked.known = match executed.decided {
            Decided::Events { first_version } => Known::Done { first: first_version },
            _ if asked.trusted || asked.request.may_be_repeated() => Known::Refused,
            _ => Known::Maybe,
        };
        self.versions.insert(asked.aggregate, executed.version.get());
        Ok(true)
    }

    /// A command that was settled before, to be sent again under its id.
    fn repeat(&self, random: &mut Random) -> Option<Asked> {
        let settled = |asked: &&Asked| asked.outcome.is_some() && asked.request.may_be_repeated();
        let settled: Vec<&Asked> = self.asked.iter().filter(settled).collect();
        if settled.is_empty() || !random.chance(300) {
            return None;
        }
        let repeated = settled[random.index(settled.len())].clone();
        Some(Asked { marks: Vec::new(), known: Known::Maybe, ..repeated })
    }

    /// Repeats a request with a key or an expected version until there is an answer.
    fn heard_nothing(&mut self) -> bool {
        let asked = self.asked.last_mut().unwrap();
        asked.trusted = false;
        !asked.request.may_be_repeated()
    }

    /// The next request. Some streams are truncated and deleted. Their keys are forgotten with their commits, so there
    /// only an expected version protects a repeat.
    fn next(&self, random: &mut Random) -> Asked {
        if let Some(repeated) = self.repeat(random) {
            return repeated;
        }
        let aggregate = random.index(self.streams.len());
        let forgets = aggregate % 2 == 1;
        let version = self.versions.get(&aggregate).copied().unwrap_or_default();
        let (known, trusted) = (Known::Maybe, self.trusting);
        if forgets && random.chance(400) {
            let before = Version::new(random.between(1, version + 1)).unwrap();
            let request = if random.chance(100) { Request::Delete } else { Request::Truncate(before) };
            return Asked { aggregate, request, marks: Vec::new(), known, outcome: None, trusted };
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
        let stream = self.streams[aggregate].clone();
        let key = IdempotencyKey::new(&format!("{}.{place}", self.number)).unwrap();
        if random.chance(500) {
            let mut command = Command::new("Mark", JsonText::from_value(&marks).unwrap()).unwrap();
            command.id = random.chance(800).then_some(key);
            if random.chance(300) {
                command = command.expecting(exactly);
            }
            let request = Request::Execute(command);
            return Asked { aggregate, request, marks, known, outcome: None, trusted };
        }
        let events = marks.iter().map(|mark| marked(mark)).collect();
        // With the condition that a stream must exist or must not exist, only the key recognises a repeat.
        let keyed = expected == ExpectedVersion::StreamExists || random.chance(600);
        let request =
            Request::Append(Append { stream, expected, events, key: keyed.then_some(key), cause: None });
        Asked { aggregate, request, marks, known, outcome: None, trusted }
    }
}

impl Asked {
    /// Notes a refusal: nothing was written, unless another attempt has written.
    fn refuse(&mut self) {
        self.known = if self.trusted { Known::Refused } else { Known::Maybe };
    }
}

/// An event with data that no other event has.
pub fn marked(mark: &str) -> NewEvent {
    NewEvent::new("Marked", JsonText::from_value(mark).unwrap()).unwrap()
}
