//! The conditions that must hold in a bank. The checkers read only the stored events and rows, the requests and the
//! answers.

use std::collections::BTreeMap;

use super::transfer::ENDS;
use super::{Bank, timer_checkers};
use crate::checkers::{Verdict, check_streams, holds, nothing_is_left_to_do, number, rows, stored_marks};
use crate::network::Address;
use crate::world::World;

/// The time by which a clock may be wrong, with the longest wait after a failure, in milliseconds.
const PATIENCE: u64 = 10 * 60 * 1000;

/// The events of a stream as words: each without the count that it has seen.
pub type Story = Vec<Vec<String>>;

/// Checks the world a while after the last fault. Only far timers are still to come.
pub fn check_settled(world: &World, bank: &Bank, now: u64) -> Verdict {
    let due = |row: &Pending| row.due.is_some_and(|due| due + PATIENCE <= now);
    conversations_are_right(world, bank, &stories(world))?;
    nothing_is_pending(world, due)?;
    check_streams(world)
}

/// Checks the world when it is quiet: every timer has come, and operators have retried what was parked.
pub fn check(world: &World, bank: &Bank) -> Verdict {
    let stories = stories(world);
    conversations_are_right(world, bank, &stories)?;
    nothing_is_pending(world, |row| row.state != "rejected")?;
    for transfer in bank.transfers() {
        let story = &stories[transfer];
        let ends = story.iter().filter(|event| ENDS.contains(&event[0].as_str())).count();
        holds(story.is_empty() || ends == 1, || format!("transfer {transfer} never ends: {story:?}"))?;
    }
    the_money_is_all_there(bank, &stories)?;
    timer_checkers::all_have_come(world, bank, &stories)?;
    check_streams(world)?;
    nothing_is_left_to_do(world)
}

fn conversations_are_right(world: &World, bank: &Bank, stories: &[Story]) -> Verdict {
    requests_were_done_as_answered(world, stories)?;
    world.sent.each_has_one_answer()?;
    timer_checkers::none_came_wrongly(world, bank, stories)?;
    for transfer in bank.transfers() {
        each_transfer_goes_one_way(world, bank, transfer, stories)?;
    }
    balances_are_never_negative(&stories[..bank.accounts])
}

/// The stories of all streams.
fn stories(world: &World) -> Vec<Story> {
    (0..world.plan.streams.len()).map(|stream| story(world, stream)).collect()
}

fn story(world: &World, stream: usize) -> Story {
    let marks = stored_marks(world.objects[&Address::Aggregate(stream)].storage.database());
    let words = |mark: String| {
        let text = mark.split_once('@').map_or(&*mark, |(text, _)| text);
        text.split(' ').map(str::to_owned).collect()
    };
    marks.into_iter().map(words).collect()
}

/// A pending command as its object stores it.
#[derive(Debug)]
pub struct Pending {
    pub kind: String,
    pub key: String,
    pub state: String,
    pub due: Option<u64>,
}

pub fn pending(world: &World, stream: usize) -> Vec<Pending> {
    let database = world.objects[&Address::Aggregate(stream)].storage.database();
    rows(database, "SELECT kind, key, state, due FROM pending_v1", |row| {
        let due = row.get::<_, Option<i64>>(3)?.map(|_| number(row, 3)).transpose()?;
        Ok(Pending { kind: row.get(0)?, key: row.get(1)?, state: row.get(2)?, due })
    })
}

fn nothing_is_pending(world: &World, matters: impl Fn(&Pending) -> bool) -> Verdict {
    for stream in 0..world.plan.streams.len() {
        let left = pending(world, stream).into_iter().find(&matters);
        holds(left.is_none(), || format!("{} has left open {left:?}", world.plan.streams[stream]))?;
    }
    Ok(())
}

