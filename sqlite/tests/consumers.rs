//! Projections and reactors on a file.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a test may panic

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sillok::handler::{
    Event, Failed, FeedEvent, LetterId, OnFailure, Policy, Projection, Running, TypedDocuments,
};
use sillok::store::{ExpectedVersion, FeedRange, Position, ReadRange};
use sillok_sqlite::{Reactor, ReactorContext, Sqlite, SqliteError};
use tempfile::TempDir;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
enum Counted {
    Counted { by: u64 },
    Broken,
}

impl Event for Counted {}

struct Sums;

impl Projection for Sums {
    type Event = Counted;
    type Document = u64;
    const POLICY: Policy = Policy { attempts: 1, on_failure: OnFailure::Skip, ..Policy::DEFAULT };

    fn apply(event: Counted, source: &FeedEvent, sums: &TypedDocuments<'_, u64>) -> Result<(), Failed> {
        let Counted::Counted { by } = event else { panic!("a mistake in the projection") };
        let stream = source.stream.as_str();
        Ok(sums.put(stream, &(sums.get(stream)?.unwrap_or_default() + by))?)
    }
}

fn store() -> (Sqlite, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Sqlite::open(folder.path().join("counts.db")).unwrap(), folder)
}

fn count(store: &Sqlite, stream: &str, by: u64) {
    store.append(stream, &[Counted::Counted { by }], ExpectedVersion::Any).unwrap();
}

#[test]
fn documents_are_made_once_and_outlive_the_program() {
    let (store, folder) = store();
    store.projection::<Sums>("sums").unwrap();
    (1..=100).for_each(|by| count(&store, &format!("counter-{}", by % 2), by));
    assert_eq!(store.catch_up().unwrap(), None);
    assert_eq!(store.document::<Sums>("sums", "counter-0").unwrap(), Some(2550));
    drop(store);

    let store = Sqlite::open(folder.path().join("counts.db")).unwrap();
    store.projection::<Sums>("sums").unwrap();
    count(&store, "counter-0", 1);
    store.catch_up().unwrap();
    let page = store.documents::<Sums>("sums", "counter-", "", 1).unwrap();
    assert_eq!(
        (page.documents, page.next.as_deref()),
        (vec![("counter-0".to_owned(), 2551)], Some("counter-0"))
    );
    let page = store.documents::<Sums>("sums", "counter-", "counter-0", 10).unwrap();
    assert_eq!((page.documents, page.next), (vec![("counter-1".to_owned(), 2500)], None));
    store.rebuild("sums").unwrap();
    store.catch_up().unwrap();
    assert_eq!(store.document::<Sums>("sums", "counter-0").unwrap(), Some(2551));
}

#[test]
fn an_event_on_which_a_handler_panics_becomes_a_dead_letter() {
    let (store, _folder) = store();
    store.projection::<Sums>("sums").unwrap();
    count(&store, "counter-0", 1);
    store.append("counter-0", &[Counted::Broken], ExpectedVersion::Any).unwrap();
    count(&store, "counter-0", 2);
    store.catch_up().unwrap();
    assert_eq!(store.document::<Sums>("sums", "counter-0").unwrap(), Some(3));
    let status = store.status("sums").unwrap();
    assert_eq!((status.running, status.dead_letters), (Running::Running, 1));
    let letters = store.dead_letters("sums", LetterId::new(0), 10).unwrap().letters;
    assert!(letters[0].error.message.contains("a mistake in the projection"), "{}", letters[0].error.message);
    assert!(store.discard("sums", letters[0].id..=letters[0].id).unwrap());
    assert_eq!(store.status("sums").unwrap().dead_letters, 0);
}

#[test]
fn a_paused_consumer_does_nothing_until_it_is_resumed() {
    let (store, _folder) = store();
    store.projection::<Sums>("sums").unwrap();
    store.pause("sums").unwrap();
    count(&store, "counter-0", 1);
    store.catch_up().unwrap();
    assert_eq!(store.document::<Sums>("sums", "counter-0").unwrap(), None);
    store.resume("sums").unwrap();
    store.catch_up().unwrap();
    assert_eq!(store.document::<Sums>("sums", "counter-0").unwrap(), Some(1));
}

