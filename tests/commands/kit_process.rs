//! The kit for processes: events of other streams, answers, timers and sent commands; and the differences that it shows.

use serde::{Deserialize, Serialize};
use sillok::ErrorCode;
use sillok::handler::{
    Answer, CommandContext, Decider, Decision, Event, Failed, FeedEvent, FiredTimer, Instance, Process,
    Refusal,
};
use sillok::store::{JsonText, NewEvent, RecordedTime, StreamId};
use sillok::testing::{When, accepted, given_process, refused};

use crate::typed::panic_of;

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Order {
    Placed { cents: u64 },
    Cancelled,
}

impl Event for Order {}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Command {
    Remind,
    Charge { cents: u64 },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Billing {
    Billed { cents: u64 },
    Reminded,
    Over,
}

impl Event for Billing {}

#[derive(Serialize, Deserialize)]
enum Never {}

/// Bills an order: an order of another stream starts an instance, which sends a command and sets a timer.
struct Bill;

impl Decider for Bill {
    /// Whether it is over.
    type State = bool;
    type Command = Command;
    type Event = Billing;
    type Rejection = Never;
    const CATEGORY: &str = "bill";

    fn initial_state() -> bool {
        false
    }

    fn decide(
        _: Command,
        _: &bool,
        context: &CommandContext<'_>,
    ) -> Result<Decision<Billing>, Refusal<Never>> {
        if let Some(FiredTimer { key, due }) = context.timer {
            return Ok(Decision::from(Billing::Billed { cents: due.as_millis() }).cancel(key.as_str())?);
        }
        let reminded = Decision::from(Billing::Reminded);
        Ok(reminded.cancel("remind")?.schedule("remind", context.now.later(7), &Command::Remind)?)
    }

    fn evolve(_: bool, event: Billing) -> bool {
        matches!(event, Billing::Over)
    }
}

impl Process for Bill {
    type Source = Order;
    const SOURCE_TYPES: &'static [&'static str] = &["Placed", "Cancelled"];
    const SOURCE_CATEGORY: Option<&'static str> = Some("order");

    fn instance(event: &Order, source: &FeedEvent) -> Option<Instance> {
        let id = source.stream.as_str().strip_prefix("order-")?;
        match event {
            Order::Placed { cents: 0 } => None,
            Order::Placed { .. } => Instance::starts(id),
            Order::Cancelled => Instance::continues(id),
        }
    }

    fn on(event: Order, _: &bool, context: &CommandContext<'_>) -> Result<Decision<Billing>, Failed> {
        match event {
            Order::Placed { cents: TWICE } => Ok(Decision::from(Billing::Billed { cents: TWICE })
                .send("charge", "card-1", &Command::Charge { cents: TWICE })?
                .send("again", "card-1", &Command::Charge { cents: TWICE })?
                .schedule("remind", context.now.later(7), &Command::Remind)?
                .schedule("more", context.now.later(9), &Command::Remind)?
                .cancel("other")?
                .cancel("last")?),
            Order::Placed { cents } => Ok(Decision::from(Billing::Billed { cents })
                .send("charge", "card-1", &Command::Charge { cents })?
                .schedule("remind", context.now.later(7), &Command::Remind)?),
            Order::Cancelled => Ok(Billing::Over.into()),
        }
    }

    fn answered(
        name: &str,
        answer: &Answer,
        from: &StreamId,
        _: &bool,
        _: &CommandContext<'_>,
    ) -> Result<Decision<Billing>, Failed> {
        assert_eq!((name, from.as_str()), ("charge", "other-1"));
        if answer.is_accepted() { Ok(Billing::Over.into()) } else { Err("no money".into()) }
    }

    fn is_ended(state: &bool) -> bool {
        *state
    }
}

/// An order of so many cents is charged twice.
const TWICE: u64 = 2;

const BILLED: Billing = Billing::Billed { cents: 30 };

fn event(event: &Order) -> NewEvent {
    event.to_new().unwrap()
}

fn placed() -> When<Bill> {
    let now = RecordedTime::from_millis(5);
    given_process::<Bill>(&[]).at(now).when_event("order-7", event(&Order::Placed { cents: 30 }))
}

/// A decision with two parts of each kind.
fn charged_twice() -> When<Bill> {
    given_process::<Bill>(&[]).when_event("order-7", event(&Order::Placed { cents: TWICE }))
}

fn at(millis: u64) -> RecordedTime {
    RecordedTime::from_millis(millis)
}

#[test]
fn an_event_of_another_stream_is_decided_by_its_instance() {
    placed()
        .then([BILLED])
        .then_sent("charge", "card-1", &Command::Charge { cents: 30 })
        .then_scheduled("remind", at(12), &Command::Remind)
        .then_state(&false);
    given_process::<Bill>(&[BILLED]).when_event("order-7", event(&Order::Cancelled)).then_ended();
}

