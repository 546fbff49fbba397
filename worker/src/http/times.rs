//! Times in parameters.

/// Reads a time as RFC 3339 writes it, or a whole number of milliseconds since 1970. A time before 1970 is 0.
pub(crate) fn millis(text: &str) -> Option<u64> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large is later than every event.
        return Some(text.parse().unwrap_or(u64::MAX).min(LAST));
    }
    let (date, rest) = text.split_at_checked(10)?;
    let days = days(date)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (time, rest) = rest.split_at_checked(8)?;
    let [hours, minutes, seconds] = numbers(time, ':')?;
    if hours > 23 || minutes > 59 || seconds > 60 {
        return None;
    }
    let (fraction, offset) = fraction(rest)?;
    let minutes = (days * 24 + hours) * 60 + minutes - offset_minutes(offset)?;
    Some(u64::try_from((minutes * 60 + seconds) * 1000 + fraction).unwrap_or_default())
}

/// The last time that JavaScript's clock can show.
const LAST: u64 = 8_640_000_000_000_000;

/// The days from 1970 to a date of the Gregorian calendar.
fn days(date: &str) -> Option<i64> {
    let (year, rest) = date.split_at_checked(4)?;
    let year: i64 = number(year)?;
    let [month, day] = numbers(rest.strip_prefix('-')?, '-')?;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // The year is counted from March, so that the leap day is its last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468)
}

/// The milliseconds of a fraction of a second, and the rest of the text.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let Some(rest) = text.strip_prefix('.') else { return Some((0, text)) };
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())?;
    let millis: String = digits.chars().chain("000".chars()).take(3).collect();
    Some((number(&millis)?, rest))
}

/// The minutes of an offset, such as 60 for `+01:00`. In the query of a URL, a `+` becomes a space.
fn offset_minutes(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = numbers(text.strip_prefix(['+', '-', ' '])?, ':')?;
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Numbers of two digits.
fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let parts = text.split(separator).map(|part| number(part).filter(|_| part.len() == 2));
    parts.collect::<Option<Vec<i64>>>()?.try_into().ok()
}

fn number(digits: &str) -> Option<i64> {
    let are_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    if are_digits { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn times() {
        for (text, expected) in [
            ("0", 0),
            ("1700000000000", 1_700_000_000_000),
            ("99999999999999999999", 8_640_000_000_000_000),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", 0),
            ("2026-11-23T01:02:03.456Z", 1_795_395_723_456),
            ("2026-11-23t01:02:03.456789z", 1_795_395_723_456),
            ("2026-11-23 02:02:03.4+01:00", 1_795_395_723_400),
            ("2026-11-22T20:02:03-05:00", 1_795_395_723_000),
            ("2026-11-23T02:02:03 01:00", 1_795_395_723_000),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ] {
            assert_eq!(millis(text), Some(expected), "{text}");
        }
        for wrong in [
            "",
            "-1",
            "1.5",
            "2026-11-23",
            "2026-11-23T01:02:03",
            "2026-11-23T01:02Z",
            "2026-11-31T01:02:03Z",
            "2026-02-29T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-11-23T01:02:03.Z",
            "2026-11-23T01:02:03+1:00",
            "2026-11-23T01:02:03Zx",
            "+026-11-23T01:02:03Z",
            "２026-11-23T01:02:03Z",
            "now",
        ] {
            assert_eq!(millis(wrong), None, "{wrong}");
        }
    }
}
