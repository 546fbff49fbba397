//! JavaScript's record of an object's attempts. It outlives a crash of the engine. It informs the next engine which attempt was
//! running at the crash. That attempt has failed, whichever code has crashed.

use std::cell::RefCell;
use std::future::poll_fn;
use std::panic;
use std::pin::pin;
use std::task::Poll;

use sillok::handler::FeedEvent;
use wasm_bindgen::prelude::*;

thread_local! {
    /// The record of the object whose code runs now.
    static UNDER_WAY: RefCell<Option<Attempts>> = const { RefCell::new(None) };
}

#[wasm_bindgen]
extern "C" {
    /// The attempts of one object, as `worker/crashes.ts` records them.
    #[derive(Debug, Clone)]
    pub(crate) type Attempts;

    /// The code of an attempt at this event starts or continues.
    #[wasm_bindgen(method)]
    fn begins(this: &Attempts, stream: &str, version: f64);

    /// The code has returned, with success or with an error.
    #[wasm_bindgen(method)]
    fn ends(this: &Attempts);

    /// The code panics. The engine crashes next.
    #[wasm_bindgen(method)]
    fn panics(this: &Attempts, message: &str);

    /// The object's machine begins to run, or becomes idle.
    #[wasm_bindgen(method)]
    fn runs(this: &Attempts, is_running: bool);
}

/// The record of an object's attempts, once JavaScript has passed it.
#[derive(Debug, Default)]
pub(super) struct Watched(RefCell<Option<Attempts>>);

impl Watched {
    pub(super) fn by(&self, attempts: Attempts) {
        *self.0.borrow_mut() = Some(attempts);
    }

    pub(super) fn are_watched(&self) -> bool {
        self.0.borrow().is_some()
    }

    pub(super) fn runs(&self, is_running: bool) {
        if let Some(attempts) = &*self.0.borrow() {
            attempts.runs(is_running);
        }
    }

    /// Runs the code of an attempt, and records its begin and its end.
    pub(super) fn within<T>(&self, event: &FeedEvent, work: impl FnOnce() -> T) -> T {
        let attempts = self.0.borrow().clone();
        let Some(attempts) = attempts else { return work() };
        #[allow(clippy::cast_precision_loss)] // at most 2^53 - 1
        attempts.begins(event.stream.as_str(), event.version.get() as f64);
        UNDER_WAY.set(Some(attempts.clone()));
        let done = work();
        UNDER_WAY.set(None);
        attempts.ends();
        done
    }

    /// Does the same for asynchronous code, each time it is polled.
    pub(super) async fn throughout<T>(&self, event: &FeedEvent, attempt: impl Future<Output = T>) -> T {
        let mut attempt = pin!(attempt);
        poll_fn(|context| -> Poll<T> { self.within(event, || attempt.as_mut().poll(context)) }).await
    }
}

/// Reports the text of each panic to the record. Only a user's code in Rust can panic.
pub(crate) fn report_panics() {
    let next = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if let Some(attempts) = UNDER_WAY.take() {
            attempts.panics(&panic.to_string());
        }
        next(panic);
    }));
}
