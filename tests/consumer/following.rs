//! Followers of documents: pages, then changes, and resets.

use std::collections::BTreeMap;

use super::database;
use crate::world::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sillok::ErrorCode;
use sillok::handler::{
    DocumentChange, Documents, FeedEvent, FollowedChange, Kind, Next, OnFailure, Settings,
};
use sillok::store::JsonText;
use sillok::store::sqlite::Sql;

fn skipping() -> Settings {
    settings(Kind::Projection, OnFailure::Skip)
}

/// Puts the number of the event as the document of its stream. Every fourth event deletes the document.
fn put<S: Sql>(event: &FeedEvent, documents: &Documents<S>) -> Result<(), String> {
    let (key, number) = (event.stream.as_str(), event.position.get());
    let done = match number % 4 {
        0 => documents.delete(key),
        _ => documents.put(key, &JsonText::parse(&number.to_string()).unwrap()),
    };
    done.map_err(|error| error.to_string())
}

fn catch_up(consumer: &mut Opened, feed: &Feed) -> Next {
    consumer.woken(0, at(0)).unwrap();
    run(consumer, feed, 0, &mut |work| match work {
        Work::Project(event, documents) => put(event, documents),
        Work::Deliver(_) => panic!("a projection delivers nothing"),
    })
    .unwrap()
}

/// A follower that applies its messages, and can be cut off after any of them.
#[derive(Default)]
struct Follower {
    prefix: &'static str,
    checkpoint: Option<String>,
    documents: BTreeMap<String, String>,
    resets: usize,
}

impl Follower {
    fn of(prefix: &'static str) -> Self {
        Self { prefix, ..Self::default() }
    }

    fn apply(&mut self, FollowedChange { change, checkpoint }: &FollowedChange) {
        self.checkpoint = Some(checkpoint.clone());
        match change {
            DocumentChange::Reset => {
                self.documents.clear();
                self.resets += 1;
            }
            DocumentChange::Put { key, document } => {
                self.documents.insert(key.clone(), document.as_str().to_owned());
            }
            DocumentChange::Delete { key } => {
                self.documents.remove(key);
            }
            DocumentChange::CaughtUp => {}
        }
    }

    /// Takes the next messages, but at most `most` of them: then the connection is lost. Returns whether there are more.
    fn step(&mut self, consumer: &mut Opened, begins: bool, most: usize) -> bool {
        let followed = consumer.follow(self.prefix, self.checkpoint.as_deref(), begins).unwrap();
        for change in followed.changes.iter().take(most) {
            self.apply(change);
            if change.change == DocumentChange::CaughtUp {
                assert_eq!(self.documents, listed(consumer, self.prefix), "of one moment");
            }
        }
        if followed.changes.len() > most {
            return true;
        }
        self.checkpoint = Some(followed.checkpoint);
        followed.more
    }

    /// Takes all messages on a new connection, and returns them.
    fn connect(&mut self, consumer: &mut Opened) -> Vec<DocumentChange> {
        let mut changes = Vec::new();
        for begins in std::iter::once(true).chain(std::iter::repeat(false)) {
            let followed = consumer.follow(self.prefix, self.checkpoint.as_deref(), begins).unwrap();
            followed.changes.iter().for_each(|change| self.apply(change));
            changes.extend(followed.changes.into_iter().map(|followed| followed.change));
            self.checkpoint = Some(followed.checkpoint);
            if !followed.more {
                break;
            }
        }
        assert_eq!(self.documents, listed(consumer, self.prefix));
        changes
    }
}

fn listed(consumer: &mut Opened, prefix: &str) -> BTreeMap<String, String> {
    let (mut all, mut after) = (BTreeMap::new(), String::new());
    loop {
        let page = consumer.documents(prefix, &after, 1000).unwrap();
        all.extend(page.documents.into_iter().map(|(key, text)| (key, text.as_str().to_owned())));
        let Some(next) = page.next else { return all };
        after = next;
    }
}

