//! Reminders. They set, replace and cancel timers, and note each timer that has rung.

use std::collections::BTreeMap;

use super::Around;
use super::rules::{Asked, Decision, Rules};
use crate::breaks::Break;

pub struct Reminder;

/// A timer with a number of this many or more was set by another timer.
pub const AGAIN: u64 = 1_000_000;

/// Whether the rules reject the timer of this number.
pub fn is_rejected(number: u64) -> bool {
    number % 7 == 3
}

/// The times for which timers are set, by their keys.
#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct State(BTreeMap<String, u64>);

impl Rules for Reminder {
    type State = State;

    const IS_PROCESS: bool = false;

    fn evolve(state: &mut State, word: &str, arguments: &[&str]) {
        match (word, arguments) {
            ("set", [key, _, at]) => {
                state.0.insert(key.to_string(), at.parse().unwrap());
            }
            ("cancelled" | "rang", [key, ..]) => {
                state.0.remove(*key);
            }
            _ => {}
        }
    }

    fn decide(state: &State, asked: &Asked<'_>, around: &Around) -> Decision {
        let clock = around.clock.get();
        match (asked.name, &asked.words[..]) {
            ("Set", timers) => timers.chunks(3).fold(Decision::default(), |decision, timer| {
                let (number, at) = (timer[1].parse().unwrap(), timer[2].parse().unwrap());
                decision.set(timer[0], number, at, "Ring")
            }),
            ("Quiet", [key, number, at]) => {
                Decision::default().quietly(key, number.parse().unwrap(), at.parse().unwrap(), "Ring")
            }
            ("Cancel", [key]) => {
                let is_late = state.0.get(*key).is_some_and(|at| *at <= clock);
                match around.broken {
                    Some(Break::LateCancelIgnored) if is_late => Decision::of(format!("cancelled {key}")),
                    _ => Decision::default().cancel(key),
                }
            }
            ("Ring", [key, number]) => {
                let number: u64 = number.parse().unwrap();
                let rang = Decision::of(format!("rang {key} {number} {clock}"));
                match number {
                    _ if is_rejected(number) => Decision::refused("odd"),
                    // A timer that sets itself again.
                    _ if number.is_multiple_of(5) && number < AGAIN => {
                        rang.set(key, number + AGAIN, clock + 3000, "Ring")
                    }
                    _ => rang,
                }
            }
            (other, words) => panic!("{other} {words:?} is no command of a reminder"),
        }
    }
}
