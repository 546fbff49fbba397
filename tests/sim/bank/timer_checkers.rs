//! The conditions for timers: each comes once, at its time or later, unless it was replaced or cancelled.

use std::collections::BTreeMap;

use super::Bank;
use super::checkers::{Story, pending};
use super::reminder::is_rejected;
use super::transfer::ENDS;
use crate::checkers::{Verdict, holds};
use crate::world::World;

/// A timer as the events of its stream tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set {
    number: u64,
    at: u64,
}

/// Follows the timers of a story. Returns those that are set at its end.
fn follow(story: &Story) -> Result<BTreeMap<&str, Set>, String> {
    let mut timers = BTreeMap::new();
    for event in story {
        let words: Vec<&str> = event.iter().map(String::as_str).collect();
        match words[..] {
            ["set", key, number, at] => {
                timers.insert(key, Set { number: parsed(number), at: parsed(at) });
            }
            ["cancelled", key] => {
                timers.remove(key);
            }
            // It was set without an event.
            ["rang", key, ..] if key.starts_with('q') => {}
            ["rang", key, number, clock] => {
                let set = timers.remove(key).filter(|set| set.number == parsed(number));
                let set = set.ok_or_else(|| format!("{event:?} was not set: {story:?}"))?;
                holds(parsed(clock) >= set.at, || format!("{event:?} came before its time: {set:?}"))?;
            }
            [end, ..] if ENDS.contains(&end) => timers.clear(),
            _ => {}
        }
    }
    Ok(timers)
}

fn parsed(number: &str) -> u64 {
    number.parse().unwrap()
}

/// Checks every timer that has come.
pub fn none_came_wrongly(world: &World, bank: &Bank, stories: &[Story]) -> Verdict {
    for stream in bank.transfers().chain(bank.reminders()) {
        follow(&stories[stream])?;
    }
    for asked in world.tellers.iter().flat_map(|teller| &teller.asked) {
        let Some(effect) = asked.effect.as_ref().filter(|effect| effect.starts_with("rang")) else {
            continue;
        };
        let data: String = serde_json::from_str(asked.command.data().as_str()).unwrap();
        let at = parsed(data.rsplit(' ').next().unwrap());
        let story = &stories[asked.stream];
        let came = story.iter().find(|event| event.join(" ").starts_with(effect));
        holds(came.is_none_or(|event| parsed(&event[3]) >= at), || format!("{came:?} came before {at}"))?;
    }
    Ok(())
}

/// Checks that every timer has come, once the world is quiet. A timer that the rules reject is stored as rejected.
pub fn all_have_come(world: &World, bank: &Bank, stories: &[Story]) -> Verdict {
    for stream in bank.reminders() {
        let story = &stories[stream];
        let stored = pending(world, stream);
        let timers = stored.iter().filter(|pending| pending.kind == "timer");
        let mut rejected: Vec<&str> = timers.map(|timer| timer.key.as_str()).collect();
        for (key, set) in follow(story)? {
            holds(is_rejected(set.number), || format!("{key} {set:?} never came: {story:?}"))?;
            let is_shown = rejected.iter().position(|shown| *shown == key).map(|at| rejected.remove(at));
            holds(is_shown.is_some(), || format!("{key} {set:?} was rejected, and is not shown"))?;
        }
        holds(rejected.is_empty(), || format!("{rejected:?} are shown, and are not set: {story:?}"))?;
    }
    for stream in (0..bank.accounts).chain(bank.transfers()) {
        let left = pending(world, stream);
        holds(left.is_empty(), || format!("{} has left {left:?}", world.plan.streams[stream]))?;
    }
    for asked in world.tellers.iter().flat_map(|teller| &teller.asked).filter(|asked| asked.is_accepted) {
        let Some(effect) = asked.effect.as_ref().filter(|effect| effect.starts_with("rang")) else {
            continue;
        };
        let story = &stories[asked.stream];
        let came = story.iter().any(|event| event.join(" ").starts_with(effect));
        holds(came, || format!("{asked:?} never came: {story:?}"))?;
    }
    Ok(())
}
