//! Projections and reactors as JavaScript runs them: the core's machine over the store's own memory or file, a step a
//! call.

use std::cell::RefCell;

use js_sys::{Array, Function};
use sillok::ErrorCode;
use sillok::gateway::Alarm;
use sillok::handler::{
    Consumer as Machine, ConsumerName, Delivery, Documents, FeedEvent, FeedPage, Kind, Next, OnFailure,
    Outcome, Policy, Read, Settings, Window,
};
use sillok::store::{
    Append, Checkpoint, EventId, EventStore, EventType, FeedEventView, InvalidCheckpoint, RecordedTime,
    StorageError, StreamId, visit_feed,
};
use sillok_bridge::{
    AppendedJson, Failure, FeedValue, Scalar, expected_version_from_js, feed_from_js, now, outcome_from_js,
    parse_events, parse_feed, stream_id_from_js, write_feed_event,
};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::database::FileSql;
use crate::log::Log;
use crate::store::{Store, answer, in_use};
use crate::thrown::thrown;

sillok_bridge::documents_handle!(Documents<FileSql>, thrown);

/// Nothing rings in a program: whoever runs a consumer there runs it once when it starts, and is told the time of what
/// is to be tried again.
#[derive(Debug)]
pub(crate) struct NoAlarm;

impl Alarm for NoAlarm {
    fn set(&self, _: RecordedTime) -> Result<(), StorageError> {
        Ok(())
    }
}

/// A projection or a reactor. It has no store of its own: every call that needs it is given the one that opened it.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Consumer {
    machine: RefCell<Machine<FileSql, NoAlarm>>,
    feed: FeedValue,
    /// What is being delivered.
    delivery: RefCell<Option<Delivery>>,
}

#[wasm_bindgen]
impl Consumer {
    /// Opens the consumer of this name in the store: a projection or, otherwise, a reactor. `feed` says what it follows
    /// and, in `after`, where a new one begins; `policy` is `onFailure`, and `numbers` are `attempts`, `firstDelay`,
    /// `longestDelay` and, of a reactor, `timeout` of a definition that was checked.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn open(
        store: &Store,
        name: &str,
        projects: bool,
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
        let timeout = numbers.get(3).map_or(Policy::DEFAULT.timeout, |&millis| millis.into());
        let policy = Policy { on_failure, attempts: number(0), first_delay, longest_delay, timeout };
        let kind = if projects { Kind::Projection } else { Kind::Reactor };
        let name = ConsumerName::new(name).map_err(|error| thrown(error.into()))?;
        let settings = Settings { name, kind, partitions: 1, policy, window: Window::default(), after: None };
        Self::try_open(store, settings, feed_from_js(feed)).map_err(thrown)
    }

    /// Does the next thing. `apply` is called with each event that is projected, as JSON, and with a
    /// [`DocumentsHandle`]; it returns what is wrong, `{error, code}`, or undefined. `jitter` is a random number from 0 to 1.
    ///
    /// Gives `worked` when there may be more to do; an array of id, attempt and event as JSON when that is to be delivered;
    /// and otherwise why there is nothing to do: for how many milliseconds there is not, `idle`, `paused` or
    /// `stopped`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn step(&self, store: &Store, apply: &Function, jitter: f64) -> Result<JsValue, JsValue> {
        self.try_step(store, apply, jitter).map_err(thrown)
    }

    /// Appends as the command number `n` of the delivery of this id, which is under way.
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

    /// Takes note of what came of the delivery of this id: what is wrong, `{error, code}`, or undefined.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn delivered(&self, store: &Store, id: &str, wrong: &JsValue, jitter: f64) -> Result<(), JsValue> {
        let note = || {
            self.delivery.replace(None);
            self.try_with(|machine| machine.delivered(id, outcome(wrong), now(), spread(jitter)))
        };
        // A machine that could not save what it was told would forget it, and deliver the event again.
        store.file().map_or_else(note, |file| file.ahead(note)).map_err(thrown)
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
        let now = now();
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
                // One after the other: there is one.
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
        let delivery = self.delivery.borrow();
        let delivery = delivery.as_ref().filter(|delivery| delivery.id == id).ok_or_else(|| {
            Failure::new(
                ErrorCode::HandlerOver,
                "the reactor's handler has ended or was given up; it cannot append any more",
            )
        })?;
        let stream = stream_id_from_js(stream)?;
        let expected = expected_version_from_js(expected)?;
        let key = Some(delivery.command_key(n)?);
        let events = parse_events(events)?;
        let appended =
            store.write(Append { stream, expected, events, key, cause: Some(delivery.cause()) })?;
        Ok(AppendedJson::from(&appended))
    }
}

/// An event of the feed as the machine takes it. What is stored was checked when it was written.
fn event(found: &FeedEventView<'_>) -> Option<FeedEvent> {
    let mut json = String::new();
    write_feed_event(&mut json, found, &Checkpoint::start(1).at(0, found.position));
    Some(FeedEvent {
        position: found.position,
        stream: StreamId::new(found.stream).ok()?,
        version: found.event.version,
        id: EventId::new(found.event.id).ok()?,
        event_type: EventType::new(found.event.event_type).ok()?,
        json,
    })
}

/// Lets JavaScript apply an event.
fn call(apply: &Function, event: &FeedEvent, documents: &Documents<FileSql>) -> Outcome {
    let documents = DocumentsHandle { documents: documents.clone() };
    match apply.call2(&JsValue::UNDEFINED, &JsValue::from_str(&event.json), &documents.into()) {
        Ok(wrong) => outcome(&wrong),
        Err(thrown) => outcome_from_js(&thrown),
    }
}

/// What came of a handler that says what is wrong, or undefined.
fn outcome(wrong: &JsValue) -> Outcome {
    if wrong.is_undefined() { Outcome::Done } else { outcome_from_js(wrong) }
}

/// A random number from 0 to 1 as one of all numbers.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what is out of range is cut off
fn spread(jitter: f64) -> u32 {
    (jitter * f64::from(u32::MAX)) as u32
}
