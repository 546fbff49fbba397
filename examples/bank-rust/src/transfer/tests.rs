//! The rules of a transfer, tested without a server.

use sillok::ErrorCode;
use sillok::handler::Command;
use sillok::store::RecordedTime;
use sillok::testing::{Given, When, accepted, given, given_process, laws, refused};

use super::*;
use crate::account::AccountRejection;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn order(cents: u64) -> Result<Order, &'static str> {
    let [from, to] = ["account-a", "account-b"].map(|stream| AccountStream::try_from(stream.to_owned()));
    Ok(Order { from: from?, to: to?, cents: NonZeroU64::new(cents).ok_or("no cents")? })
}

fn withdraw() -> Result<AccountCommand, &'static str> {
    Ok(order(100)?.withdraw())
}

fn deposit() -> Result<AccountCommand, &'static str> {
    Ok(order(100)?.deposit())
}

/// The history of a transfer of a hundred cents.
fn history(after: impl IntoIterator<Item = TransferEvent>) -> Result<Vec<TransferEvent>, &'static str> {
    Ok([TransferEvent::Requested(order(100)?)].into_iter().chain(after).collect())
}

fn is_at(when: When<Transfer>, status: Status, reason: Option<&str>) -> Result<When<Transfer>, &'static str> {
    Ok(when.then_state(&State { status, order: Some(order(100)?), reason: reason.map(str::to_owned) }))
}

fn missing() -> Answer {
    refused(&AccountRejection::NotOpen)
}

fn credit_refused() -> TransferEvent {
    TransferEvent::CreditRefused { reason: "not_open".to_owned() }
}

#[test]
fn a_request_debits_the_sender_first_and_sets_a_timer() -> Outcome {
    given_process::<Transfer>(&[])
        .at(RecordedTime::from_millis(5))
        .when(TransferCommand::Request(order(100)?))
        .then(history([])?)
        .then_sent("debit", "account-a", &withdraw()?)
        .then_scheduled("lapse", RecordedTime::from_millis(5 + LAPSE), &TransferCommand::Lapse);
    Ok(())
}

#[test]
fn a_request_is_taken_once() -> Outcome {
    let request = |cents| Ok::<_, &str>(TransferCommand::Request(order(cents)?));
    given_process::<Transfer>(&history([])?).when(request(100)?).then_nothing();
    let other = given_process::<Transfer>(&history([])?).when(request(7)?);
    other.then_rejected(&TransferRejection::AlreadyRequested);
    Ok(())
}

#[test]
fn after_the_debit_the_receiver_gets_the_money() -> Outcome {
    given_process::<Transfer>(&history([])?)
        .when_answered("debit", accepted())
        .then([TransferEvent::Debited])
        .then_cancelled("lapse")
        .then_sent("credit", "account-b", &deposit()?);
    let debited = history([TransferEvent::Debited])?;
    let completed = given_process::<Transfer>(&debited)
        .when_answered("credit", accepted())
        .then([TransferEvent::Completed])
        .then_ended();
    is_at(completed, Status::Completed, None)?;
    Ok(())
}

#[test]
fn a_refused_debit_fails_the_transfer() -> Outcome {
    let answer = refused(&AccountRejection::InsufficientFunds { missing: 1 });
    let failed = given_process::<Transfer>(&history([])?).when_answered("debit", answer).then_ended();
    is_at(failed, Status::Failed, Some("insufficient_funds"))?;
    Ok(())
}

#[test]
fn if_the_receiver_is_missing_the_sender_gets_the_money_back() -> Outcome {
    given_process::<Transfer>(&history([TransferEvent::Debited])?)
        .when_answered("credit", missing())
        .then([credit_refused()])
        .then_sent("refund", "account-a", &deposit()?);
    let refunding = history([TransferEvent::Debited, credit_refused()])?;
    let refunded = given_process::<Transfer>(&refunding).when_answered("refund", accepted()).then_ended();
    is_at(refunded, Status::Refunded, Some("not_open"))?;
    Ok(())
}

#[test]
fn a_transfer_whose_refund_is_refused_holds_the_money_until_somebody_names_another_account() -> Outcome {
    let redirect = || Ok::<_, &str>(TransferCommand::Redirect { to: "account-c".to_owned().try_into()? });
    let refunding = history([TransferEvent::Debited, credit_refused()])?;
    let held = given_process::<Transfer>(&refunding).when_answered("refund", missing());
    is_at(held, Status::Held, Some("not_open"))?;
    let refused = TransferEvent::RefundRefused { reason: "not_open".to_owned() };
    let held = history([TransferEvent::Debited, credit_refused(), refused])?;
    given_process::<Transfer>(&held).when(redirect()?).then_sent("refund", "account-c", &deposit()?);
    let debited = history([TransferEvent::Debited])?;
    given_process::<Transfer>(&debited).when(redirect()?).then_rejected(&TransferRejection::NotHeld);
    Ok(())
}

