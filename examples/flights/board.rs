//! The departure board in Rust: the twin of `board.ts`. After the same events it has the same state, to the byte.

use serde::{Deserialize, Serialize};
use sillok::handler::{CommandContext, Decider, Decision, Event, Refusal, reject};

/// A flight of a plane from one airport to another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    pub flight: String,
    pub plane: String,
    pub origin: String,
    pub dest: String,
}

/// A flight that has left or reached an airport, with its delay. A negative delay is early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    #[serde(flatten)]
    pub flight: Flight,
    pub delay_minutes: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
#[allow(clippy::enum_variant_names)] // the types of the events
pub enum BoardEvent {
    FlightDeparted(Moved),
    FlightArrived(Moved),
    FlightCancelled(Flight),
}

impl Event for BoardEvent {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum BoardCommand {
    Depart(Moved),
    Arrive(Moved),
    Cancel(Flight),
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", content = "data", rename_all = "snake_case")]
pub enum BoardRejection {
    NotInTheAir,
    InTheAir { flight: String },
}

/// The longest delay, and its flight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Worst {
    pub flight: String,
    pub minutes: i64,
}

/// The flights of one airport.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Airport {
    pub code: String,
    pub departed: u64,
    pub arrived: u64,
    pub cancelled: u64,
    /// The sum of the delays of its arrivals and departures.
    pub delay_minutes: i64,
    pub worst: Option<Worst>,
}

impl Airport {
    fn delay(&mut self, Moved { flight, delay_minutes: minutes }: &Moved) {
        self.delay_minutes += minutes;
        if *minutes > self.worst.as_ref().map_or(0, |worst| worst.minutes) {
            self.worst = Some(Worst { flight: flight.flight.clone(), minutes: *minutes });
        }
    }
}

/// The board: airports in the order of their first flight, and the planes in the air in the order of their departure.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    pub airports: Vec<Airport>,
    pub in_the_air: Vec<Flight>,
}

impl State {
    /// Changes an airport. A new airport comes last.
    fn change(&mut self, code: &str, change: impl FnOnce(&mut Airport)) {
        if let Some(airport) = self.airports.iter_mut().find(|airport| airport.code == code) {
            return change(airport);
        }
        let mut airport = Airport { code: code.to_owned(), ..Airport::default() };
        change(&mut airport);
        self.airports.push(airport);
    }

    fn flying(&self, plane: &str) -> Option<&Flight> {
        self.in_the_air.iter().find(|flight| flight.plane == plane)
    }
}

pub struct Board;

impl Decider for Board {
    type State = State;
    type Command = BoardCommand;
    type Event = BoardEvent;
    type Rejection = BoardRejection;
    const CATEGORY: &str = "board";

    fn initial_state() -> State {
        State::default()
    }

    fn decide(
        command: BoardCommand,
        state: &State,
        _: &CommandContext<'_>,
    ) -> Result<Decision<BoardEvent>, Refusal<BoardRejection>> {
        let on_the_ground = |plane: &str| match state.flying(plane) {
            Some(flying) => reject(BoardRejection::InTheAir { flight: flying.flight.clone() }),
            None => Ok(()),
        };
        match command {
            BoardCommand::Arrive(moved) => match state.flying(&moved.flight.plane) {
                Some(flying) if flying.flight == moved.flight.flight => {
                    Ok(BoardEvent::FlightArrived(moved).into())
                }
                _ => reject(BoardRejection::NotInTheAir),
            },
            BoardCommand::Depart(moved) => {
                on_the_ground(&moved.flight.plane)?;
                Ok(BoardEvent::FlightDeparted(moved).into())
            }
            BoardCommand::Cancel(flight) => {
                on_the_ground(&flight.plane)?;
                Ok(BoardEvent::FlightCancelled(flight).into())
            }
        }
    }

    fn evolve(mut state: State, event: BoardEvent) -> State {
        match event {
            BoardEvent::FlightDeparted(moved) => {
                state.change(&moved.flight.origin, |airport| {
                    airport.delay(&moved);
                    airport.departed += 1;
                });
                state.in_the_air.push(moved.flight);
            }
            BoardEvent::FlightArrived(moved) => {
                state.change(&moved.flight.dest, |airport| {
                    airport.delay(&moved);
                    airport.arrived += 1;
                });
                state.in_the_air.retain(|flight| flight.plane != moved.flight.plane);
            }
            BoardEvent::FlightCancelled(flight) => {
                state.change(&flight.origin, |airport| airport.cancelled += 1);
            }
        }
        state
    }
}
