//! The sent commands, as the network sees them: their ids, and the answers of their receivers.

use std::collections::BTreeMap;

use sillok::store::KeyOrigin;

use crate::checkers::{Verdict, holds};
use crate::network::{CallId, Reply, Request};

#[derive(Default)]
pub struct SentCommands {
    /// The id of the command of each call.
    ids: BTreeMap<CallId, String>,
    /// The outcomes that the receiver has answered, by the id.
    outcomes: BTreeMap<String, Vec<String>>,
}

impl SentCommands {
    pub fn called(&mut self, call: CallId, request: &Request) {
        let Request::Execute(command) = request else { return };
        if let Some(id) = command.id.as_ref().filter(|id| id.origin() == KeyOrigin::Process) {
            self.ids.insert(call, id.as_str().to_owned());
        }
    }

    pub fn answered(&mut self, call: CallId, reply: &Reply) {
        let (Some(id), Reply::Executed(Ok(executed))) = (self.ids.get(&call), reply) else { return };
        let outcome = format!("{:?} at {} and {:?}", executed.decided, executed.version, executed.time);
        let outcomes = self.outcomes.entry(id.clone()).or_default();
        if !outcomes.contains(&outcome) {
            outcomes.push(outcome);
        }
    }

    /// Checks that every answer to a command is its first one.
    pub fn each_has_one_answer(&self) -> Verdict {
        let other = self.outcomes.iter().find(|(_, outcomes)| outcomes.len() > 1);
        holds(other.is_none(), || format!("a command was answered differently: {other:?}"))
    }
}
