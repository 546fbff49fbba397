//! A reader of JSON that returns values as their original text.
//!
//! The crate `hifijson` reads the tokens. Here they become values and members. A reader that makes values of Rust types, as
//! `serde_json` does, compiles to a visitor for each type: it would be a tenth of the package.

use std::borrow::Cow;

use hifijson::num::Lex as _;
use hifijson::str::{Lex as _, LexAlloc as _};
use hifijson::token::Lex as _;
use hifijson::{Read as _, SliceLexer};

use super::json_text::{MalformedJson, Member};

/// Reads a text from its beginning to its end.
pub(crate) struct Reader<'a> {
    text: &'a str,
    lexer: SliceLexer<'a>,
}

/// The text is not JSON, or not the expected kind of value. It has the number of bytes up to the mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mistake(usize);

impl Mistake {
    /// The place of the mistake in the text.
    pub(crate) fn in_text(self, text: &str) -> MalformedJson {
        let before = text.as_bytes().get(..self.0).unwrap_or_default();
        let breaks = before.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let (lines, start) = breaks.fold((0, 0), |(lines, _), (place, _)| (lines + 1, place + 1));
        MalformedJson { line: lines + 1, column: before.len() - start }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, lexer: SliceLexer::new(text.as_bytes()) }
    }

    /// The number of bytes that were read.
    fn at(&self) -> usize {
        self.text.len().saturating_sub(self.lexer.as_slice().len())
    }

    /// The mistake is the next byte.
    fn mistake(&self) -> Mistake {
        Mistake(self.text.len().min(self.at() + 1))
    }

    /// The text from a place to the last byte that was read.
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at()).unwrap_or_default()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Mistake> {
        self.lexer.expect(SliceLexer::ws_peek, byte).ok_or_else(|| self.mistake())
    }

    /// Goes into an array or an object.
    pub(crate) fn enter(&mut self, open: u8) -> Result<(), Mistake> {
        self.expect(open)
    }

    /// Goes to the next item or member. Returns false at the end of the array or the object.
    pub(crate) fn next(&mut self, close: u8, is_first: bool) -> Result<bool, Mistake> {
        if self.lexer.expect(SliceLexer::ws_peek, close).is_some() {
            return Ok(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Reads the name of a member, with its quotes, and the colon.
    fn name(&mut self) -> Result<&'a str, Mistake> {
        self.lexer.eat_whitespace();
        let start = self.at();
        self.string()?;
        let name = self.since(start);
        self.expect(b':')?;
        Ok(name)
    }

    fn string(&mut self) -> Result<(), Mistake> {
        self.expect(b'"')?;
        self.lexer.str_ignore().map_err(|_| self.mistake())
    }

    /// Reads a value of any kind.
    pub(crate) fn value(&mut self) -> Result<&'a str, Mistake> {
        self.lexer.eat_whitespace();
        let start = self.at();
        // The brackets to close. A text with many of them must not need much of the stack.
        let mut open = Vec::new();
        loop {
            match self.lexer.ws_peek() {
                Some(b'{') => {
                    self.lexer.take_next();
                    if self.next(b'}', true)? {
                        open.push(b'}');
                        self.name()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.lexer.take_next();
                    if self.next(b']', true)? {
                        open.push(b']');
                        continue;
                    }
                }
                next => self.scalar(next)?,
            }
            while let Some(close) = open.last() {
                if self.next(*close, false)? {
                    if *close == b'}' {
                        self.name()?;
                    }
                    break;
                }
                open.pop();
            }
            if open.is_empty() {
                return Ok(self.since(start));
            }
        }
    }

    /// Reads a value that contains no other. It begins with the byte `next`.
    fn scalar(&mut self, next: Option<u8>) -> Result<(), Mistake> {
        match next {
            Some(b'"') => self.string(),
            Some(b'n' | b't' | b'f') => self.lexer.null_or_bool().map(drop).ok_or_else(|| self.mistake()),
            _ => self.lexer.num_ignore().validate().map(drop).map_err(|_| self.mistake()),
        }
    }

    /// Reads an object. Writes the members with these names to `found`. Returns the first other member, or the first one that
    /// is there twice, if there is one.
    pub(crate) fn find_members(
        &mut self,
        names: &[&str],
        found: &mut [Option<&'a str>],
    ) -> Result<Option<Member<'a>>, Mistake> {
        let mut other = None;
        self.members(&mut |member| {
            let known = found.iter_mut().zip(names).find(|(_, name)| member.is_named(name));
            let is_first = known.is_some_and(|(value, _)| value.replace(member.value).is_none());
            if !is_first && other.is_none() {
                other = Some(member);
            }
        })?;
        Ok(other)
    }

    /// Calls `visit` with each member of an object.
    pub(crate) fn members(&mut self, visit: &mut dyn FnMut(Member<'a>)) -> Result<(), Mistake> {
        self.enter(b'{')?;
        let mut is_first = true;
        while self.next(b'}', is_first)? {
            is_first = false;
            let name = self.name()?;
            visit(Member { name, value: self.value()? });
        }
        Ok(())
    }

    /// Nothing may follow.
    pub(crate) fn end(&mut self) -> Result<(), Mistake> {
        if self.lexer.ws_peek().is_none() { Ok(()) } else { Err(self.mistake()) }
    }
}

/// Reads a whole text as one value.
pub(crate) fn whole(text: &str) -> Result<&str, Mistake> {
    let mut reader = Reader::new(text);
    let value = reader.value()?;
    reader.end()?;
    Ok(value)
}

/// Reads an array of objects with these members and no others. `read` returns `None` if a member is missing or has a wrong
/// value.
///
/// # Errors
/// The error says what is wrong.
pub(crate) fn objects<'a, T, const N: usize>(
    array: &'a str,
    names: [&str; N],
    read: fn([Option<&'a str>; N]) -> Option<T>,
) -> Result<Vec<T>, String> {
    let (mut reader, mut objects) = (Reader::new(array), Vec::new());
    let mut read_all = || {
        reader.enter(b'[')?;
        while reader.next(b']', objects.is_empty())? {
            let mut found = [None; N];
            let other = reader.find_members(&names, &mut found)?;
            let Some(object) = read(found).filter(|_| other.is_none()) else { return Ok(false) };
            objects.push(object);
        }
        reader.end().map(|()| true)
    };
    match read_all() {
        Ok(true) => Ok(objects),
        Ok(false) => Err("an object in its text has not the right members".to_owned()),
        Err(mistake) => Err(format!("its text {}", mistake.in_text(array))),
    }
}

/// The text of a JSON string. It is borrowed if it has no escapes. Returns `None` if the JSON is no string, or if the string is
/// not well-formed Unicode.
///
/// ```
/// use sillok::store::string_text;
///
/// assert_eq!(string_text(r#""say \u0022hello\"""#).as_deref(), Some("say \"hello\""));
/// assert_eq!(string_text(r#""\ud83d""#), None);
/// assert_eq!(string_text("1"), None);
/// ```
#[must_use]
pub fn string_text(json: &str) -> Option<Cow<'_, str>> {
    decoded(whole(json).ok()?)
}

/// The text of a JSON string, of JSON that was read before.
pub(crate) fn decoded(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    SliceLexer::new(json.as_bytes()).discarded().str_string().ok()
}

// `proptest` is there natively only.
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::{string_text, whole};

    /// Texts that are JSON, nearly JSON, or made of its parts.
    fn texts() -> impl Strategy<Value = String> {
        const PARTS: &[&str] = &[
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\ude00", "00e9", "\\n", "\\x", "a",
            "\"a\"", "é", "\u{1}", "\n", " ", "\t", "\r", "0", "1", "12", "-", ".", "e", "E", "+", "1.5e-7",
            "true", "false", "null", "nul", "t", "{\"a\":", "[1,", "{}", "[]", "\"\\\\\"", "\u{7f}", "😀",
        ];
        proptest::collection::vec(proptest::sample::select(PARTS), 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn it_takes_what_serde_json_takes(text in texts()) {
            let expected = serde_json::from_str::<&RawValue>(&text);
            prop_assert_eq!(whole(&text).ok(), expected.ok().map(RawValue::get));
        }

        #[test]
        fn it_decodes_strings_as_serde_json_does(text in texts()) {
            let json = format!("\"{text}\"");
            prop_assert_eq!(string_text(&json).map(String::from), serde_json::from_str::<String>(&json).ok());
            prop_assert_eq!(string_text(&text).map(String::from), serde_json::from_str::<String>(&text).ok());
        }
    }

    #[test]
    fn it_reads_many_brackets() {
        let text = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(whole(&text), Ok(&*text));
    }
}
