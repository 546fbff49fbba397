//! The registry of a Worker: the definitions of its code in Rust.

use std::cell::{OnceCell, RefCell};

use sillok::handler::{ConsumerName, Decider, Kind, Process, Projection, apply};
use sillok::store::{Category, StreamId};
use sillok_bridge::{Failure, parse_feed};

use crate::aggregate::InRust;
use crate::app_error::AppError;
use crate::consumer::{Definition, Handler, Reactor, pass_on, react, report_panics};

thread_local! {
    /// The registry of this Worker. Each start of the engine makes it again.
    static REGISTRY: OnceCell<Registry> = const { OnceCell::new() };
    /// The reason why the registrations are refused. The composition of the objects throws it.
    static REFUSED: RefCell<Option<AppError>> = const { RefCell::new(None) };
}

/// The definitions of one Worker.
#[derive(Debug)]
struct Registry {
    aggregates: Vec<InRust>,
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

/// The aggregate of a stream, if the code of this Worker defines it in Rust.
pub(crate) fn aggregate_of(stream: &StreamId) -> Option<InRust> {
    let category = stream.as_str().split('-').next()?;
    aggregates().into_iter().find(|code| code.category == category)
}

/// All aggregates that the code of this Worker defines in Rust.
pub(crate) fn aggregates() -> Vec<InRust> {
    REGISTRY.with(|registry| registry.get().map(|registry| registry.aggregates.clone()).unwrap_or_default())
}

/// Begins the composition of a Worker: Sillok's Worker without registrations.
pub fn app() -> App {
    App { aggregates: Vec::new(), consumers: Vec::new() }
}

/// The composition of a Worker of your own: Sillok's Worker with your aggregates, projections and
/// reactors. [`app`] begins it.
///
/// [Start](App::start) it in the function that the runtime calls first, each time it loads the Worker:
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use sillok::handler::{CommandContext, Decider, Decision, Event, Failed, FeedEvent, Projection, Refusal, TypedDocuments};
/// # use sillok_worker::{Reactor, ReactorContext};
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum Count { Count { by: u32 } }
/// # #[derive(Serialize, Deserialize)]
/// # #[serde(tag = "type", content = "data")]
/// # enum Counted { Counted { by: u32 } }
/// # impl Event for Counted {}
/// # #[derive(Serialize, Deserialize)]
/// # enum Never {}
/// # struct Counter;
/// # impl Decider for Counter {
/// #     type State = u32;
/// #     type Command = Count;
/// #     type Event = Counted;
/// #     type Rejection = Never;
/// #     const CATEGORY: &str = "counter";
/// #     fn initial_state() -> u32 { 0 }
/// #     fn decide(command: Count, _: &u32, _: &CommandContext<'_>) -> Result<Decision<Counted>, Refusal<Never>> {
/// #         let Count::Count { by } = command;
/// #         Ok(Counted::Counted { by }.into())
/// #     }
/// #     fn evolve(state: u32, event: Counted) -> u32 {
/// #         let Counted::Counted { by } = event;
/// #         state + by
/// #     }
/// # }
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
///     sillok_worker::app()
///         .aggregate::<Counter>()
///         .projection::<Balances>("balances")
///         .reactor::<Billing>("billing")
///         .start()
/// }
///
/// #[event(fetch)]
/// async fn fetch(request: web_sys::Request, env: Env, _: Context) -> worker::Result<Response> {
///     sillok_worker::fetch(request, &env).await
/// }
/// # fn main() {}
/// ```
#[derive(Debug)]
#[must_use = "the definitions are not in the Worker until `start` is called"]
pub struct App {
    aggregates: Vec<InRust>,
    /// The consumers, under unchecked names.
    consumers: Vec<(String, Definition, Handler)>,
}

impl App {
    /// Registers an aggregate. The object of each stream of its [category](Decider::CATEGORY) decides the commands to the stream.
    pub fn aggregate<D: Decider>(mut self) -> Self {
        self.aggregates.push(InRust::of::<D>());
        self
    }

