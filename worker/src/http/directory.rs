//! `/v1/streams`: the directory.

use sillok::ErrorCode;
use sillok::store::limits::PAGE_EVENTS;
use sillok_bridge::{DirectoryPageJson, DirectoryValue, Failure, Scalar, StreamEntryJson, parse_directory};
use worker::Env;

use super::partitions::journals;
use super::problem::Problem;
use super::request::Request;
use super::respond::{Answer, url};
use super::{query, request};
use crate::auth::{Principal, Scope, Seal};
use crate::journal::Remote;
use crate::objects::{Receipt, RemoteError};

/// The most pages of journals for one answer to a caller that may see only some streams. If there are more partitions, it is
/// one page of each partition.
const MOST_PAGES: usize = 4;

/// Lists the streams that the caller may use, in the order of their names.
pub(super) async fn list(request: &Request, env: &Env, principal: Principal) -> Result<Answer, Problem> {
    principal.require(Scope::Read)?;
    let (mut wanted, sealed) = query::directory(request.url())?;
    request::check_json_headers(request)?;
    parse_directory(&wanted)?;
    let limit = wanted.limit.as_ref().and_then(Scalar::as_u64).and_then(|limit| usize::try_from(limit).ok());
    let limit = limit.unwrap_or(PAGE_EVENTS);
    let mut journals = Journals { journals: journals(env, &principal)?, cost: Receipt::default() };
    let Some(seal) = Seal::of(env, &principal) else {
        if sealed.is_some() {
            return Err(Failure::new(
                ErrorCode::InvalidParameter,
                "`next` is only for a token with the claim `streams`; use `after`",
            )
            .in_field("next")
            .into());
        }
        let page = merged(journals.read(&wanted).await?, limit);
        let next = page.next.map(|after| next_url(&wanted, "after", after));
        return Ok(Answer::json(200, &DirectoryPageJson { next, ..page }).costing(journals.cost));
    };
    let asked = wanted.clone();
    if let Some(sealed) = sealed {
        wanted.after = Some(seal.open(&sealed).await?.into());
    }
    let (streams, next) = page_of_some(&mut journals, wanted, limit, &principal).await?;
    let next = match next {
        Next::Nothing => None,
        Next::After(name) => Some(next_url(&asked, "after", name)),
        Next::Behind(name) => Some(next_url(&asked, "next", seal.seal(&name).await?)),
    };
    // The answer has no price. The number of read rows would disclose, for any prefix, how many streams the caller may not see.
    Ok(Answer::json(200, &DirectoryPageJson { streams, next }))
}

/// A source of pages of the directory: one page of each partition at a time.
trait Pages {
    async fn read(&mut self, wanted: &DirectoryValue) -> Result<Vec<DirectoryPageJson>, RemoteError>;
}

/// The journals of all partitions, and the price of their calls.
struct Journals {
    journals: Vec<Remote>,
    cost: Receipt,
}

impl Pages for Journals {
    async fn read(&mut self, wanted: &DirectoryValue) -> Result<Vec<DirectoryPageJson>, RemoteError> {
        let mut pages = Vec::with_capacity(self.journals.len());
        for journal in &self.journals {
            let (page, receipt) = journal.streams(wanted).await?;
            pages.push(page);
            self.cost = self.cost + receipt;
        }
        Ok(pages)
    }
}

/// The place from which a listing continues.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// This was the last page.
    Nothing,
    /// After a stream that is on the page.
    After(String),
    /// After a stream that the caller may not see.
    Behind(String),
}

/// Makes a page of the streams that the caller may use. It skips the others, a limited number at a time. So a page may be empty
/// and still have a next page.
async fn page_of_some(
    pages: &mut impl Pages,
    mut wanted: DirectoryValue,
    limit: usize,
    principal: &Principal,
) -> Result<(Vec<StreamEntryJson>, Next), RemoteError> {
    if limit == 0 {
        return Ok((Vec::new(), Next::Nothing));
    }
    wanted.limit = None;
    let own = principal.common_prefix();
    if own.starts_with(wanted.prefix.as_ref().and_then(Scalar::as_str).unwrap_or_default()) {
        wanted.prefix = Some(own.into());
    }
    let (mut streams, mut read) = (Vec::new(), 0);
    loop {
        let found = pages.read(&wanted).await?;
        read += found.len();
        let page = merged(found, usize::MAX);
        streams.extend(page.streams.into_iter().filter(|entry| principal.may_touch(&entry.stream)));
        // One more stream than the limit shows that there is a next page.
        if streams.len() > limit {
            streams.truncate(limit);
            let last = streams.last().map(|entry| entry.stream.clone());
            return Ok((streams, last.map_or(Next::Nothing, Next::After)));
        }
        match page.next {
            None => return Ok((streams, Next::Nothing)),
            Some(name) if read >= MOST_PAGES => return Ok((streams, Next::Behind(name))),
            Some(name) => wanted.after = Some(name.into()),
        }
    }
}

