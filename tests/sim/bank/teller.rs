//! Tellers. They send commands, and the events that a consumer would deliver, each until it is answered, and some again.

use sillok::gateway::{CommandError, Executed};
use sillok::handler::{Command, Input as Kind};
use sillok::store::{AppendError, Decided, IdempotencyKey, KeyOrigin};

use super::Bank;
use super::reminder::is_rejected;
use super::rules::command_of;
use crate::network::{Address, CallId, Reply, Request};
use crate::objects::{Input, Turn};
use crate::plan::Plan;
use crate::random::Random;

const DAY: u64 = 86_400_000;

/// A command or an event of a teller.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The number of the receiver.
    pub stream: usize,
    pub command: Command,
    /// The beginning of the one event that shows that it took effect, if there is such an event.
    pub effect: Option<String>,
    /// Its outcome, once it is answered.
    pub outcome: Option<String>,
    /// Whether it was accepted, once it is answered.
    pub is_accepted: bool,
}

pub struct Teller {
    number: usize,
    steps_left: u64,
    longest_wait: u64,
    bank: Bank,
    /// The requests of the teller.
    pub asked: Vec<Asked>,
    /// The request that is under way, and its call.
    under_way: Option<(usize, CallId)>,
}

impl Teller {
    pub fn new(number: usize, bank: &Bank, plan: &Plan, random: &mut Random) -> Self {
        let mut steps_left = random.between(1, plan.most_steps);
        if number == 0 {
            steps_left += u64::try_from(bank.opened).unwrap();
        }
        let (longest_wait, bank) = (plan.longest_wait, bank.clone());
        Self { number, steps_left, longest_wait, bank, asked: Vec::new(), under_way: None }
    }

