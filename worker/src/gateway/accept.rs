//! Whether the caller takes JSON.

/// Whether the header `Accept` admits `application/json`. The most specific range that covers it decides
/// (RFC 9110, section 12.5.1); a header without any range admits everything.
pub(super) fn accepts_json(accept: &str) -> bool {
    let ranges = accept.split(',').map(str::trim).filter(|range| !range.is_empty());
    let mut best = None;
    let mut any = false;
    for range in ranges {
        any = true;
        let Some(specificity) = specificity(range) else { continue };
        let candidate = (specificity, is_wanted(range));
        best = best.max(Some(candidate));
    }
    best.map_or(!any, |(_, wanted)| wanted)
}

fn specificity(range: &str) -> Option<u8> {
    let media = range.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "*/*" => Some(0),
        "application/*" => Some(1),
        "application/json" => Some(2),
        _ => None,
    }
}

/// Whether the range's weight is more than 0.
fn is_wanted(range: &str) -> bool {
    let weight = range.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then_some(value.trim())
    });
    weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
}

#[cfg(test)]
mod tests {
    use super::accepts_json;

    #[test]
    fn the_most_specific_range_decides() {
        for accept in
            ["", "*/*", "application/json", "text/html, */*;q=0.1", "text/html;q=0, Application/JSON"]
        {
            assert!(accepts_json(accept), "{accept}");
        }
        for accept in ["text/html", "application/json;q=0, */*", "*/*;q=0.000", "application/*;q=0, */*", "x"]
        {
            assert!(!accepts_json(accept), "{accept}");
        }
    }
}
