//! A bank in one file: `bank FILE deposit ACCOUNT CENTS [TIMES]`, `bank FILE withdraw ACCOUNT CENTS` or `bank FILE balances`.
//! Any number of these programs, and of programs in Node, may use the file at the same time.

use std::env;
use std::error::Error;

use serde::{Deserialize, Serialize};
use sillok::handler::{
    CommandContext, Decider, Decision, Event, Failed, FeedEvent, Projection, Refusal, TypedDocuments, reject,
};
use sillok_sqlite::{ExecuteError, Sqlite};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum AccountCommand {
    Deposit { cents: u64 },
    Withdraw { cents: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum AccountEvent {
    Deposited { cents: u64 },
    Withdrawn { cents: u64 },
}

impl Event for AccountEvent {}

#[derive(Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
enum AccountRejection {
    InsufficientFunds { missing: u64 },
}

struct Account;

impl Decider for Account {
    type State = u64;
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Rejection = AccountRejection;
    const CATEGORY: &'static str = "account";

    fn initial_state() -> u64 {
        0
    }

    fn decide(
        command: AccountCommand,
        balance: &u64,
        _: &CommandContext<'_>,
    ) -> Result<Decision<AccountEvent>, Refusal<AccountRejection>> {
        match command {
            AccountCommand::Deposit { cents } => Ok(AccountEvent::Deposited { cents }.into()),
            AccountCommand::Withdraw { cents } if cents > *balance => {
                reject(AccountRejection::InsufficientFunds { missing: cents - balance })
            }
            AccountCommand::Withdraw { cents } => Ok(AccountEvent::Withdrawn { cents }.into()),
        }
    }

    fn evolve(balance: u64, event: AccountEvent) -> u64 {
        match event {
            AccountEvent::Deposited { cents } => balance + cents,
            AccountEvent::Withdrawn { cents } => balance - cents,
        }
    }
}

struct Balances;

impl Projection for Balances {
    type Event = AccountEvent;
    type Document = u64;
    const CATEGORY: Option<&'static str> = Some("account");

    fn apply(
        event: AccountEvent,
        source: &FeedEvent,
        balances: &TypedDocuments<'_, u64>,
    ) -> Result<(), Failed> {
        let account = source.stream.as_str();
        let balance = balances.get(account)?.unwrap_or_default();
        Ok(balances.put(account, &Account::evolve(balance, event))?)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [file, rest @ ..] = words.as_slice() else { return Err("name a file".into()) };
    let bank = Sqlite::open(file)?;
    bank.aggregate::<Account>()?;
    bank.projection::<Balances>("balances")?;
    match rest {
        ["deposit", account, cents, times @ ..] => {
            let deposit = AccountCommand::Deposit { cents: cents.parse()? };
            let times = times.first().map_or(Ok(1), |times| times.parse())?;
            for _ in 0..times {
                // A printed version is on disk.
                println!("{}", bank.execute::<Account>(account, &deposit)?.version);
            }
        }
        ["withdraw", account, cents] => {
            match bank.execute::<Account>(account, &AccountCommand::Withdraw { cents: cents.parse()? }) {
                Ok(withdrawn) => println!("{}", withdrawn.version),
                Err(ExecuteError::Rejected(AccountRejection::InsufficientFunds { missing })) => {
                    println!("{missing} cents are missing");
                }
                Err(ExecuteError::Failed(error)) => return Err(error.into()),
            }
        }
        ["balances"] => {
            bank.catch_up()?;
            for (account, balance) in bank.documents::<Balances>("balances", "", "", 1000)?.documents {
                println!("{account} {balance}");
            }
        }
        _ => return Err("say what to do: deposit, withdraw or balances".into()),
    }
    Ok(())
}
