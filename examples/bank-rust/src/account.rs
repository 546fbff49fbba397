//! An account: its commands, its events and its rules. Nothing here depends on a platform.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal, reject};

/// As `{"type":"Withdraw","data":{"cents":30}}` is read.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum AccountCommand {
    Open { owner: String },
    Deposit { cents: NonZeroU64 },
    Withdraw { cents: NonZeroU64 },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub(crate) enum AccountEvent {
    Opened { owner: String },
    Deposited { cents: u64 },
    Withdrawn { cents: u64 },
}

impl Event for AccountEvent {}

/// As `{"code":"insufficient_funds","data":{"missing":400}}` is written.
#[derive(Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
pub(crate) enum AccountRejection {
    AlreadyOpen,
    NotOpen,
    InsufficientFunds { missing: u64 },
    BalanceTooLarge,
}

#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct State {
    owner: Option<String>,
    cents: u64,
}

/// The largest number of cents that every client reads exactly.
const MOST_CENTS: u64 = (1 << 53) - 1;

pub(crate) struct Account;

impl Decider for Account {
    type State = State;
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Rejection = AccountRejection;
    const CATEGORY: &str = "account";

    fn initial_state() -> State {
        State::default()
    }

    fn decide(
        command: AccountCommand,
        state: &State,
        _: &CommandContext<'_>,
    ) -> Result<Decision<AccountEvent>, Refusal<AccountRejection>> {
        match (command, &state.owner) {
            (AccountCommand::Open { owner }, None) => Ok(AccountEvent::Opened { owner }.into()),
            (AccountCommand::Open { owner }, Some(known)) if owner == *known => Ok(Decision::nothing()),
            (AccountCommand::Open { .. }, Some(_)) => reject(AccountRejection::AlreadyOpen),
            (_, None) => reject(AccountRejection::NotOpen),
            (AccountCommand::Deposit { cents }, _) if cents.get() > MOST_CENTS - state.cents => {
                reject(AccountRejection::BalanceTooLarge)
            }
            (AccountCommand::Deposit { cents }, _) => {
                Ok(AccountEvent::Deposited { cents: cents.get() }.into())
            }
            (AccountCommand::Withdraw { cents }, _) => match cents.get().saturating_sub(state.cents) {
                0 => Ok(AccountEvent::Withdrawn { cents: cents.get() }.into()),
                missing => reject(AccountRejection::InsufficientFunds { missing }),
            },
        }
    }

    fn evolve(state: State, event: AccountEvent) -> State {
        match event {
            AccountEvent::Opened { owner } => State { owner: Some(owner), ..state },
            AccountEvent::Deposited { cents } => State { cents: state.cents + cents, ..state },
            AccountEvent::Withdrawn { cents } => State { cents: state.cents - cents, ..state },
        }
    }
}

#[cfg(test)]
mod tests {
    use sillok::testing::{given, laws};

    use super::*;

    fn history() -> [AccountEvent; 2] {
        [AccountEvent::Opened { owner: "Ada".to_owned() }, AccountEvent::Deposited { cents: 100 }]
    }

    fn open(owner: &str) -> AccountCommand {
        AccountCommand::Open { owner: owner.to_owned() }
    }

    fn deposit(cents: u64) -> AccountCommand {
        AccountCommand::Deposit { cents: NonZeroU64::new(cents).unwrap_or(NonZeroU64::MIN) }
    }

    fn withdraw(cents: u64) -> AccountCommand {
        AccountCommand::Withdraw { cents: NonZeroU64::new(cents).unwrap_or(NonZeroU64::MIN) }
    }

    #[test]
    fn money_that_is_there_can_be_withdrawn() {
        given::<Account>(&history())
            .when(withdraw(30))
            .then([AccountEvent::Withdrawn { cents: 30 }])
            .then_state(&State { owner: Some("Ada".to_owned()), cents: 70 });
        let missing = AccountRejection::InsufficientFunds { missing: 400 };
        given::<Account>(&history()).when(withdraw(500)).then_rejected(&missing);
    }

    #[test]
    fn an_account_is_opened_once_and_first() {
        given::<Account>(&[]).when(open("Bob")).then([AccountEvent::Opened { owner: "Bob".to_owned() }]);
        given::<Account>(&history()).when(open("Ada")).then_nothing();
        given::<Account>(&history()).when(open("Bob")).then_rejected(&AccountRejection::AlreadyOpen);
        given::<Account>(&[]).when(deposit(1)).then_rejected(&AccountRejection::NotOpen);
    }

    #[test]
    fn a_balance_stays_exact() {
        given::<Account>(&history())
            .when(deposit(MOST_CENTS))
            .then_rejected(&AccountRejection::BalanceTooLarge);
    }

    #[test]
    fn the_code_is_pure() {
        laws::<Account>(&[&history()], &[withdraw(30), withdraw(500), deposit(1), open("Bob")]);
    }
}
