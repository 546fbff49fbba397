//! The feed of all streams as values: the range of a page, and a page.

use sillok::ErrorCode;
use sillok::handler::{FeedEvent, FeedPage, Read};
use sillok::store::{
    Category, Checkpoint, EventId, EventType, FeedEventView, FeedLog, FeedRange, InvalidCategory,
    InvalidCheckpoint, Position, StreamId, Version, json_string, visit_feed,
};

use crate::events::write_event;
use crate::events::{event_type, number};
use crate::failure::Failure;
use crate::js::Scalar;

/// The range of a page of the feed: `{"after","category","types","limit"}`. An absent part sets no bound.
#[derive(Debug, Clone, Default)]
pub struct FeedValue {
    /// The checkpoint from which to resume: its text, or a position as a number if the feed has one partition.
    pub after: Option<Scalar>,
    /// The only category to read.
    pub category: Option<Scalar>,
    /// The only event types to read. An empty list means all types.
    pub types: Vec<Scalar>,
    /// The largest number of events.
    pub limit: Option<Scalar>,
}

crate::message!(FeedValue { after: "after", category: "category", types: "types", limit: "limit" });

/// A page of the feed, written as JSON.
#[derive(Debug)]
pub struct FeedPageJson {
    /// A JSON array of events, as text. Each has a `position` and a `checkpoint`.
    pub events: String,
    /// The number of events.
    pub count: usize,
    /// The checkpoint from which the next page begins.
    pub checkpoint: String,
    /// Whether there are more positions to look at.
    pub more: bool,
}

crate::message!(FeedPageJson { events: "events", checkpoint: "checkpoint", more: "more", count: "count" });

impl From<InvalidCheckpoint> for Failure {
    fn from(error: InvalidCheckpoint) -> Self {
        Self::new(error.code(), error.to_string()).in_field("after")
    }
}

impl From<InvalidCategory> for Failure {
    fn from(error: InvalidCategory) -> Self {
        Self::new(error.code(), error.to_string()).in_field("category")
    }
}

/// Reads the range of a page in one partition of the feed, and checks every part.
///
/// # Errors
/// `invalid_checkpoint`, `invalid_category`, `invalid_event_type`, `invalid_parameter` or `page_too_large`, naming the
/// part that is wrong.
pub fn parse_feed(
    value: &FeedValue,
    partition: usize,
    partitions: usize,
) -> Result<(Checkpoint, FeedRange), Failure> {
    let checkpoint = match &value.after {
        None => Checkpoint::start(partitions),
        Some(Scalar::Text(text)) => Checkpoint::parse(text, partitions)?,
        Some(Scalar::Number(position)) => Checkpoint::parse(&position.to_string(), partitions)?,
        Some(Scalar::Other) => return Err(InvalidCheckpoint.into()),
    };
    let types = value.types.iter().map(event_type).collect::<Result<Vec<_>, _>>()?;
    let mut range = FeedRange::after(checkpoint.position(partition)).of_types(types);
    if let Some(name) = &value.category {
        range = range.of_category(category(name)?);
    }
    if let Some(limit) = number("limit", value.limit.as_ref())? {
        range = range.limited(limit)?;
    }
    Ok((checkpoint, range))
}

/// Reads the name of a category.
///
/// # Errors
/// `invalid_category`, naming the field `category`.
pub fn category(value: &Scalar) -> Result<Category, Failure> {
    let name = value.as_str().ok_or_else(|| {
        Failure::new(ErrorCode::InvalidCategory, "the category must be a string").in_field("category")
    })?;
    Ok(Category::new(name)?)
}

/// Writes an event of the feed as JSON. `checkpoint` is the checkpoint after the event.
pub fn write_feed_event(out: &mut String, found: &FeedEventView<'_>, checkpoint: &Checkpoint) {
    write_event(out, &json_string(found.stream), &found.event);
    out.pop();
    out.push_str(",\"position\":");
    out.push_str(&found.position.get().to_string());
    out.push_str(",\"checkpoint\":\"");
    out.push_str(&checkpoint.to_string());
    out.push_str("\"}");
}

