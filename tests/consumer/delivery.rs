//! Deliveries: one by one, in order, each at least once.

use super::database;
use crate::world::*;
use sillok::handler::{AfterFailure, ConsumerName, Kind, Next, OnFailure, Outcome, Running, Settings};

fn settings_of(on_failure: OnFailure) -> Settings {
    settings(Kind::Reactor, on_failure)
}

/// The next delivery of the machine. Reads pages before it if necessary.
fn next_delivery(consumer: &mut Opened, feed: &Feed, now: u64) -> sillok::handler::Delivery {
    loop {
        match consumer.next(at(now)).unwrap() {
            Next::Read(read) => consumer.take_page(feed.read(read), at(now)).unwrap(),
            Next::Deliver(deliveries) => return only(deliveries),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_event_is_delivered_in_order() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a", "c", "a"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![1, 2, 3, 4, 5]));
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Idle, vec![]));
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "5");
}

#[test]
fn an_id_is_of_one_consumer_and_one_event() {
    let (database, mut feed) = (database(), Feed::of(&["a", "b"]));
    // Two writers used the same id.
    feed.partitions[0][1].id = feed.partitions[0][0].id.clone();
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let first = next_delivery(&mut consumer, &feed, 0);
    // This is the SHA-256 of "balances\na\n1\nevent-0-1". Receivers have stored it.
    assert_eq!(first.id, "729d18b66a5c2f2dca4f26b61fe21604");
    let key = first.command_key(7).unwrap();
    assert_eq!(key.as_stored(), "reactor\t729d18b66a5c2f2dca4f26b61fe21604:7");
    consumer.delivered(&first.id, Outcome::failed("no"), at(0), 0).unwrap();
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let again = next_delivery(&mut consumer, &feed, 100);
    assert_eq!((&again.id, first.attempt, again.attempt), (&first.id, 1, 2));
    consumer.delivered(&again.id, Outcome::Done, at(100), 0).unwrap();
    let second = next_delivery(&mut consumer, &feed, 100);
    assert_ne!(second.id, first.id);
    let other = Settings { name: ConsumerName::new("other").unwrap(), ..settings_of(OnFailure::Skip) };
    assert_ne!(next_delivery(&mut open(&database, &other), &feed, 0).id, first.id);
}

