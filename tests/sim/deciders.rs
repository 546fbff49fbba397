//! The code of the simulated aggregates. It counts the events of its stream, and writes the count that it has seen into
//! each event. So every event shows which state has decided it.

use std::cell::Cell;
use std::rc::Rc;

use sillok::handler::{
    Accepted, Behaviour, BehaviourDecision, BehaviourSettings, Command, DecideContext, Fault,
};
use sillok::store::{EventView, JsonText};

use crate::breaks::Break;
use crate::clients::marked;

/// A state that survives its object. Only a broken aggregate reads it.
pub type Memory = Rc<Cell<Option<u64>>>;

pub struct Counting {
    /// The version of this code: 1 or 2. Their snapshots have different shapes.
    version: u64,
    snapshot_events: u64,
    count: u64,
    decided: u64,
    memory: Memory,
    broken: Option<Break>,
}

impl Counting {
    pub fn new(version: u64, snapshot_events: u64, memory: Memory, broken: Option<Break>) -> Self {
        Self { version, snapshot_events, count: 0, decided: 0, memory, broken }
    }

    fn set(&mut self, count: u64) {
        self.count = count;
        self.memory.set(Some(count));
    }

    /// The name and the unit of the count in the snapshots of this version.
    fn shape(&self) -> (&'static str, u64) {
        if self.version == 1 { ("count", 1) } else { ("twice", 2) }
    }
}

impl Behaviour for Counting {
    fn code(&self) -> String {
        let trusted = self.broken == Some(Break::SnapshotTrusted);
        if trusted { "any".to_owned() } else { self.version.to_string() }
    }

    fn settings(&self) -> BehaviourSettings {
        BehaviourSettings { snapshot_events: self.snapshot_events, ..BehaviourSettings::default() }
    }

    fn begin(&mut self) -> Result<(), Fault> {
        let kept = self.memory.get().filter(|_| self.broken == Some(Break::StateKept));
        self.set(kept.unwrap_or_default());
        Ok(())
    }

    fn restore(&mut self, state: &JsonText) -> Result<bool, Fault> {
        let state: serde_json::Value = serde_json::from_str(state.as_str()).unwrap();
        let (name, unit) = self.shape();
        let any = self.broken == Some(Break::SnapshotTrusted);
        let stored =
            if any { state.as_object().and_then(|fields| fields.values().next()) } else { state.get(name) };
        let Some(stored) = stored.and_then(serde_json::Value::as_u64) else { return Ok(false) };
        self.set(if any { stored } else { stored / unit });
        Ok(true)
    }

    fn fold(&mut self, _: &EventView<'_>) -> Result<(), Fault> {
        self.set(self.count + 1);
        Ok(())
    }

    fn folded(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    /// Refuses some commands and finds nothing to do for others, by the count.
    fn decide(&mut self, command: &Command, _: &DecideContext) -> Result<BehaviourDecision, Fault> {
        let marks: Vec<String> = serde_json::from_str(command.data().as_str()).unwrap();
        let new = u64::try_from(marks.len()).unwrap();
        self.decided = self.count + new;
        match self.decided % 7 {
            3 => {
                let rejection = format!("{{\"code\":\"odd\",\"data\":{}}}", self.count);
                Ok(BehaviourDecision::Rejected(JsonText::parse(&rejection).unwrap()))
            }
            5 => Ok(BehaviourDecision::Accepted(Accepted::default())),
            _ => {
                if self.broken == Some(Break::FoldedTwice) {
                    self.decided += new;
                }
                let events = (self.count..).zip(marks).map(|(seen, mark)| marked(&format!("{mark}@{seen}")));
                Ok(BehaviourDecision::Accepted(Accepted::events(events.collect())))
            }
        }
    }

    fn advance(&mut self) {
        self.set(self.decided);
    }

    fn clear(&mut self) {
        self.set(0);
    }

    fn state(&mut self) -> Result<JsonText, Fault> {
        let (name, unit) = self.shape();
        Ok(JsonText::parse(&format!("{{\"{name}\":{}}}", self.count * unit)).unwrap())
    }
}