/// Merges the pages of all partitions. Streams after the end of a partition's page are left for the next page, because that
/// partition may have streams before them.
fn merged(pages: Vec<DirectoryPageJson>, limit: usize) -> DirectoryPageJson {
    let mut next = pages.iter().filter_map(|page| page.next.clone()).min();
    // One more stream than the limit shows that there are more.
    let first = |one, page: DirectoryPageJson| first_of(one, page.streams, limit.saturating_add(1));
    let mut streams = pages.into_iter().fold(Vec::new(), first);
    streams.retain(|entry| next.as_ref().is_none_or(|next| entry.stream <= *next));
    if streams.len() > limit {
        streams.truncate(limit);
        next = streams.last().map(|entry| entry.stream.clone());
    }
    DirectoryPageJson { streams, next }
}

/// The first entries of two ordered lists, in order.
fn first_of(one: Vec<StreamEntryJson>, other: Vec<StreamEntryJson>, most: usize) -> Vec<StreamEntryJson> {
    let (mut one, mut other) = (one.into_iter().peekable(), other.into_iter().peekable());
    let next = || match other.peek() {
        Some(second) => one.next_if(|first| first.stream < second.stream).or_else(|| other.next()),
        None => one.next(),
    };
    std::iter::from_fn(next).take(most).collect()
}

fn next_url(wanted: &DirectoryValue, name: &'static str, place: String) -> String {
    let DirectoryValue { prefix, category, limit, .. } = wanted;
    let place = Scalar::from(place);
    let parts = [
        ("prefix", prefix.as_ref()),
        ("category", category.as_ref()),
        (name, Some(&place)),
        ("limit", limit.as_ref()),
    ];
    url("/v1/streams".to_owned(), parts)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

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
            // The second partition may have a stream between `b` and `c`.
            (vec![page(&["a", "c"], None), page(&["b"], Some("b"))], 9, vec!["a", "b"], Some("b")),
            (vec![page(&["d"], Some("d")), page(&[], Some("b"))], 9, vec![], Some("b")),
            (vec![page(&[], None)], 9, vec![], None),
        ] {
            let found = merged(pages, limit);
            let found_names: Vec<_> = found.streams.iter().map(|entry| entry.stream.as_str()).collect();
            assert_eq!((found_names, found.next.as_deref()), (names, next));
        }
    }

    /// Journals with this number of streams each. Every thousandth name ends in `-audit`. The pages are as large as a
    /// journal's.
    struct Crowded {
        partitions: usize,
        each: usize,
        read: usize,
    }

    impl Pages for Crowded {
        async fn read(&mut self, wanted: &DirectoryValue) -> Result<Vec<DirectoryPageJson>, RemoteError> {
            let after = wanted.after.as_ref().and_then(Scalar::as_str).unwrap_or_default();
            let pages = (0..self.partitions).map(|partition| {
                let name = |row: usize| {
                    let number = row * self.partitions + partition;
                    format!("s-{number:07}{}", if number % 1000 == 999 { "-audit" } else { "" })
                };
                let first = (0..self.each).collect::<Vec<_>>().partition_point(|row| *name(*row) <= *after);
                let names: Vec<_> = (first..self.each).take(PAGE_EVENTS).map(name).collect();
                let next = names.last().filter(|_| first + names.len() < self.each).cloned();
                page(&names.iter().map(String::as_str).collect::<Vec<_>>(), next.as_deref())
            });
            self.read += self.partitions;
            Ok(pages.collect())
        }
    }

    #[test]
    fn a_caller_of_some_streams_is_answered_after_some_pages_and_comes_to_all() {
        let principal = Principal::reader_of(&["*-audit"]);
        for (partitions, limit) in [(1, 1000), (1, 3), (3, 1000), (64, 7)] {
            let mut crowded = Crowded { partitions, each: 60_000 / partitions, read: 0 };
            let (mut found, mut wanted, mut answers) = (Vec::new(), DirectoryValue::default(), 0);
            loop {
                let before = crowded.read;
                let page = page_of_some(&mut crowded, wanted.clone(), limit, &principal);
                let (streams, next) = page.now_or_never().unwrap().unwrap();
                assert!(crowded.read - before < MOST_PAGES + partitions, "{partitions} {limit}");
                assert!(streams.len() <= limit);
                found.extend(streams.into_iter().map(|entry| entry.stream));
                answers += 1;
                match next {
                    Next::Nothing => break,
                    // The caller may know a name that is not sealed.
                    Next::After(name) => {
                        assert!(principal.may_touch(&name), "{name}");
                        wanted.after = Some(name.into());
                    }
                    Next::Behind(name) => wanted.after = Some(name.into()),
                }
            }
            let last = (60_000 / partitions) * partitions;
            let all: Vec<_> =
                (999..last).step_by(1000).map(|number| format!("s-{number:07}-audit")).collect();
            assert_eq!(found, all, "{partitions} {limit}");
            assert!(answers > 1);
        }
    }

    #[test]
    fn pages_of_many_partitions_interleave() {
        let names =
            |from, every| (from..64_000).step_by(every).map(|row| format!("s-{row:05}")).collect::<Vec<_>>();
        for limit in [1, 1000] {
            // The higher the number of a partition, the earlier its names.
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
