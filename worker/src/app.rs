//! The registry of a Worker: the definitions of its code in Rust.

use std::cell::{OnceCell, RefCell};

use sillok::handler::{ConsumerName, Kind, Projection, apply};
use sillok_bridge::{Failure, parse_feed};
use thiserror::Error;
use wasm_bindgen::JsValue;

use crate::consumer::{Definition, Handler, Reactor, react, report_panics};

thread_local! {
    /// The registry of this Worker. Each start of the engine makes it again.
    static REGISTRY: OnceCell<Registry> = const { OnceCell::new() };
    /// The reason why the registrations are refused. The composition of the objects throws it.
    static REFUSED: RefCell<Option<AppError>> = const { RefCell::new(None) };
}

/// The definitions of one Worker.
#[derive(Debug)]
struct Registry {
    consumers: Vec<InCode>,
}

/// The reason why the registrations are refused, if they are.
pub(crate) fn refused() -> Option<AppError> {
    REFUSED.with_borrow(Clone::clone)
}

/// A consumer that the code of this Worker defines: a projection or a reactor.
#[derive(Debug, Clone)]
pub(crate) struct InCode {
    name: ConsumerName,
    pub(crate) definition: Definition,
    pub(crate) handler: Handler,
}

/// The consumer of this name, if the code of this Worker defines it.
pub(crate) fn consumer(name: &ConsumerName) -> Option<InCode> {
    REGISTRY
        .with(|registry| registry.get()?.consumers.iter().find(|consumer| consumer.name == *name).cloned())
}

/// The names of all consumers that the code of this Worker defines.
pub(crate) fn consumers() -> Vec<ConsumerName> {
    REGISTRY.with(|registry| {
        let consumers = registry.get().into_iter().flat_map(|registry| &registry.consumers);
        consumers.map(|consumer| consumer.name.clone()).collect()
    })
}

/// The reason why a Worker cannot be composed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AppError {
    /// Two consumers have the same name.
    #[error("two consumers have the name {name:?}")]
    SameName {
        /// Their name.
        name: String,
    },
    /// The name, the category, the types or the policy of a consumer is not valid.
    #[error("the definition of the consumer {name:?} is not valid: {failure}")]
    Consumer {
        /// The name of the consumer.
        name: String,
        /// The error in its definition.
        failure: Failure,
    },
    /// The Worker is already composed.
    #[error("`start` was called a second time; a Worker can be composed only once")]
    Again,
}

impl From<AppError> for JsValue {
    fn from(error: AppError) -> Self {
        js_sys::Error::new(&error.to_string()).into()
    }
}

/// Begins the composition of a Worker: Sillok's Worker without registrations.
pub fn app() -> App {
    App { consumers: Vec::new() }
}

/// The composition of a Worker of your own: Sillok's Worker with your projections and reactors. [`app`] begins it.
///
/// [Start](App::start) it in the function that the runtime calls first, each time it loads the Worker:
///
/// ```
/// # use sillok::handler::{Failed, FeedEvent, Projection, TypedDocuments};
/// # use sillok_worker::{Reactor, ReactorContext};
/// # struct Balances;
/// # impl Projection for Balances {
/// #     type Event = serde_json::Value;
/// #     type Document = u64;
/// #     fn apply(_: serde_json::Value, _: &FeedEvent, _: &TypedDocuments<'_, u64>) -> Result<(), Failed> {
/// #         Ok(())
/// #     }
/// # }
/// # struct Billing;
/// # impl Reactor for Billing {
/// #     type Event = serde_json::Value;
/// #     async fn react(_: serde_json::Value, _: &FeedEvent, _: &ReactorContext) -> Result<(), Failed> {
/// #         Ok(())
/// #     }
/// # }
/// use sillok_worker::AppError;
/// use worker::{Context, Env, Response, event, web_sys};
///
/// #[event(start)]
/// fn start() -> Result<(), AppError> {
///     sillok_worker::app().projection::<Balances>("balances").reactor::<Billing>("billing").start()
/// }
///
/// #[event(fetch)]
/// async fn fetch(request: web_sys::Request, env: Env, _: Context) -> worker::Result<Response> {
///     sillok_worker::fetch(request, &env).await
/// }
/// # fn main() {}
/// ```
#[derive(Debug)]
#[must_use = "the consumers are not in the Worker until `start` is called"]
pub struct App {
    /// The consumers, under unchecked names.
    consumers: Vec<(String, Definition, Handler)>,
}

impl App {
    /// Registers a projection under a name: 1 to 200 bytes of UTF-8 without control characters.
    pub fn projection<P: Projection>(self, name: &str) -> Self {
        let definition = Definition::in_code(Kind::Projection, P::CATEGORY, P::TYPES, None, P::POLICY);
        self.with(name, definition, Handler::Projection(apply::<P, _>))
    }

