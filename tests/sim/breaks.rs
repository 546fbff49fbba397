//! Ways to break the protocol on purpose. The checkers must find each of them within a number of runs. Otherwise the
//! checkers check nothing.

use sillok::store::sqlite::Value;

use crate::network::{Address, Request};
use crate::objects::Outgoing;

/// The broken part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// The journal forgets the state of a stream.
    JournalForgets,
    /// Positions come from a sequence that a rollback does not reset.
    PositionsFromSequence,
    /// The journal accepts commits that do not follow directly on the recorded ones.
    GapAccepted,
    /// No alarm is ever set.
    AlarmNeverSet,
    /// An alarm is set after the writes are durable, and not together with them.
    AlarmSetApart,
    /// An alarm counts as done when it rings, before its work is done.
    RingingOverAtOnce,
    /// Messages leave before the writes are durable.
    SentBeforeDurable,
    /// A forward is answered although a consumer could not be woken.
    WakeFailureForgotten,
    /// A forward without an answer counts as recorded.
    SilenceTakenForRecorded,
    /// A delivery without an answer counts as done.
    SilenceTakenForDone,
    /// A consumer answers a wake before its duty is durable.
    WokenBeforeDuty,
    /// The journal writes one act in pieces: commits without the entries of their streams.
    CommitsApart,
    /// A consumer writes one act in pieces: documents without their checkpoint.
    DocumentsApart,
    /// The key of an append is not stored.
    KeyNotStored,
    /// A reactor sends its commands without idempotency keys.
    CommandWithoutKey,
    /// The shell reports a delivery as done before it is done.
    ReportedBeforeDelivered,
    /// When one of several deliveries is done, the shell reports all of them as done.
    WindowReportedByOne,
    /// Events of one stream are delivered at once.
    StreamTwiceAtOnce,
    /// Each attempt at a delivery has another id.
    IdOfAttempt,
    /// A dead letter is not stored.
    DeadLetterDropped,
    /// An aggregate folds the events of a decision twice.
    FoldedTwice,
    /// The outcome of a command is not stored.
    OutcomeForgotten,
    /// An aggregate reads a snapshot of another version of its code.
    SnapshotTrusted,
    /// An aggregate keeps its state though its writes were lost.
    StateKept,
    /// The answer to a sent command counts as taken when it arrives.
    AnswerLost,
    /// A sent command is not removed together with the decision about its answer.
    AnswerTakenTwice,
    /// Commands are sent in the turn that stores them, before the writes are durable.
    CommandSentBeforeDurable,
    /// The rejection of a sent command is not stored.
    RefusalForgotten,
    /// A process does not know that it has ended.
    EndForgotten,
    /// The clock of the timers is ahead of the clock of the object.
    TimerEarly,
    /// A timer is not removed when it has run, or when it is cancelled.
    TimerNotRemoved,
    /// A timer that is due cannot be cancelled.
    LateCancelIgnored,
    /// An aggregate writes one act in pieces: events without timers and sent commands.
    TimersApart,
}

/// The alteration of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alteration {
    None,
    /// The statement is not run, but reports success.
    Lost,
}

impl Break {
    /// Whether this object is broken.
    pub fn is_in(self, who: Address) -> bool {
        match self {
            Self::CommitsApart => matches!(who, Address::Journal(_)),
            Self::DocumentsApart => matches!(who, Address::Consumer(_)),
            Self::TimersApart => matches!(who, Address::Aggregate(_)),
            _ => true,
        }
    }

    /// Whether a failed transaction is not rolled back.
    pub fn leaves_pieces(self) -> bool {
        matches!(self, Self::CommitsApart | Self::DocumentsApart | Self::TimersApart)
    }

    /// Whether a message leaves before the writes are durable.
    pub fn sends_before_durable(self, out: &Outgoing) -> bool {
        match self {
            Self::SentBeforeDurable => true,
            Self::CommandSentBeforeDurable => {
                matches!(out, Outgoing::Call { request: Request::Execute(_), .. })
            }
            _ => false,
        }
    }

