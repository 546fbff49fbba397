//! Commits as lines of JSON, as they are handed out and proved elsewhere.

use std::fmt::Write;

use serde::Deserialize;
use sillok::store::{
    BrokenCommit, CommitHash, CommitView, EventStore, Exported, Followed, RecordedTime, StoredKey, StreamId,
    StreamLog, Verification, Verifier, Version, json_string,
};

use super::verification::{ProofPage, unknown_next, version};
use crate::failure::Failure;

/// Reads one page of a stream's commits as lines: the first, or the next of what an earlier page gave. They end with the
/// version that the stream had when the first page was read. Each is a commit, but for the first where something was
/// forgotten: that is the base.
///
/// # Errors
/// What the store says, or `invalid_parameter` where `next` was not given by an earlier page.
pub fn read_commits<L: StreamLog>(
    store: &EventStore<L>,
    stream: &StreamId,
    next: Option<&str>,
) -> Result<ProofPage, Failure> {
    let parse = |next: &str| {
        let (after, to) = next.split_once(' ')?;
        Some((Some(version(after)?), version(to)?))
    };
    let (after, to) = match next {
        Some(next) => parse(next).ok_or_else(unknown_next)?,
        None => (None, Version::MAX),
    };
    let name = json_string(stream.as_str());
    let mut text = String::new();
    let end = store.export(stream, after, to, &mut |part| write_line(&mut text, &name, &part))?;
    let next = end.next.map(|after| format!("{after} {}", to.min(end.version)));
    let (version, first_version) = (end.version.get(), Some(end.first_version.get()));
    Ok(ProofPage { version, first_version, text, next })
}

/// The events stand in the line as a JSON string: so they stay the text that is hashed, whoever reads and writes the line.
fn write_line(out: &mut String, stream: &str, part: &Exported<'_>) {
    // Writing to a String cannot fail.
    let _ = match part {
        Exported::Base { version, hash } => {
            writeln!(out, "{{\"stream\":{stream},\"base\":{{\"version\":{version},\"hash\":\"{hash}\"}}}}")
        }
        Exported::Commit { first_version, commit } => {
            let CommitView { version, time, events, hash, key } = commit;
            let (time, events) = (time.as_millis(), json_string(events));
            let key = key.map(key_members).unwrap_or_default();
            writeln!(
                out,
                "{{\"stream\":{stream},\"firstVersion\":{first_version},\"version\":{version},\"time\":{time},\
                 {key}\"hash\":\"{hash}\",\"events\":{events}}}"
            )
        }
    };
}

/// The key as it was given, and beside it its origin where that is stored.
fn key_members(stored: &str) -> String {
    let stored = StoredKey(stored);
    let origin = stored.origin().map(|origin| format!("\"keyOrigin\":{},", json_string(origin)));
    format!("\"key\":{},{}", json_string(stored.key()), origin.unwrap_or_default())
}

/// A line of either kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    stream: String,
    base: Option<BaseJson>,
    first_version: Option<u64>,
    version: Option<u64>,
    time: Option<u64>,
    key: Option<String>,
    key_origin: Option<String>,
    hash: Option<String>,
    events: Option<String>,
}

/// Where the chain begins, where something before it was forgotten.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaseJson {
    version: u64,
    hash: String,
}

/// What a line is, with everything that it must have.
enum Part<'a> {
    Base(Followed),
    Commit { first_version: u64, commit: CommitView<'a> },
}

impl Line {
    /// Puts the key together as it is stored; says whether its members are those of a key, or there is none.
    fn join_key(&mut self) -> bool {
        let origin = self.key_origin.take();
        let Some(key) = self.key.take() else { return origin.is_none() };
        self.key = StoredKey::text(origin.as_deref(), &key);
        self.key.is_some()
    }

    /// What the line is, once its key is put together.
    fn part(&self) -> Option<Part<'_>> {
        let Self { base, first_version, version, time, key, hash, events, .. } = self;
        let Some(base) = base else {
            let commit = CommitView {
                version: Version::new((*version)?)?,
                time: RecordedTime::from_millis((*time)?),
                events: events.as_deref()?,
                hash: CommitHash::from_hex(hash.as_deref()?)?,
                key: key.as_deref(),
            };
            return Some(Part::Commit { first_version: (*first_version)?, commit });
        };
        let others = [key, hash, events].into_iter().flatten().count();
        let is_alone = first_version.or(*version).or(*time).is_none() && others == 0;
        let (version, hash) = (Version::new(base.version)?, CommitHash::from_hex(&base.hash)?);
        is_alone.then(|| Part::Base(Followed { version, hash, ..Followed::default() }))
    }
}

/// Proves lines that were exported, without the store that they come from.
#[derive(Debug, Default)]
pub struct LineVerifier {
    verifier: Option<Verifier>,
    unread: Option<BrokenCommit>,
}

impl LineVerifier {
    /// Takes the next line and tells whether the chain still holds; an empty line is passed over.
    pub fn add(&mut self, line: &str) -> bool {
        if self.found().broken.is_none() && !line.trim().is_empty() {
            self.unread = self.take(line).err();
        }
        self.found().broken.is_none()
    }

    /// What was found so far.
    #[must_use]
    pub fn found(&self) -> Verification {
        let found = self.verifier.as_ref().map(Verifier::found).unwrap_or_default();
        Verification { broken: found.broken.or_else(|| self.unread.clone()), ..found }
    }

    fn take(&mut self, line: &str) -> Result<(), BrokenCommit> {
        let followed = self.verifier.as_ref().map(Verifier::followed);
        let next = followed.unwrap_or_default().version.after(1).unwrap_or(Version::MAX).get();
        let broken = |version, reason: &str| BrokenCommit { version, reason: reason.to_owned() };
        let mut line: Line = serde_json::from_str(line)
            .map_err(|error| broken(next, &format!("its line cannot be read: {error}")))?;
        let has_key = line.join_key();
        let part = line
            .part()
            .filter(|_| has_key)
            .ok_or_else(|| broken(next, "its line does not have the parts of a commit"))?;
        let stream = StreamId::new(&line.stream).map_err(|error| broken(next, &error.to_string()))?;
        match (part, &mut self.verifier) {
            (Part::Base(base), None) => self.verifier = Some(Verifier::after(stream, base)),
            (Part::Base(_), Some(_)) => return Err(broken(next, "a second base stands before it")),
            (Part::Commit { commit, .. }, Some(verifier)) if *verifier.stream() != stream => {
                return Err(broken(commit.version.get(), "it belongs to another stream"));
            }
            (Part::Commit { first_version, commit }, _) if first_version != next => {
                return Err(broken(commit.version.get(), "it does not continue from the commit before it"));
            }
            (Part::Commit { commit, .. }, verifier) => {
                verifier.get_or_insert_with(|| Verifier::new(stream)).add(&commit);
            }
        }
        Ok(())
    }
}
