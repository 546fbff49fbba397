//! Deciders in Rust: what they are given, and what is refused.

use std::cell::Cell;

use serde::{Deserialize, Serialize};
use sillok::ErrorCode;
use sillok::gateway::Commands;
use sillok::handler::{
    Behaviour, Command, CommandContext, Decider, Decision, Event, Refusal, TypedBehaviour, UnknownEvents,
    reject,
};
use sillok::store::{Append, EventId, EventStore, JsonText, MemoryLog, NewEvent, StreamId};
use sillok::testing::{given, laws};

use crate::account::{Account, AccountCommand, AccountEvent, AccountRejection, State, opened};

fn stored(event_type: &str, schema_version: u32, data: &str) -> NewEvent {
    let event = NewEvent::new(event_type, JsonText::parse(data).unwrap()).unwrap();
    event.with_schema_version(schema_version).unwrap()
}

fn untyped(name: &str, data: &str) -> (ErrorCode, Option<String>, String) {
    let mut account = TypedBehaviour::<Account>::new(StreamId::new("account-1").unwrap());
    account.begin().unwrap();
    let command = Command::new(name, JsonText::parse(data).unwrap()).unwrap();
    let context = sillok::handler::DecideContext { now: Default::default(), version: Default::default() };
    let fault = account.decide(&command, &context).unwrap_err();
    (fault.code, fault.field, fault.detail)
}

