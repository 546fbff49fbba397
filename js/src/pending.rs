//! Timers, sent commands and the inputs of processes. The core chooses what is next, and JavaScript carries it out.

use std::cell::RefCell;

use js_sys::Array;
use sillok::ErrorCode;
use sillok::gateway::{
    DueCommands as DueMachine, DueWork, Executed, FailedAttempt, Step, cancel_pending, note_failure,
    reject_sent, retry_pending,
};
use sillok::handler::Answer;
use sillok::store::limits::PAGE_EVENTS;
use sillok::store::{
    DecisionLog, IdempotencyKey, InvalidName, JsonText, KeyOrigin, MalformedJson, PendingKey, PendingKind,
    RecordedTime, StorageError, StreamId, Version,
};
use sillok_bridge::{Failure, event_input, fresh_id, parse_rejection, read_pending, stream_id_from_js};
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

use crate::commands::{Commands, command_of};
use crate::consumer::{Consumer, spread};
use crate::store::{Store, answer};
use crate::thrown::thrown;

/// The due commands of a store, for the categories whose code is registered.
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct DueCommands {
    categories: RefCell<Vec<String>>,
    machine: RefCell<DueMachine>,
}

#[wasm_bindgen]
impl DueCommands {
    /// The due commands of no category.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The code of this category is registered.
    pub fn register(&self, category: &str) {
        self.categories.borrow_mut().push(category.to_owned());
    }

    /// The next work. Returns an array of stream, key and `false` for a timer, of stream, key and `true` for a sent command whose
    /// answer is stored with it, and of stream, key, receiver and command for a command to send. Returns `worked` if there may be more, the time of the next work in milliseconds since 1970, or `idle`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn next(&self, store: &Store) -> Result<JsValue, JsValue> {
        self.try_next(store).map_err(thrown)
    }

    /// The attempt at a timer or a sent command has ended.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn ended(&self, stream: &JsValue, key: &str, sent: bool) -> Result<(), JsValue> {
        let place = place(stream, key, sent);
        place.map(|(stream, key)| self.machine.borrow_mut().ended(&stream, &key)).map_err(thrown)
    }

    fn try_next(&self, store: &Store) -> Result<JsValue, Failure> {
        let now = store.now();
        let categories = self.categories.borrow();
        let is_registered = |stream: &StreamId| categories.iter().any(|known| known == stream.category());
        let work = store.reading(|store| self.machine.borrow_mut().next(store.log(), &is_registered, now))?;
        Ok(match work {
            DueWork::Fire(stream, key) => {
                let is_sent = key.kind() == PendingKind::Sent;
                Array::of3(&stream.as_str().into(), &key.as_str().into(), &is_sent.into()).into()
            }
            DueWork::Send(stream, key, sending) => Array::of4(
                &stream.as_str().into(),
                &key.as_str().into(),
                &sending.receiver.as_str().into(),
                &sending.command.to_json().into(),
            )
            .into(),
            DueWork::Unreadable(stream, key) => {
                self.machine.borrow_mut().ended(&stream, &key);
                let failure = FailedAttempt::unreadable();
                store.writing(|store| note_failure(store, &stream, &key, &failure, now, 0))?;
                "worked".into()
            }
            DueWork::More => "worked".into(),
            DueWork::Wait(due) => millis(due).into(),
            DueWork::Idle => "idle".into(),
        })
    }
}