fn put_of(key: &str, number: u64) -> DocumentChange {
    let document = JsonText::parse(&number.to_string()).unwrap();
    DocumentChange::Put { key: key.to_owned(), document }
}

#[test]
fn a_follower_gets_the_documents_and_then_each_change() {
    let (place, mut feed) = (database(), Feed::of(&["b", "a", "a"]));
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    let mut follower = Follower::default();
    let all = [DocumentChange::Reset, put_of("a", 3), put_of("b", 1), DocumentChange::CaughtUp];
    assert_eq!(follower.connect(&mut consumer), all);
    assert_eq!(follower.connect(&mut consumer), [DocumentChange::CaughtUp], "nothing has changed");
    let again = consumer.follow("", follower.checkpoint.as_deref(), false).unwrap();
    assert_eq!((again.changes.len(), again.more), (0, false), "a follower that waits gets nothing");
    for stream in ["b", "a", "a", "c"] {
        feed.add(0, stream, "Counted");
    }
    catch_up(&mut consumer, &feed);
    let deleted = DocumentChange::Delete { key: "b".to_owned() };
    let changes = [put_of("a", 6), deleted, put_of("c", 7), DocumentChange::CaughtUp];
    assert_eq!(follower.connect(&mut consumer), changes, "each document once, commit by commit");
    assert_eq!(follower.resets, 1);
}

#[test]
fn a_follower_of_a_prefix_gets_nothing_else() {
    let (place, mut feed) = (database(), Feed::of(&["a-1", "b-1", "a-2"]));
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    let mut follower = Follower::of("a-");
    assert_eq!(follower.connect(&mut consumer).len(), 4);
    let before = follower.checkpoint.clone();
    for stream in ["b-2", "b-3"] {
        feed.add(0, stream, "Counted");
    }
    catch_up(&mut consumer, &feed);
    let followed = consumer.follow("a-", follower.checkpoint.as_deref(), false).unwrap();
    assert_eq!(followed.changes, [], "a change of other documents is none");
    assert_ne!(Some(followed.checkpoint), before, "but the place has moved");
}

#[test]
fn a_machine_that_was_evicted_resets_only_followers_that_are_behind() {
    let (place, mut feed) = (database(), Feed::of(&["a", "b"]));
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    let (mut current, mut behind) = (Follower::default(), Follower::default());
    current.connect(&mut consumer);
    behind.connect(&mut consumer);
    feed.add(0, "a", "Counted");
    catch_up(&mut consumer, &feed);
    current.connect(&mut consumer);
    let mut consumer = open(&place, &skipping());
    feed.add(0, "c", "Counted");
    feed.add(0, "b", "Counted");
    catch_up(&mut consumer, &feed);
    current.connect(&mut consumer);
    behind.connect(&mut consumer);
    assert_eq!((current.resets, behind.resets), (1, 2));
}

#[test]
fn rebuilt_documents_are_a_reset() {
    let (place, feed) = (database(), Feed::of(&["a", "b", "a", "c", "d"]));
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    let mut follower = Follower::default();
    follower.connect(&mut consumer);
    consumer.rebuild(at(0)).unwrap();
    assert_eq!(follower.connect(&mut consumer), [DocumentChange::CaughtUp], "not before they are there");
    catch_up(&mut consumer, &feed);
    follower.connect(&mut consumer);
    assert_eq!(follower.resets, 2);
}

#[test]
fn a_consumer_that_begins_again_resets_its_followers() {
    let (place, feed) = (database(), Feed::of(&["a", "b", "c"]));
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    let mut follower = Follower::default();
    follower.connect(&mut consumer);
    // Its data was deleted, and other code makes other documents in as many commits.
    let (place, feed) = (database(), Feed::of(&["x", "y"]));
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    follower.connect(&mut consumer);
    assert_eq!(follower.resets, 2);
}

