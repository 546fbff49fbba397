//! An account, written as a decider in Rust.

use serde::{Deserialize, Serialize};
use sillok::handler::{CommandContext, Decider, Decision, Event, Failed, Refusal, Upcasts, reject};
use sillok::store::JsonText;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum AccountCommand {
    Open { owner: String },
    Deposit { cents: u64 },
    Withdraw { cents: u64 },
    Rate { rate: f64 },
    Note(Option<String>),
    Close,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum AccountEvent {
    Opened {
        owner: String,
    },
    Deposited {
        cents: u64,
    },
    Withdrawn {
        cents: u64,
    },
    Rated {
        rate: f64,
    },
    #[serde(rename = "Account noted")]
    Noted {
        by: Option<String>,
        at: u64,
        version: u64,
        correlation: Option<String>,
    },
    Closed,
}

impl Event for AccountEvent {
    const UPCASTS: Upcasts = &[("Withdrawn", &[]), ("Deposited", &[to_whole_coins, to_cents])];
}

/// Version 1 was a text, such as `"3 coins"`.
fn to_whole_coins(data: JsonText) -> Result<JsonText, Failed> {
    let text: String = serde_json::from_str(data.as_str())?;
    let coins: u64 = text.trim_end_matches(" coins").parse()?;
    Ok(JsonText::from_value(&coins)?)
}

fn to_cents(data: JsonText) -> Result<JsonText, Failed> {
    let coins: u64 = serde_json::from_str(data.as_str())?;
    Ok(JsonText::parse(&format!(r#"{{"cents":{}}}"#, coins * 100))?)
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
pub enum AccountRejection {
    NotOpen,
    InsufficientFunds { missing: u64 },
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub owner: Option<String>,
    pub cents: u64,
    pub rate: f64,
}

pub struct Account;

impl Decider for Account {
    type State = State;
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Rejection = AccountRejection;
    const CATEGORY: &str = "account";
    const STATE_VERSION: u32 = 3;

    fn initial_state() -> State {
        State::default()
    }

    fn decide(
        command: AccountCommand,
        state: &State,
        context: &CommandContext<'_>,
    ) -> Result<Decision<AccountEvent>, Refusal<AccountRejection>> {
        match command {
            AccountCommand::Open { owner } => {
                let cents: u64 = if owner == "a number" { owner.parse()? } else { 0 };
                Ok(vec![AccountEvent::Opened { owner }, AccountEvent::Deposited { cents }].into())
            }
            AccountCommand::Rate { rate } => Ok(AccountEvent::Rated { rate: rate / 0.0 }.into()),
            _ if state.owner.is_none() => reject(AccountRejection::NotOpen),
            AccountCommand::Deposit { cents: 0 } => Ok(Decision::nothing()),
            AccountCommand::Deposit { cents } => Ok(AccountEvent::Deposited { cents }.into()),
            AccountCommand::Withdraw { cents } if cents > state.cents => {
                reject(AccountRejection::InsufficientFunds { missing: cents - state.cents })
            }
            AccountCommand::Withdraw { cents } => Ok(AccountEvent::Withdrawn { cents }.into()),
            AccountCommand::Note(by) => {
                let correlation: serde_json::Value = serde_json::from_str(context.metadata.as_str())?;
                Ok(AccountEvent::Noted {
                    by: by.or(context.command_id.map(str::to_owned)),
                    at: context.now.as_millis(),
                    version: context.version.get(),
                    correlation: correlation["correlationId"].as_str().map(str::to_owned),
                }
                .into())
            }
            AccountCommand::Close => Ok([AccountEvent::Closed].into()),
        }
    }

    fn evolve(state: State, event: AccountEvent) -> State {
        match event {
            AccountEvent::Opened { owner } => State { owner: Some(owner), ..state },
            AccountEvent::Deposited { cents } => State { cents: state.cents + cents, ..state },
            AccountEvent::Withdrawn { cents } => State { cents: state.cents - cents, ..state },
            AccountEvent::Rated { rate } => State { rate, ..state },
            AccountEvent::Noted { .. } => state,
            AccountEvent::Closed => State::default(),
        }
    }
}

pub fn opened() -> AccountEvent {
    AccountEvent::Opened { owner: "세종".to_owned() }
}