    /// Registers a projection under a name: 1 to 200 bytes of UTF-8 without control characters.
    pub fn projection<P: Projection>(self, name: &str) -> Self {
        let definition =
            Definition::in_code(Kind::Projection, P::CATEGORY, P::TYPES, None, Some(P::VERSION), P::POLICY);
        self.with(name, definition, Handler::Projection(apply::<P, _>))
    }

    /// Registers a reactor under a name: 1 to 200 bytes of UTF-8 without control characters.
    pub fn reactor<R: Reactor>(self, name: &str) -> Self {
        let definition = Definition::in_code(Kind::Reactor, R::CATEGORY, R::TYPES, R::AFTER, None, R::POLICY);
        self.with(name, definition, Handler::Reactor(react::<R>))
    }

    /// Registers a process. The object of each stream of its [category](Decider::CATEGORY) is an instance. If the process takes
    /// events of other streams, it is also a consumer with the name of its category.
    pub fn process<P: Process>(mut self) -> Self {
        self.aggregates.push(InRust::of_process::<P>());
        if P::SOURCE_TYPES.is_empty() {
            return self;
        }
        let (category, types, policy) = (P::SOURCE_CATEGORY, P::SOURCE_TYPES, P::POLICY);
        let definition = Definition::in_code(Kind::Process, category, types, None, None, policy);
        self.with(P::CATEGORY, definition, Handler::Reactor(pass_on::<P>))
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
        let mut aggregates: Vec<InRust> = Vec::new();
        for code in self.aggregates {
            let category = code.category;
            Category::new(category).map_err(|reason| AppError::Category { category, reason })?;
            if aggregates.iter().any(|known| known.category == category) {
                return Err(AppError::SameCategory { category });
            }
            aggregates.push(code);
        }
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
        Ok(Registry { aggregates, consumers })
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
    use serde::{Deserialize, Serialize};
    use sillok::ErrorCode;
    use sillok::handler::{
        CommandContext, Decision, Event, Failed, FeedEvent, Policy, Refusal, TypedDocuments,
    };

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

    macro_rules! counter {
        ($name:ident, $category:literal) => {
            struct $name;

            impl Decider for $name {
                type State = u64;
                type Command = Count;
                type Event = Counted;
                type Rejection = ();
                const CATEGORY: &str = $category;
                fn initial_state() -> u64 {
                    0
                }
                fn decide(
                    _: Count,
                    _: &u64,
                    _: &CommandContext<'_>,
                ) -> Result<Decision<Counted>, Refusal<()>> {
                    Ok(Counted::Counted.into())
                }
                fn evolve(state: u64, _: Counted) -> u64 {
                    state + 1
                }
            }
        };
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum Count {
        Count,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum Counted {
        Counted,
    }

    impl Event for Counted {}

    counter!(Counter, "counter");
    counter!(AnotherCounter, "counter");
    counter!(Dashed, "counter-1");

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
    fn two_aggregates_of_one_category_are_refused() {
        let refused = app().aggregate::<Counter>().aggregate::<AnotherCounter>().start();
        assert_eq!(refused, Err(AppError::SameCategory { category: "counter" }));
        let refused = app().aggregate::<Dashed>().start();
        assert!(matches!(refused, Err(AppError::Category { category: "counter-1", .. })));
        assert!(aggregates().is_empty());
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
    fn started_definitions_are_found_by_their_names() {
        app().projection::<Sound>("a").projection::<Attempts>("b").start().unwrap_err();
        app().aggregate::<Counter>().projection::<Sound>("a").projection::<Sound>("b").start().unwrap();
        let aggregate = |stream| aggregate_of(&StreamId::new(stream).unwrap()).map(|code| code.category);
        let found = ["counter-7", "counter", "counters-7"].map(aggregate);
        assert_eq!(found, [Some("counter"), Some("counter"), None]);
        assert_eq!(consumers(), ["a", "b"]);
        let find = |name| consumer(&ConsumerName::new(name).unwrap());
        assert_eq!(find("b").map(|found| found.definition.kind), Some(Kind::Projection));
        assert!(find("c").is_none());
        assert_eq!(app().start(), Err(AppError::Again));
    }
}
