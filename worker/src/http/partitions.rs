//! The partitions of a tenant's journal. `/v1/journal`: their status.

use serde::Serialize;
use worker::Env;

use super::accept::Media;
use super::problem::Problem;
use super::request::Request;
use super::respond::Answer;
use super::{query, request};
use crate::auth::{Principal, Scope};
use crate::journal::{JournalStatus, Remote};
use crate::objects::{Receipt, partitions};

/// The journals of all partitions, in order.
pub(super) fn journals(env: &Env, principal: &Principal) -> Result<Vec<Remote>, Problem> {
    let find = |partition| Remote::of_partition(env, principal.tenant(), partition);
    let journals = (0..partitions(env)?).map(find).collect::<worker::Result<_>>();
    journals.map_err(Problem::internal)
}

#[derive(Serialize)]
struct JournalJson {
    partitions: Vec<JournalStatus>,
}

/// Returns for each partition its end, its consumers, and the rows that its object has written since its start.
pub(super) async fn status(request: &Request, env: &Env, principal: &Principal) -> Result<Answer, Problem> {
    principal.require(Scope::Admin)?;
    // A journal has the events of all streams.
    principal.require_all_streams()?;
    query::none(request.url())?;
    request::check_proof_headers(request, Media::Json)?;
    let (mut partitions, mut cost) = (Vec::new(), Receipt::default());
    for journal in journals(env, principal)? {
        let (status, receipt) = journal.status().await?;
        partitions.push(status);
        cost = cost + receipt;
    }
    Ok(Answer::json(200, &JournalJson { partitions }).costing(cost))
}