/// Appends twice the number to a stream of its own. Its first attempt at each event fails after the append.
struct Doubling(Arc<AtomicU32>);

impl Reactor for Doubling {
    type Event = Counted;
    const CATEGORY: Option<&'static str> = Some("counter");
    const POLICY: Policy = Policy { first_delay: 1, longest_delay: 1, ..Policy::DEFAULT };

    fn react(&self, event: Counted, _: &FeedEvent, context: &ReactorContext<'_>) -> Result<(), Failed> {
        let Counted::Counted { by } = event else { return Ok(()) };
        let calls = self.0.fetch_add(1, Ordering::Relaxed);
        context.append("doubled", &[Counted::Counted { by: 2 * by }], ExpectedVersion::Any)?;
        assert_eq!(context.store().catch_up(), Err(SqliteError::InsideHandler));
        if context.attempt() == 1 {
            assert_ne!(calls % 4, 0, "a mistake in the reactor");
            return Err("the first attempt fails".into());
        }
        Ok(())
    }
}

#[test]
fn a_reactor_that_is_run_again_appends_once() {
    let (store, _folder) = store();
    let calls = Arc::new(AtomicU32::new(0));
    store.reactor("doubling", Doubling(Arc::clone(&calls))).unwrap();
    count(&store, "counter-0", 1);
    count(&store, "counter-0", 2);
    while store.catch_up().unwrap().is_some() {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 4);
    let doubled = store.read::<Counted>("doubled", &ReadRange::all()).unwrap().events;
    let doubled: Vec<_> = doubled.into_iter().map(|recorded| recorded.event).collect();
    assert_eq!(doubled, [Counted::Counted { by: 2 }, Counted::Counted { by: 4 }]);
}

#[test]
fn a_running_store_handles_events_by_itself() {
    let (store, folder) = store();
    store.projection::<Sums>("sums").unwrap();
    let running = store.run().unwrap();
    count(&store, "counter-0", 1);
    // Another program writes too.
    let other = Sqlite::open(folder.path().join("counts.db")).unwrap();
    count(&other, "counter-0", 2);
    let began = Instant::now();
    while store.document::<Sums>("sums", "counter-0").unwrap() != Some(3) {
        assert!(began.elapsed() < Duration::from_secs(30));
        thread::sleep(Duration::from_millis(5));
    }
    running.stop().unwrap();
    count(&store, "counter-0", 4);
    thread::sleep(Duration::from_millis(300));
    assert_eq!(store.document::<Sums>("sums", "counter-0").unwrap(), Some(3));
}

#[test]
fn the_feed_is_followed_by_its_positions() {
    let (store, folder) = store();
    assert!(!store.wait(Position::START, Duration::from_millis(1)).unwrap());
    count(&store, "counter-0", 1);
    count(&store, "counter-1", 2);
    let feed = store.read_all(&FeedRange::after(Position::START).limited(1).unwrap()).unwrap();
    assert_eq!((feed.events.len(), feed.more), (1, true));
    let expected =
        format!("\"data\":{{\"by\":1}},\"metadata\":{{}},\"position\":1,\"checkpoint\":\"{}\"", "1");
    assert!(feed.events[0].json.contains(&expected), "{}", feed.events[0].json);
    let rest = store.read_all(&FeedRange::after(feed.after)).unwrap();
    assert_eq!((rest.events[0].stream.as_str(), rest.more), ("counter-1", false));
    let (path, after) = (folder.path().join("counts.db"), rest.after);
    let writing = thread::spawn(move || count(&Sqlite::open(path).unwrap(), "counter-2", 3));
    assert!(store.wait(after, Duration::from_secs(30)).unwrap());
    writing.join().unwrap();
}
