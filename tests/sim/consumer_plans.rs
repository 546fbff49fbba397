//! The properties of the consumers of one run.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sillok::handler::{OnFailure, Policy, Window};
use sillok::store::{Category, Checkpoint, Position};

use crate::breaks::Break;
use crate::objects::Turn;
use crate::random::Random;

/// What a consumer does with events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Stores the list of events of each stream.
    Projection,
    /// Delivers events to a receiver, each alone or several at once.
    Webhook,
    /// Delivers events to a receiver in batches.
    Queue,
    /// Sends a command to a stream of its own, and so makes a new event from each event.
    Reactor,
}

/// The properties of a consumer in one run.
#[derive(Debug, Clone)]
pub struct ConsumerPlan {
    pub role: Role,
    pub policy: Policy,
    pub window: Window,
    /// The position in each partition after which it begins. 0 means the first event.
    begins: [u64; 3],
    /// The only category of events that it receives.
    pub category: Option<Category>,
    /// One of this many events fails every time. 0 means none.
    pub poison: u64,
    /// How often other events may still fail, over all attempts. They never fail so often that they are given up.
    failures_left: Rc<RefCell<BTreeMap<String, u32>>>,
    /// The dead letters that an operator has discarded. The consumer may have crashed during the discard.
    pub discarded: Rc<RefCell<BTreeSet<String>>>,
}

impl ConsumerPlan {
    /// Draws the properties of a consumer. A run with a break draws properties that show it.
    pub fn drawn(broken: Option<Break>, random: &mut Random) -> Self {
        let policy = Policy {
            on_failure: random.pick(&[OnFailure::Skip, OnFailure::HoldStream, OnFailure::Stop]),
            attempts: u32::try_from(random.between(1, 8)).unwrap(),
            first_delay: random.between(1, 2000),
            longest_delay: random.between(2000, 20_000),
            ..Policy::DEFAULT
        };
        let role = match broken {
            Some(Break::DocumentsApart) => Role::Projection,
            Some(Break::StreamTwiceAtOnce | Break::WindowReportedByOne) => Role::Webhook,
            _ => random.pick(&[Role::Projection, Role::Webhook, Role::Queue, Role::Reactor]),
        };
        let window = match role {
            Role::Webhook => Window::Streams(random.pick(&[1, 2, 6])),
            Role::Queue => Window::Batch(random.pick(&[2, 5, 100])),
            _ => Window::default(),
        };
        let category = random.pick(&[None, None, Some("account")]);
        let category = category.map(|name| Category::new(name).unwrap());
        let poison = random.pick(&[0, 5, 20]);
        let begins = match role {
            Role::Projection => [0; 3],
            _ => random.pick(&[[0; 3], [3, 0, 7]]),
        };
        Self {
            role,
            policy,
            window,
            begins,
            category,
            poison,
            failures_left: Rc::default(),
            discarded: Rc::default(),
        }
    }

    /// The checkpoint at which it begins, among this many partitions. `None` if it begins with the first event.
    pub fn after(&self, partitions: usize) -> Option<Checkpoint> {
        let position = |partition: usize| Position::new(self.begins[partition]).unwrap();
        let place = |after: Checkpoint, partition| after.at(partition, position(partition));
        let begins = || (0..partitions).fold(Checkpoint::start(partitions), place);
        (self.begins != [0; 3]).then(begins)
    }

    /// Whether it begins after the event at this place.
    pub fn begins_behind(&self, partition: usize, position: u64) -> bool {
        position <= self.begins[partition]
    }

    /// Whether every attempt at this event fails, until its receiver or handler is repaired.
    pub fn is_poison(&self, mark: &str) -> bool {
        let sum = mark.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        self.poison > 0 && self.reacts_to(mark) && sum.is_multiple_of(self.poison)
    }

    /// Whether it handles this event.
    pub fn handles(&self, stream: &str, mark: &str) -> bool {
        self.category.as_ref().is_none_or(|category| category.holds(stream)) && self.reacts_to(mark)
    }

    /// Whether a reactor reacts to this event. It ignores the events that reactors made.
    pub fn reacts_to(&self, mark: &str) -> bool {
        self.role != Role::Reactor || !mark.starts_with('r')
    }

    /// Whether an attempt at this event fails, because of poison or by chance.
    pub fn fails(&self, mark: &str, turn: &mut Turn<'_>) -> bool {
        if self.is_poison(mark) {
            return !turn.cured;
        }
        let mut failures_left = self.failures_left.borrow_mut();
        let left = failures_left.entry(mark.to_owned()).or_insert(self.policy.attempts - 1);
        let fails = *left > 0 && !turn.kind && turn.random.chance(50);
        *left -= u32::from(fails);
        fails
    }
}
