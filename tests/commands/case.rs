//! A store with the commands of one process.

use std::rc::Rc;

use sillok::gateway::{
    CommandError, Commands, Executed, FailedAttempt, Sending, SentWork, Step, cancel_pending, note_failure,
    reject_sent, retry_pending, sent_work,
};
use sillok::handler::{Answer, Command, Input};
use sillok::store::{
    DecisionLog, EventId, IdempotencyKey, JsonText, PendingCommand, PendingKey, PendingKind, ReadRange,
    RecordedEvent,
};
use sillok::{ErrorCode, store::StorageError};

use crate::script::{Act, Asked, Play, Script};
use crate::world::{World, at, dry_run, stream};

pub struct Case<L> {
    pub world: World<L>,
    pub play: Rc<Play>,
    ids: u32,
}

pub fn timer(key: &str) -> PendingKey {
    PendingKey::timer(key).unwrap()
}

impl<L: DecisionLog> Case<L> {
    pub fn new(mut world: World<L>) -> Self {
        let play = Play::new();
        world.commands = Commands::new(Box::new(Script::new(&play)));
        Self { world, play, ids: 0 }
    }

    /// Opens the log again, without the state of before.
    pub fn restart(&mut self) {
        self.world.restart_log();
        self.world.commands = Commands::new(Box::new(Script::new(&self.play)));
    }

    pub fn execute(&mut self, command: &Command) -> Result<Executed, CommandError> {
        let World { store, commands, now, .. } = &mut self.world;
        let ids = &mut self.ids;
        loop {
            let step = commands.execute(store, &stream(), command, at(*now), &mut || fresh(ids))?;
            if let Step::Done(executed) = step {
                return Ok(executed);
            }
        }
    }

    pub fn decide(&mut self, acts: Vec<Act>) -> Executed {
        self.execute(&Asked::Do(acts).command()).unwrap()
    }

    pub fn decide_dry(&mut self, acts: Vec<Act>) -> Executed {
        self.execute(&dry_run(Asked::Do(acts).command())).unwrap()
    }

    /// Passes an event of another stream.
    pub fn event(&mut self, id: &str, starts: bool, acts: Vec<Act>) -> Executed {
        let id = IdempotencyKey::of(sillok::store::KeyOrigin::Reactor, id).unwrap();
        let input = Asked::Do(acts).command().as_input(Input::Event { starts }).with_id(id);
        self.execute(&input).unwrap()
    }

    pub fn fire_step(&mut self, key: &str) -> Result<Step<Option<Executed>>, StorageError> {
        let World { store, commands, now, .. } = &mut self.world;
        let ids = &mut self.ids;
        commands.fire(store, &stream(), &timer(key), at(*now), 0, &mut || fresh(ids))
    }

    pub fn fire(&mut self, key: &str) -> Option<Executed> {
        loop {
            if let Step::Done(executed) = self.fire_step(key).unwrap() {
                return executed;
            }
        }
    }

    /// Passes the stored answer to a sent command.
    pub fn fire_sent(&mut self, key: &PendingKey) -> Option<Executed> {
        let World { store, commands, now, .. } = &mut self.world;
        let ids = &mut self.ids;
        loop {
            let step = commands.fire(store, &stream(), key, at(*now), 0, &mut || fresh(ids)).unwrap();
            if let Step::Done(executed) = step {
                return executed;
            }
        }
    }

    pub fn answer(&mut self, id: &PendingKey, answer: &Answer) -> Option<Executed> {
        let World { store, commands, now, .. } = &mut self.world;
        let ids = &mut self.ids;
        loop {
            let fresh_id = &mut || fresh(ids);
            let step = commands.answered(store, &stream(), id, answer, at(*now), 0, fresh_id).unwrap();
            if let Step::Done(executed) = step {
                return executed;
            }
        }
    }

    /// Notes that an attempt has failed.
    pub fn fail(&mut self, key: &PendingKey, code: ErrorCode) {
        let failure = FailedAttempt { code, detail: "the \"network\"".to_owned() };
        let now = at(self.world.now);
        note_failure(&mut self.world.store, &stream(), key, &failure, now, 0).unwrap();
    }

    pub fn retry(&mut self, key: &PendingKey) -> bool {
        retry_pending(&mut self.world.store, &stream(), key, at(self.world.now)).unwrap()
    }

    /// Answers a parked command with a rejection.
    pub fn reject(&mut self, key: &PendingKey, rejection: &str) -> bool {
        let rejection = JsonText::parse(rejection).unwrap();
        reject_sent(&mut self.world.store, &stream(), key, &rejection, at(self.world.now)).unwrap()
    }

    pub fn cancel(&mut self, key: &PendingKey) -> bool {
        cancel_pending(&mut self.world.store, &stream(), key).unwrap()
    }

    pub fn sending(&self, key: &PendingKey) -> Option<Sending> {
        match self.sent_work(key) {
            Some(SentWork::Send(sending)) => Some(sending),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    pub fn sent_work(&self, key: &PendingKey) -> Option<SentWork> {
        sent_work(self.world.store.log(), &stream(), key, at(self.world.now)).unwrap()
    }

    pub fn pending(&self, key: &PendingKey) -> Option<PendingCommand> {
        self.world.store.log().pending(&stream(), key).unwrap()
    }

    pub fn all(&self, kind: PendingKind) -> Vec<PendingCommand> {
        let mut all = Vec::new();
        let mut visit = |pending| {
            all.push(pending);
            std::ops::ControlFlow::Continue(())
        };
        self.world.store.log().scan_pending(&stream(), &PendingKey::first(kind), &mut visit).unwrap();
        all
    }

    /// The keys of all timers.
    pub fn timers(&self) -> Vec<String> {
        self.all(PendingKind::Timer).iter().map(|timer| timer.key.as_str().to_owned()).collect()
    }

    pub fn sent(&self) -> Vec<PendingKey> {
        self.all(PendingKind::Sent).into_iter().map(|sent| sent.key).collect()
    }

    pub fn recorded(&self) -> Vec<RecordedEvent> {
        self.world.store.read(&stream(), &ReadRange::all()).unwrap().events
    }

    /// The events: the type and the data of each.
    pub fn events(&self) -> Vec<String> {
        let show = |event: &RecordedEvent| format!("{} {}", event.event_type.as_str(), event.data.as_str());
        self.recorded().iter().map(show).collect()
    }

    /// The time and the command of each decision since the last look.
    pub fn asked(&self) -> Vec<String> {
        self.play.asked.take()
    }
}

fn fresh(ids: &mut u32) -> EventId {
    *ids += 1;
    EventId::new(&format!("id-{ids}")).unwrap()
}