#[wasm_bindgen]
impl Commands {
    /// Attempts a timer that is due, or the stored answer to a sent command. Returns undefined if there is more of the state to load. Otherwise the time of the next
    /// attempt in milliseconds since 1970 if this one has failed, -1 if it was the last one, or 0. `jitter` is a random number from 0 to 1.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn fire(&self, store: &Store, key: &str, sent: bool, jitter: f64) -> Result<Option<f64>, JsValue> {
        let key = if sent { PendingKey::sent(key) } else { PendingKey::timer(key) };
        self.try_settle(store, key, None, jitter).map_err(thrown)
    }

    /// Takes the answer to a sent command: the version of the receiver, and the rejection as JSON if there is one. Returns as
    /// [`Commands::fire`] does.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn answered(
        &self,
        store: &Store,
        id: &str,
        version: f64,
        rejection: Option<String>,
        jitter: f64,
    ) -> Result<Option<f64>, JsValue> {
        let answer = answer_of(version, rejection).map_err(thrown)?;
        self.try_settle(store, PendingKey::sent(id), Some(&answer), jitter).map_err(thrown)
    }

    /// Executes a command that a process has sent. `id` is its key. Returns as [`Commands::execute`] does.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = executeSent)]
    pub fn execute_sent(
        &self,
        store: &Store,
        command: &str,
        id: &str,
        prepared: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let id = IdempotencyKey::of(KeyOrigin::Process, id).map_err(Failure::from);
        let command = id.and_then(|id| Ok(command_of(command, prepared)?.with_id(id)));
        command.and_then(|command| self.run(store, &command)).map_err(thrown)
    }
}

impl Commands {
    fn try_settle(
        &self,
        store: &Store,
        key: Result<PendingKey, InvalidName>,
        answer: Option<&Answer>,
        jitter: f64,
    ) -> Result<Option<f64>, Failure> {
        let key = key.map_err(no_key)?;
        let (now, jitter) = (store.now(), spread(jitter).into());
        let mut fresh_id = || fresh_id(now);
        let settled: Step<Option<Executed>> = self.work(store, |machine, store| match answer {
            Some(answer) => machine.answered(store, self.stream(), &key, answer, now, jitter, &mut fresh_id),
            None => machine.fire(store, self.stream(), &key, now, jitter, &mut fresh_id),
        })?;
        match settled {
            Step::More => Ok(None),
            Step::Done(Some(_)) => Ok(Some(0.0)),
            Step::Done(None) => after_attempt(store, self.stream(), &key).map(Some),
        }
    }
}

#[wasm_bindgen]
impl Store {
    /// Reads a page of the timers or of the sent commands of a stream, after a key: `{items, next?}`. `items` is JSON.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn pending(&self, stream: &JsValue, sent: bool, after: Option<String>) -> Result<JsValue, JsValue> {
        let read = || {
            let stream = stream_id_from_js(stream)?;
            let after = after.as_deref().map(|key| key_of(key, sent)).transpose()?;
            self.reading(|store| {
                read_pending(store.log(), &stream, kind_of(sent), after.as_ref(), PAGE_EVENTS, false)
            })
        };
        answer(read())
    }

    /// Removes a timer or a sent command. Returns whether there was one.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = cancelPending)]
    pub fn cancel_pending(&self, stream: &JsValue, key: &str, sent: bool) -> Result<bool, JsValue> {
        let cancelled = place(stream, key, sent)
            .and_then(|(stream, key)| self.writing(|store| cancel_pending(store, &stream, &key)));
        cancelled.map_err(thrown)
    }

    /// Attempts a parked timer or sent command again. Returns whether there was one.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = retryPending)]
    pub fn retry_pending(&self, stream: &JsValue, key: &str, sent: bool) -> Result<bool, JsValue> {
        let now = self.now();
        let retried = place(stream, key, sent)
            .and_then(|(stream, key)| self.writing(|store| retry_pending(store, &stream, &key, now)));
        retried.map_err(thrown)
    }

    /// Answers a parked sent command in place of its receiver. `rejection` is JSON. Returns whether there was one.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = rejectSent)]
    pub fn reject_sent(&self, stream: &JsValue, id: &str, rejection: &str) -> Result<bool, JsValue> {
        let now = self.now();
        let rejected = || {
            let ((stream, key), rejection) = (place(stream, id, true)?, parse_rejection(rejection)?);
            self.writing(|store| reject_sent(store, &stream, &key, &rejection, now))
        };
        rejected().map_err(thrown)
    }

    /// Whether the receiver remembers the outcome of a sent command, so that nothing has to be looked up for it.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = remembersSent)]
    pub fn remembers_sent(&self, receiver: &JsValue, id: &str) -> Result<bool, JsValue> {
        let read = || {
            let receiver = stream_id_from_js(receiver)?;
            let id = IdempotencyKey::of(KeyOrigin::Process, id)?;
            self.reading(|store| store.log().outcome(&receiver, &id)).map(|outcome| outcome.is_some())
        };
        read().map_err(thrown)
    }

    /// The time of the next attempt at a timer or a sent command that has failed, in milliseconds since 1970, or 0 if there
    /// is none.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = repeatedAt)]
    pub fn repeated_at(&self, stream: &JsValue, key: &str, sent: bool) -> Result<f64, JsValue> {
        let found = place(stream, key, sent).and_then(|(stream, key)| after_attempt(self, &stream, &key));
        found.map(|at| at.max(0.0)).map_err(thrown)
    }

    /// Notes that a sent command has no answer, because of this error. Returns as [`Commands::fire`] does.
    ///
    /// # Errors
    /// A [`Failure`].
    #[wasm_bindgen(js_name = sendFailed)]
    pub fn send_failed(
        &self,
        stream: &JsValue,
        id: &str,
        code: &str,
        detail: &str,
        jitter: f64,
    ) -> Result<f64, JsValue> {
        let noted = || {
            let (stream, key) = place(stream, id, true)?;
            let code = ErrorCode::from_text(code).unwrap_or(ErrorCode::Internal);
            let (now, failure) = (self.now(), FailedAttempt { code, detail: detail.to_owned() });
            self.writing(|store| note_failure(store, &stream, &key, &failure, now, spread(jitter).into()))?;
            after_attempt(self, &stream, &key)
        };
        noted().map_err(thrown)
    }
}