#[test]
fn a_decision_sees_the_time_the_version_the_id_and_the_metadata() {
    let metadata = JsonText::parse(r#"{"correlationId":"c-1"}"#).unwrap();
    let noted = AccountEvent::Noted {
        by: Some("k-1".to_owned()),
        at: 77,
        version: 1,
        correlation: Some("c-1".to_owned()),
    };
    let given = given::<Account>(&[opened()]).at(crate::world::at(77)).with_id("k-1").with_metadata(metadata);
    given.when(AccountCommand::Note(None)).then([noted]);
}

#[test]
fn a_command_that_does_not_fit_names_its_field() {
    let (code, field, detail) = untyped("Rename", "{}");
    assert_eq!((code, field.as_deref()), (ErrorCode::UnknownCommand, Some("type")));
    assert_eq!(detail, "the aggregate account has no command of type Rename");
    for data in ["{}", r#"{"cents":-1}"#, "null", r#"{"cents":"1"}"#] {
        let (code, field, detail) = untyped("Deposit", data);
        assert_eq!((code, field.as_deref()), (ErrorCode::InvalidCommand, Some("data")), "{data}");
        assert!(detail.starts_with("the command Deposit cannot be read: "), "{detail}");
    }
    assert_eq!(
        TypedBehaviour::<Account>::command_types(),
        ["Open", "Deposit", "Withdraw", "Rate", "Note", "Close"]
    );
}

#[test]
fn a_command_without_fields_takes_both_forms_of_nothing() {
    for nothing in ["null", "{}"] {
        let stream = StreamId::new("account-1").unwrap();
        let mut account = TypedBehaviour::<Account>::new(stream);
        assert!(account.restore(&JsonText::parse(r#"{"owner":"Ada","cents":0,"rate":0}"#).unwrap()).unwrap());
        let close = Command::new("Close", JsonText::parse(nothing).unwrap()).unwrap();
        let context = sillok::handler::DecideContext { now: Default::default(), version: Default::default() };
        account.decide(&close, &context).unwrap();
        account.advance();
        assert_eq!(account.state().unwrap().as_str(), r#"{"owner":null,"cents":0,"rate":0.0}"#);
    }
}

#[test]
fn a_fault_is_never_a_rejection() {
    let opened = given::<Account>(&[]).when(AccountCommand::Open { owner: "a number".to_owned() });
    opened.then_fails(ErrorCode::DeciderFailed);
}

#[test]
fn an_event_that_json_changes_is_refused() {
    // JSON has no infinity: it becomes `null`, which is no number.
    given::<Account>(&[]).when(AccountCommand::Rate { rate: 1.0 }).then_fails(ErrorCode::InvalidEvent);
}

#[test]
fn events_of_all_schema_versions_make_one_state() {
    given::<Account>(&[opened()])
        .stored(stored("Deposited", 1, r#""3 coins""#))
        .stored(stored("Deposited", 2, "4"))
        .stored(stored("Deposited", 3, r#"{"cents":5}"#))
        .when(AccountCommand::Withdraw { cents: 1000 })
        .then_rejected(&AccountRejection::InsufficientFunds { missing: 295 })
        .then_state(&State { owner: Some("세종".to_owned()), cents: 705, rate: 0.0 });
    let deposited = AccountEvent::Deposited { cents: 1 }.to_new().unwrap();
    assert_eq!((deposited.schema_version(), opened().to_new().unwrap().schema_version()), (3, 1));
    let account = TypedBehaviour::<Account>::new(StreamId::new("account-1").unwrap());
    assert_eq!(account.code(), "3;Deposited=3");
}

#[test]
fn a_stored_event_that_does_not_fit_is_named() {
    let unfit = [
        (
            "Deposited",
            4,
            "1",
            ErrorCode::EventTooNew,
            "Deposited has schema version 4; this code knows 3 at most",
        ),
        ("Deposited", 1, "1", ErrorCode::DeciderFailed, "Deposited cannot be converted: "),
        ("Withdrawn", 1, "{}", ErrorCode::DeciderFailed, "Withdrawn cannot be read: missing field `cents`"),
        ("Renamed", 1, "{}", ErrorCode::UnknownEvent, "the aggregate account does not declare"),
        ("Renamed", 2, "{}", ErrorCode::UnknownEvent, "the aggregate account does not declare"),
    ];
    for (event_type, schema_version, data, code, text) in unfit {
        let stream = StreamId::new("account-7").unwrap();
        let mut store = EventStore::new(MemoryLog::new());
        let events = vec![opened().to_new().unwrap(), stored(event_type, schema_version, data)];
        let append = Append::to(stream.clone(), events);
        store.append(append, Default::default(), &mut EventId::default).unwrap();
        let mut commands = Commands::new(Box::new(TypedBehaviour::<Account>::new(stream.clone())));
        let error = commands.load(&mut store, &stream).unwrap_err();
        let detail = error.to_string();
        assert_eq!(error.code(), code, "{detail}");
        assert!(detail.contains(text), "{detail}");
        for part in ["version 2 of stream account-7", event_type] {
            assert!(detail.contains(part), "{detail}");
        }
    }
}

#[test]
fn events_appended_without_a_command_are_checked() {
    let check = |event_type: &str, schema_version, data: &str| {
        let event = stored(event_type, schema_version, data);
        TypedBehaviour::<Account>::check(&[opened().to_new().unwrap(), event]).map_err(|fault| {
            assert_eq!(fault.code, ErrorCode::InvalidEvent);
            fault.field
        })
    };
    assert_eq!(check("Deposited", 3, r#"{"cents":1}"#), Ok(()));
    assert_eq!(check("Closed", 1, "{}"), Ok(()));
    for (event_type, schema_version, data, field) in [
        ("Renamed", 1, "{}", "type"),
        ("Deposited", 1, r#""3 coins""#, "schemaVersion"),
        ("Deposited", 3, r#"{"coins":1}"#, "data"),
    ] {
        assert_eq!(check(event_type, schema_version, data), Err(Some(field.to_owned())), "{data}");
    }
}

#[test]
fn the_types_of_events_are_the_names_that_serde_gives_them() {
    let types = ["Opened", "Deposited", "Withdrawn", "Rated", "Account noted", "Closed"];
    assert_eq!(AccountEvent::types(), types);
    assert_eq!(AccountEvent::Closed.to_new().unwrap(), stored("Closed", 1, "null"));
}

#[test]
fn an_enum_without_its_tags_is_refused_with_the_attribute_to_write() {
    #[derive(Serialize, Deserialize)]
    enum Bare {
        Opened { owner: String },
    }
    impl Event for Bare {}
    let bare = Bare::Opened { owner: String::new() };
    let fault = bare.to_new().unwrap_err();
    assert_eq!((fault.code, fault.field.as_deref()), (ErrorCode::InvalidEvent, Some("type")));
    assert!(fault.detail.contains(r#"#[serde(tag = "type", content = "data")]"#), "{}", fault.detail);
    let refused = Command::of(&bare).unwrap_err();
    assert_eq!((refused.code(), refused.field()), (ErrorCode::InvalidCommand, "type"));
    assert!(refused.to_string().contains("serde(tag"), "{refused}");
}

/// A counter that skips events that it does not know, and is impure on demand.
struct Loose;

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static IMPURE: Cell<&'static str> = const { Cell::new("") };
}

fn impure(what: &str) -> u64 {
    CALLS.set(CALLS.get() + 1);
    if IMPURE.get() == what { CALLS.get() } else { 0 }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Sum {
    sum: u64,
    #[serde(skip)]
    hidden: u64,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Number {
    Add(u64),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Numbered {
    Added(u64),
}

impl Event for Numbered {}

/// Not as a rejection must be: it has no code.
#[derive(Debug, Serialize, Deserialize)]
enum Codeless {
    TooMany,
}

impl Decider for Loose {
    type State = Sum;
    type Command = Number;
    type Event = Numbered;
    type Rejection = Codeless;
    const CATEGORY: &str = "loose";
    const UNKNOWN_EVENTS: UnknownEvents = UnknownEvents::Skip;

    fn initial_state() -> Sum {
        Sum::default()
    }

    fn decide(
        Number::Add(number): Number,
        state: &Sum,
        _: &CommandContext<'_>,
    ) -> Result<Decision<Numbered>, Refusal<Codeless>> {
        if number > 100 {
            return reject(Codeless::TooMany);
        }
        Ok(Numbered::Added(number + state.hidden + impure("decide")).into())
    }

    fn evolve(state: Sum, Numbered::Added(number): Numbered) -> Sum {
        let hidden = if IMPURE.get() == "hidden" { number } else { 0 };
        Sum { sum: state.sum + state.hidden + number + impure("evolve"), hidden }
    }
}

#[test]
fn unknown_events_are_skipped_where_the_code_says_so() {
    given::<Loose>(&[Numbered::Added(1)])
        .stored(stored("Renamed", 7, "[]"))
        .when(Number::Add(2))
        .then([Numbered::Added(2)])
        .then_state(&Sum { sum: 3, hidden: 0 });
}

#[test]
fn a_rejection_needs_a_code() {
    given::<Loose>(&[]).when(Number::Add(101)).then_fails(ErrorCode::DeciderFailed);
}

/// The message with which some work panics.
pub fn panic_of(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(work).unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_law_that_does_not_hold_is_named() {
    let history = || [Numbered::Added(1), Numbered::Added(2)];
    laws::<Loose>(&[&history(), &[]], &[Number::Add(3), Number::Add(101)]);
    for (what, commands, law) in [
        ("decide", &[Number::Add(3)][..], "history 0, version 0: the second decision of Add differs"),
        ("evolve", &[Number::Add(3)], "history 0, version 0: the fold of the events of Add differs"),
        ("evolve", &[], "history 1, version 2: the state of a second fold differs"),
        ("hidden", &[Number::Add(3)], "history 1, version 1: the decision on a snapshot of Add differs"),
        ("hidden", &[], "history 1, version 1: the state of a fold after a snapshot differs"),
    ] {
        let message = panic_of(move || {
            IMPURE.set(what);
            laws::<Loose>(&[&[], &history()], commands);
        });
        IMPURE.set("");
        assert!(message.contains(law), "{what}: {message}");
        assert!(message.contains("- expected\n+ actual"), "{message}");
    }
    laws::<Account>(
        &[&[opened(), AccountEvent::Deposited { cents: 5 }, AccountEvent::Closed]],
        &[AccountCommand::Close, AccountCommand::Rate { rate: 1.0 }, AccountCommand::Withdraw { cents: 5 }],
    );
}

#[test]
fn a_state_that_json_changes_breaks_the_laws() {
    let rated = [AccountEvent::Rated { rate: 0.5 }];
    laws::<Account>(&[&rated], &[]);
    #[derive(Serialize, Deserialize)]
    struct Infinite;
    impl Decider for Infinite {
        type State = f64;
        type Command = Number;
        type Event = Numbered;
        type Rejection = Codeless;
        const CATEGORY: &str = "infinite";
        fn initial_state() -> f64 {
            1.0
        }
        fn decide(
            _: Number,
            _: &f64,
            _: &CommandContext<'_>,
        ) -> Result<Decision<Numbered>, Refusal<Codeless>> {
            Ok(Decision::nothing())
        }
        fn evolve(state: f64, _: Numbered) -> f64 {
            state / 0.0
        }
    }
    let message = panic_of(|| laws::<Infinite>(&[&[Numbered::Added(1)]], &[]));
    assert!(message.contains("history 0: version 1: the state cannot be read again"), "{message}");
}
