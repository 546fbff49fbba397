//! `/v1/streams/{stream}/commits`: the commits of a stream as lines, with all parts that verification needs.

use futures_util::stream::TryStream;

use super::accept::Media;
use super::chunks::{Pieces, chunks};
use super::precondition::EntityTag;
use super::problem::Problem;
use super::request::{Method, Request};
use super::respond::Answer;
use super::{Object, query, request};
use crate::aggregate::ProofRequest;
use crate::objects::RemoteError;

pub(super) async fn export(request: &Request, object: Object) -> Result<Answer, Problem> {
    query::none(request.url())?;
    request::check_proof_headers(request, Media::Ndjson)?;
    if request.method == Method::Head {
        let (head, receipt) = object.remote.head(object.request()).await?;
        return Ok(Answer::head(Media::Ndjson).at((&head).into()).costing(receipt));
    }
    Ok(Answer::commits(Commits::open(object).await?))
}

/// The commits of a stream, one a line. Only one page is in memory at a time.
pub(super) struct Commits {
    object: Object,
    /// The stream at the beginning of the export. Later events are not exported.
    began: EntityTag,
    /// The lines that were read and not yet sent.
    ready: String,
    /// The `next` of the last page.
    next: Option<String>,
}

impl Commits {
    /// Reads the first page. So an error at the beginning still becomes a problem document.
    async fn open(object: Object) -> Result<Self, Problem> {
        let began = EntityTag::of_version(0);
        let mut commits = Self { object, began, ready: String::new(), next: None };
        commits.began = commits.advance(None).await?;
        Ok(commits)
    }

    pub(super) fn entity_tag(&self) -> EntityTag {
        self.began
    }

    /// The lines as a body. Before an error it sends a space, which begins a line that never ends.
    pub(super) fn body(self) -> impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static {
        chunks(self, " ")
    }

    /// Reads a page, and returns the entity tag of the stream.
    async fn advance(&mut self, next: Option<String>) -> Result<EntityTag, RemoteError> {
        let request = ProofRequest { stream: self.object.stream.clone(), next };
        let (page, _) = self.object.remote.commits(request).await?;
        (self.ready, self.next) = (page.text, page.next);
        Ok(page
            .first_version
            .map_or(EntityTag::of_version(page.version), |first| EntityTag::new(page.version, first)))
    }
}

impl Pieces for Commits {
    async fn next(&mut self) -> Result<Option<String>, RemoteError> {
        if self.ready.is_empty() {
            let Some(next) = self.next.take() else { return Ok(None) };
            self.advance(Some(next)).await?;
        }
        Ok(Some(std::mem::take(&mut self.ready)))
    }
}
