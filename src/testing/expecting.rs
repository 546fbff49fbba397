//! Expectations of timers and sent commands.

use serde::Serialize;
use serde_json::{Value, json};

use super::deciding::{When, parsed, same, text};
use crate::handler::{Accepted, Command, Decider, SentCommand, TimerChange};
use crate::store::RecordedTime;

/// The timers and the sent commands of a decision as JSON, and whether the process has ended.
#[derive(Debug, Default)]
pub(super) struct Pending {
    timers: Vec<Value>,
    sent: Vec<Value>,
    ended: bool,
}

impl Pending {
    pub(super) fn of(accepted: &Accepted) -> Self {
        let timers = accepted.timers.iter().map(shown_timer).collect();
        let sent = accepted.sent.iter().map(shown_sent).collect();
        Self { timers, sent, ended: accepted.ended }
    }

    /// The outcome with its timers and sent commands, if it has some.
    pub(super) fn added_to(&self, found: &Value) -> Value {
        let mut found = found.clone();
        if let Some(members) = found.as_object_mut() {
            for (name, list) in [("timers", &self.timers), ("sent", &self.sent)] {
                if !list.is_empty() {
                    members.insert(name.to_owned(), Value::from(list.clone()));
                }
            }
        }
        found
    }
}

impl<D: Decider> When<D> {
    /// Expects that a timer with this key is set. Other timers may be set too.
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
    /// The timer is not set, or has another time or another command.
    #[track_caller]
    pub fn then_scheduled(self, key: &str, at: RecordedTime, command: &D::Command) -> Self {
        let timer = json!({ "key": key, "at": at.as_millis(), "command": commanded(command) });
        self.has_timer(key, &timer)
    }

    /// Expects that the timer with this key is cancelled. For an example, see [`then_scheduled`](Self::then_scheduled).
    ///
    /// # Panics
    /// The timer is not cancelled.
    #[track_caller]
    pub fn then_cancelled(self, key: &str) -> Self {
        self.has_timer(key, &json!({ "key": key }))
    }

    /// Expects that a process sends this command to this stream, under this name. It may send others too. For an example, see
    /// [`given_process`](super::given_process).
    ///
    /// # Panics
    /// The command is not sent, or to another stream.
    #[track_caller]
    pub fn then_sent<C: Serialize>(self, name: &str, stream: &str, command: &C) -> Self {
        let sent = json!({ "name": name, "stream": stream, "command": commanded(command) });
        let its: Vec<&Value> = self.pending.sent.iter().filter(|sent| sent["name"] == name).collect();
        self.has("sent", &sent, &its, &self.pending.sent);
        self
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

    #[track_caller]
    fn has_timer(self, key: &str, timer: &Value) -> Self {
        // The last timer of a key takes the place of the others.
        let last = self.pending.timers.iter().rfind(|timer| timer["key"] == key);
        let its: Vec<&Value> = last.into_iter().collect();
        self.has("timers", timer, &its, &self.pending.timers);
        self
    }

    /// Expects a part of a list. `its` are the parts to compare it with. If there are none, the difference shows all.
    #[track_caller]
    fn has(&self, list: &str, part: &Value, its: &[&Value], all: &[Value]) {
        if its.contains(&part) {
            return;
        }
        let shown = if its.is_empty() { Value::from(all) } else { its.iter().copied().cloned().collect() };
        let found = if self.is_decided() { json!({ list: shown }) } else { self.found.clone() };
        same("the outcome", &json!({ list: [part] }), &found);
    }

    fn is_decided(&self) -> bool {
        self.found.get("events").is_some()
    }
}

fn shown_timer(timer: &TimerChange) -> Value {
    match timer {
        TimerChange::Set { key, at, command } => {
            json!({ "key": key.as_str(), "at": at.as_millis(), "command": shown_command(command) })
        }
        TimerChange::Cancel(key) => json!({ "key": key.as_str() }),
    }
}

fn shown_sent(SentCommand { name, stream, command }: &SentCommand) -> Value {
    json!({ "name": name, "stream": stream.as_str(), "command": shown_command(command) })
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
