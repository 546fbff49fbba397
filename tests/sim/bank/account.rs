//! Accounts. They refuse what the balance does not cover, and everything before they are opened.

use super::Around;
use super::rules::{Asked, Decision, Rules};

pub struct Account;

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    is_open: bool,
    balance: u64,
}

impl Rules for Account {
    type State = State;

    const IS_PROCESS: bool = false;

    fn evolve(state: &mut State, word: &str, arguments: &[&str]) {
        let cents: u64 = arguments.last().and_then(|cents| cents.parse().ok()).unwrap_or_default();
        match word {
            "opened" => state.is_open = true,
            "deposited" | "credited" | "refunded" => state.balance += cents,
            // A broken protocol may debit twice.
            "debited" => state.balance = state.balance.saturating_sub(cents),
            _ => {}
        }
    }

    fn decide(state: &State, asked: &Asked<'_>, _: &Around) -> Decision {
        let words = asked.words.join(" ");
        let cents: u64 = asked.words.last().and_then(|cents| cents.parse().ok()).unwrap_or_default();
        match asked.name {
            "Open" if state.is_open => Decision::default(),
            "Open" => Decision::of("opened".to_owned()).and(format!("deposited {words}")),
            _ if !state.is_open => Decision::refused("missing"),
            "Debit" if state.balance < cents => Decision::refused("insufficient"),
            "Deposit" => Decision::of(format!("deposited {words}")),
            "Debit" => Decision::of(format!("debited {words}")),
            "Credit" => Decision::of(format!("credited {words}")),
            "Refund" => Decision::of(format!("refunded {words}")),
            "Announce" => Decision::of(format!("announced {words}")),
            other => panic!("{other} is no command of an account"),
        }
    }
}