/// Checks the effects of the requests: each at most once, and exactly once if the request was accepted.
fn requests_were_done_as_answered(world: &World, stories: &[Story]) -> Verdict {
    for asked in world.tellers.iter().flat_map(|teller| &teller.asked) {
        let Some(effect) = asked.effect.as_ref() else { continue };
        let story = &stories[asked.stream];
        let done = story.iter().filter(|event| event.join(" ").starts_with(effect)).count();
        // The effect of a timer comes later.
        let least = usize::from(asked.is_accepted && !effect.starts_with("rang"));
        let refused = asked.outcome.is_some() && !asked.is_accepted;
        let right = done >= least && done <= usize::from(!refused);
        holds(right, || format!("{asked:?} took effect {done} times: {story:?}"))?;
    }
    Ok(())
}

/// The effects of a transfer in the accounts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Moved {
    debited: usize,
    credited: usize,
    refunded: usize,
    announced: usize,
}

fn moved(name: &str, accounts: &[Story]) -> Moved {
    let count = |word: &str| {
        let events = accounts.iter().flatten();
        events.filter(|event| event[0] == word && event.get(1).is_some_and(|of| of == name)).count()
    };
    Moved {
        debited: count("debited"),
        credited: count("credited"),
        refunded: count("refunded"),
        announced: count("announced"),
    }
}

/// Checks a transfer against its accounts. Whatever the transfer knows happened once there, and nothing happened there
/// that the transfer does not learn.
fn each_transfer_goes_one_way(world: &World, bank: &Bank, transfer: usize, stories: &[Story]) -> Verdict {
    let story = &stories[transfer];
    let count = |word: &str| story.iter().filter(|event| event[0] == word).count();
    let told = || format!("transfer {transfer}: {story:?}");
    holds(story.first().is_none_or(|first| first[0] == "requested"), || {
        format!("{} begins without its start", told())
    })?;
    for word in ["requested", "debited", "uncredited", "lapsed"].iter().chain(&ENDS) {
        holds(count(word) <= 1, || format!("{} has {word} twice", told()))?;
    }
    let ends = ENDS.iter().map(|word| count(word)).sum::<usize>();
    holds(ends <= 1, || format!("{} has ended twice", told()))?;
    holds(count("stuck") == 0, || format!("{} could not give the money back", told()))?;
    let end = story.iter().position(|event| ENDS.contains(&event[0].as_str()));
    holds(end.is_none_or(|end| end + 1 == story.len()), || format!("{} goes on after its end", told()))?;
    let moved = moved(world.plan.streams[transfer].as_str(), &stories[..bank.accounts]);
    let most = [moved.debited, moved.credited, moved.refunded, moved.announced];
    holds(most.iter().all(|times| *times <= 1), || format!("{} has moved twice: {moved:?}", told()))?;
    let came = |word: &str| usize::from(count(word) > 0);
    // An answer is on its way, until the transfer has ended.
    if end.is_some() {
        let expected = Moved {
            debited: came("debited"),
            credited: came("completed"),
            refunded: came("refunded"),
            announced: moved.announced,
        };
        holds(moved == expected, || format!("{} has ended, but has moved {moved:?}", told()))?;
    }
    Ok(())
}

fn cents(event: &[String]) -> u64 {
    event.last().and_then(|cents| cents.parse().ok()).unwrap_or_default()
}

fn balances_are_never_negative(accounts: &[Story]) -> Verdict {
    for account in accounts {
        let mut balance: u64 = 0;
        for event in account {
            match event[0].as_str() {
                "deposited" | "credited" | "refunded" => balance += cents(event),
                "debited" => {
                    balance = balance.checked_sub(cents(event)).ok_or("a balance is negative")?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// Checks the sum of all balances: it is the sum of all deposits.
fn the_money_is_all_there(bank: &Bank, stories: &[Story]) -> Verdict {
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    for event in stories[..bank.accounts].iter().flatten() {
        *sums.entry(event[0].clone()).or_default() += cents(event);
    }
    let sum = |word: &str| sums.get(word).copied().unwrap_or_default();
    let balances = sum("deposited") + sum("credited") + sum("refunded");
    holds(balances == sum("deposited") + sum("debited"), || format!("the sum of the balances: {sums:?}"))
}