#[test]
fn a_lapsed_transfer_waits_for_the_answer_of_the_debit_and_gives_the_money_back() -> Outcome {
    let lapsed = given_process::<Transfer>(&history([])?).when(TransferCommand::Lapse);
    is_at(lapsed.then([TransferEvent::Lapsed]), Status::Lapsed, Some("lapsed"))?;
    let waiting = history([TransferEvent::Lapsed])?;
    given_process::<Transfer>(&waiting)
        .when_answered("debit", accepted())
        .then([TransferEvent::Debited])
        .then_sent("refund", "account-a", &deposit()?);
    let failed = given_process::<Transfer>(&waiting).when_answered("debit", missing()).then_ended();
    is_at(failed, Status::Failed, Some("not_open"))?;
    Ok(())
}

#[test]
fn only_a_transfer_that_waits_for_the_debit_lapses() -> Outcome {
    for past in [vec![], history([TransferEvent::Lapsed])?, history([TransferEvent::Debited])?] {
        given_process::<Transfer>(&past).when(TransferCommand::Lapse).then_nothing();
    }
    Ok(())
}

#[test]
fn an_order_names_two_accounts() {
    for (stream, valid) in
        [("account-a_1-B", true), ("b", false), ("account-", false), ("account-a b", false)]
    {
        assert_eq!(AccountStream::try_from(stream.to_owned()).is_ok(), valid, "{stream}");
    }
}

#[test]
fn only_a_process_sends_commands() -> Outcome {
    let request = TransferCommand::Request(order(100)?);
    given::<Transfer>(&[]).when(request).then_fails(ErrorCode::DeciderFailed);
    Ok(())
}

/// A decision on which the bank in TypeScript agrees: its tests read the same file.
#[derive(Deserialize)]
struct Case {
    name: String,
    history: Vec<TransferEvent>,
    command: Option<TransferCommand>,
    answer: Option<Answered>,
    events: Vec<TransferEvent>,
    timers: Vec<Timer>,
    sent: Vec<Sent>,
    state: State,
    ended: bool,
}

#[derive(Deserialize)]
struct Answered {
    name: String,
    rejection: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Timer {
    key: String,
    at: Option<u64>,
    command: Option<TransferCommand>,
}

#[derive(Deserialize)]
struct Sent {
    name: String,
    stream: String,
    command: AccountCommand,
}

fn decided(given: Given<Transfer>, case: &mut Case) -> Result<When<Transfer>, &'static str> {
    match (case.command.take(), &case.answer) {
        (Some(command), _) => Ok(given.when(command)),
        (None, Some(Answered { name, rejection: None })) => Ok(given.when_answered(name, accepted())),
        (None, Some(Answered { name, rejection })) => Ok(given.when_answered(name, refused(rejection))),
        (None, None) => Err("the case has no input"),
    }
}

#[test]
fn the_bank_in_typescript_decides_the_same() -> Outcome {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../../bank/transfer-cases.json"))?;
    assert!(cases.len() >= 10);
    for mut case in cases {
        println!("{}", case.name);
        let given = given_process::<Transfer>(&case.history).at(RecordedTime::from_millis(5));
        let mut when = decided(given, &mut case)?;
        when = if case.events.is_empty() && case.timers.is_empty() && case.sent.is_empty() {
            when.then_nothing()
        } else {
            when.then(case.events)
        };
        when = when.then_state(&case.state);
        let (mut scheduled, mut cancelled) = (Vec::new(), Vec::new());
        for Timer { key, at, command } in &case.timers {
            match (at, command) {
                (Some(at), Some(command)) => {
                    scheduled.push((key.as_str(), RecordedTime::from_millis(*at), command));
                }
                _ => cancelled.push(key.as_str()),
            }
        }
        let mut sent = Vec::new();
        for Sent { name, stream, command } in &case.sent {
            sent.push((name.as_str(), stream.as_str(), Command::of(command)?));
        }
        when = when.then_all_scheduled(&scheduled).then_all_cancelled(&cancelled).then_all_sent(&sent);
        if case.ended {
            let _ = when.then_ended();
        }
    }
    Ok(())
}

#[test]
fn the_code_is_pure() -> Outcome {
    let past = history([TransferEvent::Lapsed, TransferEvent::Debited, TransferEvent::Refunded])?;
    laws::<Transfer>(&[&past], &[TransferCommand::Request(order(100)?), TransferCommand::Lapse]);
    Ok(())
}
