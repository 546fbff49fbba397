//! Expectations of timers and sent commands.

use serde::Serialize;
use serde_json::{Value, json};

use super::deciding::{When, parsed, same, text};
use crate::handler::{Accepted, Command, Decider, SentCommand, TimerChange};
use crate::store::{PendingKey, RecordedTime};

/// The timers and the sent commands of a decision as JSON, and whether the process has ended.
#[derive(Debug, Default)]
pub(super) struct Pending {
    scheduled: Vec<Value>,
    cancelled: Vec<Value>,
    sent: Vec<Value>,
    ended: bool,
}

impl Pending {
    pub(super) fn of(accepted: &Accepted) -> Self {
        let mut pending = Self { ended: accepted.ended, ..Self::default() };
        pending.sent = accepted.sent.iter().map(shown_sent).collect();
        for (place, timer) in accepted.timers.iter().enumerate() {
            // The last change of a key takes the place of the others.
            if accepted.timers.iter().skip(place + 1).any(|later| key_of(later) == key_of(timer)) {
                continue;
            }
            match timer {
                TimerChange::Set { key, at, command } => pending.scheduled.push(
                    json!({ "key": key.as_str(), "at": at.as_millis(), "command": shown_command(command) }),
                ),
                TimerChange::Cancel(key) => pending.cancelled.push(Value::from(key.as_str())),
            }
        }
        pending
    }

    fn list(&self, list: &str) -> &[Value] {
        match list {
            "scheduled" => &self.scheduled,
            "cancelled" => &self.cancelled,
            _ => &self.sent,
        }
    }

    /// The outcome with its timers and sent commands, if it has some.
    pub(super) fn added_to(&self, found: &Value) -> Value {
        let mut found = found.clone();
        if let Some(members) = found.as_object_mut() {
            for name in ["scheduled", "cancelled", "sent"] {
                if !self.list(name).is_empty() {
                    members.insert(name.to_owned(), Value::from(self.list(name)));
                }
            }
        }
        found
    }
}

impl<D: Decider> When<D> {
    /// Expects that exactly this timer is set. For several timers or none, use
    /// [`then_all_scheduled`](Self::then_all_scheduled).
    ///
    /// ```
    /// # use serde::{Deserialize, Serialize};
    /// # use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal};
    /// # #[derive(Serialize, Deserialize)]
    /// # #[serde(tag = "type", content = "data")]
    /// # enum Command { Reserve, Release, Buy }
    /// # #[derive(Serialize, Deserialize)]
    /// # #[serde(tag = "type", content = "data")]
    /// # enum Seat { Reserved, Released, Bought }
    /// # impl Event for Seat {}
    /// # #[derive(Serialize, Deserialize)]
    /// # enum Never {}
    /// # struct Seats;
    /// # impl Decider for Seats {
    /// #     type State = ();
    /// #     type Command = Command;
    /// #     type Event = Seat;
    /// #     type Rejection = Never;
    /// #     const CATEGORY: &str = "seat";
    /// #     fn initial_state() {}
    /// #     fn decide(
    /// #         command: Command,
    /// #         _: &(),
    /// #         context: &CommandContext<'_>,
    /// #     ) -> Result<Decision<Seat>, Refusal<Never>> {
    /// #         Ok(match command {
    /// #             Command::Reserve => {
    /// #                 Decision::from(Seat::Reserved).schedule("release", context.now.later(60_000), &Command::Release)?
    /// #             }
    /// #             Command::Release => Seat::Released.into(),
    /// #             Command::Buy => Decision::from(Seat::Bought).cancel("release")?,
    /// #         })
    /// #     }
    /// #     fn evolve((): (), _: Seat) {}
    /// # }
    /// use sillok::store::RecordedTime;
    /// use sillok::testing::given;
    ///
    /// // A seat is released after a minute, unless it is bought.
    /// given::<Seats>(&[])
    ///     .at(RecordedTime::from_millis(5))
    ///     .when(Command::Reserve)
    ///     .then([Seat::Reserved])
    ///     .then_scheduled("release", RecordedTime::from_millis(60_005), &Command::Release);
    /// given::<Seats>(&[Seat::Reserved]).when(Command::Buy).then([Seat::Bought]).then_cancelled("release");
    /// ```
    ///
    /// # Panics
    /// The timer is not set, has another time or another command, or other timers are set too.
    #[track_caller]
    pub fn then_scheduled(self, key: &str, at: RecordedTime, command: &D::Command) -> Self {
        self.then_all_scheduled(&[(key, at, command)])
    }

