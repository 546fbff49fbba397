//! The conditions for each consumer at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use sillok::handler::OnFailure;
use sillok::store::Checkpoint;

use crate::checkers::{Found, Verdict, holds, number, rows};
use crate::consumer_plans::{ConsumerPlan, Role};
use crate::network::Address;
use crate::world::World;

/// The data of a consumer for its checks.
struct Consumer<'a> {
    plan: &'a ConsumerPlan,
    /// Whether the poison still fails.
    poisoned: bool,
    status: String,
    /// Its checkpoint in each partition.
    checkpoint: Vec<u64>,
    /// The events that it has handled, in order, each as often as it was handled.
    done: Vec<&'a Found>,
    dead: Vec<&'a Found>,
}

pub fn check_quiet(world: &World, found: &[Found]) -> Verdict {
    each(world, found, |consumer| match consumer.status.as_str() {
        "running" => consumer.it_has_come_to_the_end(found),
        _ => Ok(()),
    })
}

pub fn check(world: &World, found: &[Found]) -> Verdict {
    each(world, found, |consumer| consumer.check(found))
}

fn each(world: &World, found: &[Found], check: impl Fn(&Consumer<'_>) -> Verdict) -> Verdict {
    for (place, plan) in world.plan.consumers.iter().enumerate() {
        let consumer = Consumer::of(world, place, plan, found)?;
        let name = format!("consumer {place} ({:?}, {:?})", plan.role, plan.policy.on_failure);
        check(&consumer).map_err(|wrong| format!("{name}: {wrong}"))?;
    }
    Ok(())
}

impl<'a> Consumer<'a> {
    fn of(world: &World, place: usize, plan: &'a ConsumerPlan, found: &'a [Found]) -> Result<Self, String> {
        let database = world.objects[&Address::Consumer(place)].storage.database();
        let state = rows(database, "SELECT status, live, live_checkpoint FROM consumers_v1", |row| {
            Ok((row.get::<_, String>(0)?, number(row, 1)?, row.get::<_, String>(2)?))
        });
        let partitions = world.plan.partitions;
        let begins = || plan.after(partitions).unwrap_or_else(|| Checkpoint::start(partitions));
        let begins = || ("running".to_owned(), 1, begins().to_string());
        let (status, live, checkpoint) = state.into_iter().next().unwrap_or_else(begins);
        let by_mark: BTreeMap<&str, &Found> = found.iter().map(|found| (&*found.mark, found)).collect();
        let event = |mark: &String| {
            by_mark
                .get(mark.as_str())
                .copied()
                .ok_or_else(|| format!("{mark} is in no partition of the journal"))
        };
        let events = |marks: Vec<String>| marks.iter().map(event).collect::<Result<Vec<_>, _>>();
        let letters = format!("SELECT event FROM dead_letters_v1 WHERE generation = {live} ORDER BY id");
        let dead = rows(database, &letters, |row| row.get::<_, String>(0));
        let done = match plan.role {
            Role::Projection => projected(database, live)?,
            Role::Webhook | Role::Queue => delivered(&world.receivers[place].taken)?,
            Role::Reactor => {
                let own = world.plan.streams[world.plan.for_clients + place].as_str();
                let effects = found.iter().filter(|found| found.stream == own);
                effects.map(|found| found.mark.split_once('.').unwrap().1.to_owned()).collect()
            }
        };
        Ok(Self {
            plan,
            poisoned: world.plan.cured_from.is_none(),
            status,
            checkpoint: checkpoint.split('.').map(|position| position.parse().unwrap()).collect(),
            done: events(done)?,
            dead: events(dead.iter().map(|event| event.trim_matches('"').to_owned()).collect())?,
        })
    }

    fn check(&self, found: &[Found]) -> Verdict {
        self.each_effect_is_had_once()?;
        self.streams_are_in_order()?;
        self.it_has_come_to_the_end(found)?;
        let dead: BTreeSet<&str> = self.dead.iter().map(|found| &*found.mark).collect();
        holds(dead.len() == self.dead.len(), || format!("a dead letter is there twice: {dead:?}"))?;
        let done: BTreeSet<&str> = self.done.iter().map(|found| &*found.mark).collect();
        let handled = |event: &&Found| self.is_behind(event) && self.plan.handles(&event.stream, &event.mark);
        for event in found.iter().filter(handled) {
            let mark = &*event.mark;
            if self.plan.begins_behind(event.partition, event.position) {
                let untouched = !done.contains(mark) && !dead.contains(mark);
                holds(untouched, || format!("{event:?} is from before the consumer began"))?;
                continue;
            }
            let (done, dead) = (done.contains(mark), dead.contains(mark));
            holds(!(done && dead), || format!("{event:?} is a dead letter although it is done"))?;
            if event.hidden {
                continue; // It may never have been seen.
            }
            holds(done || dead || self.may_be_discarded(event), || format!("{event:?} is lost"))?;
            let right = self.is_given_up(event, found).is_none_or(|given_up| given_up == dead);
            holds(right, || format!("{event:?} is a dead letter: {dead}"))?;
        }
        Ok(())
    }

    /// Checks that documents, and commands with their keys, contain no event twice.
    fn each_effect_is_had_once(&self) -> Verdict {
        let mut seen = BTreeSet::new();
        let repeated = self.done.iter().find(|found| !seen.insert(&*found.mark));
        let may_repeat = matches!(self.plan.role, Role::Webhook | Role::Queue);
        holds(may_repeat || repeated.is_none(), || format!("{repeated:?} had its effect twice"))
    }

    /// Checks the order within each stream, for consumers that skip nothing: each event is first handled after the
    /// events before it. An event that is hidden now may have been under way for long, after its sender gave it up.
    fn streams_are_in_order(&self) -> Verdict {
        if self.plan.policy.on_failure == OnFailure::Skip {
            return Ok(());
        }
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for event in self.done.iter().filter(|event| seen.insert(&*event.mark) && !event.hidden) {
            let before = last.insert(&event.stream, event.version).unwrap_or_default();
            holds(before < event.version, || format!("{event:?} was dealt with after version {before}"))?;
        }
        Ok(())
    }

    /// Checks that the consumer has read everything, or stands in front of poison.
    fn it_has_come_to_the_end(&self, found: &[Found]) -> Verdict {
        let shown = |event: &&Found| !event.hidden;
        let ahead: Vec<&Found> = (0..self.checkpoint.len())
            .flat_map(|partition| {
                let ahead = |event: &&Found| event.partition == partition && !self.is_behind(event);
                let handled = |event: &&Found| self.plan.handles(&event.stream, &event.mark);
                // This stops at the first visible event. An event that is hidden now may have been handled while it was
                // visible.
                let hidden = found.iter().filter(ahead).filter(handled).take_while(|event| event.hidden);
                let next = found.iter().filter(ahead).filter(handled).find(shown);
                hidden.chain(next).collect::<Vec<_>>()
            })
            .collect();
        if self.status == "stopped" {
            let before_poison = self.poisoned && ahead.iter().any(|event| self.plan.is_poison(&event.mark));
            return holds(before_poison, || format!("stopped before {ahead:?}"));
        }
        holds(self.status == "running", || format!("it was resumed and is {}", self.status))?;
        holds(!ahead.iter().any(shown), || format!("it has not dealt with {ahead:?}"))
    }

    fn is_behind(&self, event: &Found) -> bool {
        event.position <= self.checkpoint[event.partition]
    }

    fn may_be_discarded(&self, event: &Found) -> bool {
        self.plan.discarded.borrow().contains(&event.mark)
    }

    /// Whether the event must be a dead letter. `None` if this is not certain.
    fn is_given_up(&self, event: &Found, found: &[Found]) -> Option<bool> {
        let poison = |event: &&Found| {
            let begun = !self.plan.begins_behind(event.partition, event.position);
            self.poisoned && begun && self.plan.is_poison(&event.mark)
        };
        match self.plan.policy.on_failure {
            OnFailure::Skip if self.may_be_discarded(event) => None,
            OnFailure::Skip => Some(poison(&event)),
            OnFailure::Stop => Some(false),
            OnFailure::HoldStream => {
                let earlier = |other: &&Found| other.stream == event.stream && other.version <= event.version;
                if found.iter().filter(earlier).any(|other| self.may_be_discarded(other)) {
                    return None;
                }
                let mut holding = found.iter().filter(earlier).filter(poison).peekable();
                // An event that is hidden now may have been read while it was visible, or not.
                let certain = holding.peek().is_none() || holding.any(|poison| !poison.hidden);
                certain.then(|| found.iter().filter(earlier).any(|other| poison(&other)))
            }
        }
    }
}

/// The marks in a projection's documents: of each stream, and of all streams.
fn projected(database: &rusqlite::Connection, generation: u64) -> Result<Vec<String>, String> {
    let query = format!("SELECT key, document FROM documents_v1 WHERE generation = {generation}");
    let documents = rows(database, &query, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let (mut of_streams, mut of_all) = (Vec::new(), Vec::new());
    for (key, document) in documents {
        let marks: Vec<String> = serde_json::from_str(&document).unwrap();
        if key == "all" { of_all = marks } else { of_streams.extend(marks) }
    }
    let sorted = |marks: &[String]| {
        let mut marks = marks.to_vec();
        marks.sort();
        marks
    };
    holds(sorted(&of_streams) == sorted(&of_all), || {
        format!("one document has {of_all:?}, the others {of_streams:?}")
    })?;
    Ok(of_all)
}

/// The marks that a receiver has accepted. Each mark has one id, and each id has one mark.
fn delivered(taken: &[(String, String)]) -> Result<Vec<String>, String> {
    let (mut ids, mut marks) = (BTreeMap::new(), BTreeMap::new());
    for (id, mark) in taken {
        let one_id = ids.entry(mark).or_insert(id) == &id && marks.entry(id).or_insert(mark) == &mark;
        holds(one_id, || {
            format!("{mark} was delivered as {id}, and something under another id or with this one")
        })?;
    }
    Ok(taken.iter().map(|(_, mark)| mark.clone()).collect())
}
