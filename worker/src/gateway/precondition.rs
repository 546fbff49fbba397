//! Versions as entity tags: the expected version is HTTP's own conditional request.

use sillok::store::{ExpectedVersion, Version};
use sillok_bridge::Failure;

use super::header_failure;

const IF_MATCH: &str = "If-Match";
const IF_NONE_MATCH: &str = "If-None-Match";

/// The entity tag of a stream at this version.
pub(super) fn entity_tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// What an append's conditions say about the stream's version.
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
            None => Err(invalid(IF_MATCH, "must be one version in double quotes, such as \"3\", or *")),
        },
        (None, Some(_)) => Err(invalid(IF_NONE_MATCH, "of an append must be *: the stream must not exist")),
        (Some(_), Some(_)) => Err(invalid(IF_NONE_MATCH, "cannot be combined with If-Match")),
    }
}

/// Whether a reader that holds these entity tags already has the stream at this version (RFC 9110, section
/// 13.1.2, so weak tags match too). `*` stands for any version of a stream that exists.
pub(super) fn is_known(tags: &str, version: u64) -> bool {
    let current = entity_tag(version);
    tags.split(',').map(str::trim).any(|tag| match tag {
        "*" => version > 0,
        tag => tag.strip_prefix("W/").unwrap_or(tag) == current,
    })
}

/// The version that a strong entity tag stands for, written as Sillok writes it.
fn version_of(tag: &str) -> Option<Version> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    let version = Version::new(digits.parse().ok()?)?;
    (entity_tag(version.get()) == tag).then_some(version)
}

fn invalid(header: &str, reason: &str) -> Failure {
    header_failure("invalid_expected_version", header, format!("the header {header} {reason}"))
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
    }

    #[test]
    fn every_other_condition_is_refused() {
        for tag in
            ["3", "W/\"3\"", "\"3\", \"4\"", "\"03\"", "\"+3\"", "\"-1\"", "\"\"", "", "\"9007199254740992\""]
        {
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
        assert!(is_known("\"12\"", 12) && is_known("W/\"12\"", 12) && is_known("\"1\", \"12\"", 12));
        assert!(!is_known("\"1\"", 12) && !is_known("12", 12) && !is_known("", 12));
        assert!(is_known("*", 12) && !is_known("*", 0) && is_known("\"0\"", 0));
    }
}
