//! Commands, states and timers on a file.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test may panic

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde::{Deserialize, Serialize};
use sillok::ErrorCode;
use sillok::gateway::StateAt;
use sillok::handler::{
    Answer, Command, CommandContext, Decider, Decision, Event, Failed, FeedEvent, Instance, Process, Refusal,
    reject,
};
use sillok::store::{
    ExpectedVersion, IdempotencyKey, PendingKind, ReadRange, RecordedTime, StreamId, Version,
};
use sillok_sqlite::{ExecuteError, Options, Sqlite, SqliteError};
use tempfile::TempDir;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum AccountCommand {
    Deposit { cents: u64 },
    Withdraw { cents: u64 },
    Remind { at: u64 },
    Ring,
    Panic,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum AccountEvent {
    Deposited { cents: u64 },
    Withdrawn { cents: u64 },
    Reminded,
}

impl Event for AccountEvent {}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
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
            AccountCommand::Remind { at } => Ok(Decision::nothing().schedule(
                "reminder",
                RecordedTime::from_millis(at),
                &AccountCommand::Ring,
            )?),
            AccountCommand::Ring => Ok(AccountEvent::Reminded.into()),
            AccountCommand::Panic => panic!("a mistake in the rules"),
        }
    }

    fn evolve(balance: u64, event: AccountEvent) -> u64 {
        match event {
            AccountEvent::Deposited { cents } => balance + cents,
            AccountEvent::Withdrawn { cents } => balance - cents,
            AccountEvent::Reminded => balance,
        }
    }
}

fn bank() -> (Sqlite, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let bank = Sqlite::open(folder.path().join("bank.db")).unwrap();
    bank.aggregate::<Account>().unwrap();
    (bank, folder)
}

fn deposit(cents: u64) -> AccountCommand {
    AccountCommand::Deposit { cents }
}

#[test]
fn commands_are_decided_and_states_are_loaded_also_after_the_file_was_closed() {
    let (bank, folder) = bank();
    assert_eq!(bank.execute::<Account>("account-42", &deposit(100)).unwrap().version, Version::FIRST);
    let rejected = bank.execute::<Account>("account-42", &AccountCommand::Withdraw { cents: 130 });
    let Err(ExecuteError::Rejected(rejection)) = rejected else { panic!("{rejected:?}") };
    assert_eq!(rejection, AccountRejection::InsufficientFunds { missing: 30 });
    let withdrawn = bank.execute::<Account>("account-42", &AccountCommand::Withdraw { cents: 30 }).unwrap();
    assert_eq!(withdrawn.events[0].event, AccountEvent::Withdrawn { cents: 30 });
    drop(bank);

    let bank = Sqlite::open(folder.path().join("bank.db")).unwrap();
    bank.aggregate::<Account>().unwrap();
    let now = bank.load::<Account>("account-42").unwrap();
    assert_eq!((now.state, now.version.get()), (70, 2));
    let then = bank.load_at::<Account>("account-42", StateAt::Version(Version::FIRST)).unwrap();
    assert_eq!((then.state, then.version.get()), (100, 1));
    assert!(bank.verify("account-42").unwrap().broken.is_none());
}

#[test]
fn a_command_takes_effect_once_under_its_id() {
    let (bank, _folder) = bank();
    let stream = StreamId::new("account-42").unwrap();
    let id = IdempotencyKey::new("d-1").unwrap();
    let command = Command::of(&deposit(100)).unwrap().with_id(id);
    for is_repeat in [false, true] {
        let executed = bank.send_command::<Account>(&stream, command.clone()).unwrap();
        assert_eq!((executed.version.get(), executed.replayed, executed.events.len()), (1, is_repeat, 1));
    }
}

#[test]
fn wrong_calls_have_codes() {
    let (bank, _folder) = bank();
    let code = |failed: Result<_, ExecuteError<AccountRejection>>| match failed {
        Err(ExecuteError::Failed(error)) => error.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(bank.execute::<Account>("user-42", &deposit(1))), ErrorCode::InvalidStreamId);
    let no_account = Sqlite::in_memory().unwrap();
    assert_eq!(code(no_account.execute::<Account>("account-42", &deposit(1))), ErrorCode::NoAggregate);
    let again = bank.aggregate::<Account>().unwrap_err();
    assert_eq!(again, SqliteError::Registered { name: "account".to_owned() });
    bank.execute::<Account>("account-42", &deposit(1)).unwrap();
    let event = [AccountEvent::Reminded];
    let conflict = bank.append("account-42", &event, ExpectedVersion::NoStream).unwrap_err();
    assert_eq!(conflict.code(), ErrorCode::WrongExpectedVersion);
    let unknown = bank.document::<NoProjection>("balances", "account-42").unwrap_err();
    assert_eq!(unknown.code(), ErrorCode::ConsumerNotFound);
}

struct NoProjection;

impl sillok::handler::Projection for NoProjection {
    type Event = AccountEvent;
    type Document = u64;

    fn apply(
        _: AccountEvent,
        _: &FeedEvent,
        _: &sillok::handler::TypedDocuments<'_, u64>,
    ) -> Result<(), Failed> {
        Ok(())
    }
}