    /// Expects that exactly these timers are set, in this order.
    ///
    /// # Panics
    /// Other timers are set.
    #[track_caller]
    pub fn then_all_scheduled(self, timers: &[(&str, RecordedTime, &D::Command)]) -> Self {
        let timer = |(key, at, command): &(&str, RecordedTime, &D::Command)| json!({ "key": key, "at": at.as_millis(), "command": commanded(*command) });
        let timers: Vec<Value> = timers.iter().map(timer).collect();
        self.has("scheduled", &timers)
    }

    /// Expects that exactly the timer with this key is cancelled. For an example, see
    /// [`then_scheduled`](Self::then_scheduled).
    ///
    /// # Panics
    /// The timer is not cancelled, or others are cancelled too.
    #[track_caller]
    pub fn then_cancelled(self, key: &str) -> Self {
        self.then_all_cancelled(&[key])
    }

    /// Expects that exactly the timers with these keys are cancelled, in this order.
    ///
    /// # Panics
    /// Other timers are cancelled.
    #[track_caller]
    pub fn then_all_cancelled(self, keys: &[&str]) -> Self {
        let keys: Vec<Value> = keys.iter().map(|key| Value::from(*key)).collect();
        self.has("cancelled", &keys)
    }

    /// Expects that a process sends exactly this command, to this stream and under this name. For several commands or none,
    /// use [`then_all_sent`](Self::then_all_sent). For an example, see [`given_process`](super::given_process).
    ///
    /// # Panics
    /// The command is not sent, or to another stream, or others are sent too.
    #[track_caller]
    pub fn then_sent<C: Serialize>(self, name: &str, stream: &str, command: &C) -> Self {
        self.has("sent", &[expected_sent(name, stream, commanded(command))])
    }

    /// Expects that a process sends exactly these commands, in this order: each with its name and its stream. Make the
    /// commands by [`Command::of`].
    ///
    /// # Panics
    /// Other commands are sent.
    #[track_caller]
    pub fn then_all_sent(self, sent: &[(&str, &str, Command)]) -> Self {
        let shown = |(name, stream, command): &(&str, &str, Command)| {
            expected_sent(name, stream, shown_command(command))
        };
        let sent: Vec<Value> = sent.iter().map(shown).collect();
        self.has("sent", &sent)
    }

    /// Expects that the instance of a process is over after the decision. For an example, see
    /// [`given_process`](super::given_process).
    ///
    /// # Panics
    /// The instance is not over, or the decision failed.
    #[track_caller]
    pub fn then_ended(self) -> Self {
        let expected = json!({ "ended": true });
        if self.is_decided() {
            same("the outcome", &expected, &json!({ "ended": self.pending.ended }));
        } else {
            same("the outcome", &expected, &self.found);
        }
        self
    }

    /// Expects exactly this list of the decision.
    #[track_caller]
    fn has(self, list: &str, expected: &[Value]) -> Self {
        let found =
            if self.is_decided() { json!({ list: self.pending.list(list) }) } else { self.found.clone() };
        same("the outcome", &json!({ list: expected }), &found);
        self
    }

    fn is_decided(&self) -> bool {
        self.found.get("events").is_some()
    }
}

fn key_of(timer: &TimerChange) -> &PendingKey {
    let (TimerChange::Set { key, .. } | TimerChange::Cancel(key)) = timer;
    key
}

fn shown_sent(SentCommand { name, stream, command }: &SentCommand) -> Value {
    expected_sent(name, stream.as_str(), shown_command(command))
}

#[allow(clippy::needless_pass_by_value)] // the value becomes a part of the result
fn expected_sent(name: &str, stream: &str, command: Value) -> Value {
    json!({ "name": name, "stream": stream, "command": command })
}

fn shown_command(command: &Command) -> Value {
    json!({ "type": command.command_type(), "data": parsed(command.data().as_str()) })
}

/// A command of a test. A value that is no command becomes the message of the error.
fn commanded<C: Serialize>(command: &C) -> Value {
    match Command::of(command) {
        Ok(command) => shown_command(&command),
        Err(error) => json!({ "error": text(error) }),
    }
}
