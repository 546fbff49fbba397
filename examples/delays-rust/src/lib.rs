//! Sillok with a projection and a reactor in Rust. The projection stores one document for each airport: the minutes by which
//! flights left and arrived late. The reactor warns the airport's desk, and a pager if there is one, of flights that will
//! arrive late.

use serde::{Deserialize, Serialize};
use sillok::handler::{Failed, FeedEvent, Projection, TypedDocuments};
use sillok::store::ExpectedVersion;
use sillok_worker::{AppError, Reactor, ReactorContext};
use worker::{Context, Env, Fetch, Headers, Method, Request, RequestInit, Response, event, web_sys};

/// The events of a flight.
#[derive(Deserialize)]
#[serde(tag = "type", content = "data")]
enum FlightEvent {
    #[serde(rename = "FlightDeparted")]
    Departed(Flight),
    #[serde(rename = "FlightArrived")]
    Arrived(Flight),
    #[serde(rename = "FlightCancelled")]
    Cancelled(Flight),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Flight {
    flight: String,
    origin: String,
    dest: String,
    /// A cancelled flight has no delay.
    #[serde(default)]
    delay_minutes: i64,
}

/// An airport's document. The minutes of an early flight are negative.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Airport {
    departures: u64,
    departure_delay_minutes: i64,
    arrivals: u64,
    arrival_delay_minutes: i64,
    cancelled: u64,
}

struct Delays;

impl Projection for Delays {
    type Event = FlightEvent;
    type Document = Airport;
    const CATEGORY: Option<&str> = Some("plane");
    const TYPES: &[&str] = &["FlightDeparted", "FlightArrived", "FlightCancelled"];

    fn apply(
        event: FlightEvent,
        _: &FeedEvent,
        airports: &TypedDocuments<'_, Airport>,
    ) -> Result<(), Failed> {
        let key = match &event {
            FlightEvent::Arrived(flight) => &flight.dest,
            FlightEvent::Departed(flight) | FlightEvent::Cancelled(flight) => &flight.origin,
        };
        let mut airport = airports.get(key)?.unwrap_or_default();
        match &event {
            FlightEvent::Departed(flight) => {
                airport.departures += 1;
                airport.departure_delay_minutes += flight.delay_minutes;
            }
            FlightEvent::Arrived(flight) => {
                airport.arrivals += 1;
                airport.arrival_delay_minutes += flight.delay_minutes;
            }
            FlightEvent::Cancelled(_) => airport.cancelled += 1,
        }
        airports.put(key, &airport)?;
        Ok(())
    }
}

/// The events for an airport's desk.
#[derive(Serialize)]
#[serde(tag = "type", content = "data")]
enum DeskEvent {
    #[serde(rename_all = "camelCase")]
    LateFlightExpected { flight: String, delay_minutes: i64 },
}

/// The delay in minutes from which passengers may miss another flight.
const LATE_MINUTES: i64 = 30;

struct Warnings;

impl Reactor for Warnings {
    type Event = FlightEvent;
    const CATEGORY: Option<&str> = Some("plane");
    const TYPES: &[&str] = &["FlightDeparted"];

    async fn react(event: FlightEvent, _: &FeedEvent, context: &ReactorContext) -> Result<(), Failed> {
        let FlightEvent::Departed(Flight { flight, dest, delay_minutes, .. }) = event else {
            return Ok(());
        };
        if delay_minutes < LATE_MINUTES {
            return Ok(());
        }
        let late = DeskEvent::LateFlightExpected { flight, delay_minutes };
        context.append(&format!("desk-{dest}"), &late, ExpectedVersion::Any).await?;
        match context.env().var("PAGER_URL") {
            Ok(url) => page(&url.to_string(), &late, context.id()).await,
            Err(_) => Ok(()),
        }
    }
}

/// Sends the event to a pager, which can drop repeats by `id`.
async fn page(url: &str, event: &DeskEvent, id: &str) -> Result<(), Failed> {
    let headers = Headers::new();
    headers.set("Idempotency-Key", id)?;
    let body = serde_json::to_string(event)?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(headers).with_body(Some(body.into()));
    match Fetch::Request(Request::new_with_init(url, &init)?).send().await?.status_code() {
        200..300 => Ok(()),
        status => Err(format!("the pager answered {status}").into()),
    }
}

#[event(start)]
fn start() -> Result<(), AppError> {
    sillok_worker::app().projection::<Delays>("delays").reactor::<Warnings>("warnings").start()
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _: Context) -> worker::Result<Response> {
    sillok_worker::fetch(request, &env).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sillok::store::{JsonText, NewEvent};
    use sillok::testing::projected;

    use super::*;

    #[test]
    fn minutes_are_counted_at_both_ends() -> Result<(), Failed> {
        let flight = json!({ "flight": "UA1545", "origin": "EWR", "dest": "IAH", "delayMinutes": 2 });
        let flight = JsonText::from_value(&flight)?;
        let documents = projected::<Delays>(&[
            ("plane-N14228", NewEvent::new("FlightDeparted", flight.clone())?),
            ("plane-N14228", NewEvent::new("FlightArrived", flight)?),
        ])?;
        let left = Airport { departures: 1, departure_delay_minutes: 2, ..Airport::default() };
        let came = Airport { arrivals: 1, arrival_delay_minutes: 2, ..Airport::default() };
        assert_eq!(documents, [("EWR".to_owned(), left), ("IAH".to_owned(), came)].into());
        Ok(())
    }
}
