//! Consumers: the promises of projections and deliveries, under faults of every call and crashes at every time.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::duplicate_mod)] // the same behaviours in two places
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // a test may panic

#[path = "../sqlite/database.rs"]
mod database;
mod faults;
#[path = "../sim/jumping.rs"]
mod jumping;
mod memory;
mod open;
mod random;
mod rows;
mod shared;
mod world;

/// Makes the tests of consumers in each kind of storage.
macro_rules! behaviours {
    ($place:ident) => {
        fn database() -> crate::world::Place {
            crate::world::Place::$place()
        }

        #[path = "clock.rs"]
        mod clock;
        #[path = "cut_off.rs"]
        mod cut_off;
        #[path = "delivery.rs"]
        mod delivery;
        #[path = "documents.rs"]
        mod documents;
        #[path = "duty.rs"]
        mod duty;
        #[path = "following.rs"]
        mod following;
        #[path = "letters.rs"]
        mod letters;
        #[path = "outcomes.rs"]
        mod outcomes;
        #[path = "projection.rs"]
        mod projection;
        #[path = "rebuild.rs"]
        mod rebuild;
        #[path = "typed.rs"]
        mod typed;
        #[path = "versions.rs"]
        mod versions;
        #[path = "window.rs"]
        mod window;
    };
}

#[path = "."]
mod in_sqlite {
    behaviours!(in_sqlite);
}

#[path = "."]
mod in_memory {
    behaviours!(in_memory);
}
