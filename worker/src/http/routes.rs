//! Paths.

use sillok::store::PendingKind;

use super::consumers::Target;

/// The resource of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route<'a> {
    /// `/v1/health`
    Health,
    /// `/v1/openapi.json`
    Description,
    /// A stream, and the paths below it.
    Stream {
        /// The stream id, still percent-encoded.
        stream: &'a str,
        part: Part<'a>,
    },
    /// Consumers and projections, and the paths below them.
    Consumers(Target<'a>),
    /// `/v1/streams`
    Directory,
    /// `/v1/events`
    Feed,
    /// `/v1/journal`
    Journal,
    /// `/v1/aggregates`
    Aggregates,
    /// `/v1/tickets`
    Tickets,
    /// An unknown path within the API.
    Unknown,
    /// A path outside the API.
    Outside,
}

/// The part of a stream that a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// `/v1/streams/{stream}`
    Whole,
    /// `/v1/streams/{stream}/events`
    Events,
    /// `/v1/streams/{stream}/verify`
    Verify,
    /// `/v1/streams/{stream}/commits`
    Commits,
    /// `/v1/streams/{stream}/truncate`
    Truncate,
    /// `/v1/streams/{stream}/commands`
    Commands,
    /// `/v1/streams/{stream}/state`
    State,
    /// `/v1/streams/{stream}/timers` or `/v1/streams/{stream}/sent`
    Pending(PendingKind),
    /// `/v1/streams/{stream}/timers/{key}` or `/v1/streams/{stream}/sent/{id}`. The name is still percent-encoded.
    OnePending(PendingKind, &'a str),
    /// `/v1/streams/{stream}/timers/{key}/retry` or `/v1/streams/{stream}/sent/{id}/retry`, also percent-encoded.
    RetryPending(PendingKind, &'a str),
    /// `/v1/streams/{stream}/sent/{id}/reject`, also percent-encoded.
    RejectSent(&'a str),
}

impl Part<'_> {
    /// The methods of the path, as in the header `Allow`.
    pub(super) fn methods(self) -> &'static str {
        match self {
            Self::Whole => "GET, HEAD, DELETE",
            Self::Events => "GET, HEAD, POST",
            Self::Verify | Self::Commits | Self::State | Self::Pending(_) => "GET, HEAD",
            Self::OnePending(..) => "DELETE",
            Self::Truncate | Self::Commands | Self::RetryPending(..) | Self::RejectSent(_) => "POST",
        }
    }
}

impl<'a> Route<'a> {
    /// Finds the route of a URL's path, which is percent-encoded. An encoded slash is a part of a name.
    pub(super) fn of(path: &'a str) -> Self {
        let Some(rest) = path.strip_prefix("/v1") else { return Self::Outside };
        match rest {
            "/health" => return Self::Health,
            "/openapi.json" => return Self::Description,
            "/streams" => return Self::Directory,
            "/events" => return Self::Feed,
            "/journal" => return Self::Journal,
            "/aggregates" => return Self::Aggregates,
            "/tickets" => return Self::Tickets,
            _ => {}
        }
        if let Some(within) = rest.strip_prefix("/streams/") {
            return Self::within_streams(within);
        }
        let target = rest.strip_prefix("/consumers").and_then(Target::consumers);
        if let Some(target) = target.or_else(|| Target::projections(rest.strip_prefix("/projections")?)) {
            return Self::Consumers(target);
        }
        if rest.is_empty() || rest.starts_with('/') { Self::Unknown } else { Self::Outside }
    }

    fn within_streams(path: &'a str) -> Self {
        let (stream, part) = match path.split_once('/') {
            None if path.is_empty() => return Self::Unknown,
            None => (path, Part::Whole),
            Some((stream, "events")) => (stream, Part::Events),
            Some((stream, "verify")) => (stream, Part::Verify),
            Some((stream, "commits")) => (stream, Part::Commits),
            Some((stream, "truncate")) => (stream, Part::Truncate),
            Some((stream, "commands")) => (stream, Part::Commands),
            Some((stream, "state")) => (stream, Part::State),
            Some((stream, rest)) => match pending(rest) {
                Some(part) => (stream, part),
                None => return Self::Unknown,
            },
        };
        Self::Stream { stream, part }
    }
}

/// The path of timers or of sent commands, below a stream.
fn pending(path: &str) -> Option<Part<'_>> {
    let (list, rest) = path.split_once('/').map_or((path, None), |(list, rest)| (list, Some(rest)));
    let kind = match list {
        "timers" => PendingKind::Timer,
        "sent" => PendingKind::Sent,
        _ => return None,
    };
    match rest.map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
        None => Some(Part::Pending(kind)),
        Some((key, "")) if rest == Some(key) => Some(Part::OnePending(kind, key)),
        Some((key, "retry")) => Some(Part::RetryPending(kind, key)),
        Some((id, "reject")) if kind == PendingKind::Sent => Some(Part::RejectSent(id)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(Route::of("/v1/health"), Route::Health);
        assert_eq!(Route::of("/v1/openapi.json"), Route::Description);
        assert_eq!(Route::of("/v1/streams"), Route::Directory);
        assert_eq!(Route::of("/v1/events"), Route::Feed);
        assert_eq!(Route::of("/v1/journal"), Route::Journal);
        assert_eq!(Route::of("/v1/aggregates"), Route::Aggregates);
        assert_eq!(Route::of("/v1/tickets"), Route::Tickets);
        let stream = |stream, part| Route::Stream { stream, part };
        assert_eq!(Route::of("/v1/streams/a%2Fb/events"), stream("a%2Fb", Part::Events));
        assert_eq!(Route::of("/v1/streams//events"), stream("", Part::Events));
        assert_eq!(Route::of("/v1/streams/events"), stream("events", Part::Whole));
        assert_eq!(Route::of("/v1/streams/a/verify"), stream("a", Part::Verify));
        assert_eq!(Route::of("/v1/streams/a/commits"), stream("a", Part::Commits));
        assert_eq!(Route::of("/v1/streams/a/truncate"), stream("a", Part::Truncate));
        assert_eq!(Route::of("/v1/streams/a/commands"), stream("a", Part::Commands));
        assert_eq!(Route::of("/v1/streams/a/state"), stream("a", Part::State));
        let (timer, sent) = (PendingKind::Timer, PendingKind::Sent);
        assert_eq!(Route::of("/v1/streams/a/timers"), stream("a", Part::Pending(timer)));
        assert_eq!(Route::of("/v1/streams/a/timers/x%2Fy"), stream("a", Part::OnePending(timer, "x%2Fy")));
        assert_eq!(Route::of("/v1/streams/a/sent/1/retry"), stream("a", Part::RetryPending(sent, "1")));
        assert_eq!(Route::of("/v1/streams/a/sent/1%2F/reject"), stream("a", Part::RejectSent("1%2F")));
        for unknown in [
            "/v1/streams/a/timers/x/reject",
            "/v1/streams/a/timers/x/",
            "/v1/streams/a/timers/x/retry/",
            "/v1/streams/a/timers/x/cancel",
            "/v1",
            "/v1/",
            "/v1/streams/",
            "/v1/events/",
            "/v1/journals",
            "/v1/streams/a/",
            "/v1/streams/a/b/events",
            "/v1/streams/a/events/",
        ] {
            assert_eq!(Route::of(unknown), Route::Unknown, "{unknown}");
        }
        assert_eq!(Route::of("/v10/health"), Route::Outside);
        assert_eq!(Route::of("/"), Route::Outside);
    }
}
