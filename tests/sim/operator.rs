//! The operator of the consumers. It registers them, operates them at random times, and resumes all of them in the end.

use std::collections::VecDeque;

use sillok::handler::{DefinitionStep, Operation, definition_steps};
use sillok::store::{Position, Version};

use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Turn};
use crate::plan::Plan;
use crate::random::Random;

/// The time after which no earlier message is on its way in the kind world, in milliseconds.
const SETTLED_MILLIS: u64 = 60_000;

type Step = (u64, Address, Request);

pub struct Operator {
    /// The operations, each with its consumer and its earliest time.
    steps: VecDeque<Step>,
    waits_for: Option<CallId>,
}

impl Operator {
    pub fn new(plan: &Plan, beginning: u64, random: &mut Random) -> Self {
        let mut steps = VecDeque::new();
        for consumer in 0..plan.consumers.len() {
            let start = random.pick(&[beginning, beginning + 10_000]);
            for step in definition_steps(plan.partitions) {
                let (to, request) = match step {
                    // The plan has the definition.
                    DefinitionStep::Store => continue,
                    DefinitionStep::Register { partition } => {
                        (Address::Journal(partition), Request::Register { consumer })
                    }
                    DefinitionStep::Begin => (Address::Consumer(consumer), Request::Wake { partition: 0 }),
                };
                steps.push_back((start, to, request));
            }
        }
        for _ in 0..random.below(10) {
            use Operation::{Pause, Rebuild, Resume, Retry};
            use Request::{Discard, Operate, Redefine};
            if !plan.consumers.is_empty() {
                let time = random.between(beginning, plan.kind_from);
                let request = random.pick(&[
                    Operate(Pause),
                    Operate(Resume),
                    Operate(Resume),
                    Operate(Retry),
                    Operate(Rebuild),
                    Redefine,
                    Redefine,
                    Discard,
                ]);
                let consumer = Address::Consumer(random.index(plan.consumers.len()));
                steps.push_back((time, consumer, request));
            }
        }
        let located_ones = if plan.bank.is_some() { 0 } else { random.below(6) };
        for _ in 0..located_ones {
            let time = random.between(beginning, plan.kind_from);
            steps.push_back((time, Address::Journal(random.index(plan.partitions)), located(plan, random)));
            if !plan.consumers.is_empty() {
                let consumer = Address::Consumer(random.index(plan.consumers.len()));
                steps.push_back((time, consumer, reached(plan, random)));
            }
        }
        Self { steps, waits_for: None }
    }

    /// Repairs everything once the world is quiet: resumes paused and stopped consumers, and retries dead letters.
    pub fn mend(&mut self, plan: &Plan) {
        let settled = plan.kind_from + SETTLED_MILLIS;
        if plan.bank.is_some() {
            let aggregates = (0..plan.streams.len()).map(Address::Aggregate);
            self.steps.extend(aggregates.map(|aggregate| (settled, aggregate, Request::RetryParked)));
        }
        for consumer in 0..plan.consumers.len() {
            self.steps.push_back(says(settled, consumer, Operation::Resume));
            self.steps.push_back(says(settled, consumer, Operation::Retry));
        }
    }

    pub fn turn(&mut self, input: Input, turn: &mut Turn<'_>) {
        match input {
            Input::Answered { call, reply } if self.waits_for == Some(call) => {
                if matches!(reply, Some(Reply::Done | Reply::Found)) {
                    self.steps.pop_front();
                }
                self.waits_for = None;
                turn.tick_in(10);
            }
            Input::Ticked(_) if self.waits_for.is_none() => {
                let Some((time, to, request)) = self.steps.front().cloned() else { return };
                match time.checked_sub(turn.now.as_millis()) {
                    Some(millis) if millis > 0 => {
                        turn.tick_in(millis);
                    }
                    _ => self.waits_for = Some(turn.call(to, request)),
                }
            }
            _ => {}
        }
    }
}

fn says(time: u64, consumer: usize, operation: Operation) -> Step {
    (time, Address::Consumer(consumer), Request::Operate(operation))
}

/// A reader who waits for a version of a stream. Whether it comes is left to chance.
fn located(plan: &Plan, random: &mut Random) -> Request {
    let stream = plan.streams[random.index(plan.for_clients)].clone();
    let (version, millis) = (Version::new(random.below(10)).unwrap(), random.below(5_000));
    Request::Locate { stream, version, millis }
}

/// A reader who waits until a consumer has reached a position.
fn reached(plan: &Plan, random: &mut Random) -> Request {
    let (partition, position) = (random.index(plan.partitions), Position::new(random.below(20)).unwrap());
    Request::Reach { partition, position, millis: random.below(5_000) }
}
