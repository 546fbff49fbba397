//! Several deliveries at once. The order of each stream stays, and the checkpoint never passes an event without a final
//! outcome.

use super::database;
use crate::world::*;
use sillok::handler::{Delivery, Kind, Next, OnFailure, Outcome, Running, Settings, Window};

fn settings_of(on_failure: OnFailure, window: Window) -> Settings {
    Settings { window, ..settings(Kind::Reactor, on_failure) }
}

/// The next deliveries of the machine. Reads pages before them if necessary.
fn window(consumer: &mut Opened, feed: &Feed, now: u64) -> Vec<Delivery> {
    loop {
        match consumer.next(at(now)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(now)).unwrap(),
            Next::Deliver(deliveries) => return deliveries,
            other => panic!("{other:?}"),
        }
    }
}

fn numbers(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.event.position.get()).collect()
}

fn checkpoint(consumer: &mut Opened) -> String {
    consumer.status().unwrap().checkpoint.to_string()
}

fn whole(streams: &[&str]) -> Feed {
    Feed { page: 200, ..Feed::of(streams) }
}

#[test]
fn a_window_has_one_event_of_a_stream_and_a_batch_has_what_comes() {
    let (database, feed) = (database(), whole(&["a", "a", "b", "a", "c", "d", "b"]));
    let open = |window| open(&database, &settings_of(OnFailure::Skip, window));
    for (most, expected) in [
        (Window::Streams(1), vec![1]),
        (Window::Streams(3), vec![1, 3, 5]),
        (Window::Streams(9), vec![1, 3, 5, 6]),
        (Window::Batch(3), vec![1, 2, 3]),
        (Window::Batch(9), vec![1, 2, 3, 4, 5, 6, 7]),
        (Window::Streams(0), vec![1]),
        (Window::Batch(0), vec![1]),
    ] {
        assert_eq!(numbers(&window(&mut open(most), &feed, 0)), expected, "{most:?}");
    }
}

