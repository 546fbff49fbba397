//! The plan of a run: its streams, objects and clients, and the time from which no faults happen.

use sillok::store::StreamId;

use crate::bank::Bank;
use crate::breaks::Break;
use crate::consumer_plans::ConsumerPlan;
use crate::network::Weather;
use crate::random::Random;

/// The time at which every run begins, in milliseconds since 1970.
pub const BEGINNING: u64 = 1_795_395_723_000;

/// The properties of one run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The streams to which clients append, and then one stream for each consumer.
    pub streams: Vec<StreamId>,
    pub for_clients: usize,
    pub partitions: usize,
    pub consumers: Vec<ConsumerPlan>,
    /// The most requests of a client. After few requests, no later one can hide what was lost.
    pub most_steps: u64,
    /// The longest wait of a client between two requests, in milliseconds: longer than until an alarm, or not.
    pub longest_wait: u64,
    /// Whether the network may deliver a message twice.
    pub repeating: bool,
    /// The time from which no faults happen.
    pub kind_from: u64,
    /// The time from which poison no longer fails, if there is one.
    pub cured_from: Option<u64>,
    pub broken: Option<Break>,
    /// The bank, in a world with timers and processes.
    pub bank: Option<Bank>,
}

impl Plan {
    pub fn drawn(weather: &Weather, broken: Option<Break>, random: &mut Random) -> Self {
        let consumers: Vec<_> = (0..random.below(4)).map(|_| ConsumerPlan::drawn(broken, random)).collect();
        let for_clients = random.index(5) + 1;
        let name = |number| format!("{}-{number}", if number % 2 == 0 { "account" } else { "order" });
        let own = |number| format!("reaction-{number}");
        let names = (0..for_clients).map(name).chain((0..consumers.len()).map(own));
        let kind_from = BEGINNING + random.between(20_000, 200_000);
        Self {
            streams: names.map(|name| StreamId::new(&name).unwrap()).collect(),
            for_clients,
            partitions: random.pick(&[1, 1, 2, 3]),
            consumers,
            most_steps: random.pick(&[1, 4, 15]),
            longest_wait: random.pick(&[2000, 5000, 40_000]),
            repeating: weather.repeated > 0,
            kind_from,
            cured_from: random.pick(&[None, Some(kind_from + 30_000)]),
            broken,
            bank: None,
        }
    }

    pub fn of_bank(bank: Bank, weather: &Weather, broken: Option<Break>, random: &mut Random) -> Self {
        // What is sick is parked after a minute.
        let longest = if bank.sick.is_some() { 300_000 } else { 100_000 };
        Self {
            streams: bank.streams(),
            for_clients: 0,
            partitions: random.pick(&[1, 2]),
            consumers: Vec::new(),
            most_steps: random.pick(&[3, 8, 20]),
            longest_wait: random.pick(&[500, 5000, 20_000]),
            repeating: weather.repeated > 0,
            kind_from: BEGINNING + random.between(20_000, longest),
            cured_from: None,
            broken,
            bank: Some(bank),
        }
    }
}