#[wasm_bindgen]
impl Consumer {
    /// Delivers the event of the unfinished delivery with this id to the instance of a process. `starts` says whether the event
    /// may start the instance. Returns as [`Commands::execute`] does.
    ///
    /// # Errors
    /// A [`Failure`].
    pub fn deliver(
        &self,
        store: &Store,
        id: &str,
        commands: &Commands,
        starts: bool,
    ) -> Result<JsValue, JsValue> {
        let delivered = || {
            let delivery = self.delivery(id)?;
            let input = event_input(&delivery.event.json, starts)?.caused_by(&delivery.cause())?;
            commands.run(store, &input.with_id(delivery.input_id()?))
        };
        delivered().map_err(thrown)
    }
}

/// The time of the next attempt at a pending command that has failed, in milliseconds since 1970. It is -1 if the command is
/// parked, and 0 if it has not failed.
fn after_attempt(store: &Store, stream: &StreamId, key: &PendingKey) -> Result<f64, Failure> {
    let pending = store.reading(|store| store.log().pending(stream, key))?;
    let failed = pending.filter(|pending| pending.failed > 0);
    Ok(failed.map_or(0.0, |pending| pending.state.due().map_or(-1.0, millis)))
}

#[allow(clippy::cast_precision_loss)] // at most 2^53 - 1
fn millis(due: RecordedTime) -> f64 {
    due.as_millis() as f64
}

fn place(stream: &JsValue, key: &str, sent: bool) -> Result<(StreamId, PendingKey), Failure> {
    Ok((stream_id_from_js(stream)?, key_of(key, sent)?))
}

fn key_of(key: &str, sent: bool) -> Result<PendingKey, Failure> {
    if sent { PendingKey::sent(key) } else { PendingKey::timer(key) }.map_err(no_key)
}

fn kind_of(sent: bool) -> PendingKind {
    if sent { PendingKind::Sent } else { PendingKind::Timer }
}

fn answer_of(version: f64, rejection: Option<String>) -> Result<Answer, Failure> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // an outcome's version
    let version = Version::new(version as u64).unwrap_or_default();
    let malformed = |error: MalformedJson| Failure::new(ErrorCode::MalformedJson, error.to_string());
    Ok(match rejection {
        Some(rejection) => Answer::Rejected { rejection: JsonText::parse(&rejection).map_err(malformed)? },
        None => Answer::Accepted { version },
    })
}

/// The engine itself has given the key.
fn no_key(error: InvalidName) -> Failure {
    Failure::from(StorageError::failed(error.to_string()))
}
