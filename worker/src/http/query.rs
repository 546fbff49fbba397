//! The parameters of a request.

use percent_encoding::percent_decode_str;
use sillok::ErrorCode;
use sillok::store::limits::MAX_VERSION;
use sillok_bridge::{DirectoryValue, Failure, FeedValue, RangeValue, Scalar};

// Unknown and repeated parameters are refused. The values are checked where the whole is parsed.

/// Reads the range of a stream and the parameter `progress` from a request's URL.
pub(super) fn range(url: &str) -> Result<(RangeValue, Option<Scalar>), Failure> {
    let (mut range, mut progress) = (RangeValue::default(), None);
    for (name, value) in parameters(url)? {
        let (part, value) = match &*name {
            "from" => (&mut range.from, number_or_text(&value)),
            "to" => (&mut range.to, number_or_text(&value)),
            "limit" => (&mut range.limit, number_or_text(&value)),
            "direction" => (&mut range.direction, Scalar::from(value)),
            "type" => (&mut range.event_type, Scalar::from(value)),
            "complete" => (&mut range.complete, Scalar::from(value)),
            "progress" => (&mut progress, Scalar::from(value)),
            _ => return Err(unknown(&name)),
        };
        set(&name, part, value)?;
    }
    Ok((range, progress))
}

/// Reads the parameters of these names as texts. Other and repeated parameters are refused.
pub(super) fn texts<const N: usize>(url: &str, names: [&str; N]) -> Result<[Option<String>; N], Failure> {
    let mut found = [const { None }; N];
    for (name, value) in parameters(url)? {
        let place = names.iter().position(|known| *known == name).and_then(|place| found.get_mut(place));
        if place.ok_or_else(|| unknown(&name))?.replace(value.into_owned()).is_some() {
            return Err(invalid(&name, "is given twice"));
        }
    }
    Ok(found)
}

/// The parameters of the feed.
pub(super) struct FeedQuery {
    /// The range. There may be several types.
    pub(super) wanted: FeedValue,
    pub(super) progress: Option<Scalar>,
    /// Whether events are shown in their newest schema versions.
    pub(super) upcast: bool,
}

/// Reads the parameters of the feed from a request's URL.
pub(super) fn feed(url: &str) -> Result<FeedQuery, Failure> {
    let (mut feed, mut progress, mut upcast) = (FeedValue::default(), None, None);
    for (name, value) in parameters(url)? {
        let (part, value) = match &*name {
            "type" => {
                feed.types.push(Scalar::from(value));
                continue;
            }
            "after" => (&mut feed.after, Scalar::from(value)),
            "category" => (&mut feed.category, Scalar::from(value)),
            "limit" => (&mut feed.limit, number_or_text(&value)),
            "progress" => (&mut progress, Scalar::from(value)),
            "upcast" => (&mut upcast, Scalar::from(value)),
            _ => return Err(unknown(&name)),
        };
        set(&name, part, value)?;
    }
    let upcast = flag("upcast", upcast.as_ref().and_then(Scalar::as_str))?;
    Ok(FeedQuery { wanted: feed, progress, upcast })
}

/// Reads the range of the directory from a request's URL, and `next`, which can take the place of `after`.
pub(super) fn directory(url: &str) -> Result<(DirectoryValue, Option<String>), Failure> {
    let (mut directory, mut next) = (DirectoryValue::default(), None);
    for (name, value) in parameters(url)? {
        let (part, value) = match &*name {
            "prefix" => (&mut directory.prefix, Scalar::from(value)),
            "category" => (&mut directory.category, Scalar::from(value)),
            "after" => (&mut directory.after, Scalar::from(value)),
            "next" => (&mut next, Scalar::from(value)),
            "limit" => (&mut directory.limit, number_or_text(&value)),
            _ => return Err(unknown(&name)),
        };
        set(&name, part, value)?;
    }
    if next.is_some() && directory.after.is_some() {
        return Err(invalid("next", "and `after` cannot both say where to begin: leave out one of them"));
    }
    Ok((directory, next.and_then(|next| next.as_str().map(str::to_owned))))
}

/// The parameters of a URL. A parameter that is not UTF-8 is refused, because a text with replaced characters could be another
/// name.
fn parameters(url: &str) -> Result<form_urlencoded::Parse<'_>, Failure> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    for pair in query.split('&') {
        if percent_decode_str(pair).decode_utf8().is_err() {
            let name = percent_decode_str(pair.split('=').next().unwrap_or_default()).decode_utf8_lossy();
            return Err(invalid(&name, "is not UTF-8"));
        }
    }
    Ok(form_urlencoded::parse(query.as_bytes()))
}

fn set(name: &str, part: &mut Option<Scalar>, value: Scalar) -> Result<(), Failure> {
    match part.replace(value) {
        None => Ok(()),
        Some(_) => Err(invalid(name, "is given twice")),
    }
}

fn unknown(name: &str) -> Failure {
    invalid(name, "is not a parameter of this path")
}

/// Refuses every parameter, for a path that takes none.
pub(super) fn none(url: &str) -> Result<(), Failure> {
    match parameters(url)?.next() {
        None => Ok(()),
        Some((name, _)) => Err(invalid(&name, "is not a parameter: this path takes none")),
    }
}

/// Reads the text of a parameter as `true` or `false`. The default is `false`.
pub(super) fn flag(name: &str, text: Option<&str>) -> Result<bool, Failure> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid(name, "must be true or false")),
    }
}

/// Reads the text of a parameter as a whole number.
pub(super) fn whole(name: &str, text: Option<String>) -> Result<Option<u64>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(invalid(name, "must be a whole number"));
    }
    // A number that is too large for any limit stays too large. A larger one is no number of JavaScript.
    Ok(Some(text.parse().unwrap_or(MAX_VERSION).min(MAX_VERSION)))
}

/// A whole number, if the text has only digits. A number that is too large for any limit stays too large.
fn number_or_text(text: &str) -> Scalar {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Scalar::from(text.parse().unwrap_or(u64::MAX))
    } else {
        Scalar::from(text)
    }
}

fn invalid(name: &str, reason: &str) -> Failure {
    Failure::new(ErrorCode::InvalidParameter, format!("`{name}` {reason}")).in_field(name)
}
