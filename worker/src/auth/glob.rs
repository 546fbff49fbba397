//! Patterns of names: `*` stands for any text, `?` for any one character.

/// Whether the glob fits the whole text.
pub(super) fn matches(glob: &str, text: &str) -> bool {
    let (mut glob, mut text) = (glob.chars(), text.chars());
    // Where to go on when what follows the last `*` does not fit: there that `*` takes one character more.
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

#[cfg(test)]
mod tests {
    use super::matches;

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