#[test]
fn a_panic_of_the_rules_is_an_error_and_the_store_goes_on() {
    let (bank, _folder) = bank();
    bank.execute::<Account>("account-42", &deposit(100)).unwrap();
    let failed = bank.execute::<Account>("account-42", &AccountCommand::Panic);
    let Err(ExecuteError::Failed(error)) = failed else { panic!("{failed:?}") };
    assert_eq!(error.code(), ErrorCode::DeciderFailed);
    assert!(error.to_string().contains("a mistake in the rules"), "{error}");
    assert_eq!(bank.execute::<Account>("account-42", &deposit(1)).unwrap().version.get(), 2);
    assert_eq!(bank.load::<Account>("account-42").unwrap().state, 101);
}

#[test]
fn a_handle_is_used_by_many_threads_at_once() {
    fn is_shared<T: Send + Sync + Clone>(_: &T) {}
    let (bank, _folder) = bank();
    is_shared(&bank);
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let bank = bank.clone();
            thread::spawn(move || {
                for _ in 0..25 {
                    bank.execute::<Account>("account-42", &deposit(1)).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(bank.load::<Account>("account-42").unwrap().state, 200);
}

#[test]
fn a_timer_rings_when_its_time_has_come() {
    let clock = Arc::new(AtomicU64::new(1_000));
    let time = Arc::clone(&clock);
    let options = Options::default().clock(move || RecordedTime::from_millis(time.load(Ordering::Relaxed)));
    let bank = options.in_memory().unwrap();
    bank.aggregate::<Account>().unwrap();
    bank.execute::<Account>("account-42", &AccountCommand::Remind { at: 5_000 }).unwrap();
    assert_eq!(bank.catch_up().unwrap(), Some(RecordedTime::from_millis(5_000)));
    assert_eq!(bank.head("account-42").unwrap().version, Version::EMPTY);
    clock.store(5_000, Ordering::Relaxed);
    assert_eq!(bank.catch_up().unwrap(), None);
    let page = bank.read::<AccountEvent>("account-42", &ReadRange::all()).unwrap();
    assert_eq!(page.events[0].event, AccountEvent::Reminded);
}

#[test]
fn a_timer_is_listed_until_it_is_cancelled() {
    let (bank, _folder) = bank();
    let at = 253_000_000_000_000;
    bank.execute::<Account>("account-42", &AccountCommand::Remind { at }).unwrap();
    let timers = || bank.pending("account-42", PendingKind::Timer, None, 10).unwrap();
    let key = timers()[0].key.clone();
    assert_eq!((timers().len(), key.as_str(), timers()[0].at.as_millis()), (1, "reminder", at));
    assert_eq!(bank.pending("account-42", PendingKind::Sent, None, 10).unwrap(), []);
    assert!(!bank.retry_pending("account-42", key.clone()).unwrap(), "it is not parked");
    assert!(bank.cancel_pending("account-42", key.clone()).unwrap());
    assert!(!bank.cancel_pending("account-42", key).unwrap());
    assert_eq!(timers(), []);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum GiftEvent {
    Promised { account: String },
    Given,
}

impl Event for GiftEvent {}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum NoCommand {}

#[derive(Debug, Serialize, Deserialize)]
enum Never {}

/// A gift of 5 cents for the first deposit to an account.
struct Gift;

impl Decider for Gift {
    type State = bool;
    type Command = NoCommand;
    type Event = GiftEvent;
    type Rejection = Never;
    const CATEGORY: &'static str = "gift";

    fn initial_state() -> bool {
        false
    }

    fn decide(
        command: NoCommand,
        _: &bool,
        _: &CommandContext<'_>,
    ) -> Result<Decision<GiftEvent>, Refusal<Never>> {
        match command {}
    }

    fn evolve(_: bool, event: GiftEvent) -> bool {
        event == GiftEvent::Given
    }
}

impl Process for Gift {
    type Source = AccountEvent;
    const SOURCE_CATEGORY: Option<&'static str> = Some("account");
    const SOURCE_TYPES: &'static [&'static str] = &["Deposited"];

    fn instance(_: &AccountEvent, source: &FeedEvent) -> Option<Instance> {
        (source.version == Version::FIRST).then(|| Instance::starts(source.stream.as_str())).flatten()
    }

    fn on(_: AccountEvent, _: &bool, _: &CommandContext<'_>) -> Result<Decision<GiftEvent>, Failed> {
        let account = "account-42".to_owned();
        let promised = Decision::from(GiftEvent::Promised { account: account.clone() });
        Ok(promised.send("gift", &account, &deposit(5))?)
    }

    fn answered(
        _: &str,
        answer: &Answer,
        _: &StreamId,
        _: &bool,
        _: &CommandContext<'_>,
    ) -> Result<Decision<GiftEvent>, Failed> {
        assert!(answer.is_accepted());
        Ok(GiftEvent::Given.into())
    }

    fn is_ended(is_given: &bool) -> bool {
        *is_given
    }
}

#[test]
fn a_process_takes_an_event_sends_a_command_and_takes_its_answer() {
    let (bank, _folder) = bank();
    bank.process::<Gift>().unwrap();
    bank.execute::<Account>("account-42", &deposit(100)).unwrap();
    for _ in 0..2 {
        bank.catch_up().unwrap();
        assert_eq!(bank.load::<Account>("account-42").unwrap().state, 105);
    }
    let events = bank.read::<GiftEvent>("gift-account-42", &ReadRange::all()).unwrap().events;
    assert_eq!(events.last().unwrap().event, GiftEvent::Given);
}
