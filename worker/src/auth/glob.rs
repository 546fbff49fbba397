//! Patterns of names: `*` matches any text, `?` matches any one character.

/// Whether the glob matches the whole text.
pub(super) fn matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.chars(), text.chars());
    // The place to continue from after a mismatch: there the last `*` takes one character more.
    let mut again = None;
    loop {
        let (part, rest) = (glob.next(), text.clone());
        let fits = match part {
            Some('*') => {
                again = Some((glob.clone(), rest));
                continue;
            }
            Some('?') => text.next().is_some(),
            Some(character) => text.next() == Some(character),
            None if rest.as_str().is_empty() => return true,
            None => false,
        };
        if fits {
            continue;
        }
        let Some((after, taken)) = &mut again else { return false };
        if taken.next().is_none() {
            return false;
        }
        (glob, text) = (after.clone(), taken.clone());
    }
}

/// The prefix of all texts that one of the globs matches.
pub(super) fn common_prefix(globs: &[String]) -> &str {
    let begins = |glob: &'_ str| glob.find(['*', '?']).unwrap_or(glob.len());
    let mut prefixes = globs.iter().filter_map(|glob| glob.get(..begins(glob)));
    let Some(first) = prefixes.next() else { return "" };
    prefixes.fold(first, |common, prefix| {
        let same = common.bytes().zip(prefix.bytes()).take_while(|(one, other)| one == other).count();
        common.get(..common.floor_char_boundary(same)).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::{common_prefix, matches};

    #[test]
    fn a_pattern_has_the_prefix_of_its_names() {
        for (globs, prefix) in [
            (&[][..], ""),
            (&["order-*"], "order-"),
            (&["order-*", "order-1?"], "order-"),
            (&["order-1", "ordinary"], "ord"),
            (&["\u{e9}a", "\u{e8}a"], ""),
            (&["order-*", "*"], ""),
        ] {
            let globs: Vec<_> = globs.iter().map(|glob| (*glob).to_owned()).collect();
            assert_eq!(common_prefix(&globs), prefix, "{globs:?}");
        }
    }

    #[test]
    fn globs() {
        for (glob, fitting, others) in [
            ("", &[""][..], &["a"][..]),
            ("account", &["account"], &["accounts", "Account", "accoun", ""]),
            ("account-*", &["account-", "account-1", "account-1-2"], &["account", "my-account-1"]),
            ("*-1", &["-1", "a-1", "-1-1"], &["a-11", "1"]),
            ("a*b*c", &["abc", "aXbYc", "abbcbc", "a*b*c"], &["acb", "abcd", "ab"]),
            ("a?c", &["abc", "a\u{e9}c", "a?c"], &["ac", "abbc"]),
            ("*?", &["a", "ab"], &[""]),
            ("**", &["", "a*"], &[]),
            ("*aab", &["aaab", "aabaab"], &["aaba"]),
        ] {
            for text in fitting {
                assert!(matches(glob, text), "{glob} {text}");
            }
            for text in others {
                assert!(!matches(glob, text), "{glob} {text}");
            }
        }
    }
}
