//! The choice of an answer's form by the header `Accept`.

/// A form of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    /// One document.
    Json,
    /// One event a line.
    Ndjson,
    /// Server-sent events: one event a message, without end.
    EventStream,
}

impl Media {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::EventStream => "text/event-stream",
        }
    }
}

/// The form that the header `Accept` prefers among `offers`. The greatest weight wins. Among equal weights, the most specific
/// range wins, and then the first of the offers. `None` if the header excludes all offers.
pub(super) fn preferred(accept: &str, offers: &[Media]) -> Option<Media> {
    let ranges: Vec<&str> = accept.split(',').map(str::trim).filter(|range| !range.is_empty()).collect();
    if ranges.is_empty() {
        // A header without any range accepts all forms.
        return offers.first().copied();
    }
    let mut best: Option<(Rank, Media)> = None;
    for offer in offers {
        let Some(rank) = rank(&ranges, *offer) else { continue };
        if best.is_none_or(|(highest, _)| rank > highest) {
            best = Some((rank, *offer));
        }
    }
    best.map(|(_, media)| media)
}

/// The rank of a form: its weight in thousandths, and how specific its range is.
type Rank = (u16, u8);

/// The rank of a form by the most specific range that covers it (RFC 9110, section 12.5.1).
fn rank(ranges: &[&str], media: Media) -> Option<Rank> {
    let covering = ranges.iter().filter_map(|range| Some((specificity(range, media)?, weight(range))));
    let (specificity, weight) = covering.max()?;
    (weight > 0).then_some((weight, specificity))
}

fn specificity(range: &str, media: Media) -> Option<u8> {
    let named = range.split(';').next().unwrap_or_default().trim();
    // A live response is chosen only if the header names it.
    if media == Media::EventStream {
        return named.eq_ignore_ascii_case(media.name()).then_some(2);
    }
    let family = named.strip_suffix("/*");
    let own_family = media.name().split('/').next().unwrap_or_default();
    if named.eq_ignore_ascii_case(media.name()) {
        Some(2)
    } else if family.is_some_and(|family| family.eq_ignore_ascii_case(own_family)) {
        Some(1)
    } else {
        (named == "*/*").then_some(0)
    }
}

/// The weight of the range in thousandths. It is 0 if the weight is not valid.
fn weight(range: &str) -> u16 {
    let weight = range.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    weight.map_or(1000, |weight| thousandths(weight).unwrap_or(0))
}

/// Reads a weight such as `0.8` in thousandths, at most 1000. Reading it as a float would need code and tables that nothing
/// else in the Worker needs.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().next().is_none() || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if whole.bytes().any(|digit| digit != b'0') {
        return Some(1000);
    }
    let places = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    Some(places.fold(0, |number, digit| number * 10 + u16::from(digit.saturating_sub(b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Media; 2] = [Media::Json, Media::Ndjson];

    #[test]
    fn the_most_specific_range_decides() {
        for accept in
            ["", "*/*", "application/json", "text/html, */*;q=0.1", "text/html;q=0, Application/JSON"]
        {
            assert_eq!(preferred(accept, &[Media::Json]), Some(Media::Json), "{accept}");
        }
        for accept in ["text/html", "application/json;q=0, */*", "*/*;q=0.000", "application/*;q=0, */*", "x"]
        {
            assert_eq!(preferred(accept, &[Media::Json]), None, "{accept}");
        }
    }

    #[test]
    fn the_most_wanted_type_is_returned() {
        for (accept, media) in [
            ("*/*", Media::Json),
            ("application/*", Media::Json),
            ("application/x-ndjson", Media::Ndjson),
            ("Application/X-NDJSON; charset=utf-8", Media::Ndjson),
            ("*/*, application/x-ndjson", Media::Ndjson),
            ("application/x-ndjson, application/json", Media::Json),
            ("application/x-ndjson;q=0.9, application/json;q=0.8", Media::Ndjson),
            ("application/x-ndjson;q=0.8, application/json;q=0.9", Media::Json),
            ("application/json;q=0, */*", Media::Ndjson),
            ("application/x-ndjson;q=nan, */*;q=0.1", Media::Json),
        ] {
            assert_eq!(preferred(accept, &BOTH), Some(media), "{accept}");
        }
        assert_eq!(preferred("application/x-ndjson;q=0, text/html", &BOTH), None);
    }

    #[test]
    fn a_weight_is_read_in_thousandths() {
        for (text, weight) in [
            ("0", 0),
            ("0.", 0),
            ("0.8", 800),
            (".25", 250),
            ("0.001", 1),
            ("0.9999", 999),
            ("1", 1000),
            ("1.000", 1000),
            ("7.5", 1000),
        ] {
            assert_eq!(thousandths(text), Some(weight), "{text}");
        }
        for text in ["", ".", "-1", "+1", "nan", "0.5.5", "0,5", "1e-1"] {
            assert_eq!(thousandths(text), None, "{text}");
        }
    }

    #[test]
    fn an_answer_without_end_is_asked_for_by_name() {
        let all = [Media::Json, Media::Ndjson, Media::EventStream];
        assert_eq!(preferred("text/event-stream", &all), Some(Media::EventStream));
        assert_eq!(preferred("text/event-stream, */*", &all), Some(Media::EventStream));
        assert_eq!(preferred("text/event-stream;q=0.9, */*", &all), Some(Media::Json));
        assert_eq!(preferred("text/*", &all), None);
        assert_eq!(preferred("application/*;q=0, */*", &all), None);
    }
}
