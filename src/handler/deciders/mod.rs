//! Deciders: the code of an aggregate. It decides commands by the state, and folds events into the state.

pub(crate) mod behaviour;
pub(crate) mod command;
pub(crate) mod decider;
pub(crate) mod decision;
pub(crate) mod event;
pub(crate) mod process;
pub(crate) mod recorded;
mod tagged;
pub(crate) mod typed;