#[test]
fn several_parts_of_a_decision_are_expected_together() -> Result<(), sillok::handler::InvalidCommand> {
    let charge = || sillok::handler::Command::of(&Command::Charge { cents: TWICE });
    charged_twice()
        .then_all_sent(&[("charge", "card-1", charge()?), ("again", "card-1", charge()?)])
        .then_all_scheduled(&[("remind", at(7), &Command::Remind), ("more", at(9), &Command::Remind)])
        .then_all_cancelled(&["other", "last"]);
    given_process::<Bill>(&[BILLED])
        .when_event("order-7", event(&Order::Cancelled))
        .then_all_sent(&[])
        .then_all_scheduled(&[])
        .then_all_cancelled(&[]);
    Ok(())
}

#[test]
fn an_event_that_is_for_no_instance_does_nothing() {
    let other = NewEvent::new("Shipped", JsonText::null()).unwrap();
    for (stream, event) in [
        ("order-7", event(&Order::Placed { cents: 0 })),
        ("order-7", event(&Order::Cancelled)),
        ("cart-7", event(&Order::Placed { cents: 30 })),
        ("order-7", other),
    ] {
        given_process::<Bill>(&[]).when_event(stream, event).then_nothing().then_state(&false);
    }
}

#[test]
fn an_answer_is_decided_once_and_not_after_the_end() {
    given_process::<Bill>(&[BILLED]).when_answered("charge", accepted()).then([Billing::Over]).then_ended();
    given_process::<Bill>(&[Billing::Over])
        .when_answered("charge", accepted())
        .then_nothing()
        .then_state(&true);
    let poor = refused(&serde_json::json!({ "code": "poor" }));
    given_process::<Bill>(&[BILLED]).when_answered("charge", poor).then_fails(ErrorCode::DeciderFailed);
}

#[test]
fn the_context_tells_the_command_of_a_timer_from_that_of_a_caller() {
    given_process::<Bill>(&[BILLED])
        .by_timer("remind", at(7))
        .when(Command::Remind)
        .then([Billing::Billed { cents: 7 }])
        .then_cancelled("remind");
    given_process::<Bill>(&[BILLED]).when(Command::Remind).then([Billing::Reminded]);
}

#[test]
fn the_last_change_of_a_timer_counts() {
    given_process::<Bill>(&[BILLED]).when(Command::Remind).then([Billing::Reminded]).then_scheduled(
        "remind",
        at(7),
        &Command::Remind,
    );
}

#[test]
fn another_decision_fails_with_the_difference() {
    type Expect = fn() -> When<Bill>;
    let reminded: Expect = || given_process::<Bill>(&[BILLED]).when(Command::Remind).then_cancelled("remind");
    let late: Expect = || {
        let ended = given_process::<Bill>(&[Billing::Over]).when(Command::Remind);
        ended.then_scheduled("remind", at(7), &Command::Remind)
    };
    let wrong: [(Expect, &[&str]); 14] = [
        (|| placed().then_nothing(), &["+   \"sent\": [", "+   \"scheduled\": ["]),
        (|| placed().then_ended(), &["-   \"ended\": true", "+   \"ended\": false"]),
        (
            || placed().then_sent("charge", "card-2", &Command::Charge { cents: 30 }),
            &["-       \"stream\": \"card-2\"", "+       \"stream\": \"card-1\""],
        ),
        (
            || placed().then_sent("charge", "card-1", &Command::Charge { cents: 31 }),
            &["-           \"cents\": 31", "+           \"cents\": 30"],
        ),
        (
            || placed().then_sent("refund", "card-1", &Command::Charge { cents: 30 }),
            &["-       \"name\": \"refund\",", "+       \"name\": \"charge\","],
        ),
        (
            || placed().then_scheduled("remind", at(13), &Command::Remind),
            &["-       \"at\": 13,", "+       \"at\": 12,"],
        ),
        (|| placed().then_cancelled("other"), &["-     \"other\""]),
        (|| placed().then_all_scheduled(&[]), &["+       \"at\": 12,"]),
        (|| placed().then_all_sent(&[]), &["+       \"name\": \"charge\","]),
        (
            || charged_twice().then_sent("charge", "card-1", &Command::Charge { cents: TWICE }),
            &["+       \"name\": \"again\","],
        ),
        (
            || charged_twice().then_scheduled("remind", at(7), &Command::Remind),
            &["+       \"key\": \"more\""],
        ),
        (|| charged_twice().then_cancelled("other"), &["+     \"last\""]),
        (reminded, &["-     \"remind\""]),
        (late, &["+     \"code\": \"process_ended\""]),
    ];
    for (place, (expect, lines)) in wrong.into_iter().enumerate() {
        let message = panic_of(move || drop(expect()));
        for line in lines {
            assert!(message.lines().any(|shown| shown == *line), "{place}: no {line} in {message}");
        }
    }
}