#[test]
fn the_outcome_of_a_delivery_that_is_not_under_way_is_ignored() {
    let (database, feed) = (database(), Feed::of(&["a", "b"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    consumer.delivered("unknown", Outcome::Done, at(0), 0).unwrap();
    let first = next_delivery(&mut consumer, &feed, 0);
    consumer.delivered("unknown", Outcome::Done, at(0), 0).unwrap();
    assert_eq!(next_delivery(&mut consumer, &feed, 0).id, first.id);
    consumer.delivered(&first.id, Outcome::Done, at(0), 0).unwrap();
    let second = next_delivery(&mut consumer, &feed, 0);
    consumer.delivered(&first.id, Outcome::failed("late"), at(0), 0).unwrap();
    assert_eq!(next_delivery(&mut consumer, &feed, 0), second);
}

#[test]
fn a_crash_repeats_fifty_deliveries_at_most() {
    let (database, mut feed) = (database(), Feed::of(&["a"; 120]));
    feed.page = 120;
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    for number in 1..=99 {
        let delivery = next_delivery(&mut consumer, &feed, 0);
        assert_eq!(delivery.event.position.get(), number);
        consumer.delivered(&delivery.id, Outcome::Done, at(0), 0).unwrap();
    }
    assert_eq!(consumer.status().unwrap().checkpoint.to_string(), "99");
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    assert_eq!(next_delivery(&mut consumer, &feed, 0).event.position.get(), 51);
}

#[test]
fn progress_and_attempts_outlive_a_crash_after_a_failure() {
    let (database, feed) = (database(), Feed::of(&["a", "a", "a"]));
    let settings = settings_of(OnFailure::Skip);
    assert_eq!(
        deliver(&mut open(&database, &settings), &feed, 0, &[2]),
        (Next::Wait { until: at(100) }, vec![1, 2])
    );
    assert_eq!(
        deliver(&mut open(&database, &settings), &feed, 100, &[2]),
        (Next::Wait { until: at(300) }, vec![2])
    );
    assert_eq!(deliver(&mut open(&database, &settings), &feed, 300, &[2]), (Next::Idle, vec![2, 3]));
    assert_eq!(letters(&mut open(&database, &settings)), [(2, "failed")]);
}

#[test]
fn a_success_after_a_failure_is_not_repeated_after_a_crash() {
    let (database, feed) = (database(), Feed::of(&["a", "a", "a"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let first = next_delivery(&mut consumer, &feed, 0);
    consumer.delivered(&first.id, Outcome::failed("no"), at(0), 0).unwrap();
    let again = next_delivery(&mut consumer, &feed, 100);
    consumer.delivered(&again.id, Outcome::Done, at(100), 0).unwrap();
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let next = next_delivery(&mut consumer, &feed, 100);
    assert_eq!((next.event.position.get(), next.attempt), (2, 1));
}

#[test]
fn delays_double_up_to_the_longest_and_chance_takes_less_than_half() {
    for (jitter, least) in [(0, 1.0), (u32::MAX, 0.5)] {
        let (database, feed) = (database(), Feed::of(&["a"]));
        let mut settings = settings_of(OnFailure::Stop);
        settings.policy.attempts = 10;
        let mut consumer = open(&database, &settings);
        let mut now = 0;
        for expected in [100, 200, 400, 800, 1000, 1000, 1000] {
            let delivery = next_delivery(&mut consumer, &feed, now);
            consumer.delivered(&delivery.id, Outcome::failed("no"), at(now), jitter).unwrap();
            let Next::Wait { until } = consumer.next(at(now)).unwrap() else { panic!("no wait") };
            let delay = until.as_millis() - now;
            assert!(delay <= expected && delay as f64 >= least * expected as f64, "{delay} of {expected}");
            assert_eq!(delay < expected, jitter > 0);
            now = until.as_millis();
        }
    }
}

#[test]
fn a_pause_amid_a_delivery_loses_nothing() {
    let (database, feed) = (database(), Feed::of(&["a", "a", "a"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let first = next_delivery(&mut consumer, &feed, 0);
    consumer.pause().unwrap();
    consumer.delivered(&first.id, Outcome::Done, at(0), 0).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 0, &[]), (Next::Paused, vec![]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    consumer.resume(at(0)).unwrap();
    assert_eq!(
        deliver(&mut consumer, &feed, 0, &[]),
        (Next::Idle, vec![2, 3]),
        "what was told while paused counts"
    );
}

#[test]
fn a_consumer_may_stop_before_an_event_that_fails() {
    let (database, feed) = (database(), Feed::of(&["a", "b", "a"]));
    let settings = settings_of(OnFailure::Stop);
    let mut consumer = open(&database, &settings);
    assert_eq!(deliver(&mut consumer, &feed, 0, &[2]), (Next::Wait { until: at(100) }, vec![1, 2]));
    assert_eq!(deliver(&mut consumer, &feed, 100, &[2]), (Next::Wait { until: at(300) }, vec![2]));
    assert_eq!(deliver(&mut consumer, &feed, 300, &[2]), (Next::Stopped, vec![2]));
    let mut consumer = open(&database, &settings);
    assert_eq!(deliver(&mut consumer, &feed, 9000, &[]), (Next::Stopped, vec![]));
    let status = consumer.status().unwrap();
    assert_eq!((status.running, status.failures, status.dead_letters), (Running::Stopped, 3, 0));
    assert_eq!(
        (status.checkpoint.to_string().as_str(), status.error.unwrap().message.as_str()),
        ("1", "2 fails")
    );
    // Each way to resume begins a new series of attempts. A pause leaves the consumer stopped.
    consumer.pause().unwrap();
    consumer.resume(at(9000)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 9000, &[2]), (Next::Wait { until: at(9100) }, vec![2]));
    assert_eq!(deliver(&mut consumer, &feed, 9100, &[2]), (Next::Wait { until: at(9300) }, vec![2]));
    assert_eq!(deliver(&mut consumer, &feed, 9300, &[2]), (Next::Stopped, vec![2]));
    consumer.retry(at(9400)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 9400, &[]), (Next::Idle, vec![2, 3]));
}

#[test]
fn the_text_of_an_error_is_bounded() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let delivery = next_delivery(&mut consumer, &feed, 0);
    consumer.delivered(&delivery.id, Outcome::failed("é".repeat(5000)), at(0), 0).unwrap();
    assert_eq!(consumer.status().unwrap().error.unwrap().message, "é".repeat(2048));
}

#[test]
fn a_failed_attempt_is_reported_once_and_its_letter_has_the_stack() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    let thrown = |error: &str| Outcome::refused(error).with_stack(Some("é\u{1f}".repeat(5000)));
    let delivery = next_delivery(&mut consumer, &feed, 0);
    consumer.delivered(&delivery.id, thrown("no\u{1f}"), at(7), 0).unwrap();
    let stack = "é ".repeat(5000).get(..8192).unwrap().to_owned();
    let reports = consumer.take_failures();
    let [report] = &reports[..] else { panic!("{reports:?}") };
    assert_eq!((report.attempt, report.error.as_str(), report.next), (1, "no ", AfterFailure::DeadLetter));
    assert_eq!(report.stack.as_ref(), Some(&stack));
    assert_eq!((report.event.stream.as_str(), report.event.version.get()), ("a", 1));
    assert_eq!(consumer.take_failures(), []);

    let mut again = open(&database, &settings_of(OnFailure::Skip));
    let letter = again.dead_letters(0, 1).unwrap().letters.remove(0);
    assert_eq!((letter.error.message.as_str(), letter.error.stack), ("no ", Some(stack)));
    let error = again.status().unwrap().error.unwrap();
    assert_eq!((error.message.as_str(), error.event), ("no ", Some(report.event.clone())));

    // A retry of the letter has its own error.
    again.retry(at(8)).unwrap();
    let delivery = next_delivery(&mut again, &feed, 8);
    again.delivered(&delivery.id, Outcome::refused("never"), at(9), 0).unwrap();
    assert_eq!(again.take_failures()[0].next, AfterFailure::DeadLetter);
    let letter = again.dead_letters(0, 1).unwrap().letters.remove(0);
    assert_eq!((letter.error.message.as_str(), letter.error.stack), ("never", None));
}

#[test]
fn each_event_has_its_own_series_of_attempts_in_every_partition() {
    let (database, mut feed) = (database(), Feed::new(2));
    feed.add(0, "a", "Counted");
    feed.add(1, "b", "Counted");
    let settings = Settings { partitions: 2, ..settings_of(OnFailure::Skip) };
    let mut consumer = open(&database, &settings);
    let (mut attempts, mut now) = (std::collections::BTreeMap::<String, u32>::new(), 0);
    let rest = loop {
        let rest = run(&mut consumer, &feed, now, &mut |work| match work {
            Work::Deliver(delivery) => {
                let stream = delivery.event.stream.as_str().to_owned();
                *attempts.entry(stream).or_default() += 1;
                Err("no".to_owned())
            }
            Work::Project(..) => panic!("a delivery has no documents"),
        });
        match rest.unwrap() {
            Next::Wait { until } => now = until.as_millis(),
            rest => break rest,
        }
    };
    assert_eq!(rest, Next::Idle);
    assert_eq!(attempts.into_values().collect::<Vec<_>>(), [3, 3]);
    let letters = consumer.dead_letters(0, 10).unwrap().letters;
    assert_eq!(letters.iter().map(|letter| letter.attempts).collect::<Vec<_>>(), [3, 3]);
}

#[test]
fn a_failed_event_is_attempted_at_once_in_a_new_series_after_a_new_definition() {
    let (database, feed) = (database(), Feed::of(&["a", "b"]));
    for now in [0, 100] {
        deliver(&mut open(&database, &settings_of(OnFailure::Skip)), &feed, now, &[1]);
    }
    let mut consumer = open(&database, &settings_of(OnFailure::Skip));
    assert_eq!(deliver(&mut consumer, &feed, 101, &[1]), (Next::Wait { until: at(300) }, vec![]));
    consumer.renew(at(101)).unwrap();
    assert_eq!(armed(&database), Some(300), "it rings before the backstop does");
    let first = next_delivery(&mut consumer, &feed, 101);
    assert_eq!((first.event.position.get(), first.attempt), (1, 1));
    for now in [101, 201, 401] {
        deliver(&mut consumer, &feed, now, &[1]);
    }
    assert_eq!(letters(&mut consumer), [(1, "failed")]);
    // The same holds for a dead letter.
    consumer.retry(at(500)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 500, &[1]), (Next::Wait { until: at(600) }, vec![1]));
    consumer.renew(at(501)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 501, &[]), (Next::Idle, vec![1]));
    assert_eq!(letters(&mut consumer), []);
}

#[test]
fn a_stopped_or_paused_consumer_stays_so_after_a_new_definition() {
    let (database, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&database, &settings_of(OnFailure::Stop));
    for now in [0, 100, 300] {
        deliver(&mut consumer, &feed, now, &[1]);
    }
    consumer.renew(at(301)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 301, &[]), (Next::Stopped, vec![]));
    consumer.resume(at(302)).unwrap();
    consumer.pause().unwrap();
    consumer.renew(at(303)).unwrap();
    assert_eq!(deliver(&mut consumer, &feed, 303, &[]), (Next::Paused, vec![]));
}
