//! Commits as lines of JSON, which an export returns and another program can verify.

use std::fmt::Write;

use sillok::store::{
    BrokenCommit, CommitHash, CommitView, EventStore, Exported, Followed, RecordedTime, StoredKey, StreamId,
    StreamLog, Verification, Verifier, Version, json_string, only_members, string_text,
};

use super::verification::{ProofPage, unknown_next, version};
use crate::failure::Failure;

/// Reads one page of a stream's commits as lines. `next` is `None` for the first page, or the text that the previous page
/// returned. The pages end at the version that the stream had at the first page. Each line is a commit. If earlier commits were
/// forgotten, the first line is the base.
///
/// # Errors
/// An error of the store, or `invalid_parameter` if no page returned this `next`.
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

/// Writes a line. Its events are a JSON string, so every program that reads and writes the line preserves the hashed text.
fn write_line(out: &mut String, stream: &str, part: &Exported<'_>) {
    // Writing to a String cannot fail.
    let _ = match part {
        Exported::Base { version, hash } => {
            writeln!(out, "{{\"stream\":{stream},\"base\":{{\"version\":{version},\"hash\":\"{hash}\"}}}}")
        }
        Exported::Commit { first_version, commit } => {
            let CommitView { version, time, events, hash, key, .. } = commit;
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

/// The key as the caller sent it, and its origin if that is stored.
fn key_members(stored: &str) -> String {
    let stored = StoredKey(stored);
    let origin = stored.origin().map(|origin| format!("\"keyOrigin\":{},", json_string(origin)));
    format!("\"key\":{},{}", json_string(stored.key()), origin.unwrap_or_default())
}

/// The members of a line of either kind: a commit or a base.
const MEMBERS: [&str; 9] =
    ["stream", "base", "firstVersion", "version", "time", "key", "keyOrigin", "hash", "events"];

/// A line of either kind.
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

/// The base of a stream whose earlier commits were forgotten.
struct BaseJson {
    version: u64,
    hash: String,
}

/// A JSON string.
fn text(json: &str) -> Option<String> {
    string_text(json).map(String::from)
}

/// A member that may be left out or null. Returns `None` if it has another type.
fn optional<T>(json: Option<&str>, read: fn(&str) -> Option<T>) -> Option<Option<T>> {
    json.filter(|json| *json != "null").map_or(Some(None), |json| read(json).map(Some))
}

impl BaseJson {
    fn read(json: &str) -> Option<Self> {
        let [version, hash] = only_members(json, ["version", "hash"]).ok()?;
        Some(Self { version: number(version?)?, hash: text(hash?)? })
    }
}

fn number(json: &str) -> Option<u64> {
    json.parse().ok()
}

/// A line that has all required members.
enum Part<'a> {
    Base(Followed),
    Commit { first_version: u64, commit: CommitView<'a> },
}

impl Line {
    /// Reads a line. Returns `None` if a member has the wrong type.
    fn read(members: [Option<&str>; 9]) -> Option<Self> {
        let [stream, base, first_version, version, time, key, key_origin, hash, events] = members;
        Some(Self {
            stream: text(stream?)?,
            base: optional(base, BaseJson::read)?,
            first_version: optional(first_version, number)?,
            version: optional(version, number)?,
            time: optional(time, number)?,
            key: optional(key, text)?,
            key_origin: optional(key_origin, text)?,
            hash: optional(hash, text)?,
            events: optional(events, text)?,
        })
    }

    /// Joins the key and its origin to the stored form. Returns false if they do not form a key.
    fn join_key(&mut self) -> bool {
        let origin = self.key_origin.take();
        let Some(key) = self.key.take() else { return origin.is_none() };
        self.key = StoredKey::text(origin.as_deref(), &key);
        self.key.is_some()
    }

    /// The part that the line contains. Call it after `join_key`.
    fn part(&self) -> Option<Part<'_>> {
        let Self { base, first_version, version, time, key, hash, events, .. } = self;
        let Some(base) = base else {
            let commit = CommitView {
                version: Version::new((*version)?)?,
                time: RecordedTime::from_millis((*time)?),
                events: events.as_deref()?,
                hash: CommitHash::from_hex(hash.as_deref()?)?,
                key: key.as_deref(),
                position: None,
            };
            return Some(Part::Commit { first_version: (*first_version)?, commit });
        };
        let others = [key, hash, events].into_iter().flatten().count();
        let is_alone = first_version.or(*version).or(*time).is_none() && others == 0;
        let (version, hash) = (Version::new(base.version)?, CommitHash::from_hex(&base.hash)?);
        is_alone.then(|| Part::Base(Followed { version, hash, ..Followed::default() }))
    }
}

/// Verifies exported lines without their store.
#[derive(Debug, Default)]
pub struct LineVerifier {
    verifier: Option<Verifier>,
    unread: Option<BrokenCommit>,
}

impl LineVerifier {
    /// Takes the next line, and returns whether the chain is intact up to there. It skips an empty line.
    pub fn add(&mut self, line: &str) -> bool {
        if self.found().broken.is_none() && !line.trim().is_empty() {
            self.unread = self.take(line).err();
        }
        self.found().broken.is_none()
    }

    /// The verification up to the last line.
    #[must_use]
    pub fn found(&self) -> Verification {
        let found = self.verifier.as_ref().map(Verifier::found).unwrap_or_default();
        Verification { broken: found.broken.or_else(|| self.unread.clone()), ..found }
    }

    fn take(&mut self, line: &str) -> Result<(), BrokenCommit> {
        let followed = self.verifier.as_ref().map(Verifier::followed);
        let next = followed.unwrap_or_default().version.after(1).unwrap_or(Version::MAX).get();
        let broken = |version, reason: &str| BrokenCommit { version, reason: reason.to_owned() };
        let members = only_members(line, MEMBERS).map_err(|other| match other {
            Some(other) => broken(
                next,
                &format!("its line has `{other}`, which is no part of a commit, or is there twice"),
            ),
            None => broken(next, "its line is not a JSON object"),
        })?;
        let mut line = Line::read(members)
            .ok_or_else(|| broken(next, "its line has a part of a commit with a wrong value"))?;
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