    /// Registers a reactor under a name: 1 to 200 bytes of UTF-8 without control characters.
    pub fn reactor<R: Reactor>(self, name: &str) -> Self {
        let definition = Definition::in_code(Kind::Reactor, R::CATEGORY, R::TYPES, R::AFTER, R::POLICY);
        self.with(name, definition, Handler::Reactor(react::<R>))
    }

    fn with(mut self, name: &str, definition: Definition, handler: Handler) -> Self {
        self.consumers.push((name.to_owned(), definition, handler));
        self
    }

    /// Checks the registrations, and adds them to the Worker.
    ///
    /// # Errors
    /// [`AppError`]. In wasm, this function does not return it: `sillok/rust` throws it when it composes the objects, and the
    /// deployment fails. Nobody would see an error of the function that the runtime calls first.
    pub fn start(self) -> Result<(), AppError> {
        let started = self.checked().and_then(|checked| {
            report_panics();
            REGISTRY.with(|registry| registry.set(checked)).map_err(|_| AppError::Again)
        });
        if !cfg!(target_arch = "wasm32") {
            return started;
        }
        REFUSED.set(started.err());
        Ok(())
    }

    fn checked(self) -> Result<Registry, AppError> {
        let mut consumers: Vec<InCode> = Vec::new();
        for (name, definition, handler) in self.consumers {
            if consumers.iter().any(|known| known.name == name.as_str()) {
                return Err(AppError::SameName { name });
            }
            match checked(&name, &definition) {
                Ok(name) => consumers.push(InCode { name, definition, handler }),
                Err(failure) => return Err(AppError::Consumer { name, failure }),
            }
        }
        Ok(Registry { consumers })
    }
}

fn checked(name: &str, definition: &Definition) -> Result<ConsumerName, Failure> {
    let name = ConsumerName::new(name)?;
    // The number of partitions is known only during a request, so the checkpoint's own number is used.
    let partitions = definition.after.as_ref().map_or(1, |after| after.split('.').count());
    definition.settings(name.clone(), partitions)?.check()?;
    parse_feed(&definition.filter(), 0, 1)?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use sillok::ErrorCode;
    use sillok::handler::{Failed, FeedEvent, Policy, TypedDocuments};

    use super::*;
    use crate::consumer::ReactorContext;

    struct Sound;
    struct Category;
    struct Types;
    struct Attempts;

    macro_rules! projection {
        ($name:ident $(, $constant:item)?) => {
            impl Projection for $name {
                type Event = ();
                type Document = ();
                $($constant)?
                fn apply((): (), _: &FeedEvent, _: &TypedDocuments<'_, ()>) -> Result<(), Failed> {
                    Ok(())
                }
            }
        };
    }

    projection!(Sound);
    projection!(Category, const CATEGORY: Option<&str> = Some(""););
    projection!(Types, const TYPES: &[&str] = &["Counted", ""];);
    projection!(Attempts, const POLICY: Policy = Policy { attempts: 0, ..Policy::DEFAULT };);

    struct End;

    impl Reactor for End {
        type Event = ();
        const AFTER: Option<&str> = Some("end");
        async fn react((): (), _: &FeedEvent, _: &ReactorContext) -> Result<(), Failed> {
            Ok(())
        }
    }

    #[test]
    fn two_consumers_with_one_name_are_refused() {
        let refused =
            app().projection::<Sound>("a").projection::<Sound>("b").projection::<Sound>("a").start();
        assert_eq!(refused, Err(AppError::SameName { name: "a".to_owned() }));
        assert!(consumers().is_empty());
    }

    #[test]
    fn invalid_consumers_are_refused() {
        for (refused, code) in [
            (app().projection::<Sound>(""), ErrorCode::InvalidConsumerName),
            (app().projection::<Sound>("acme\u{1f}sums"), ErrorCode::InvalidConsumerName),
            (app().projection::<Category>("a"), ErrorCode::InvalidCategory),
            (app().projection::<Types>("a"), ErrorCode::InvalidEventType),
            (app().projection::<Attempts>("a"), ErrorCode::InvalidPolicy),
            (app().reactor::<End>("a"), ErrorCode::InvalidCheckpoint),
        ] {
            let Err(AppError::Consumer { failure, .. }) = refused.start() else {
                panic!("{code} was expected")
            };
            assert_eq!(failure.code, code);
        }
    }

    #[test]
    fn a_started_consumer_is_found_by_its_name() {
        app().projection::<Sound>("a").projection::<Attempts>("b").start().unwrap_err();
        app().projection::<Sound>("a").projection::<Sound>("b").start().unwrap();
        assert_eq!(consumers(), ["a", "b"]);
        let find = |name| consumer(&ConsumerName::new(name).unwrap());
        assert_eq!(find("b").map(|found| found.definition.kind), Some(Kind::Projection));
        assert!(find("c").is_none());
        assert_eq!(app().start(), Err(AppError::Again));
    }
}
