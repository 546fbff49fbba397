//! The feed of all streams as values: the range of a page, and a page.

use sillok::ErrorCode;
use sillok::handler::{FeedEvent, FeedPage, Read};
use sillok::store::{
    Category, Checkpoint, EventId, EventType, FeedEventView, FeedLog, FeedRange, InvalidCategory,
    InvalidCheckpoint, Position, StreamId, Version, push_feed_event_json, visit_feed,
};

use crate::clock::rfc3339;
use crate::events::{event_type, number};
use crate::failure::Failure;
use crate::js::Scalar;

/// What part of the feed to read: `{"after","category","types","limit"}`, each absent where it bounds nothing.
#[derive(Debug, Clone, Default)]
pub struct FeedValue {
    /// The checkpoint to resume from: its text or, where the feed has one partition, a position as a number.
    pub after: Option<Scalar>,
    /// The only category to read.
    pub category: Option<Scalar>,
    /// The only event types to read; all where there are none.
    pub types: Vec<Scalar>,
    /// Most events.
    pub limit: Option<Scalar>,
}

crate::message!(FeedValue { after: "after", category: "category", types: "types", limit: "limit" });

/// A page of the feed, its events already written as JSON.
#[derive(Debug)]
pub struct FeedPageJson {
    /// A JSON array of events, as text. Each has a `position` and a `checkpoint`.
    pub events: String,
    /// How many events these are.
    pub count: usize,
    /// The checkpoint from which the next page begins.
    pub checkpoint: String,
    /// Whether there is more to look at.
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

/// Reads what part of a partition of the feed is wanted, checking every part.
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

/// Writes an event of the feed as JSON. `checkpoint` is where the feed stands after it.
pub fn write_feed_event(out: &mut String, found: &FeedEventView<'_>, checkpoint: &Checkpoint) {
    push_feed_event_json(out, found, checkpoint, &rfc3339(found.event.time));
}

/// Writes what a consumer has to know of an event: position, version, bytes of its JSON, id, type and stream on one line, with tabs
/// between them. No name has a tab or a line break.
fn write_head(heads: &mut String, found: &FeedEventView<'_>, bytes: usize) {
    for number in [found.position.get(), found.event.version.get(), bytes as u64] {
        heads.push_str(&number.to_string());
        heads.push('\t');
    }
    for part in [found.event.id, "\t", found.event.event_type, "\t", found.stream, "\n"] {
        heads.push_str(part);
    }
}

/// Makes the page that a consumer's machine takes. `read` is its request. The heads say where each event begins and ends, so
/// nothing parses the JSON. Returns `None` if the page or the heads have another shape.
#[must_use]
pub fn feed_page(read: Read, page: &FeedPageJson, heads: &str, partitions: usize) -> Option<FeedPage> {
    let after = Checkpoint::parse(&page.checkpoint, partitions).ok()?.position(read.partition);
    Some(FeedPage { read, events: cut(&page.events, heads)?, after, more: page.more })
}

fn cut(text: &str, heads: &str) -> Option<Vec<FeedEvent>> {
    let mut rest = text;
    let event = |line: &str| {
        let mut parts = line.splitn(6, '\t');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (position, version, bytes) = (number()?, number()?, number()?);
        // Before each event stands a bracket or a comma.
        let (json, after) = rest.get(1..)?.split_at_checked(usize::try_from(bytes).ok()?)?;
        rest = after;
        let names = [parts.next()?, parts.next()?, parts.next()?];
        feed_event(Position::new(position)?, Version::new(version)?, names, json.to_owned())
    };
    heads.lines().map(event).collect()
}

/// An event as a consumer's machine takes it; nothing where a name is invalid.
fn feed_event(
    position: Position,
    version: Version,
    [id, event_type, stream]: [&str; 3],
    json: String,
) -> Option<FeedEvent> {
    Some(FeedEvent {
        position,
        version,
        id: EventId::new(id).ok()?,
        event_type: EventType::new(event_type).ok()?,
        stream: StreamId::new(stream).ok()?,
        json,
    })
}

/// Reads one page of a partition of the feed as JSON. `checkpoint` is where the feed stands in all its partitions. Where `heads` are
/// asked for, [`feed_page`] makes events of the page without parsing it.
///
/// # Errors
/// `invalid_checkpoint` where the feed never came as far; `storage_failed` or `stored_data_corrupt`.
pub fn read_feed(
    log: &impl FeedLog,
    range: &FeedRange,
    checkpoint: &Checkpoint,
    partition: usize,
    mut heads: Option<&mut String>,
) -> Result<FeedPageJson, Failure> {
    let (mut events, mut count) = (String::from("["), 0);
    let end = visit_feed(log, range, &mut |found| {
        if count > 0 {
            events.push(',');
        }
        count += 1;
        let start = events.len();
        write_feed_event(&mut events, &found, &checkpoint.at(partition, found.position));
        if let Some(heads) = heads.as_deref_mut() {
            write_head(heads, &found, events.len() - start);
        }
    })?;
    if range.is_beyond(end.end) {
        // Whoever went on from there would miss whatever comes until the feed is as far.
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