    pub fn turn(&mut self, input: Input, turn: &mut Turn<'_>) -> Result<(), String> {
        match input {
            Input::Ticked(_) => {
                let next = match self.under_way {
                    Some((place, _)) => Some(place),
                    None => self.next(turn),
                };
                if let Some(place) = next {
                    let asked = &self.asked[place];
                    let request = Request::Execute(asked.command.clone());
                    let call = turn.call(Address::Aggregate(asked.stream), request);
                    self.under_way = Some((place, call));
                }
            }
            Input::Answered { call, reply } => {
                if let Some((place, _)) = self.under_way.filter(|(_, under_way)| *under_way == call) {
                    if self.asked[place].heard(reply)? {
                        self.under_way = None;
                    }
                    turn.tick_within(self.longest_wait);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Chooses the next request: a new one, or one that was answered before.
    fn next(&mut self, turn: &mut Turn<'_>) -> Option<usize> {
        self.steps_left = self.steps_left.checked_sub(1)?;
        let opens = self.number == 0 && self.asked.len() < self.bank.opened;
        if !opens && !self.asked.is_empty() && turn.random.chance(200) {
            return Some(turn.random.index(self.asked.len()));
        }
        let number = self.number * 1000 + self.asked.len();
        let asked = if opens {
            let words = format!("o{number} {}", turn.random.between(1, 200));
            let effect = format!("deposited {words}");
            Asked::new(self.asked.len(), command_of("Open", &words), Some(effect))
        } else {
            self.draw(number, turn)
        };
        self.asked.push(asked.under(number));
        Some(self.asked.len() - 1)
    }

    fn draw(&self, number: usize, turn: &mut Turn<'_>) -> Asked {
        match turn.random.below(10) {
            0..=1 => {
                let cents = turn.random.between(1, 80);
                let stream = turn.random.index(self.bank.accounts);
                let words = format!("d{number} {cents}");
                let effect = format!("deposited {words}");
                Asked::new(stream, command_of("Deposit", &words), Some(effect))
            }
            2..=5 => self.transfer(turn.random),
            6 => {
                let stream = self.bank.accounts + turn.random.index(self.bank.transfers);
                let noted = command_of("Noted", &number.to_string());
                Asked::new(stream, noted.as_input(Kind::Event { starts: false }), None)
            }
            _ if self.bank.reminders == 0 => self.transfer(turn.random),
            _ => self.remind(u64::try_from(number).unwrap(), turn),
        }
    }

    /// Begins a transfer: by a command, or by an event.
    fn transfer(&self, random: &mut Random) -> Asked {
        let stream = self.bank.accounts + random.index(self.bank.transfers);
        let account = |random: &mut Random| format!("account-{}", random.index(self.bank.accounts));
        let (from, to, cents) = (account(random), account(random), random.between(1, 60));
        let lapse = random.pick(&[0, 2000, 60_000, 5 * DAY, 5 * DAY]);
        let words = format!("{from} {to} {cents} {lapse}");
        let command = if random.chance(500) {
            command_of("Request", &words)
        } else {
            command_of("Ordered", &words).as_input(Kind::Event { starts: true })
        };
        Asked::new(stream, command, None)
    }

    fn remind(&self, number: u64, turn: &mut Turn<'_>) -> Asked {
        let stream = self.bank.reminders().start + turn.random.index(self.bank.reminders);
        let now = turn.now.as_millis();
        let at = |random: &mut Random| match random.below(6) {
            0 => now - 5000,
            1 => now,
            2 => now + random.below(3000),
            3 => now + random.below(30_000),
            4 => now + random.below(180_000),
            _ => now + random.between(DAY, 40 * DAY),
        };
        let random = &mut *turn.random;
        match random.below(8) {
            0..=3 => {
                // Several timers in one decision. The last ones of the numbers are those of other tellers.
                let timers: Vec<String> = (0..=random.below(3))
                    .map(|more| {
                        format!("{} {} {}", random.pick(&["a", "b", "c"]), number + more * 10_000, at(random))
                    })
                    .collect();
                let effect = format!("set {}", timers[0]);
                Asked::new(stream, command_of("Set", &timers.join(" ")), Some(effect))
            }
            4 => {
                let number = if is_rejected(number) || number.is_multiple_of(5) {
                    100_001 + 70 * number
                } else {
                    number
                };
                let words = format!("q{number} {number} {}", at(random));
                let effect = format!("rang q{number} {number} ");
                Asked::new(stream, command_of("Quiet", &words), Some(effect))
            }
            _ => Asked::new(stream, command_of("Cancel", random.pick(&["a", "b", "c"])), None),
        }
    }
}

impl Asked {
    fn new(stream: usize, command: Command, effect: Option<String>) -> Self {
        Self { stream, command, effect, outcome: None, is_accepted: false }
    }

    /// Gives the request its id.
    fn under(self, number: usize) -> Self {
        let origin =
            if self.command.input() == Kind::Command { KeyOrigin::Client } else { KeyOrigin::Reactor };
        let id = IdempotencyKey::of(origin, &format!("teller-{number}")).unwrap();
        Self { command: self.command.with_id(id), ..self }
    }

    /// Notes an answer. Returns whether it is the outcome.
    fn heard(&mut self, reply: Option<Reply>) -> Result<bool, String> {
        match reply {
            Some(Reply::Executed(Ok(executed))) => self.decided(&executed),
            // The code fails for a while.
            Some(Reply::Executed(Err(CommandError::Code(_)))) | None => Ok(false),
            Some(Reply::Executed(Err(CommandError::Refused(AppendError::Storage(_))))) => Ok(false),
            Some(reply) => Err(format!("{self:?} was answered by {reply:?}")),
        }
    }

    fn decided(&mut self, executed: &Executed) -> Result<bool, String> {
        // An event that comes before the start or after the end changes nothing, and is not stored as an input.
        let is_event = matches!(self.command.input(), Kind::Event { .. });
        if is_event && executed.decided == Decided::Nothing && self.outcome.is_none() {
            return Ok(true);
        }
        let outcome = format!("{:?} at {}", executed.decided, executed.version);
        if let Some(first) = self.outcome.replace(outcome.clone())
            && first != outcome
        {
            return Err(format!("{self:?} had the outcome {first}, and now {outcome}"));
        }
        self.is_accepted = executed.rejection().is_none();
        Ok(true)
    }
}
