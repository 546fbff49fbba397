//! `/v1/streams/{stream}/commits`: a stream's commits as lines, with everything that it takes to prove them.

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
        let (head, receipt) = object.remote.head(&object.request()).await?;
        return Ok(Answer::head(Media::Ndjson).at((&head).into()).costing(receipt));
    }
    Ok(Answer::commits(Commits::open(object).await?))
}

/// The commits of a stream, one a line. Only one page of them is in memory at a time.
pub(super) struct Commits {
    object: Object,
    /// The stream as it was when the export began. What is appended later is not in it.
    began: EntityTag,
    /// What was read and not yet given away.
    ready: String,
    /// What to ask for the next page with.
    next: Option<String>,
}

impl Commits {
    /// Reads the first page, so that what is wrong from the beginning is still answered with a problem.
    async fn open(object: Object) -> Result<Self, Problem> {
        let began = EntityTag::of_version(0);
        let mut commits = Self { object, began, ready: String::new(), next: None };
        commits.began = commits.advance(None).await?;
        Ok(commits)
    }

    pub(super) fn entity_tag(&self) -> EntityTag {
        self.began
    }

    /// The lines as a body. A space before it is cut off begins a line that never ends.
    pub(super) fn body(self) -> impl TryStream<Ok = Vec<u8>, Error = worker::Error> + 'static {
        chunks(self, " ")
    }

    /// Reads a page, and gives the entity tag of the stream.
    async fn advance(&mut self, next: Option<String>) -> Result<EntityTag, RemoteError> {
        let request = ProofRequest { stream: self.object.stream.clone(), next };
        let (page, _) = self.object.remote.commits(&request).await?;
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