    /// Breaks a statement.
    pub fn alters(self, statement: &str, values: &mut [Value<'_>]) -> Alteration {
        let lost = match self {
            Self::JournalForgets => statement.starts_with("INSERT INTO streams_v1"),
            Self::OutcomeForgotten => statement.starts_with("INSERT OR REPLACE INTO outcomes_v1"),
            Self::DeadLetterDropped => statement.starts_with("INSERT INTO dead_letters_v1"),
            Self::RefusalForgotten => {
                let is_outcome = statement.starts_with("INSERT OR REPLACE INTO outcomes_v1");
                let of_process = |id: &Value<'_>| matches!(id, Value::Text(id) if id.starts_with("process"));
                is_outcome && of_process(&values[1]) && values[6] != Value::Null
            }
            Self::AnswerTakenTwice => removes(statement, values, "sent"),
            Self::TimerNotRemoved => removes(statement, values, "timer"),
            _ => false,
        };
        if self == Self::KeyNotStored && statement.starts_with("INSERT INTO commits_v1") {
            values[4] = Value::Null;
        }
        if lost { Alteration::Lost } else { Alteration::None }
    }

    /// Whether the statement asks for the last position, and a sequence answers it.
    pub fn asks_sequence(self, statement: &str) -> bool {
        self == Self::PositionsFromSequence && statement.contains("max(position)")
    }

    /// Whether the statement uses up a position, which is its first value.
    pub fn gives_position(self, statement: &str) -> bool {
        self == Self::PositionsFromSequence && statement.starts_with("INSERT INTO groups_v1")
    }
}

/// Whether a statement removes a pending command of this kind.
fn removes(statement: &str, values: &[Value<'_>], kind: &str) -> bool {
    statement.starts_with("DELETE FROM pending_v1") && values.get(1) == Some(&Value::Text(kind))
}

/// Makes a test of each break. The checkers find it for the expected reason, within this number of runs.
macro_rules! found {
    ($found:ident in $run:path; $($name:ident: $broken:ident within $runs:literal by $reason:literal;)+) => {
        mod $found {
            $(#[test]
            fn $name() {
                super::find($run, super::Break::$broken, $runs, $reason);
            })+
        }
    };
}

found! {
    found in crate::run;
    a_journal_that_forgets: JournalForgets within 20 by "follows on version";
    positions_from_a_sequence: PositionsFromSequence within 100 by "should be";
    a_gap_that_is_accepted: GapAccepted within 50 by "follows on version";
    an_alarm_that_is_never_set: AlarmNeverSet within 50 by "it has not dealt with";
    an_alarm_that_is_set_apart: AlarmSetApart within 800 by "the journal None";
    a_ringing_that_is_over_at_once: RingingOverAtOnce within 800 by "the journal None";
    a_message_that_is_sent_before_the_writes_are_durable: SentBeforeDurable within 300 by ", but ";
    a_wake_that_failed_and_is_forgotten: WakeFailureForgotten within 800 by "it has not dealt with";
    a_forward_without_answer_that_counts_as_recorded: SilenceTakenForRecorded within 800 by "the journal";
    a_delivery_without_answer_that_counts_as_done: SilenceTakenForDone within 800 by "is lost";
    a_wake_that_is_answered_before_it_is_a_duty: WokenBeforeDuty within 800 by "it has not dealt with";
    commits_apart_from_what_is_known: CommitsApart within 800 by "follows on version";
    documents_apart_from_their_checkpoint: DocumentsApart within 1500 by "twice";
    a_key_that_is_not_stored: KeyNotStored within 50 by "more than once";
    a_command_without_key: CommandWithoutKey within 50 by "had its effect twice";
    a_delivery_that_is_reported_too_early: ReportedBeforeDelivered within 50 by "is lost";
    a_window_that_one_delivery_settles: WindowReportedByOne within 50 by "is lost";
    a_stream_of_which_two_are_under_way: StreamTwiceAtOnce within 50 by "was dealt with after version";
    an_id_that_is_not_stable: IdOfAttempt within 50 by "under another id";
    a_dead_letter_that_is_dropped: DeadLetterDropped within 50 by "is lost";
    an_event_that_is_folded_twice: FoldedTwice within 50 by "was decided by the state of";
    an_outcome_that_is_forgotten: OutcomeForgotten within 100 by "had the outcome";
    a_snapshot_of_another_version_that_is_trusted: SnapshotTrusted within 200 by "was decided by the state of";
    a_state_that_is_kept_without_its_events: StateKept within 200 by "was decided by the state of";
}

found! {
    found_in_a_bank in crate::run_bank;
    a_timer_that_is_armed_after_the_commit: AlarmSetApart within 200 by "has left open";
    events_apart_from_their_timers: TimersApart within 200 by "never";
    a_timer_that_comes_early: TimerEarly within 200 by "came before";
    a_timer_that_comes_twice: TimerNotRemoved within 200 by "was not set";
    a_cancel_that_comes_late_and_is_ignored: LateCancelIgnored within 400 by "was not set";
    an_answer_that_is_lost: AnswerLost within 200 by "never ends";
    an_answer_that_is_taken_twice: AnswerTakenTwice within 200 by "twice";
    a_command_that_is_sent_before_it_is_durable: CommandSentBeforeDurable within 400 by "has moved";
    a_refusal_that_is_not_remembered: RefusalForgotten within 200 by "was answered differently";
    an_end_that_is_forgotten: EndForgotten within 200 by "goes on after its end";
}

/// Runs seeds until the checkers find one wrong for this reason.
#[cfg(test)]
fn find(run: crate::Run, broken: Break, runs: u64, reason: &str) {
    let found = |seed| run(seed, Some(broken), false).is_err_and(|wrong| wrong.contains(reason));
    let found = (0..runs).find(|seed| found(*seed));
    eprintln!("found by seed {found:?}");
    assert!(found.is_some(), "{broken:?} is not found in {runs} runs");
}
