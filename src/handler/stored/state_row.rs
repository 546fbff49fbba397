//! The state of a consumer as the columns of its row.

use super::state::{FIRST_VERSION, LastError, Round, Running, State, Track, Trouble};
use crate::store::sqlite::{Row, Value};
use crate::store::{Checkpoint, RecordedTime};

/// The columns of a track.
pub(in crate::handler) fn columns<'a>(track: &Track, checkpoint: &'a str) -> [Value<'a>; 5] {
    [
        Value::Integer(track.generation),
        Value::Text(checkpoint),
        Value::Integer(track.trouble.failures.into()),
        Value::Integer(track.trouble.until.as_millis()),
        Value::Integer(track.trouble.partition.try_into().unwrap_or_default()),
    ]
}

/// Reads a row of the state's columns, in the order of the query. `None` if no consumer saves such a row.
pub(in crate::handler) fn state(row: &dyn Row) -> Option<State> {
    Some(State {
        revision: row.integer(0)?,
        kind: None,
        version: FIRST_VERSION,
        status: Running::parse(row.text(1)?)?,
        letters: row.integer(2)?,
        error: row
            .text(3)
            .zip(time(row, 4))
            .map(|(message, time)| LastError { message: message.to_owned(), time }),
        live: track(row, 5)?,
        rebuild: if row.integer(10).is_some() { Some(track(row, 10)?) } else { None },
        round: match row.integer(15) {
            Some(after) => Some(Round { after, to: row.integer(16)?, trouble: trouble(row, 17)? }),
            None => None,
        },
    })
}

fn track(row: &dyn Row, column: usize) -> Option<Track> {
    let text = row.text(column + 1)?;
    Some(Track {
        generation: row.integer(column)?,
        checkpoint: Checkpoint::parse(text, text.split('.').count()).ok()?,
        trouble: Trouble {
            partition: row.integer(column + 4)?.try_into().ok()?,
            ..trouble(row, column + 2)?
        },
    })
}

fn trouble(row: &dyn Row, column: usize) -> Option<Trouble> {
    let failures = u32::try_from(row.integer(column)?).ok()?;
    Some(Trouble { failures, until: time(row, column + 1)?, partition: 0 })
}

fn time(row: &dyn Row, column: usize) -> Option<RecordedTime> {
    row.integer(column).map(RecordedTime::from_millis)
}
