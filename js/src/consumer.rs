//! Projections and reactors for JavaScript: the core's machine over the store's memory or file, one step a call.

use std::cell::RefCell;

use js_sys::{Array, Function};
use sillok::ErrorCode;
use sillok::gateway::Alarm;
use sillok::handler::{
    Consumer as Machine, ConsumerName, Delivery, Documents, FeedEvent, FeedPage, Kind, Next, OnFailure,
    Outcome, Policy, Read, Settings, Window,
};
use sillok::store::{
    Append, Checkpoint, EventStore, FeedEventView, InvalidCheckpoint, RecordedTime, StorageError, visit_feed,
};
use sillok_bridge::{
    AppendedJson, Failure, FeedValue, Scalar, expected_version_from_js, failure_json, feed_from_js,
    outcome_from_js, parse_events, parse_feed, stream_id_from_js, write_feed_event,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::commands::{Commands, command_of};
use crate::database::FileSql;
use crate::log::Log;
use crate::store::{Store, answer, in_use};
use crate::thrown::thrown;

sillok_bridge::documents_handle!(Documents<FileSql>, thrown);

/// The alarm of a program, which never rings. The caller runs a consumer once at its start. Each step returns the time of the
/// next attempt.
#[derive(Debug)]
pub(crate) struct NoAlarm;

impl Alarm for NoAlarm {
    fn set(&self, _: RecordedTime) -> Result<(), StorageError> {
        Ok(())
    }
}

/// A projection or a reactor. It has no store of its own: each call that needs a store takes the one that opened it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Consumer {
    machine: RefCell<Machine<FileSql, NoAlarm>>,
    feed: FeedValue,
    /// The unfinished delivery.
    delivery: RefCell<Option<Delivery>>,
}

#[wasm_bindgen]
impl Consumer {
    /// Opens the consumer of this name in the store. `kind` is `projection`, `reactor` or `process`. `feed` has the events to
    /// follow and, in `after`, the place where a new consumer begins. `numbers` are `attempts`, `firstDelay`, `longestDelay`,
    /// `timeout` and `version`. All are parts of a checked definition.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn open(
        store: &Store,
        name: &str,
        kind: &str,
        feed: &JsValue,
        on_failure: &str,
        numbers: &[u32],
    ) -> Result<Consumer, JsValue> {
        let on_failure = match on_failure {
            "hold-stream" => OnFailure::HoldStream,
            "stop" => OnFailure::Stop,
            _ => OnFailure::Skip,
        };
        let number = |place: usize| numbers.get(place).copied().unwrap_or_default();
        let (first_delay, longest_delay) = (number(1).into(), number(2).into());
        let (timeout, version) = (number(3).into(), number(4));
        let policy = Policy { on_failure, attempts: number(0), first_delay, longest_delay, timeout };
        let kind = match kind {
            "projection" => Kind::Projection,
            "process" => Kind::Process,
            _ => Kind::Reactor,
        };
        let name = ConsumerName::new(name).map_err(|error| thrown(error.into()))?;
        let settings =
            Settings { name, kind, partitions: 1, policy, window: Window::default(), after: None, version };
        Self::try_open(store, settings, feed_from_js(feed)).map_err(thrown)
    }

    /// Does the next step. It calls `apply` with each event of a projection, as JSON, and with a [`DocumentsHandle`]. `apply`
    /// returns undefined, or its error `{error, stack, code}`. `jitter` is a random number from 0 to 1.
    ///
    /// Returns `worked` if there may be more to do. Returns an array of id, attempt and event as JSON if the caller must
    /// deliver the event. Otherwise returns why there is nothing to do: the milliseconds until the next attempt, `idle`,
    /// `paused` or `stopped`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn step(&self, store: &Store, apply: &Function, jitter: f64) -> Result<JsValue, JsValue> {
        self.try_step(store, apply, jitter).map_err(thrown)
    }

    /// Appends as the command number `n` of the unfinished delivery with this id.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn append(
        &self,
        store: &Store,
        id: &str,
        n: u32,
        stream: &JsValue,
        events: &str,
        expected: &JsValue,
    ) -> Result<JsValue, JsValue> {
        answer(self.try_append(store, (id, n), stream, events, expected))
    }

    /// Executes a command, given as JSON, as the command number `n` of the unfinished delivery with this id. Returns as
    /// [`Commands::execute`] does.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn execute(
        &self,
        store: &Store,
        id: &str,
        n: u32,
        commands: &Commands,
        command: &str,
        prepared: Option<String>,
    ) -> Result<JsValue, JsValue> {
        self.try_execute(store, (id, n), commands, command, prepared).map_err(thrown)
    }

    /// Takes the outcome of the delivery with this id: undefined, or its error `{error, stack, code}`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn delivered(&self, store: &Store, id: &str, wrong: &JsValue, jitter: f64) -> Result<(), JsValue> {
        let note = || {
            self.delivery.replace(None);
            self.try_with(|machine| machine.delivered(id, outcome(wrong), store.now(), spread(jitter)))
        };
        // A machine that cannot save the outcome would forget it, and deliver the event again. So the lock is taken first.
        store.file().map_or_else(note, |file| file.ahead(note)).map_err(thrown)
    }
}

