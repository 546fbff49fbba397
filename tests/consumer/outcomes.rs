//! The consequences of an outcome: another attempt, none, or a pause.

use super::database;
use crate::world::*;
use sillok::ErrorCode;
use sillok::handler::{Delivery, Kind, Next, OnFailure, Outcome, Running, Settings, Window};

fn settings_of(on_failure: OnFailure) -> Settings {
    settings(Kind::Reactor, on_failure)
}

fn refused(error: &str) -> Outcome {
    Outcome::refused(error)
}

fn gone() -> Outcome {
    Outcome::Gone { error: "no more".to_owned() }
}

/// Runs the machine until it has nothing to do. These events have this outcome, and the others succeed. Returns the
/// attempted events.
fn deliver_with(
    consumer: &mut Opened,
    feed: &Feed,
    now: u64,
    outcome: &Outcome,
    of: &[u64],
) -> (Next, Vec<Vec<u64>>) {
    let mut attempted = Vec::new();
    loop {
        match consumer.next(at(now)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(now)).unwrap(),
            Next::Deliver(deliveries) => {
                let number = |delivery: &Delivery| delivery.event.position.get();
                attempted.push(deliveries.iter().map(number).collect());
                for delivery in deliveries {
                    let is_of = of.contains(&number(&delivery));
                    let outcome = if is_of { outcome.clone() } else { Outcome::Done };
                    consumer.delivered(&delivery.id, outcome, at(now), 0).unwrap();
                }
            }
            rest => return (rest, attempted),
        }
    }
}

#[test]
fn a_refused_event_is_given_up_at_once_and_delays_nothing() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let attempted = deliver_with(&mut consumer, &feed, 0, &refused("too large"), &[2]);
    assert_eq!(attempted, (Next::Idle, vec![vec![1], vec![2], vec![3], vec![4]]));
    let letters = consumer.dead_letters(0, 9).unwrap().letters;
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!((letter.event.position.get(), letter.attempts, letter.error.message.as_str()), (2, 1, "too large"));
    let status = consumer.status().unwrap();
    assert_eq!((status.failures, status.retry_at), (0, None));
    // A retry is one attempt too.
    consumer.retry(at(10)).unwrap();
    let attempted = deliver_with(&mut consumer, &feed, 10, &refused("still too large"), &[2]);
    assert_eq!(attempted, (Next::Idle, vec![vec![2]]));
    assert_eq!(consumer.dead_letters(0, 9).unwrap().letters[0].attempts, 2);
}

#[test]
fn a_refused_event_holds_its_stream_or_stops_the_consumer_as_the_policy_says() {
    let feed = Feed::of(&["a", "b", "a", "c"]);
    let place = database();
    let mut consumer = open(&place, &settings_of(OnFailure::HoldStream));
    let attempted = deliver_with(&mut consumer, &feed, 0, &refused("no"), &[1]);
    assert_eq!(attempted, (Next::Idle, vec![vec![1], vec![2], vec![4]]));
    assert_eq!(letters(&mut consumer), [(1, "failed"), (3, "held")]);
    let place = database();
    let mut consumer = open(&place, &settings_of(OnFailure::Stop));
    let attempted = deliver_with(&mut consumer, &feed, 0, &refused("no"), &[2]);
    assert_eq!(attempted, (Next::Stopped, vec![vec![1], vec![2]]));
    consumer.resume(at(0)).unwrap();
    let attempted = deliver_with(&mut consumer, &feed, 0, &refused("no"), &[]);
    assert_eq!(attempted, (Next::Idle, vec![vec![2], vec![3], vec![4]]));
}

#[test]
fn a_refused_event_fails_no_batch() {
    let (database, feed) = (database(), Feed { page: 200, ..Feed::of(&["a", "b", "c", "d", "e"]) });
    let settings = Settings { window: Window::Batch(3), ..settings_of(OnFailure::Skip) };
    let mut consumer = open(&database, &settings);
    let mut attempted = Vec::new();
    loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            Next::Deliver(deliveries) => {
                let numbers: Vec<_> = deliveries.iter().map(|one| one.event.position.get()).collect();
                // As in a queue, an event that is too large is refused if it is the first. Otherwise the batch ends
                // before it.
                let until = numbers.iter().position(|number| *number == 2);
                let (done, outcome) = match until {
                    Some(0) => (1, refused("too large")),
                    until => (until.unwrap_or(numbers.len()), Outcome::Done),
                };
                attempted.push(numbers);
                for Delivery { id, .. } in &deliveries[..done] {
                    consumer.delivered(id, outcome.clone(), at(0), 0).unwrap();
                }
            }
            rest => break assert_eq!(rest, Next::Idle),
        }
    }
    assert_eq!(attempted, [vec![1, 2, 3], vec![2, 3, 4], vec![3, 4, 5]]);
    assert_eq!(letters(&mut consumer), [(2, "failed")]);
}

