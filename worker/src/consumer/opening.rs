//! The state of a consumer's object: the name, the definition, and the driver that runs it.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use futures_util::lock::Mutex;
use sillok::ErrorCode;
use sillok::handler::{Consumer, ConsumerDriver, ConsumerEffect, ConsumerName, OpenError, Settings};
use sillok::store::{StorageError, StreamId, Version};
use sillok_bridge::Failure;
use worker::{Env, State};

use super::attempts::Watched;
use super::defining::Change;
use super::definition::Definition;
use super::delivery::Sender;
use super::handlers::Handler;
use super::stored_definition;
use crate::app::{self, InCode};
use crate::objects::{Calls, Driving, Meter, ObjectAlarm, ObjectName, ObjectSql, jitter, partitions};

/// The state that the object's requests and its own work share.
pub(super) struct Inner {
    /// The name and the tenant of the consumer, from the object's own name.
    pub(super) name: Option<ObjectName<ConsumerName>>,
    pub(super) env: Env,
    pub(super) state: State,
    pub(super) sql: ObjectSql,
    /// The definition and the handler in this deployment's code.
    pub(super) code: RefCell<Option<(Definition, Handler)>>,
    pub(super) defined: RefCell<Option<Defined>>,
    /// The number of consumers that this object has run. An effect of one consumer gives no input to the next one.
    pub(super) life: Cell<u64>,
    /// A request holds this lock while it defines or removes the consumer.
    pub(super) changing: Mutex<()>,
    /// The change that waits for unfinished deliveries.
    pub(super) change: RefCell<Option<Change>>,
    pub(super) driving: Driving<ConsumerEffect>,
    /// The requests that the driver answers later: a wait for a position, and a discard of dead letters.
    pub(super) requests: Calls<Result<bool, StorageError>>,
    pub(super) attempts: Watched,
    /// The sender of webhooks.
    pub(super) sender: RefCell<Option<Sender>>,
    /// The attempt that was a crash of the last engine, until there is a machine to count it.
    pub(super) cut_off: Cell<Option<CutOff>>,
}

/// The event of an attempt that has crashed the engine, and the reason.
pub(super) struct CutOff {
    pub(super) stream: StreamId,
    pub(super) version: Version,
    pub(super) reason: String,
}

pub(super) type Driver = ConsumerDriver<ObjectSql, ObjectAlarm>;

/// A defined consumer and its driver.
pub(super) struct Defined {
    pub(super) definition: Rc<Definition>,
    pub(super) driver: Driver,
}

impl Inner {
    pub(super) fn new(state: State, env: Env) -> Self {
        let meter = Rc::new(Meter::default());
        let sql = ObjectSql::new(&state.storage(), Rc::clone(&meter));
        let name = ObjectName::<ConsumerName>::of(&state);
        let in_rust = name.as_ref().and_then(|name| app::consumer(&name.identity));
        let code = RefCell::new(in_rust.map(|InCode { definition, handler, .. }| (definition, handler)));
        Self {
            name,
            env,
            state,
            sql,
            code,
            defined: RefCell::default(),
            life: Cell::default(),
            changing: Mutex::default(),
            change: RefCell::default(),
            driving: Driving::counted_by(meter),
            requests: Calls::default(),
            attempts: Watched::default(),
            sender: RefCell::default(),
            cut_off: Cell::default(),
        }
    }

    /// The consumer. It is opened at the first call.
    ///
    /// # Errors
    /// `consumer_not_found` if there is no consumer, or the reason why it cannot be opened.
    pub(super) fn defined(&self) -> Result<RefMut<'_, Defined>, Failure> {
        let mut defined = self.defined.borrow_mut();
        if defined.is_none() {
            let definition = match (self.in_code(), stored_definition::read(&self.sql)?) {
                // A request has defined the stored one: a webhook or a queue. Its checkpoint does not belong to the code's
                // consumer.
                (Some(_), Some(stored)) => {
                    return Err(OpenError::KindFixed { kind: stored.kind }.into());
                }
                (in_code, stored) => in_code.or(stored),
            };
            *defined = definition.map(|definition| self.open_first(definition)).transpose()?;
        }
        RefMut::filter_map(defined, Option::as_mut).map_err(|_| no_consumer())
    }

    /// The definition in this deployment's code, if there is one.
    pub(super) fn in_code(&self) -> Option<Definition> {
        self.code.borrow().as_ref().map(|(definition, _)| definition.clone())
    }

    pub(super) fn open_first(&self, definition: Definition) -> Result<Defined, Failure> {
        let mut machine = self.open(self.settings(&definition)?)?;
        if let Some(CutOff { stream, version, reason }) = self.cut_off.take() {
            machine.cut_off(stream, version, &reason, jitter());
        }
        Ok(Defined { definition: Rc::new(definition), driver: ConsumerDriver::new(machine) })
    }

    pub(super) fn settings(&self, definition: &Definition) -> Result<Settings, Failure> {
        definition.settings(self.name()?.identity.clone(), partitions(&self.env)?)
    }

    pub(super) fn open(&self, settings: Settings) -> Result<Consumer<ObjectSql, ObjectAlarm>, Failure> {
        let sql = ObjectSql::new(&self.state.storage(), Rc::clone(&self.driving.meter));
        Ok(Consumer::open(sql, self.alarm(), settings)?)
    }

    pub(super) fn alarm(&self) -> ObjectAlarm {
        ObjectAlarm::new(&self.state.storage(), Rc::clone(&self.driving.meter))
    }

    /// The name of the object. Without a name there is no consumer, and Sillok does not guess it.
    pub(super) fn name(&self) -> Result<&ObjectName<ConsumerName>, Failure> {
        let name = self.name.as_ref();
        name.ok_or_else(|| {
            Failure::new(ErrorCode::Internal, "the object was not found by the name of a consumer")
        })
    }
}

pub(super) fn no_consumer() -> Failure {
    Failure::new(ErrorCode::ConsumerNotFound, "there is no consumer of this name")
}
