//! The pending commands of many streams in one store: the next one to attempt, in a program.

use std::ops::ControlFlow;

use super::pending::{Sending, SentWork, sent_work};
use crate::store::limits::{DUE_SCAN, SENT_AT_ONCE};
use crate::store::{
    DecisionLog, DuePlace, PendingKey, PendingKind, PendingLog, RecordedTime, StorageError, StreamId,
};

/// The commands of all streams that are sent at the same time.
const ALL_AT_ONCE: usize = 256;

/// The next work for the pending commands of many streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueWork {
    /// Fire this timer, or the answer that is stored with this sent command. Report the end of the attempt with [`DueCommands::ended`], as with a sent command.
    Fire(StreamId, PendingKey),
    /// Send this command. Then pass its answer to the process, or note why it has none.
    Send(StreamId, PendingKey, Sending),
    /// The stored command cannot be read. Note it as the reason of a failed attempt.
    Unreadable(StreamId, PendingKey),
    /// The look has come to its bound, or there was other work before. Look again.
    More,
    /// Nothing is due before this time.
    Wait(RecordedTime),
    /// Nothing is pending.
    Idle,
}

/// Chooses the next pending command among those of many streams. It is the whole of what a program runs for aggregates and
/// processes, as [`AggregateDriver`](super::AggregateDriver) is for the object of one stream.
///
/// It goes through the pending commands in rounds, each in the order of their times. A round ends before the commands that
/// became due after its beginning, so none waits for ever. A command whose stream has no registered code is left out, and so is
/// one that is being attempted. Each look visits a limited number of commands, and the next look goes on from there.
#[derive(Debug, Default)]
pub struct DueCommands {
    /// At most one timer, and some sent commands.
    under_way: Vec<(StreamId, PendingKey)>,
    round: Option<Round>,
}

#[derive(Debug)]
struct Round {
    began: RecordedTime,
    after: Option<DuePlace>,
    has_work: bool,
}

impl DueCommands {
    /// The next work. `is_registered` says whether the code of a stream is there.
    ///
    /// # Errors
    /// [`StorageError`].
    pub fn next<L: DecisionLog + PendingLog>(
        &mut self,
        log: &L,
        is_registered: &dyn Fn(&StreamId) -> bool,
        now: RecordedTime,
    ) -> Result<DueWork, StorageError> {
        let mut round = self.round.take().unwrap_or(Round { began: now, after: None, has_work: false });
        let (mut found, mut looked) = (None, 0);
        log.scan_due(round.after.clone().as_ref(), &mut |place| {
            looked += 1;
            if is_registered(&place.stream) && self.has_room(&place) {
                found = Some(place);
                return ControlFlow::Break(());
            }
            round.after = Some(place);
            if looked == DUE_SCAN { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        match found {
            Some(place) if place.due <= round.began => {
                let work = work(log, &place)?;
                if work != DueWork::More {
                    self.under_way.push((place.stream.clone(), place.key.clone()));
                }
                self.round = Some(Round { after: Some(place), has_work: true, ..round });
                Ok(work)
            }
            None if looked == DUE_SCAN => {
                self.round = Some(round);
                Ok(DueWork::More)
            }
            // The work of this round may have led to more, which is due before.
            _ if round.has_work => Ok(DueWork::More),
            Some(place) => Ok(DueWork::Wait(place.due)),
            None => Ok(DueWork::Idle),
        }
    }

    /// The attempt at a pending command has ended.
    pub fn ended(&mut self, stream: &StreamId, key: &PendingKey) {
        self.under_way.retain(|(of, known)| of != stream || known != key);
    }

    fn has_room(&self, DuePlace { stream, key, .. }: &DuePlace) -> bool {
        if self.under_way.iter().any(|(of, known)| of == stream && known == key) {
            return false;
        }
        let mut sent = self.under_way.iter().filter(|(_, key)| key.kind() == PendingKind::Sent);
        let of_stream = sent.clone().filter(|(of, _)| of == stream).count();
        key.kind() != PendingKind::Sent || (of_stream < SENT_AT_ONCE && sent.nth(ALL_AT_ONCE - 1).is_none())
    }
}

fn work<L: DecisionLog>(log: &L, place: &DuePlace) -> Result<DueWork, StorageError> {
    let DuePlace { due, stream, key } = place.clone();
    Ok(match key.kind() {
        PendingKind::Timer => DueWork::Fire(stream, key),
        PendingKind::Sent => match sent_work(log, &stream, &key, due)? {
            Some(SentWork::Send(sending)) => DueWork::Send(stream, key, sending),
            Some(SentWork::Fire) => DueWork::Fire(stream, key),
            Some(SentWork::Unreadable) => DueWork::Unreadable(stream, key),
            // Another program has attempted it meanwhile.
            None => DueWork::More,
        },
    })
}