/// A page of the feed for a consumer: the heads of the events, and the events as JSON.
#[derive(Debug)]
pub struct FeedHeadsPage {
    /// One line for each event: position, version, length of its JSON in bytes, id, type and stream, separated by tabs. Names
    /// contain neither tabs nor line breaks.
    pub heads: String,
    /// The events as JSON, one after the other, without separators.
    pub events: String,
    /// The position up to which the journal has looked.
    pub after: u64,
    /// Whether there are more positions to look at.
    pub more: bool,
}

crate::message!(FeedHeadsPage { heads: "heads", events: "events", after: "after", more: "more" });

/// Reads one page of a partition of the feed for a consumer. The consumer does not need to parse it.
///
/// # Errors
/// The errors of [`read_feed`].
pub fn read_feed_heads(
    log: &impl FeedLog,
    range: &FeedRange,
    checkpoint: &Checkpoint,
    partition: usize,
) -> Result<FeedHeadsPage, Failure> {
    let (mut heads, mut events) = (String::new(), String::new());
    let end = visit_feed(log, range, &mut |found| {
        let (position, before) = (found.position, events.len());
        write_feed_event(&mut events, &found, &checkpoint.at(partition, position));
        let bytes = events.len() - before;
        let numbers = [position.get(), found.event.version.get(), bytes as u64];
        for number in numbers {
            heads.push_str(&number.to_string());
            heads.push('\t');
        }
        for name in [found.event.id, "\t", found.event.event_type, "\t", found.stream, "\n"] {
            heads.push_str(name);
        }
    })?;
    if range.is_beyond(end.end) {
        return Err(InvalidCheckpoint.into());
    }
    Ok(FeedHeadsPage { heads, events, after: end.checkpoint.get(), more: end.more })
}

impl FeedHeadsPage {
    /// Converts the page, which was read for `read`, for the consumer's machine. Returns `None` if the page has another shape.
    #[must_use]
    pub fn into_page(self, read: Read) -> Option<FeedPage> {
        let mut rest = self.events.as_str();
        let events = self.heads.lines().map(|line| {
            let mut parts = line.splitn(6, '\t');
            let mut number = || parts.next()?.parse::<u64>().ok();
            let (position, version, bytes) = (number()?, number()?, number()?);
            let (json, after) = rest.split_at_checked(usize::try_from(bytes).ok()?)?;
            rest = after;
            Some(FeedEvent {
                position: Position::new(position)?,
                version: Version::new(version)?,
                id: EventId::new(parts.next()?).ok()?,
                event_type: EventType::new(parts.next()?).ok()?,
                stream: StreamId::new(parts.next()?).ok()?,
                json: json.to_owned(),
            })
        });
        let events = events.collect::<Option<Vec<_>>>()?;
        Some(FeedPage { read, events, after: Position::new(self.after)?, more: self.more })
    }
}

/// Reads one page of a partition of the feed as JSON. `checkpoint` has the place in every partition of the feed.
///
/// # Errors
/// `invalid_checkpoint` if the checkpoint is beyond the end of the feed; `storage_failed` or `stored_data_corrupt`.
pub fn read_feed(
    log: &impl FeedLog,
    range: &FeedRange,
    checkpoint: &Checkpoint,
    partition: usize,
) -> Result<FeedPageJson, Failure> {
    let (mut events, mut count) = (String::from("["), 0);
    let end = visit_feed(log, range, &mut |found| {
        if count > 0 {
            events.push(',');
        }
        count += 1;
        write_feed_event(&mut events, &found, &checkpoint.at(partition, found.position));
    })?;
    if range.is_beyond(end.end) {
        // A reader that continued from there would miss the events up to that checkpoint.
        return Err(InvalidCheckpoint.into());
    }
    events.push(']');
    Ok(FeedPageJson {
        events,
        count,
        checkpoint: checkpoint.at(partition, end.checkpoint).to_string(),
        more: end.more,
    })
}
