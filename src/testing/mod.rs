//! Tests for authors: the contract of every store, and [deciders](given), [processes](given_process) and [projections](projected)
//! under test.
//!
//! Each behaviour is a function over a [`Subject`], a store under test.
//!
//! ```
//! use sillok::store::{EventStore, MemoryLog};
//! use sillok::testing::{Subject, no_stream_holds_only_once};
//!
//! no_stream_holds_only_once(&mut Subject::new(EventStore::new(MemoryLog::new())))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`store_contract!`](crate::store_contract) makes one test of each behaviour, in the test file of your own store:
//! `sillok::store_contract!(#[test], EventStore::new(MyLog::new()));`.

mod append_contract;
mod deciding;
mod difference;
mod expecting;
mod faulty;
mod feed_contract;
mod forget_contract;
mod key_contract;
mod laws;
mod pending_contract;
mod processes;
mod projecting;
mod read_contract;
mod recorded;
mod shared_contract;
mod subject;
mod verify_contract;

pub use append_contract::*;
pub use deciding::{Given, When, given};
pub use faulty::{FaultMoment, Faulty};
pub use feed_contract::*;
pub use forget_contract::*;
pub use key_contract::*;
pub use laws::laws;
pub use pending_contract::*;
pub use processes::{accepted, given_process, refused};
pub use projecting::{followed, projected};
pub use read_contract::*;
pub use shared_contract::*;
pub use subject::{Outcome, Subject};
pub use verify_contract::*;

/// Makes a test of every behaviour that a store must have. The first argument is the attribute of a test. The second is
/// an expression that makes an empty [`EventStore`](crate::store::EventStore). It runs once for each test.
#[macro_export]
macro_rules! store_contract {
    ($(#[$test:meta])+, $store:expr) => {
        $crate::store_contract! {
            @each [$(#[$test])+] [$store]
            an_empty_stream_is_at_version_0
            versions_count_from_1_without_gaps
            any_appends_at_every_version
            no_stream_holds_only_once
            stream_exists_holds_only_after_the_first
            an_exact_version_holds_only_there
            exactly_0_means_no_stream
            a_conflict_tells_the_actual_version_and_changes_nothing
            a_batch_is_appended_whole
            a_batch_of_1024_events_is_the_largest
            a_commit_of_1_mebibyte_is_the_largest
            an_append_needs_an_event
            streams_are_apart
            ids_are_kept_or_fresh
            an_append_returns_the_ids_of_its_events
            the_recorded_time_never_goes_back
            data_and_metadata_come_back_verbatim
            a_read_goes_forward_and_backward
            a_range_is_inclusive_at_both_ends
            a_range_cuts_through_commits
            pages_follow_each_other_without_hole_or_repeat
            a_partial_read_tells_the_version_of_the_stream
            a_page_of_large_events_ends_early
            a_range_beyond_the_end_is_empty
            an_empty_range_has_no_events
            one_type_alone_is_read_in_pages
            a_key_sent_again_answers_as_the_first_time
            a_key_holds_when_the_expected_version_no_longer_does
            a_key_with_other_events_is_refused
            a_key_is_of_its_stream
            a_refused_append_does_not_use_up_its_key
            a_reaction_takes_effect_once
            a_key_is_of_its_origin
            a_truncated_stream_begins_at_its_cut
            a_truncation_goes_on_and_never_back
            a_stream_truncated_at_its_end_goes_on_counting
            a_truncation_beyond_the_end_is_refused
            a_deleted_stream_stays_deleted
            a_read_is_whole_or_refused
            a_read_begins_with_what_is_left
            an_untouched_history_is_intact
            a_history_is_intact_after_a_truncation
            histories_that_differ_have_different_hashes
            a_long_history_is_verified_in_pages
            a_verification_goes_on_whatever_happens_meanwhile
            an_export_proves_itself
            an_export_does_not_hand_out_what_was_forgotten
            an_export_is_of_one_history
        }
    };
    (@each $test:tt $store:tt $($behaviour:ident)+) => {
        $($crate::store_contract! { @one $test $store $behaviour })+
    };
    (@one [$($test:tt)+] [$store:expr] $behaviour:ident) => {
        $($test)+
        fn $behaviour() -> $crate::testing::Outcome {
            $crate::testing::$behaviour(&mut $crate::testing::Subject::new($store))
        }
    };
}

/// Makes the further tests of a store that stores many streams in one order, beyond
/// [`store_contract!`](crate::store_contract).
#[macro_export]
macro_rules! feed_contract {
    ($(#[$test:meta])+, $store:expr) => {
        $crate::store_contract! {
            @each [$(#[$test])+] [$store]
            an_empty_feed_ends_at_its_start
            the_feed_has_every_event_once_in_order
            a_feed_is_resumed_anywhere
            a_feed_is_of_a_category_and_of_types
            a_place_is_never_given_twice
            a_stream_is_read_with_its_positions
            appends_to_several_streams_are_one_act
            the_directory_lists_streams
            the_directory_tells_versions
        }
    };
}

/// Makes the further tests of a store that also stores what commands decide: timers and sent commands. The log is a
/// [`DecisionLog`](crate::store::DecisionLog).
#[macro_export]
macro_rules! decision_contract {
    ($(#[$test:meta])+, $store:expr) => {
        $crate::store_contract! {
            @each [$(#[$test])+] [$store]
            a_pending_command_is_stored_replaced_and_removed
            a_timer_and_a_sent_command_are_apart
            pending_commands_are_visited_in_the_order_of_their_keys
            the_agenda_has_the_state_of_each_pending_command
            a_decision_is_stored_with_all_its_parts
            a_deletion_removes_pending_commands
            a_deletion_of_a_stream_without_events_removes_pending_commands
        }
    };
}

/// Makes the further tests of a store that lists the timers and sent commands of all streams. The log is a
/// [`PendingLog`](crate::store::PendingLog).
#[macro_export]
macro_rules! pending_contract {
    ($(#[$test:meta])+, $store:expr) => {
        $crate::store_contract! {
            @each [$(#[$test])+] [$store]
            commands_that_are_due_first_are_visited_first
        }
    };
}

/// Makes the tests of stores that share one database, each over a connection of its own. The second argument is an
/// expression that makes two [`EventStore`](crate::store::EventStore)s over one empty database. It runs once for each
/// test. Both stores run in one thread, so a connection must not wait for the other, or must not wait long.
///
/// A database fails these tests if its [`transaction`](crate::store::sqlite::Sql::transaction) does not exclude other
/// writers.
#[macro_export]
macro_rules! shared_contract {
    ($(#[$test:meta])+, $stores:expr) => {
        $crate::shared_contract! {
            @each [$(#[$test])+] [$stores]
            nobody_writes_between_a_decision_and_its_write
            what_another_has_written_is_decided_by
            a_key_is_used_once_by_two_stores
            what_one_forgets_the_other_does_not_show
        }
    };
    (@each $test:tt $stores:tt $($behaviour:ident)+) => {
        $($crate::shared_contract! { @one $test $stores $behaviour })+
    };
    (@one [$($test:tt)+] [$stores:expr] $behaviour:ident) => {
        $($test)+
        fn $behaviour() -> $crate::testing::Outcome {
            let (one, other) = $stores;
            let (mut one, mut other) = ($crate::testing::Subject::new(one), $crate::testing::Subject::new(other));
            $crate::testing::$behaviour(&mut one, &mut other)
        }
    };
}
