//! What a consumer knows of itself.

use crate::handler::consumer::policy::{Kind, Settings};
use crate::handler::feed::{Hand, Lane};
use crate::store::limits::ERROR_BYTES;
use crate::store::{Checkpoint, Position, RecordedTime};

/// Whether a consumer runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// It does.
    Running,
    /// It was told not to, or whoever takes its events takes no more of them, which the last error says.
    Paused,
    /// An event failed, and the policy is to stop before it.
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
    /// What was said, at most 4 KiB of it.
    pub message: String,
    /// When.
    pub time: RecordedTime,
}

impl LastError {
    pub(in crate::handler) fn new(message: &str, time: RecordedTime) -> Self {
        let end = message.floor_char_boundary(ERROR_BYTES);
        Self { message: message.get(..end).unwrap_or_default().to_owned(), time }
    }
}

/// The failures of the event that is next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::handler) struct Trouble {
    pub(in crate::handler) failures: u32,
    /// Nothing is attempted before.
    pub(in crate::handler) until: RecordedTime,
    /// The partition of the event: the failures are its own, so its partition is read first.
    pub(in crate::handler) partition: usize,
}

/// A lane: whose documents, and how far.
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
    /// The last letter that there was when the round began.
    pub(in crate::handler) to: u64,
    pub(in crate::handler) trouble: Trouble,
}

impl Round {
    pub(in crate::handler) fn start(to: u64) -> Self {
        Self { after: 0, to, trouble: Trouble::default() }
    }
}

/// All that is durable of a consumer but its documents and dead letters.
#[derive(Debug, Clone)]
pub(in crate::handler) struct State {
    /// How often it was saved: 0 is never. It tells whether another process has saved it since it was read.
    pub(in crate::handler) revision: u64,
    /// Of which kind the consumer is that has saved it; nothing where that was not written down yet.
    pub(in crate::handler) kind: Option<Kind>,
    pub(in crate::handler) status: Running,
    pub(in crate::handler) live: Track,
    pub(in crate::handler) rebuild: Option<Track>,
    pub(in crate::handler) round: Option<Round>,
    /// The last id that was given to a dead letter.
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

    /// Moves past an event, or past the end of a page.
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
