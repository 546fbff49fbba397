//! Following the documents of a projection: all documents, and then each change.

use sillok::ErrorCode;
use sillok::store::{members, string_text};
use sillok_bridge::Failure;
use worker::Env;

use super::accept::Media;
use super::consumers::Found;
use super::live::Live;
use super::problem::Problem;
use super::request::{Method, Request};
use super::respond::Answer;
use super::source::{Event, Listening, Source, events_in};
use super::{query, request, socket};
use crate::auth::Principal;
use crate::consumer::{ConsumerRequest, FollowRequest, Remote};
use crate::objects::RemoteError;

/// Whether a request for documents asks to follow them.
pub(super) fn is_live(request: &Request) -> Result<bool, Failure> {
    if request.method != Method::Get {
        return Ok(false);
    }
    if request::is_upgrade(request) {
        return Ok(true);
    }
    request::check_live_headers(request)?;
    Ok(request::check_read_headers(request, &[Media::Json, Media::EventStream])? == Media::EventStream)
}

/// Follows the documents of a projection.
pub(super) async fn follow(
    request: &Request,
    env: &Env,
    principal: &Principal,
    name: &str,
) -> Result<Answer, Problem> {
    let Found(remote) = Found::find(env, principal, name)?;
    request::check_live_headers(request)?;
    let [prefix, after] = query::texts(request.url(), ["prefix", "after"])?;
    let last_event_id = request::header(request, "Last-Event-ID");
    let resumed = last_event_id.is_some();
    let source = DocumentsSource {
        remote,
        prefix: prefix.unwrap_or_default(),
        place: last_event_id.or(after),
        revision: 0,
        behind: true,
        begins: true,
    };
    let listening = source.listen().await?;
    let live =
        Live::open(Source::Documents(source), listening, principal.until()).await.map_err(|problem| {
            let is_place = problem.failure.code == ErrorCode::InvalidCheckpoint;
            if is_place && resumed { problem.in_field("Last-Event-ID") } else { problem }
        })?;
    if request::is_upgrade(request) {
        Ok(Answer::socket(socket::serve(live)?))
    } else {
        Ok(Answer::live(live))
    }
}

/// The documents of a projection below a prefix, and the place of their follower.
pub(super) struct DocumentsSource {
    remote: Remote,
    prefix: String,
    /// The place up to which messages were read. `None` before the first one.
    place: Option<String>,
    /// The number of the last commit that was looked at.
    revision: u64,
    behind: bool,
    /// Whether nothing was read yet on this connection.
    begins: bool,
}

impl DocumentsSource {
    /// Starts to listen for commits of the consumer.
    pub(super) async fn listen(&self) -> Result<Listening, RemoteError> {
        Ok(Listening(vec![self.remote.follow().await?]))
    }

    /// Reads the next messages. The consumer decides what they are.
    pub(super) async fn advance(&mut self) -> Result<Vec<Event>, RemoteError> {
        let (prefix, after, begins) = (self.prefix.clone(), self.place.clone(), self.begins);
        let asked = ConsumerRequest::Follow(FollowRequest { prefix, after, begins });
        let (reply, _) = self.remote.ask(&asked).await?;
        let read = || {
            let [changes, checkpoint, revision, more] =
                members(&reply, ["changes", "checkpoint", "revision", "more"])?;
            let events = events_in(changes?).ok()?;
            Some((events, string_text(checkpoint?)?.into_owned(), revision?.parse().ok()?, more? == "true"))
        };
        let read = read().ok_or_else(|| RemoteError::unreadable("the changes of documents"))?;
        let (events, place, revision, more) = read;
        (self.place, self.revision, self.behind, self.begins) = (Some(place), revision, more, false);
        Ok(events)
    }

    pub(super) fn is_behind(&self) -> bool {
        self.behind
    }

    /// The number of passed commits, and the place.
    pub(super) fn place(&self) -> (u64, String) {
        (self.revision, self.place.clone().unwrap_or_default())
    }

    /// Waits for a later commit. Returns `false` if none can come.
    pub(super) async fn grow(&mut self, listening: &Listening) -> bool {
        let next = self.revision + 1;
        self.behind = listening.reach(&|_| next).await.is_some();
        self.behind
    }
}