#[test]
fn a_projection_gives_up_at_once_too() {
    let (database, feed) = (database(), Feed::of(&["a", "a", "b"]));
    let mut consumer = open(&database, &settings(Kind::Projection, OnFailure::Skip));
    loop {
        match consumer.next(at(0)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
            Next::Project => consumer
                .project(at(0), 0, &mut |event, documents| {
                    let counted = Outcome::from(count(event, documents));
                    if event.position.get() == 2 { Outcome::of_code(ErrorCode::DocumentTooLarge, "no") } else { counted }
                })
                .unwrap(),
            rest => break assert_eq!(rest, Next::Idle),
        }
    }
    assert_eq!(letters(&mut consumer), [(2, "failed")]);
    assert_eq!(documents(&mut consumer), folded(&feed, &[2]));
}

#[test]
fn a_receiver_that_accepts_no_more_events_pauses_the_consumer_until_it_is_resumed() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let attempted = deliver_with(&mut consumer, &feed, 0, &gone(), &[2]);
    assert_eq!(attempted, (Next::Paused, vec![vec![1], vec![2]]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let status = consumer.status().unwrap();
    assert_eq!((status.running, status.failures, status.dead_letters), (Running::Paused, 0, 0));
    assert_eq!((status.retry_at, status.checkpoint.to_string().as_str()), (None, "1"));
    assert_eq!(status.error.unwrap().message, "no more");
    consumer.woken(0, at(9)).unwrap();
    assert_eq!(consumer.next(at(9)).unwrap(), Next::Paused);
    consumer.resume(at(9)).unwrap();
    assert_eq!(deliver_with(&mut consumer, &feed, 9, &gone(), &[2]), (Next::Paused, vec![vec![2]]));
    consumer.resume(at(10)).unwrap();
    assert_eq!(deliver_with(&mut consumer, &feed, 10, &gone(), &[]), (Next::Idle, vec![vec![2], vec![3]]));
}

#[test]
fn a_receiver_that_accepts_no_more_events_pauses_a_window_and_a_round() {
    let (database, feed) = (database(), Feed { page: 200, ..Feed::of(&["a", "b", "c", "d"]) });
    let settings = Settings { window: Window::Streams(3), ..settings_of(OnFailure::Skip) };
    let mut consumer = open(&database, &settings);
    let attempted = deliver_with(&mut consumer, &feed, 0, &gone(), &[2]);
    assert_eq!(attempted, (Next::Paused, vec![vec![1, 2, 3]]));
    consumer.resume(at(0)).unwrap();
    let attempted = deliver_with(&mut consumer, &feed, 0, &refused("no"), &[2]);
    assert_eq!(attempted, (Next::Idle, vec![vec![2, 4]]), "what was taken is not sent again");
    consumer.retry(at(0)).unwrap();
    assert_eq!(deliver_with(&mut consumer, &feed, 0, &gone(), &[2]), (Next::Paused, vec![vec![2]]));
    assert_eq!(letters(&mut consumer), [(2, "failed")]);
    consumer.resume(at(0)).unwrap();
    assert_eq!(deliver_with(&mut consumer, &feed, 0, &gone(), &[]), (Next::Idle, vec![vec![2]]));
    assert_eq!(letters(&mut consumer), []);
}

#[test]
fn a_time_that_is_asked_for_is_waited_for_within_the_longest_delay() {
    for (asked, waited) in [(None, 100), (Some(50), 100), (Some(700), 700), (Some(u64::MAX), 1000)] {
        let (database, feed) = (database(), Feed::of(&["a"]));
        let mut consumer = open(&database, &settings_of(OnFailure::Skip));
        let outcome = Outcome::Failed { error: "later".to_owned(), stack: None, retry_after: asked };
        let rest = deliver_with(&mut consumer, &feed, 5, &outcome, &[1]);
        assert_eq!(rest, (Next::Wait { until: at(5 + waited) }, vec![vec![1]]), "{asked:?}");
        let again = deliver_with(&mut consumer, &feed, 5 + waited, &outcome, &[]);
        assert_eq!(again, (Next::Idle, vec![vec![1]]));
    }
}
