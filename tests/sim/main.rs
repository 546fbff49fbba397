//! A simulation of the whole protocol: many aggregates, partitions of the journal and consumers. They are the machines
//! of the core over real SQLite. Their world loses, repeats, delays and reorders messages, and objects crash at any
//! moment.
//!
//! A seed decides everything in a run. A failed run prints its seed. `SILLOK_SIM_SEED=…` runs only that seed and prints
//! every step. `SILLOK_SIM_SEEDS=…` sets the number of runs.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

mod aggregates;
mod bank;
mod breaks;
mod checkers;
mod clients;
mod consumer_checkers;
mod consumer_plans;
mod consumers;
#[path = "../sqlite/database.rs"]
#[allow(dead_code)]
mod database;
mod deciders;
mod journals;
mod network;
mod objects;
mod operator;
mod plan;
mod random;
mod storage;
mod world;

use std::num::NonZero;
use std::ops::Range;
use std::{env, thread};

use breaks::Break;
use world::World;

/// The default number of runs.
const SEEDS: u64 = 2000;
/// The default number of runs of a bank.
const BANKS: u64 = 400;
/// The time after the last fault at which only far timers are still to come, in milliseconds.
const SETTLED_MILLIS: u64 = 40 * 60 * 1000;

/// A run of one seed. It returns what the checkers find wrong.
type Run = fn(u64, Option<Break>, bool) -> Result<(), String>;

/// Runs a world of streams and consumers.
fn run(seed: u64, broken: Option<Break>, traced: bool) -> Result<(), String> {
    let mut world = World::new(seed, broken, traced);
    world.run()?;
    checkers::check_quiet(&world)?;
    world.mend();
    world.run()?;
    checkers::check(&world)
}

/// Runs a world of timers and processes.
fn run_bank(seed: u64, broken: Option<Break>, traced: bool) -> Result<(), String> {
    let mut world = World::of_bank(seed, broken, traced);
    let bank = world.plan.bank.clone().unwrap();
    let settled = world.plan.kind_from + SETTLED_MILLIS;
    world.run_until(settled)?;
    bank::checkers::check_settled(&world, &bank, settled)?;
    world.mend();
    world.run()?;
    bank::checkers::check(&world, &bank)
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Runs all these seeds, on all processors. Returns the failed seeds, with the reasons.
fn run_all(run: Run, seeds: &Range<u64>, traced: bool) -> Vec<(u64, String)> {
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let share = |worker| {
            let seeds = seeds.clone().skip(worker).step_by(workers);
            scope.spawn(move || {
                seeds.filter_map(|seed| Some((seed, run(seed, None, traced).err()?))).collect()
            })
        };
        let shares: Vec<thread::ScopedJoinHandle<'_, Vec<_>>> = (0..workers).map(share).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    })
}

#[test]
fn nothing_is_lost_doubled_or_disordered() {
    nothing_is_wrong(run, SEEDS);
}

#[test]
fn timers_come_once_and_conversations_end() {
    nothing_is_wrong(run_bank, BANKS);
}

/// Runs the seeds of the environment, or this number of seeds.
fn nothing_is_wrong(run: Run, seeds: u64) {
    let one = number("SILLOK_SIM_SEED");
    let seeds = one.map_or(0..number("SILLOK_SIM_SEEDS").unwrap_or(seeds), |seed| seed..seed + 1);
    let wrong = run_all(run, &seeds, one.is_some());
    for (seed, wrong) in wrong.iter().take(10) {
        eprintln!("SILLOK_SIM_SEED={seed}: {wrong}");
    }
    assert!(wrong.is_empty(), "{} of {} runs failed", wrong.len(), seeds.end - seeds.start);
}