#[wasm_bindgen]
impl Consumer {
    /// Takes the reports of the attempts that have failed since the last call: a JSON array of the results of `failure_json`.
    #[wasm_bindgen(js_name = takeFailures)]
    pub fn take_failures(&self) -> Result<String, JsValue> {
        let reports = self.with(|machine| Ok::<_, StorageError>(machine.take_failures()))?;
        let reports: Vec<String> = reports.iter().map(failure_json).collect();
        Ok(format!("[{}]", reports.join(",")))
    }
}

impl Consumer {
    fn try_open(store: &Store, mut settings: Settings, feed: FeedValue) -> Result<Self, Failure> {
        let (after, range) = parse_feed(&feed, 0, 1)?;
        if feed.after.is_some() {
            let end = store.reading(EventStore::end)?;
            if range.is_beyond(end) {
                return Err(InvalidCheckpoint.into());
            }
            settings.after = Some(after);
        }
        let opened = match store.file() {
            Some(file) => Machine::open(file.clone(), NoAlarm, settings),
            None => Machine::open_in_memory(store.consumers(), NoAlarm, settings),
        };
        Ok(Self { machine: RefCell::new(opened?), feed, delivery: RefCell::default() })
    }

    pub(crate) fn try_with<T, E>(
        &self,
        work: impl FnOnce(&mut Machine<FileSql, NoAlarm>) -> Result<T, E>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let mut machine = self.machine.try_borrow_mut().map_err(|_| in_use())?;
        Ok(work(&mut machine)?)
    }

    pub(crate) fn with<T, E>(
        &self,
        work: impl FnOnce(&mut Machine<FileSql, NoAlarm>) -> Result<T, E>,
    ) -> Result<T, JsValue>
    where
        Failure: From<E>,
    {
        self.try_with(work).map_err(thrown)
    }

    fn try_step(&self, store: &Store, apply: &Function, jitter: f64) -> Result<JsValue, Failure> {
        let now = store.now();
        let next = self.try_with(|machine| machine.next(now))?;
        match next {
            Next::Read(read) => {
                let page = self.page(store, read)?;
                self.try_with(|machine| machine.take_page(page, now))?;
                Ok("worked".into())
            }
            Next::Project => {
                let apply =
                    &mut |event: &FeedEvent, documents: &Documents<FileSql>| call(apply, event, documents);
                self.try_with(|machine| machine.project(now, spread(jitter), apply))?;
                Ok("worked".into())
            }
            Next::Deliver(deliveries) => {
                // There is only one delivery at a time.
                let Some(delivery) = deliveries.into_iter().next() else { return Ok("worked".into()) };
                let (id, event) = (delivery.id.as_str().into(), delivery.event.json.as_str().into());
                let step = Array::of3(&id, &delivery.attempt.into(), &event);
                self.delivery.replace(Some(delivery));
                Ok(step.into())
            }
            #[allow(clippy::cast_precision_loss)] // at most 2^53 - 1
            Next::Wait { until } => Ok((until.as_millis().saturating_sub(now.as_millis()) as f64).into()),
            Next::Tidied => Ok("worked".into()),
            Next::Idle => Ok("idle".into()),
            Next::Paused => Ok("paused".into()),
            Next::Stopped => Ok("stopped".into()),
        }
    }

