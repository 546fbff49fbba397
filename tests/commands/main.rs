//! The machine of commands: what it decides by, what it writes, and what it remembers, in every log and under faults.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::duplicate_mod)] // the same behaviours in each log
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

mod account;
mod case;
mod counter;
#[path = "../sqlite/database.rs"]
mod database;
mod due;
mod faults;
mod flights;
mod history;
mod kit;
mod kit_process;
mod newest;
mod pending_faults;
mod projecting;
mod rows;
mod script;
mod shared;
mod typed;
mod world;

/// Makes the tests of the machine over one kind of log.
macro_rules! behaviours {
    ($world:expr) => {
        /// Logs without streams.
        fn world() -> crate::world::World<impl sillok::store::DecisionLog> {
            $world
        }

        #[path = "conversations.rs"]
        mod conversations;
        #[path = "deciding.rs"]
        mod deciding;
        #[path = "ended.rs"]
        mod ended;
        #[path = "long.rs"]
        mod long;
        #[path = "outcomes.rs"]
        mod outcomes;
        #[path = "sent.rs"]
        mod sent;
        #[path = "snapshots.rs"]
        mod snapshots;
        #[path = "states.rs"]
        mod states;
        #[path = "timers.rs"]
        mod timers;
    };
}

#[path = "."]
mod in_memory {
    behaviours!(crate::world::in_memory());
}

#[path = "."]
mod one_stream {
    behaviours!(crate::world::one_stream(crate::database::Database::in_memory()));
}

#[path = "."]
mod many_streams {
    behaviours!(crate::world::many_streams(crate::database::Database::in_memory()));
}
