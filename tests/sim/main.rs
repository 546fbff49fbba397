//! A simulation of the whole protocol: many aggregates, partitions of the journal and consumers, as the machines of the core
//! over real SQLite, in a world that loses, repeats, delays and overtakes messages and lets objects die at any moment.
//!
//! Everything that happens follows from a seed. When a run fails, it names its seed: `SILLOK_SIM_SEED=…` runs that one
//! alone and tells every step, `SILLOK_SIM_SEEDS=…` runs so many.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

mod aggregates;
mod breaks;
mod checkers;
mod clients;
mod consumer_checkers;
mod consumers;
#[path = "../sqlite/database.rs"]
#[allow(dead_code)]
mod database;
mod journals;
mod network;
mod objects;
mod operator;
mod random;
mod storage;
mod world;

use std::env;

use breaks::Break;
use world::World;

/// How many runs there are unless it is said otherwise.
const SEEDS: u64 = 2000;

/// One run: what is found wrong with it, if anything.
fn run(seed: u64, broken: Option<Break>, told: bool) -> Result<(), String> {
    let mut world = World::new(seed, broken, told);
    world.run()?;
    checkers::check_quiet(&world)?;
    world.mend();
    world.run()?;
    checkers::check(&world)
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[test]
fn nothing_is_lost_doubled_or_disordered_whatever_happens() {
    let seeds = match (number("SILLOK_SIM_SEED"), number("SILLOK_SIM_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(SEEDS),
    };
    let told = env::var_os("SILLOK_SIM_SEED").is_some();
    let wrong: Vec<_> = seeds.filter_map(|seed| Some((seed, run(seed, None, told).err()?))).collect();
    for (seed, wrong) in wrong.iter().take(10) {
        eprintln!("SILLOK_SIM_SEED={seed}: {wrong}");
    }
    assert!(wrong.is_empty(), "{} runs failed", wrong.len());
}

#[test]
fn explore() {
    use Break::*;
    for broken in [
        JournalForgets,
        PositionsFromSequence,
        GapAccepted,
        AlarmNeverSet,
        AlarmSetApart,
        RingingOverAtOnce,
        SentBeforeDurable,
        WakeFailureForgotten,
        WokenBeforeDuty,
        TransactionsInPieces,
        KeyNotKept,
        CommandWithoutKey,
        ToldBeforeDelivered,
        IdOfAttempt,
        DeadLetterDropped,
    ] {
        let found = (0..300).find_map(|seed| {
            Some((
                seed,
                std::panic::catch_unwind(|| run(seed, Some(broken), false))
                    .unwrap_or(Err("panic".into()))
                    .err()?,
            ))
        });
        eprintln!("EXPLORE {broken:?}: {found:?}");
    }
}
