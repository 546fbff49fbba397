//! Transfers. Each is a process that debits one account and credits another one, or gives the money back.

use sillok::handler::Input;

use super::Around;
use super::rules::{Asked, Decision, Rules};

pub struct Transfer;

/// The words after which a transfer is over.
pub const ENDS: [&str; 3] = ["completed", "refunded", "failed"];

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    is_begun: bool,
    /// Whether the debit was answered.
    is_debited: bool,
    /// Whether the time for the debit was over before its answer.
    is_lapsed: bool,
    is_ended: bool,
    from: String,
    to: String,
    cents: String,
}

impl Rules for Transfer {
    type State = State;

    const IS_PROCESS: bool = true;

    fn evolve(state: &mut State, word: &str, arguments: &[&str]) {
        match (word, arguments) {
            ("requested", [from, to, cents]) => {
                state.is_begun = true;
                (state.from, state.to, state.cents) = (from.to_string(), to.to_string(), cents.to_string());
            }
            ("debited", _) => state.is_debited = true,
            ("lapsed", _) => state.is_lapsed = true,
            (word, _) if ENDS.contains(&word) => state.is_ended = true,
            _ => {}
        }
    }

    fn decide(state: &State, asked: &Asked<'_>, around: &Around) -> Decision {
        let clock = around.clock.get();
        match asked.input {
            Input::Answer => answered(state, asked),
            Input::Event { starts: false } => {
                let number = asked.words.join(" ");
                Decision::of(format!("noted {number}")).set("lapse", asked.seen, clock + 5000, "Lapse")
            }
            Input::Command if asked.name == "Lapse" => lapse(state, asked, clock),
            // Both begin the transfer.
            Input::Command | Input::Event { starts: true } => match asked.words[..] {
                [from, to, cents, millis] if !state.is_begun => {
                    let at = clock + millis.parse::<u64>().unwrap();
                    Decision::of(format!("requested {from} {to} {cents}"))
                        .set("lapse", asked.seen, at, "Lapse")
                        .send("Debit", from, &words(asked, cents))
                        .send("Announce", to, &words(asked, cents))
                }
                _ => Decision::default(),
            },
        }
    }

    fn is_ended(state: &State) -> bool {
        state.is_ended
    }
}

/// The code believes every answer. It does not look whether it waits for one.
fn answered(state: &State, asked: &Asked<'_>) -> Decision {
    let words = words(asked, &state.cents);
    match (asked.name, asked.accepted) {
        ("Debit", true) if state.is_lapsed => {
            Decision::of("debited".to_owned()).send("Refund", &state.from, &words)
        }
        ("Debit", true) => {
            Decision::of("debited".to_owned()).cancel("lapse").send("Credit", &state.to, &words)
        }
        ("Debit", false) => Decision::of("failed".to_owned()),
        ("Credit", true) => Decision::of("completed".to_owned()),
        ("Credit", false) => Decision::of("uncredited".to_owned()).send("Refund", &state.from, &words),
        ("Refund", true) => Decision::of("refunded".to_owned()),
        ("Refund", false) => Decision::of("stuck".to_owned()),
        // Nobody waits for the answer to an announcement.
        _ => Decision::default(),
    }
}

fn lapse(state: &State, asked: &Asked<'_>, clock: u64) -> Decision {
    if state.is_debited || state.is_lapsed {
        return Decision::refused("too_late");
    }
    Decision::of(format!("rang {} {clock}", asked.words.join(" "))).and("lapsed".to_owned())
}

fn words(asked: &Asked<'_>, cents: &str) -> String {
    format!("transfer-{} {cents}", asked.number)
}
