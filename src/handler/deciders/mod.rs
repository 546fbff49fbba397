//! Deciders: the code of an aggregate. It decides commands by the state, and folds events into the state.

pub(crate) mod behaviour;
pub(crate) mod command;