#[test]
fn the_checkpoint_waits_for_the_first_event_in_every_order_of_outcomes() {
    let (database, feed) = (database(), whole(&["a", "b", "c", "a", "b"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip, Window::Streams(3)));
    let first = window(&mut consumer, &feed, 0);
    for (done, expected) in [(2, "0"), (1, "0"), (0, "3")] {
        consumer.delivered(&first[done].id, Outcome::Done, at(0), 0).unwrap();
        assert_eq!(checkpoint(&mut consumer), expected);
    }
    assert_eq!(numbers(&window(&mut consumer, &feed, 0)), [4, 5]);
}

#[test]
fn a_delivery_is_offered_again_until_it_has_an_outcome() {
    let (database, feed) = (database(), whole(&["a", "b", "c", "b"]));
    let settings = settings_of(OnFailure::Skip, Window::Streams(3));
    let mut consumer = open(&database, &settings);
    let first = window(&mut consumer, &feed, 0);
    consumer.delivered(&first[1].id, Outcome::Done, at(0), 0).unwrap();
    assert_eq!(numbers(&window(&mut consumer, &feed, 0)), [1, 3, 4], "the stream b goes on");
    // Deliveries that only the lost process knew are repeated, under the same ids.
    let again = window(&mut open(&database, &settings), &feed, 0);
    assert_eq!((numbers(&again), &again[1].id), (vec![1, 2, 3], &first[1].id));
}

#[test]
fn after_a_failure_the_events_of_the_window_are_attempted_alone_and_none_twice() {
    let (database, feed) = (database(), whole(&["a", "b", "c", "d", "a", "b", "c"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip, Window::Streams(4)));
    let first = window(&mut consumer, &feed, 0);
    consumer.delivered(&first[0].id, Outcome::failed("no"), at(0), 0).unwrap();
    // The others come back when the hand is empty.
    consumer.delivered(&first[1].id, Outcome::Done, at(0), 0).unwrap();
    consumer.delivered(&first[2].id, Outcome::failed("no"), at(0), 0).unwrap();
    assert_eq!(consumer.next(at(0)).unwrap(), Next::Wait { until: at(100) });
    let alone = only(window(&mut consumer, &feed, 100));
    assert_eq!((alone.event.position.get(), alone.attempt), (1, 2));
    consumer.delivered(&alone.id, Outcome::Done, at(100), 0).unwrap();
    // The second event is done, and the third has had its first attempt.
    assert_eq!(checkpoint(&mut consumer), "2");
    assert_eq!(consumer.next(at(100)).unwrap(), Next::Wait { until: at(200) });
    let third = only(window(&mut consumer, &feed, 200));
    assert_eq!((third.event.position.get(), third.attempt), (3, 2));
    consumer.delivered(&third.id, Outcome::Done, at(200), 0).unwrap();
    let mut attempted = Vec::new();
    loop {
        let deliveries = window(&mut consumer, &feed, 200);
        attempted.push(numbers(&deliveries));
        deliveries.iter().for_each(|Delivery { id, .. }| consumer.delivered(id, Outcome::Done, at(200), 0).unwrap());
        if attempted.last().unwrap().contains(&7) {
            break;
        }
    }
    assert_eq!(attempted, [vec![4], vec![5, 6, 7]]);
}

#[test]
fn the_event_that_fails_a_batch_is_found_and_given_up_alone() {
    let (database, feed) = (database(), whole(&["a", "b", "a", "c", "b"]));
    let mut settings = settings_of(OnFailure::HoldStream, Window::Batch(100));
    // The failure of a batch does not count as an attempt at its first event.
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    let (mut taken, mut now) = (Vec::new(), 0);
    loop {
        match consumer.next(at(now)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(now)).unwrap(),
            Next::Deliver(deliveries) if numbers(&deliveries).contains(&2) => {
                consumer.delivered(&deliveries[0].id, Outcome::failed("spoilt"), at(now), 0).unwrap();
            }
            Next::Deliver(deliveries) => {
                taken.push(numbers(&deliveries));
                let ids = deliveries.iter().map(|delivery| &delivery.id);
                ids.for_each(|id| consumer.delivered(id, Outcome::Done, at(now), 0).unwrap());
            }
            Next::Wait { until } => now = until.as_millis(),
            rest => break assert_eq!(rest, Next::Idle),
        }
    }
    assert_eq!(taken, [[1], [3], [4]]);
    assert_eq!(letters(&mut consumer), [(2, "failed"), (5, "held")]);
}

#[test]
fn a_held_event_is_in_no_window_and_ends_a_batch() {
    for (most, expected) in [(Window::Streams(9), vec![2, 4]), (Window::Batch(9), vec![2])] {
        let (database, feed) = (database(), whole(&["a", "b", "a", "c"]));
        let mut settings = settings_of(OnFailure::HoldStream, most);
        settings.policy.attempts = 1;
        deliver(&mut open(&database, &Settings { window: Window::Streams(1), ..settings.clone() }), &Feed::of(&["a"]), 0, &[1]);
        assert_eq!(numbers(&window(&mut open(&database, &settings), &feed, 0)), expected);
    }
}

#[test]
fn a_stopped_consumer_resumes_with_new_attempts_at_all_failed_events() {
    let (database, feed) = (database(), whole(&["a", "b", "c"]));
    let mut settings = settings_of(OnFailure::Stop, Window::Streams(3));
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    for (delivery, outcome) in window(&mut consumer, &feed, 0).iter().zip([Outcome::failed("no"), Outcome::Done, Outcome::failed("no")]) {
        consumer.delivered(&delivery.id, outcome, at(0), 0).unwrap();
    }
    assert_eq!(consumer.next(at(0)).unwrap(), Next::Stopped);
    assert_eq!((consumer.status().unwrap().running, checkpoint(&mut consumer)), (Running::Stopped, "0".to_owned()));
    consumer.resume(at(0)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![1, 3]));
}

#[test]
fn a_late_failure_can_stop_a_consumer() {
    let (database, feed) = (database(), whole(&["a", "b", "c"]));
    let mut settings = settings_of(OnFailure::Stop, Window::Streams(2));
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    let first = window(&mut consumer, &feed, 0);
    consumer.delivered(&first[1].id, Outcome::failed("no"), at(0), 0).unwrap();
    // The first delivery has no outcome, so it is offered again. No event of a stream is offered behind a failed one.
    assert_eq!(numbers(&window(&mut consumer, &feed, 0)), [1, 3]);
    consumer.delivered(&first[0].id, Outcome::Done, at(0), 0).unwrap();
    assert_eq!(consumer.next(at(0)).unwrap(), Next::Stopped);
    assert_eq!(checkpoint(&mut consumer), "1");
}