    fn page(&self, store: &Store, read: Read) -> Result<FeedPage, Failure> {
        let after = Scalar::from(read.after.get());
        let (_, range) = parse_feed(&FeedValue { after: Some(after), ..self.feed.clone() }, 0, 1)?;
        let mut events = Vec::new();
        let end = store.reading(|store: &EventStore<Log>| {
            visit_feed(store.log(), &range, &mut |found| events.extend(event(&found)))
        })?;
        Ok(FeedPage { read, events, after: end.checkpoint, more: end.more })
    }

    fn try_append(
        &self,
        store: &Store,
        (id, n): (&str, u32),
        stream: &JsValue,
        events: &str,
        expected: &JsValue,
    ) -> Result<AppendedJson, Failure> {
        let delivery = self.delivery(id)?;
        let stream = stream_id_from_js(stream)?;
        let expected = expected_version_from_js(expected)?;
        let key = Some(delivery.command_key(n)?);
        let events = parse_events(events)?;
        let appended =
            store.write(Append { stream, expected, events, key, cause: Some(delivery.cause()) })?;
        Ok(AppendedJson::from(&appended))
    }

    fn try_execute(
        &self,
        store: &Store,
        (id, n): (&str, u32),
        commands: &Commands,
        command: &str,
        prepared: Option<String>,
    ) -> Result<JsValue, Failure> {
        let delivery = self.delivery(id)?;
        let command = command_of(command, prepared)?.caused_by(&delivery.cause())?;
        commands.run(store, &command.with_id(delivery.command_key(n)?))
    }

    /// The unfinished delivery with this id.
    pub(crate) fn delivery(&self, id: &str) -> Result<Delivery, Failure> {
        let delivery = self.delivery.borrow();
        delivery.as_ref().filter(|delivery| delivery.id == id).cloned().ok_or_else(|| {
            let detail = "the handler has ended or was given up; it cannot send anything any more";
            Failure::new(ErrorCode::HandlerOver, detail)
        })
    }
}

/// Converts an event of the feed for the machine. Stored events were checked when they were written.
fn event(found: &FeedEventView<'_>) -> Option<FeedEvent> {
    let mut json = String::new();
    write_feed_event(&mut json, found, &Checkpoint::start(1).at(0, found.position));
    FeedEvent::of(found, json)
}

/// Calls JavaScript to apply an event.
fn call(apply: &Function, event: &FeedEvent, documents: &Documents<FileSql>) -> Outcome {
    let documents = DocumentsHandle { documents: documents.clone() };
    match apply.call2(&JsValue::UNDEFINED, &JsValue::from_str(&event.json), &documents.into()) {
        Ok(wrong) => outcome(&wrong),
        Err(thrown) => outcome_from_js(&thrown),
    }
}

/// The outcome of a handler, which returns its error or undefined.
fn outcome(wrong: &JsValue) -> Outcome {
    if wrong.is_undefined() { Outcome::Done } else { outcome_from_js(wrong) }
}

/// Spreads a random number from 0 to 1 over all numbers.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // values out of range are cut off
pub(crate) fn spread(jitter: f64) -> u32 {
    (jitter * f64::from(u32::MAX)) as u32
}
