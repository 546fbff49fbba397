//! `/v1/streams`: which streams there are.

use sillok::store::limits::PAGE_EVENTS;
use sillok_bridge::{DirectoryPageJson, DirectoryValue, Scalar, StreamEntryJson, parse_directory};
use worker::Env;

use super::partitions::journals;
use super::problem::Problem;
use super::request::Request;
use super::respond::{Answer, url};
use super::{query, request};
use crate::auth::{Principal, Scope};
use crate::journal::Remote;
use crate::objects::Receipt;

/// Lists the streams that the caller may touch, in the order of their names.
pub(super) async fn list(request: &Request, env: &Env, principal: Principal) -> Result<Answer, Problem> {
    principal.require(Scope::Read)?;
    let wanted = query::directory(request.url())?;
    request::check_json_headers(request)?;
    parse_directory(&wanted)?;
    let limit = wanted.limit.as_ref().and_then(Scalar::as_u64).and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(PAGE_EVENTS);
    let journals = journals(env, &principal)?;
    let (mut page, cost) = page_of(&journals, wanted.clone(), limit, &principal).await?;
    page.next = page.next.map(|after| next_url(&wanted, after));
    Ok(Answer::json(200, &page).costing(cost))
}

/// A page of those that the caller may touch. The others are passed over to the page's end: to go on from one of them would
/// tell its name.
async fn page_of(
    journals: &[Remote],
    mut wanted: DirectoryValue,
    limit: usize,
    principal: &Principal,
) -> Result<(DirectoryPageJson, Receipt), Problem> {
    let all = principal.may_touch_all();
    if !all {
        wanted.limit = None;
        let own = principal.common_prefix();
        if own.starts_with(wanted.prefix.as_ref().and_then(Scalar::as_str).unwrap_or_default()) {
            wanted.prefix = Some(own.into());
        }
    }
    let (mut streams, mut cost) = (Vec::new(), Receipt::default());
    loop {
        let mut pages = Vec::new();
        for journal in journals {
            let (page, receipt) = journal.streams(&wanted).await?;
            pages.push(page);
            cost = cost + receipt;
        }
        let page = merged(pages, if all { limit } else { PAGE_EVENTS });
        streams.extend(page.streams.into_iter().filter(|entry| principal.may_touch(&entry.stream)));
        let next = match page.next {
            // One more than the page holds shows that there is a next.
            _ if streams.len() > limit => {
                streams.truncate(limit);
                streams.last().map(|entry| entry.stream.clone())
            }
            Some(after) if !all => {
                wanted.after = Some(after.into());
                continue;
            }
            next => next,
        };
        return Ok((DirectoryPageJson { streams, next }, cost));
    }
}

/// The pages of all partitions as one. What lies behind the end of a partition's page is left for the next page, as that
/// partition may have streams before it.
fn merged(pages: Vec<DirectoryPageJson>, limit: usize) -> DirectoryPageJson {
    let mut next = pages.iter().filter_map(|page| page.next.clone()).min();
    // One more than there is room for tells that there are more.
    let first = |one, page: DirectoryPageJson| first_of(one, page.streams, limit.saturating_add(1));
    let mut streams = pages.into_iter().fold(Vec::new(), first);
    streams.retain(|entry| next.as_ref().is_none_or(|next| entry.stream <= *next));
    if streams.len() > limit {
        streams.truncate(limit);
        next = streams.last().map(|entry| entry.stream.clone());
    }
    DirectoryPageJson { streams, next }
}

/// The first entries of two lists, each of which is in order.
fn first_of(one: Vec<StreamEntryJson>, other: Vec<StreamEntryJson>, most: usize) -> Vec<StreamEntryJson> {
    let (mut one, mut other) = (one.into_iter().peekable(), other.into_iter().peekable());
    let next = || match other.peek() {
        Some(second) => one.next_if(|first| first.stream < second.stream).or_else(|| other.next()),
        None => one.next(),
    };
    std::iter::from_fn(next).take(most).collect()
}

fn next_url(wanted: &DirectoryValue, after: String) -> String {
    let DirectoryValue { prefix, category, limit, .. } = wanted;
    let after = Scalar::from(after);
    let parts = [
        ("prefix", prefix.as_ref()),
        ("category", category.as_ref()),
        ("after", Some(&after)),
        ("limit", limit.as_ref()),
    ];
    url("/v1/streams".to_owned(), parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(names: &[&str], next: Option<&str>) -> DirectoryPageJson {
        let entry =
            |name: &&str| StreamEntryJson { stream: (*name).to_owned(), version: 1, time: String::new() };
        DirectoryPageJson { streams: names.iter().map(entry).collect(), next: next.map(str::to_owned) }
    }

    #[test]
    fn pages_of_partitions_are_one_in_order() {
        for (pages, limit, names, next) in [
            (vec![page(&["a", "c"], None), page(&["b"], None)], 9, vec!["a", "b", "c"], None),
            (vec![page(&["a", "c"], None), page(&["b"], None)], 2, vec!["a", "b"], Some("b")),
            // The second may have a stream between `b` and `c`.
            (vec![page(&["a", "c"], None), page(&["b"], Some("b"))], 9, vec!["a", "b"], Some("b")),
            (vec![page(&["d"], Some("d")), page(&[], Some("b"))], 9, vec![], Some("b")),
            (vec![page(&[], None)], 9, vec![], None),
        ] {
            let found = merged(pages, limit);
            let found_names: Vec<_> = found.streams.iter().map(|entry| entry.stream.as_str()).collect();
            assert_eq!((found_names, found.next.as_deref()), (names, next));
        }
    }

    #[test]
    fn pages_of_many_partitions_interleave() {
        let names =
            |from, every| (from..64_000).step_by(every).map(|row| format!("s-{row:05}")).collect::<Vec<_>>();
        for limit in [1, 1000] {
            // The later a partition, the earlier its names.
            let pages = (0..64).rev().map(|partition| {
                let names = names(partition, 64);
                page(&names.iter().map(String::as_str).collect::<Vec<_>>(), names.last().map(String::as_str))
            });
            let found = merged(pages.collect(), limit);
            let found_names: Vec<_> = found.streams.into_iter().map(|entry| entry.stream).collect();
            assert_eq!(
                (found_names.as_slice(), found.next.as_ref()),
                (&names(0, 1)[..limit], found_names.last())
            );
        }
    }
}
