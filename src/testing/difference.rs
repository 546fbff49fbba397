//! The difference of two values, line by line.

use serde_json::Value;

/// The lines of two values as JSON: equal ones, those that only the expected value has after `- `, and those that only the
/// actual value has after `+ `. `None` if the values are equal.
pub(super) fn difference(expected: &Value, actual: &Value) -> Option<String> {
    if expected == actual {
        return None;
    }
    let (expected, actual) = (pretty(expected), pretty(actual));
    let lines = compare(&expected.lines().collect::<Vec<_>>(), &actual.lines().collect::<Vec<_>>());
    Some(format!("- expected\n+ actual\n\n{}", lines.join("\n")))
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Compares two texts by their longest common lines.
fn compare(mut expected: &[&str], mut actual: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    let rows = common_lengths(expected, actual);
    let common = |expected: &[&str], actual: &[&str]| {
        rows.get(expected.len()).and_then(|row| row.get(actual.len())).copied().unwrap_or_default()
    };
    loop {
        match (expected.split_first(), actual.split_first()) {
            (Some((line, rest)), Some((other, other_rest))) if line == other => {
                lines.push(format!("  {line}"));
                (expected, actual) = (rest, other_rest);
            }
            (Some((line, rest)), Some((_, other_rest)))
                if common(rest, actual) >= common(expected, other_rest) =>
            {
                lines.push(format!("- {line}"));
                expected = rest;
            }
            (_, Some((other, other_rest))) => {
                lines.push(format!("+ {other}"));
                actual = other_rest;
            }
            (Some((line, rest)), None) => {
                lines.push(format!("- {line}"));
                expected = rest;
            }
            (None, None) => return lines,
        }
    }
}

/// For each two lengths: how many lines the last lines of both texts have in common, in the same order.
fn common_lengths(expected: &[&str], actual: &[&str]) -> Vec<Vec<usize>> {
    let mut rows = vec![vec![0; actual.len() + 1]];
    for line in expected.iter().rev() {
        let before = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0];
        for (other, (shorter, longer)) in actual.iter().rev().zip(before.iter().zip(before.iter().skip(1))) {
            let beside = row.last().copied().unwrap_or_default();
            row.push(if line == other { shorter + 1 } else { beside.max(*longer) });
        }
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_lines_that_differ_are_marked() {
        let value = |text| serde_json::from_str(text).unwrap();
        let (expected, actual) = (value(r#"[1,{"a":1,"b":2},3]"#), value(r#"[1,{"a":1,"b":3},3,4]"#));
        let text = difference(&expected, &actual).unwrap();
        let marked: Vec<&str> = text.lines().skip(3).filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(marked, ["-     \"b\": 2", "+     \"b\": 3", "-   3", "+   3,", "+   4"]);
        assert_eq!(difference(&expected, &expected), None);
    }

    #[test]
    fn nothing_in_common_is_all_lines_of_both() {
        let text = difference(&Value::from(1), &Value::from("a")).unwrap();
        assert_eq!(text, "- expected\n+ actual\n\n- 1\n+ \"a\"");
    }
}
