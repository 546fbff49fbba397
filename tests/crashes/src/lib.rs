//! A Worker whose handlers crash the engine in the ways that Rust can, and a reactor that does not crash. It also has an
//! aggregate, see [`tally`]. The global variable `composition` can make the Worker invalid, so that it cannot start.

mod tally;

use std::hint::black_box;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sillok::handler::{Failed, FeedEvent, Policy, Projection, TypedDocuments};
use sillok::store::ExpectedVersion;
use sillok_worker::{AppError, Reactor, ReactorContext};
use worker::{Context, Delay, Env, Response, event, js_sys, web_sys};

/// Three attempts with short delays.
const POLICY: Policy = Policy { attempts: 3, first_delay: 50, longest_delay: 100, ..Policy::DEFAULT };

#[derive(Deserialize, Serialize)]
#[serde(tag = "type", content = "data")]
enum Event {
    Counted { n: u64 },
    Poison { how: String },
}

/// Ends the running code in the way that the event names.
fn crash(how: &str) -> Failed {
    match how {
        "panic" => panic!("the poison was taken"),
        "recursion" => format!("the recursion has ended at {}", recurse(0)).into(),
        "memory" => format!("there was memory for {}", exhaust()).into(),
        how => format!("{how} is no way to crash").into(),
    }
}

#[inline(never)]
fn recurse(depth: u64) -> u64 {
    if black_box(true) { 1 + black_box(recurse(black_box(depth + 1))) } else { depth }
}

fn exhaust() -> usize {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    while black_box(true) {
        taken.push(black_box(Vec::with_capacity(128 << 20)));
    }
    taken.len()
}

/// Counts the events of a stream.
struct Counts;

impl Projection for Counts {
    type Event = Event;
    type Document = u64;
    const CATEGORY: Option<&str> = Some("poisoned");
    const POLICY: Policy = POLICY;

    fn apply(event: Event, source: &FeedEvent, counts: &TypedDocuments<'_, u64>) -> Result<(), Failed> {
        let key = source.stream.as_str();
        counts.put(key, &(counts.get(key)?.unwrap_or_default() + 1))?;
        match event {
            Event::Counted { .. } => Ok(()),
            Event::Poison { how } => Err(crash(&how)),
        }
    }
}

/// Appends each event to another stream, and then crashes.
struct Echoes;

impl Reactor for Echoes {
    type Event = Event;
    const CATEGORY: Option<&str> = Some("poisoned");
    const POLICY: Policy = POLICY;

    async fn react(event: Event, source: &FeedEvent, context: &ReactorContext) -> Result<(), Failed> {
        context.append(&format!("echo-{}", source.stream), &event, ExpectedVersion::Any).await?;
        match event {
            Event::Counted { .. } => Ok(()),
            Event::Poison { how } => Err(crash(&how)),
        }
    }
}

/// Waits in each attempt, and never fails.
struct Beside;

impl Reactor for Beside {
    type Event = Event;
    const CATEGORY: Option<&str> = Some("sound");
    const POLICY: Policy = POLICY;

    async fn react(event: Event, source: &FeedEvent, context: &ReactorContext) -> Result<(), Failed> {
        Delay::from(Duration::from_millis(300)).await;
        context.append(&format!("echo-{}", source.stream), &event, ExpectedVersion::Any).await?;
        Ok(())
    }
}

/// A projection with an invalid policy.
struct Endless;

impl Projection for Endless {
    type Event = Event;
    type Document = u64;
    const POLICY: Policy = Policy { attempts: 0, ..POLICY };

    fn apply(_: Event, _: &FeedEvent, _: &TypedDocuments<'_, u64>) -> Result<(), Failed> {
        Ok(())
    }
}

#[event(start)]
fn start() -> Result<(), AppError> {
    let composition = js_sys::Reflect::get(&js_sys::global(), &"composition".into());
    let composition = composition.ok().and_then(|composition| composition.as_string());
    let app = sillok_worker::app()
        .projection::<Counts>("counts")
        .reactor::<Echoes>("echoes")
        .reactor::<Beside>("beside")
        .aggregate::<tally::Tally>()
        .reactor::<tally::Totals>("totals")
        .reactor::<tally::Answers>("answers");
    match composition.as_deref() {
        Some("one name twice") => app.projection::<Counts>("beside").start(),
        Some("one category twice") => app.aggregate::<tally::Tally>().start(),
        Some("a bad policy") => app.projection::<Endless>("endless").start(),
        _ => app.start(),
    }
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, _: Context) -> worker::Result<Response> {
    match tally::own_route(&request) {
        Some((stream, id, n)) => tally::add(&env, &stream, &id, n).await,
        None => sillok_worker::fetch(request, &env).await,
    }
}