#[test]
fn a_crash_repeats_a_hundred_deliveries_at_most() {
    let streams: Vec<String> = (0..300).map(|number| format!("s-{number}")).collect();
    let mut streams: Vec<&str> = streams.iter().map(String::as_str).collect();
    // One stream occupies the front while the others are delivered ahead of it.
    streams.splice(0..0, ["hot"; 30]);
    for most in [Window::Streams(6), Window::Batch(100)] {
        let (database, feed) = (database(), Feed { page: 1000, ..Feed::of(&streams) });
        let settings = settings_of(OnFailure::Skip, most);
        let mut consumer = open(&database, &settings);
        let mut delivered = std::collections::BTreeSet::new();
        while delivered.len() < feed.partitions[0].len() {
            let deliveries = window(&mut consumer, &feed, 0);
            delivered.extend(numbers(&deliveries));
            let durable = open(&database, &settings).status().unwrap().checkpoint.position(0).get();
            let repeated = delivered.range(durable + 1..).count();
            assert!(repeated <= 100, "{most:?} repeats {repeated}");
            deliveries.iter().for_each(|Delivery { id, .. }| consumer.delivered(id, Outcome::Done, at(0), 0).unwrap());
        }
    }
}

#[test]
fn letters_are_retried_one_by_one() {
    let (database, feed) = (database(), whole(&["a", "b", "c", "d"]));
    let mut settings = settings_of(OnFailure::Skip, Window::Streams(2));
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    assert_eq!(deliver(&mut consumer, &feed, 0, &[1, 2]), (Next::Idle, vec![1, 2, 3, 4]));
    consumer.retry(at(0)).unwrap();
    for number in [1, 2] {
        let letter = only(window(&mut consumer, &feed, 0));
        assert_eq!(letter.event.position.get(), number);
        consumer.delivered(&letter.id, Outcome::Done, at(0), 0).unwrap();
    }
    assert_eq!((consumer.next(at(0)).unwrap(), letters(&mut consumer)), (Next::Idle, vec![]));
}

#[test]
fn the_event_that_fails_a_batch_has_its_turn_before_other_partitions_and_letters() {
    let (database, mut feed) = (database(), Feed { page: 200, ..Feed::new(2) });
    ["x", "a", "b", "c"].iter().for_each(|stream| feed.add(0, stream, "Counted"));
    (0..9).for_each(|_| feed.add(1, "d", "Counted"));
    let mut settings = Settings { partitions: 2, ..settings_of(OnFailure::Skip, Window::Batch(3)) };
    settings.policy.attempts = 1;
    let mut consumer = open(&database, &settings);
    // First the test makes a dead letter.
    let first_page = Feed { partitions: vec![feed.partitions[0][..1].to_vec(), Vec::new()], ..Feed::new(2) };
    deliver(&mut consumer, &first_page, 0, &[1]);
    consumer.woken(0, at(0)).unwrap();
    let batch = window(&mut consumer, &feed, 0);
    assert_eq!(batch.iter().map(|delivery| delivery.event.stream.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    consumer.delivered(&batch[0].id, Outcome::failed("spoilt"), at(0), 0).unwrap();
    // Meanwhile another partition has grown, and a letter is retried. The batch is due at the same time as the letter,
    // a millisecond later.
    consumer.woken(1, at(0)).unwrap();
    consumer.retry(at(1)).unwrap();
    let letter = only(window(&mut consumer, &feed, 0));
    consumer.delivered(&letter.id, Outcome::Done, at(0), 0).unwrap();
    for stream in ["a", "b", "c"] {
        let alone = only(window(&mut consumer, &feed, 100));
        assert_eq!((alone.event.stream.as_str(), alone.attempt), (stream, 1));
        consumer.delivered(&alone.id, Outcome::Done, at(100), 0).unwrap();
    }
    assert_eq!(numbers(&window(&mut consumer, &feed, 100)), [1, 2, 3]);
}
