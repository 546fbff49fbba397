//! The kit for deciders: an outcome that is not the expected one fails, and the difference is shown.

use sillok::ErrorCode;
use sillok::testing::{When, given};

use crate::account::{Account, AccountCommand, AccountEvent, AccountRejection, State, opened};
use crate::typed::panic_of;

fn withdrawn(cents: u64) -> AccountEvent {
    AccountEvent::Withdrawn { cents }
}

/// The outcome of a withdrawal from an account with 100 cents.
fn withdraw(cents: u64) -> When<Account> {
    given::<Account>(&[opened(), AccountEvent::Deposited { cents: 100 }])
        .when(AccountCommand::Withdraw { cents })
}

#[test]
fn each_outcome_has_its_expectation() {
    let left = |cents| State { owner: Some("세종".to_owned()), cents, rate: 0.0 };
    withdraw(30).then([withdrawn(30)]).then_state(&left(70));
    withdraw(500).then_rejected(&AccountRejection::InsufficientFunds { missing: 400 }).then_state(&left(100));
    given::<Account>(&[opened()]).when(AccountCommand::Deposit { cents: 0 }).then_nothing();
    given::<Account>(&[]).when(AccountCommand::Rate { rate: 1.0 }).then_fails(ErrorCode::InvalidEvent);
    given::<Account>(&[]).when(AccountCommand::Close).then_rejected(&AccountRejection::NotOpen);
}

#[test]
fn another_outcome_fails_with_the_difference() {
    type Expect = fn() -> When<Account>;
    let wrong: [(Expect, &[&str]); 8] = [
        (|| withdraw(30).then([withdrawn(31)]), &["-         \"cents\": 31", "+         \"cents\": 30"]),
        (|| withdraw(30).then_nothing(), &["-   \"events\": []", "+       \"type\": \"Withdrawn\""]),
        (|| withdraw(30).then([withdrawn(30), withdrawn(30)]), &["-       \"type\": \"Withdrawn\""]),
        (
            || withdraw(500).then_rejected(&AccountRejection::InsufficientFunds { missing: 401 }),
            &["-       \"missing\": 401", "+       \"missing\": 400"],
        ),
        (|| withdraw(500).then_rejected(&AccountRejection::NotOpen), &["-     \"code\": \"not_open\""]),
        (|| withdraw(500).then([withdrawn(500)]), &["+   \"rejection\": {"]),
        (|| withdraw(30).then_state(&State::default()), &["-     \"cents\": 0,", "+     \"cents\": 70,"]),
        (|| withdraw(30).then_fails(ErrorCode::DeciderFailed), &["-     \"code\": \"decider_failed\""]),
    ];
    for (place, (expect, lines)) in wrong.into_iter().enumerate() {
        let message = panic_of(move || drop(expect()));
        for line in lines {
            assert!(message.lines().any(|shown| shown == *line), "{place}: no {line} in {message}");
        }
    }
}

#[test]
fn the_order_of_events_counts() {
    let open = || given::<Account>(&[]).when(AccountCommand::Open { owner: "세종".to_owned() });
    let deposited = || AccountEvent::Deposited { cents: 0 };
    open().then([opened(), deposited()]);
    let message = panic_of(move || drop(open().then([deposited(), opened()])));
    assert!(message.starts_with("the outcome differs from the expected one:\n- expected"), "{message}");
}

#[test]
fn a_fault_is_shown_with_its_code_and_its_text() {
    let rate = || given::<Account>(&[]).when(AccountCommand::Rate { rate: 1.0 });
    let message = panic_of(move || drop(rate().then_nothing()));
    assert!(message.contains("+     \"code\": \"invalid_event\","), "{message}");
    assert!(message.contains("the event Rated cannot be read again"), "{message}");
    let message = panic_of(move || drop(rate().then_state(&State::default())));
    assert!(message.contains("invalid_event"), "{message}");
}

#[test]
fn an_invalid_history_fails_with_its_place() {
    #[derive(serde::Serialize, serde::Deserialize)]
    enum Bare {
        Opened,
    }
    impl sillok::handler::Event for Bare {}
    struct Untagged;
    impl sillok::handler::Decider for Untagged {
        type State = ();
        type Command = AccountCommand;
        type Event = Bare;
        type Rejection = AccountRejection;
        const CATEGORY: &str = "untagged";
        fn initial_state() {}
        fn decide(
            _: AccountCommand,
            (): &(),
            _: &sillok::handler::CommandContext<'_>,
        ) -> Result<sillok::handler::Decision<Bare>, sillok::handler::Refusal<AccountRejection>> {
            Ok(Bare::Opened.into())
        }
        fn evolve((): (), _: Bare) {}
    }
    let message = panic_of(|| drop(given::<Untagged>(&[Bare::Opened]).when(AccountCommand::Close)));
    assert!(message.starts_with("history[0]: the event must be an object with a `type`"), "{message}");
    // JSON makes `null` of an infinite number, which the code cannot read.
    let close = given::<Account>(&[AccountEvent::Rated { rate: f64::INFINITY }]).when(AccountCommand::Close);
    close.then_fails(ErrorCode::DeciderFailed);
}
