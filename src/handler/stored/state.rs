//! The state of a consumer.

use crate::handler::consumer::policy::{Kind, Settings};
use crate::handler::feed::{FeedEvent, Hand, Lane};
use crate::store::limits::ERROR_BYTES;
use crate::store::{Checkpoint, Position, RecordedTime, StreamId, Version};

/// The version of a projection whose version is not stored. Only another version is stored.
pub(in crate::handler) const FIRST_VERSION: u32 = 1;

/// Whether a consumer is running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// The consumer handles events.
    Running,
    /// An operator has paused it, or its receiver accepts no more events. In the second case, the last error says so.
    Paused,
    /// An event failed, and its policy is to stop in front of it.
    Stopped,
}

impl Running {
    /// The word for it: `running`, `paused` or `stopped`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }

    pub(in crate::handler) fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Paused, Self::Stopped].into_iter().find(|status| status.as_str() == text)
    }
}

/// The last error of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The message, cut off at 4 KiB.
    pub message: String,
    /// The time of the error.
    pub time: RecordedTime,
    /// The event of the failed attempt. `None` if the error is of no event, or if an older version has stored it.
    pub event: Option<FailedEvent>,
}

/// The event of a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEvent {
    /// The stream.
    pub stream: StreamId,
    /// The version.
    pub version: Version,
    /// The position in its partition of the feed.
    pub position: Position,
    /// Whether the attempt was part of a rebuild.
    pub in_rebuild: bool,
}

impl FailedEvent {
    pub(in crate::handler) fn new(event: &FeedEvent, lane: Lane) -> Self {
        let FeedEvent { stream, version, position, .. } = event;
        let in_rebuild = lane == Lane::Rebuild;
        Self { stream: stream.clone(), version: *version, position: *position, in_rebuild }
    }
}

impl LastError {
    pub(in crate::handler) fn new(message: &str, time: RecordedTime, event: FailedEvent) -> Self {
        Self { message: stored_text(message, ERROR_BYTES), time, event: Some(event) }
    }
}

/// Separates the parts of a stored text: of an error and its event, or of an error and its stack.
pub(in crate::handler) const SEPARATOR: char = '\u{1f}';

/// A text of at most so many bytes that can be stored beside other parts.
pub(in crate::handler) fn stored_text(text: &str, most: usize) -> String {
    let end = text.floor_char_boundary(most);
    text.get(..end).unwrap_or_default().replace(SEPARATOR, " ")
}

/// The failures of the next event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::handler) struct Trouble {
    pub(in crate::handler) failures: u32,
    /// The time before which nothing is attempted.
    pub(in crate::handler) until: RecordedTime,
    /// The partition of the failed event. The lane reads this partition first, because the failures belong to this
    /// event.
    pub(in crate::handler) partition: usize,
}

/// A lane: its generation and its checkpoint.
#[derive(Debug, Clone)]
pub(in crate::handler) struct Track {
    pub(in crate::handler) generation: u64,
    pub(in crate::handler) checkpoint: Checkpoint,
    pub(in crate::handler) trouble: Trouble,
}

impl Track {
    pub(in crate::handler) fn start(generation: u64, partitions: usize) -> Self {
        Self { generation, checkpoint: Checkpoint::start(partitions), trouble: Trouble::default() }
    }
}

/// A round through the dead letters.
#[derive(Debug, Clone)]
pub(in crate::handler) struct Round {
    /// The last letter that had its turn.
    pub(in crate::handler) after: u64,
    /// The last letter at the start of the round.
    pub(in crate::handler) to: u64,
    pub(in crate::handler) trouble: Trouble,
}

impl Round {
    pub(in crate::handler) fn start(to: u64) -> Self {
        Self { after: 0, to, trouble: Trouble::default() }
    }
}

/// Everything that a consumer stores, except its documents and dead letters.
#[derive(Debug, Clone)]
pub(in crate::handler) struct State {
    /// The number of times that the state was saved, or 0 if it never was. A changed number shows that another process
    /// has saved the state.
    pub(in crate::handler) revision: u64,
    /// The kind of the consumer that saved the state. `None` if the kind is not stored yet.
    pub(in crate::handler) kind: Option<Kind>,
    /// The version of the code that makes the documents, also those of the rebuild.
    pub(in crate::handler) version: u32,
    pub(in crate::handler) status: Running,
    pub(in crate::handler) live: Track,
    pub(in crate::handler) rebuild: Option<Track>,
    pub(in crate::handler) round: Option<Round>,
    /// The highest id that a dead letter ever had.
    pub(in crate::handler) letters: u64,
    pub(in crate::handler) error: Option<LastError>,
}

impl State {
    pub(in crate::handler) fn start(settings: &Settings) -> Self {
        let mut live = Track::start(1, settings.partitions);
        if let Some(after) = &settings.after {
            live.checkpoint = after.clone();
        }
        Self {
            revision: 0,
            kind: None,
            version: settings.version,
            status: Running::Running,
            live,
            rebuild: None,
            round: None,
            letters: 0,
            error: None,
        }
    }

    pub(in crate::handler) fn track(&self, lane: Lane) -> &Track {
        match lane {
            Lane::Live => &self.live,
            Lane::Rebuild => self.rebuild.as_ref().unwrap_or(&self.live),
        }
    }

    pub(in crate::handler) fn track_mut(&mut self, lane: Lane) -> &mut Track {
        match lane {
            Lane::Live => &mut self.live,
            Lane::Rebuild => self.rebuild.as_mut().unwrap_or(&mut self.live),
        }
    }

    /// The failures of the event at the front of the hand.
    pub(in crate::handler) fn trouble_mut(&mut self, hand: &Hand) -> &mut Trouble {
        let Self { live, rebuild, round, .. } = self;
        match (hand.letter, round, hand.lane, rebuild) {
            (Some(_), Some(round), ..) => &mut round.trouble,
            (None, _, Lane::Rebuild, Some(track)) => &mut track.trouble,
            _ => &mut live.trouble,
        }
    }

    /// Moves the checkpoint past an event or past the end of a page.
    pub(in crate::handler) fn advance(&mut self, hand: &Hand, position: Position) {
        *self.trouble_mut(hand) = Trouble::default();
        match (hand.letter, &mut self.round) {
            (Some(letter), Some(round)) => round.after = letter,
            (Some(_), None) => {}
            (None, _) => {
                let track = self.track_mut(hand.lane);
                track.checkpoint = track.checkpoint.at(hand.partition, position);
            }
        }
    }
}
