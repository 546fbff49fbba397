//! The state of a consumer as the columns of its row.

use super::state::{FIRST_VERSION, FailedEvent, LastError, Round, Running, SEPARATOR, State, Track, Trouble};
use crate::store::sqlite::{Row, Value};
use crate::store::{Checkpoint, Position, RecordedTime, StreamId, Version};

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
        error: row.text(3).zip(time(row, 4)).map(|(text, time)| last_error(text, time)),
        live: track(row, 5)?,
        rebuild: if row.integer(10).is_some() { Some(track(row, 10)?) } else { None },
        round: match row.integer(15) {
            Some(after) => Some(Round { after, to: row.integer(16)?, trouble: trouble(row, 17)? }),
            None => None,
        },
    })
}

/// The text of the last error: the message, and the parts of its event. No stream id has the separator.
pub(in crate::handler) fn error_text(LastError { message, event, .. }: &LastError) -> String {
    let Some(FailedEvent { stream, version, position, in_rebuild }) = event else { return message.clone() };
    let lane = if *in_rebuild { REBUILD } else { "live" };
    format!("{message}{SEPARATOR}{stream}{SEPARATOR}{version}{SEPARATOR}{position}{SEPARATOR}{lane}")
}

const REBUILD: &str = "rebuild";

fn last_error(text: &str, time: RecordedTime) -> LastError {
    let mut parts = text.split(SEPARATOR);
    let message = parts.next().unwrap_or_default().to_owned();
    LastError { message, time, event: failed_event(&mut parts) }
}

fn failed_event<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<FailedEvent> {
    Some(FailedEvent {
        stream: StreamId::new(parts.next()?).ok()?,
        version: Version::new(parts.next()?.parse().ok()?)?,
        position: Position::new(parts.next()?.parse().ok()?)?,
        in_rebuild: parts.next()? == REBUILD,
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
