//! Versions as entity tags. HTTP's conditional requests carry the expected version.

use std::fmt;

use sillok::ErrorCode;
use sillok::store::{ExpectedVersion, Version};
use sillok_bridge::{Failure, PageJson};

use super::header_failure;
use super::request::{Request, header};
use crate::aggregate::HeadReply;

const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";

/// The entity tag of a stream. It names everything that a read of the stream depends on. It is `"5"` at version 5, and `"5.3"`
/// if the events before version 3 were truncated. For a deleted stream, only its export has a tag. Nothing else can change the
/// events up to a version.
/// shown of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EntityTag {
    /// The version of the stream.
    pub(super) version: u64,
    first_version: u64,
}

impl EntityTag {
    /// The tag of a stream at this version from which nothing was truncated. It has only the version.
    pub(super) fn of_version(version: u64) -> Self {
        Self::new(version, Version::FIRST.get())
    }

    /// The tag of a stream at this version whose first version is `first_version`.
    pub(super) fn new(version: u64, first_version: u64) -> Self {
        Self { version, first_version }
    }

    /// Reads a tag as [`Display`](fmt::Display) writes it. `None` if no stream can ever have had it.
    fn parse(tag: &str) -> Option<Self> {
        let text = tag.strip_prefix('"')?.strip_suffix('"')?;
        let (version, first_version) = text.split_once('.').unwrap_or((text, "1"));
        let parsed = Self::new(version.parse().ok()?, first_version.parse().ok()?);
        let is_possible = (1..=parsed.version.saturating_add(1)).contains(&parsed.first_version);
        (is_possible && parsed.to_string() == tag).then_some(parsed)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, first_version } = self;
        if *first_version > Version::FIRST.get() {
            write!(formatter, "\"{version}.{first_version}\"")
        } else {
            write!(formatter, "\"{version}\"")
        }
    }
}

impl From<&HeadReply> for EntityTag {
    fn from(head: &HeadReply) -> Self {
        Self::new(head.version, head.first_version)
    }
}

impl From<&PageJson> for EntityTag {
    fn from(page: &PageJson) -> Self {
        Self::new(page.version, page.first_version)
    }
}

/// The expected version that an append or a command asks for.
pub(super) fn of_write(request: &Request) -> Result<ExpectedVersion, Failure> {
    let (if_match, if_none_match) = (header(request, IF_MATCH), header(request, IF_NONE_MATCH));
    expected_version(if_match.as_deref(), if_none_match.as_deref())
}

pub(super) fn expected_version(
    if_match: Option<&str>,
    if_none_match: Option<&str>,
) -> Result<ExpectedVersion, Failure> {
    match (if_match.map(str::trim), if_none_match.map(str::trim)) {
        (None, None) => Ok(ExpectedVersion::Any),
        (Some("*"), None) => Ok(ExpectedVersion::StreamExists),
        (None, Some("*")) => Ok(ExpectedVersion::NoStream),
        (Some(tag), None) => match version_of(tag) {
            Some(version) => Ok(ExpectedVersion::Exactly(version)),
            None => {
                Err(invalid(IF_MATCH, "must be one version in double quotes, such as \"3\", an ETag, or *"))
            }
        },
        (None, Some(_)) => {
            Err(invalid(IF_NONE_MATCH, "of an append must be *, which means that the stream must not exist"))
        }
        (Some(_), Some(_)) => Err(invalid(IF_NONE_MATCH, "cannot be combined with If-Match")),
    }
}

/// Whether one of these entity tags is the stream's present one, so that the reader already has it. Weak tags match too (RFC
/// 9110, section 13.1.2). `*` matches every existing stream.
pub(super) fn is_known(tags: &str, stream: EntityTag) -> bool {
    let current = stream.to_string();
    tags.split(',').map(str::trim).any(|tag| match tag {
        "*" => stream.version > 0,
        tag => tag.strip_prefix("W/").unwrap_or(tag) == current,
    })
}

/// The version of a strong entity tag. Truncations since then do not matter.
fn version_of(tag: &str) -> Option<Version> {
    Version::new(EntityTag::parse(tag)?.version)
}

fn invalid(header: &str, reason: &str) -> Failure {
    header_failure(ErrorCode::InvalidExpectedVersion, header, format!("the header {header} {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_expected_versions() {
        let exactly = |n| Version::new(n).map(ExpectedVersion::Exactly).unwrap();
        assert_eq!(expected_version(None, None), Ok(ExpectedVersion::Any));
        assert_eq!(expected_version(Some("*"), None), Ok(ExpectedVersion::StreamExists));
        assert_eq!(expected_version(None, Some("*")), Ok(ExpectedVersion::NoStream));
        assert_eq!(expected_version(Some("\"0\""), None), Ok(exactly(0)));
        assert_eq!(
            expected_version(Some(" \"9007199254740991\" "), None),
            Ok(exactly(9_007_199_254_740_991))
        );
        for tag in ["\"5.2\"", "\"5.5\"", "\"5.6\""] {
            assert_eq!(expected_version(Some(tag), None), Ok(exactly(5)), "{tag}");
        }
    }

    #[test]
    fn every_other_condition_is_refused() {
        for tag in [
            "3",
            "W/\"3\"",
            "\"3\", \"4\"",
            "\"03\"",
            "\"+3\"",
            "\"-1\"",
            "\"\"",
            "",
            "\"9007199254740992\"",
            "\"3.\"",
            "\".2\"",
            "\"3.0\"",
            "\"3.1\"",
            "\"3.02\"",
            "\"3.+2\"",
            "\"3.5\"",
            "\"0.1\"",
            "\"3.2.2\"",
            "W/\"3.2\"",
        ] {
            assert_eq!(
                expected_version(Some(tag), None).unwrap_err().field.as_deref(),
                Some("If-Match"),
                "{tag}"
            );
        }
        assert_eq!(
            expected_version(None, Some("\"3\"")).unwrap_err().field.as_deref(),
            Some("If-None-Match")
        );
        assert!(expected_version(Some("*"), Some("*")).is_err());
    }

    #[test]
    fn a_known_version() {
        let (twelve, none, cut) =
            (EntityTag::of_version(12), EntityTag::of_version(0), EntityTag::new(12, 3));
        for tags in ["\"12\"", "W/\"12\"", "\"1\", \"12\"", "*"] {
            assert!(is_known(tags, twelve), "{tags}");
        }
        for tags in ["\"1\"", "12", "", "\"12.3\""] {
            assert!(!is_known(tags, twelve), "{tags}");
        }
        assert!(!is_known("*", none) && is_known("\"0\"", none));
        assert!(is_known("\"12.3\"", cut) && is_known("W/\"12.3\"", cut) && is_known("*", cut));
        assert!(!is_known("\"12\"", cut) && !is_known("\"12.4\"", cut));
    }
}