#[test]
fn more_changes_than_are_remembered_are_a_reset() {
    let (place, mut feed) = (database(), Feed::of(&["a"]));
    feed.page = 1000;
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    let mut follower = Follower::default();
    follower.connect(&mut consumer);
    (0..4001).for_each(|n| feed.add(0, &format!("key-{n}"), "Counted"));
    catch_up(&mut consumer, &feed);
    let changes = follower.connect(&mut consumer);
    assert_eq!((follower.resets, changes.len()), (1, 4002), "some thousand are remembered");
    (0..9000).for_each(|n| feed.add(0, &format!("other-key-{n}"), "Counted"));
    catch_up(&mut consumer, &feed);
    follower.connect(&mut consumer);
    assert_eq!(follower.resets, 2);
}

#[test]
fn a_checkpoint_of_another_form_is_refused() {
    let (place, feed) = (database(), Feed::of(&["a"]));
    let mut consumer = open(&place, &skipping());
    catch_up(&mut consumer, &feed);
    for wrong in ["", "1", "1-1", "1-1-x", "1-1-1.1", "+1-1-1", "1-1-1/6", "1-1-1/FF", "1-1-1/ff", "1-1-1~zz", "-1-1"] {
        let refused = consumer.follow("", Some(wrong), true).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::InvalidCheckpoint, "{wrong}");
    }
    let mut consumer = open(&place, &skipping());
    // The last one needs a part of a commit that this machine has not made.
    for unknown in ["9-1-1", "1-2-1", "1-1-0", "1-1-1~61"] {
        let followed = consumer.follow("", Some(unknown), true).unwrap();
        assert_eq!(followed.changes[0].change, DocumentChange::Reset, "{unknown}");
    }
}

#[derive(Debug, Clone)]
enum Act {
    Append(u8),
    Project,
    Follow(usize, usize),
    Connect(usize),
    Rebuild,
    Evict,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..12_u8).prop_map(Act::Append),
        4 => Just(Act::Project),
        6 => (0..3_usize, 0..9_usize).prop_map(|(who, most)| Act::Follow(who, most)),
        2 => (0..3_usize).prop_map(Act::Connect),
        1 => Just(Act::Rebuild),
        1 => Just(Act::Evict),
    ]
}

/// Takes one step of the machine.
fn one_step(consumer: &mut Opened, feed: &Feed) {
    match consumer.next(at(0)).unwrap() {
        Next::Read(read) => consumer.take_page(feed.read(read), at(0)).unwrap(),
        Next::Project => {
            consumer.project(at(0), 0, &mut |event, documents| put(event, documents)).unwrap();
        }
        _ => {}
    }
}

fn follow_through(acts: &[Act]) -> Result<(), TestCaseError> {
    let (place, mut feed) = (database(), Feed::new(1));
    let mut consumer = open(&place, &skipping());
    let mut followers = ["", "key-1", "key-"].map(Follower::of);
    for act in acts {
        match act {
            Act::Append(key) => {
                feed.add(0, &format!("key-{key}"), "Counted");
                consumer.woken(0, at(0)).unwrap();
            }
            Act::Project => one_step(&mut consumer, &feed),
            Act::Follow(who, most) => {
                followers[*who].step(&mut consumer, false, *most);
            }
            Act::Connect(who) => {
                followers[*who].connect(&mut consumer);
            }
            Act::Rebuild => consumer.rebuild(at(0)).unwrap(),
            Act::Evict => consumer = open(&place, &skipping()),
        }
    }
    catch_up(&mut consumer, &feed);
    for follower in &mut followers {
        while follower.step(&mut consumer, false, usize::MAX) {}
        prop_assert_eq!(&follower.documents, &listed(&mut consumer, follower.prefix));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_follower_that_is_cut_off_anywhere_has_the_documents(acts in prop::collection::vec(act(), 0..150)) {
        follow_through(&acts)?;
    }
}
