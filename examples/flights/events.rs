//! Events of flights in Rust: the twin of `events.ts`. It makes the same events.

use std::collections::HashMap;

use super::board::{BoardEvent, Flight, Moved};

const SEED: u32 = 2013;
const ORIGINS: [&str; 3] = ["EWR", "JFK", "LGA"];
const DESTINATIONS: [&str; 11] =
    ["ATL", "BOS", "CLT", "DEN", "FLL", "IAH", "LAX", "MCO", "MIA", "ORD", "SFO"];
const CARRIERS: [&str; 5] = ["AA", "B6", "DL", "UA", "WN"];
const PLANES: u32 = 400;

/// Makes events without an end. Every plane flies from New York and back, and of 200 flights about one is cancelled.
pub struct Flights {
    random: Random,
    /// The flight of each plane that is in the air.
    flying: HashMap<u32, Flight>,
    /// The airport of each plane on the ground, if it is not in New York.
    away: HashMap<u32, String>,
}

impl Flights {
    pub fn new() -> Self {
        Self { random: Random(SEED), flying: HashMap::new(), away: HashMap::new() }
    }

    fn land(&mut self, plane: u32, landing: Flight, delay_minutes: i64) -> BoardEvent {
        if ORIGINS.contains(&landing.dest.as_str()) {
            self.away.remove(&plane);
        } else {
            self.away.insert(plane, landing.dest.clone());
        }
        BoardEvent::FlightArrived(Moved { flight: landing, delay_minutes })
    }

    fn leave(&mut self, plane: u32, delay_minutes: i64) -> BoardEvent {
        let from = self.away.get(&plane).cloned();
        let to: &[&str] = if from.is_none() { &DESTINATIONS } else { &ORIGINS };
        let flight = Flight {
            flight: format!("{}{}", self.random.one(&CARRIERS), 1 + self.random.below(2000)),
            plane: format!("N{}", 10_000 + plane),
            origin: from.unwrap_or_else(|| self.random.one(&ORIGINS)),
            dest: self.random.one(to),
        };
        if self.random.below(200) == 0 {
            return BoardEvent::FlightCancelled(flight);
        }
        self.flying.insert(plane, flight.clone());
        BoardEvent::FlightDeparted(Moved { flight, delay_minutes })
    }
}

impl Iterator for Flights {
    type Item = BoardEvent;

    fn next(&mut self) -> Option<BoardEvent> {
        let plane = self.random.below(PLANES);
        let early = i64::from(self.random.below(60)) - 15;
        let late = if self.random.below(20) == 0 { i64::from(self.random.below(300)) } else { 0 };
        Some(match self.flying.remove(&plane) {
            Some(landing) => self.land(plane, landing, early + late),
            None => self.leave(plane, early + late),
        })
    }
}

/// Random numbers by a seed: mulberry32.
struct Random(u32);

impl Random {
    /// A whole number below `end`.
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x6d2b_79f5);
        let mixed = (self.0 ^ (self.0 >> 15)).wrapping_mul(1 | self.0);
        let mixed = mixed.wrapping_add((mixed ^ (mixed >> 7)).wrapping_mul(61 | mixed)) ^ mixed;
        (mixed ^ (mixed >> 14)) % end
    }

    fn one(&mut self, of: &[&str]) -> String {
        of.get(self.below(of.len() as u32) as usize).copied().unwrap_or_default().to_owned()
    }
}
