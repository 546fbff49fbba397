//! A reader of JSON that returns values as their original text.
//!
//! It takes exactly the texts that serde_json takes, and finds the first mistake at the same place. It reads the text of every
//! event, and is the only reader in the package: a general one compiles to a visitor for each type.

use std::borrow::Cow;

use super::json_text::{MalformedJson, Member};

/// Reads a text from its beginning to its end.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
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
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// The next byte. At the end 0, which is nowhere in JSON.
    #[inline]
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    /// The mistake is the next byte.
    fn mistake(&self) -> Mistake {
        Mistake(self.text.len().min(self.at + 1))
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn white(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Mistake> {
        self.white();
        if self.eat(byte) { Ok(()) } else { Err(self.mistake()) }
    }

    /// Goes into an array or an object.
    pub(crate) fn enter(&mut self, open: u8) -> Result<(), Mistake> {
        self.expect(open)
    }

    /// Goes to the next item or member. Returns false at the end of the array or the object.
    pub(crate) fn next(&mut self, close: u8, is_first: bool) -> Result<bool, Mistake> {
        self.white();
        if self.eat(close) {
            return Ok(false);
        }
        if !is_first {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// Reads the name of a member, with its quotes, and the colon. Returns also whether the name has no escape.
    fn name(&mut self) -> Result<(&'a str, bool), Mistake> {
        self.white();
        let start = self.at;
        let is_plain = self.string()?;
        let end = self.at;
        self.expect(b':')?;
        Ok((self.text.get(start..end).unwrap_or_default(), is_plain))
    }

    /// Reads a value of any kind.
    pub(crate) fn value(&mut self) -> Result<&'a str, Mistake> {
        self.white();
        let start = self.at;
        // The brackets to close. A text with many of them must not need much of the stack.
        let mut open = Vec::new();
        loop {
            self.white();
            match self.peek() {
                b'{' => {
                    self.at += 1;
                    if self.next(b'}', true)? {
                        open.push(b'}');
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    if self.next(b']', true)? {
                        open.push(b']');
                        continue;
                    }
                }
                b'"' => drop(self.string()?),
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
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
                return Ok(self.text.get(start..self.at).unwrap_or_default());
            }
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
            let (name, is_plain) = self.name()?;
            visit(Member { name, is_plain, value: self.value()? });
        }
        Ok(())
    }

    /// Nothing may follow.
    pub(crate) fn end(&mut self) -> Result<(), Mistake> {
        self.white();
        if self.at == self.text.len() { Ok(()) } else { Err(self.mistake()) }
    }

    fn word(&mut self, word: &str) -> Result<(), Mistake> {
        if word.bytes().all(|byte| self.eat(byte)) { Ok(()) } else { Err(self.mistake()) }
    }

    fn number(&mut self) -> Result<(), Mistake> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        } else if self.peek().is_ascii_digit() {
            return Err(self.mistake());
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Mistake> {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.mistake()) }
    }

    /// Skips a string. Returns whether it has no escape.
    fn string(&mut self) -> Result<bool, Mistake> {
        if !self.eat(b'"') {
            return Err(self.mistake());
        }
        let mut is_plain = true;
        loop {
            self.at += plain_bytes(self.text.as_bytes().get(self.at..).unwrap_or_default());
            if self.eat(b'"') {
                return Ok(is_plain);
            }
            if !self.eat(b'\\') {
                return Err(Mistake(self.at));
            }
            is_plain = false;
            self.escape()?;
        }
    }

    /// Skips an escape, after its backslash.
    fn escape(&mut self) -> Result<(), Mistake> {
        if self.eat(b'u') {
            let Some(digits) = self.text.as_bytes().get(self.at..self.at + 4) else {
                return Err(Mistake(self.text.len()));
            };
            self.at += 4;
            return if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(Mistake(self.at)) };
        }
        if !b"\"\\/bfnrt".contains(&self.peek()) {
            return Err(self.mistake());
        }
        self.at += 1;
        Ok(())
    }
}

/// The number of bytes before the first one that ends a string, begins an escape, or must be escaped. It looks at eight bytes
/// at once, because most of the text of events lies in strings.
fn plain_bytes(bytes: &[u8]) -> usize {
    const EACH: u64 = u64::MAX / 255;
    let has_zero = |word: u64| word.wrapping_sub(EACH) & !word;
    let is_plain = |word: u64| {
        let is_control = word.wrapping_sub(EACH * 0x20) & !word;
        let found = is_control | has_zero(word ^ (EACH * 0x22)) | has_zero(word ^ (EACH * 0x5c));
        found & (EACH * 0x80) == 0
    };
    let (words, _) = bytes.as_chunks::<8>();
    let plain = 8 * words.iter().take_while(|word| is_plain(u64::from_le_bytes(**word))).count();
    let is_special = |byte: &u8| *byte < b' ' || matches!(byte, b'"' | b'\\');
    let rest = bytes.get(plain..).unwrap_or_default();
    plain + rest.iter().position(is_special).unwrap_or(rest.len())
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
    let (mut text, mut rest) = (String::with_capacity(inner.len()), inner);
    while let Some((plain, escaped)) = rest.split_once('\\') {
        text.push_str(plain);
        let (character, after) = unescaped(escaped)?;
        text.push(character);
        rest = after;
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

/// The character of an escape, and the text after it. `escaped` follows the backslash.
fn unescaped(escaped: &str) -> Option<(char, &str)> {
    let mut characters = escaped.chars();
    let character = match characters.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let (unit, rest) = hex(characters.as_str())?;
            if let Some(character) = char::from_u32(unit) {
                return Some((character, rest));
            }
            // A high surrogate needs a low one.
            let (low, rest) = hex(rest.strip_prefix("\\u")?)?;
            let high = unit.checked_sub(0xD800).filter(|high| *high < 0x400)?;
            let low = low.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
            return Some((char::from_u32(0x10000 + high * 0x400 + low)?, rest));
        }
        other => other,
    };
    Some((character, characters.as_str()))
}

/// The number of four hexadecimal digits, and the text after them.
fn hex(text: &str) -> Option<(u32, &str)> {
    let digits = text.get(..4)?;
    Some((u32::from_str_radix(digits, 16).ok()?, text.get(4..)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::{string_text, whole};
    use crate::store::MalformedJson;

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
            let read = whole(&text).map_err(|mistake| mistake.in_text(&text));
            let expected = serde_json::from_str::<&RawValue>(&text);
            let expected = expected.map(RawValue::get).map_err(|error| MalformedJson::from(&error));
            prop_assert_eq!(read, expected);
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
