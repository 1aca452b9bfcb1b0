use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2, memchr3, memmem};
use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesText};
use quick_xml::name::QName;

/// Splits a document into its parts, which stay where they are.
///
/// quick-xml's own reader does the same; it stands behind half of the time of reading a reply, because it checks the
/// UTF-8 of each part anew and keeps copies of the names. Here the document is known to be text. A test compares both.
pub(super) struct Scanner<'x> {
    input: &'x str,
    position: usize,
    /// Names of the elements that are open.
    open: Vec<&'x str>,
}

/// A part of a document. Comments and processing instructions are passed over.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'x> {
    /// A start tag.
    Start(Tag<'x>),
    /// A tag of an element without content: its end tag is not told.
    Empty(Tag<'x>),
    /// An end tag, and the offset at which it starts.
    End(usize),
    /// Text as it is written.
    Text(&'x str),
    /// The content of a CDATA section.
    Characters(&'x str),
    /// The start of a DOCTYPE. What comes next is not known.
    Doctype,
    /// The end of the document.
    Nothing,
}

impl<'x> Scanner<'x> {
    pub(super) fn new(input: &'x str) -> Self {
        Self {
            input,
            position: 0,
            open: Vec::with_capacity(16),
        }
    }

    /// How many bytes have been read.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The text of the element that is open, where nothing but text stands between its tags. It is closed then.
    pub(super) fn leaf(&mut self) -> Option<&'x str> {
        let rest = &self.input[self.position..];
        let end = next_tag(rest.as_bytes())?;
        let name = rest.as_bytes()[end..].strip_prefix(b"</")?;
        let length = self.closes(name)?;
        self.open.pop();
        self.position += end + 2 + length;
        Some(&rest[..end])
    }

    /// How long the name and `>` of an end tag are, if it is the one of the element that is open.
    fn closes(&self, name: &[u8]) -> Option<usize> {
        let open = self.open.last()?;
        name.strip_prefix(open.as_bytes())?
            .first()
            .filter(|byte| **byte == b'>')?;
        Some(open.len() + 1)
    }

    /// The part that comes next, or what is wrong with it. Text is passed over unless it is wanted.
    pub(super) fn next(&mut self, text: bool) -> Result<Part<'x>, &'static str> {
        loop {
            let start = self.position;
            let rest = &self.input[start..];
            let bytes = rest.as_bytes();
            match bytes {
                [] => return Ok(Part::Nothing),
                [b'<', b'/', name @ ..] => {
                    if let Some(length) = self.closes(name) {
                        self.open.pop();
                        self.position += length + 2;
                        return Ok(Part::End(start));
                    }
                    let end = memchr(b'>', bytes).ok_or("an end tag is not closed")?;
                    let name = rest[2..end].trim_ascii_end();
                    if self.open.pop() != Some(name) {
                        return Err("an end tag does not belong to the element that is open");
                    }
                    self.position += end + 1;
                    return Ok(Part::End(start));
                }
                [b'<', b'?', ..] => {
                    let mut ends = memchr_iter(b'>', bytes).filter(|end| bytes[end - 1] == b'?');
                    let end = ends.find(|end| *end > 2);
                    self.position += end.ok_or("an instruction is not closed")? + 1;
                }
                [b'<', b'!', b'-', b'-', ..] => {
                    let length = memmem::find(&bytes[4..], b"-->");
                    self.position += length.ok_or("a comment is not closed")? + 7;
                }
                [b'<', b'!', ..] => {
                    const CDATA: &str = "<![CDATA[";
                    if let Some(section) = rest.strip_prefix(CDATA) {
                        let length = memmem::find(section.as_bytes(), b"]]>");
                        let length = length.ok_or("a CDATA section is not closed")?;
                        self.position += CDATA.len() + length + 3;
                        if text {
                            return Ok(Part::Characters(&section[..length]));
                        }
                        continue;
                    }
                    let is_doctype = |word: &[u8]| word.eq_ignore_ascii_case(b"DOCTYPE");
                    return match bytes[2..].get(..7).is_some_and(is_doctype) {
                        true => Ok(Part::Doctype),
                        false => Err("`<!` starts nothing that is known"),
                    };
                }
                [b'<', ..] => {
                    let name = Name::of(&bytes[1..]);
                    let end = end_of_tag(bytes, name.length + 1).ok_or("a tag is not closed")?;
                    self.position += end + 1;
                    let is_empty = bytes[end - 1] == b'/';
                    let text = &rest[1..end - usize::from(is_empty)];
                    let tag = Tag::new(text, name);
                    if is_empty {
                        return Ok(Part::Empty(tag));
                    }
                    self.open.push(tag.name());
                    return Ok(Part::Start(tag));
                }
                _ => {
                    let length = next_tag(bytes).unwrap_or(bytes.len());
                    self.position += length;
                    if text {
                        return Ok(Part::Text(&rest[..length]));
                    }
                }
            }
        }
    }
}

/// Where the next tag starts.
fn next_tag(bytes: &[u8]) -> Option<usize> {
    find(bytes, b'<')
}

/// Where the first such byte is. What is looked for is near most of the time.
fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    match first(bytes.get(..SHORT).unwrap_or(bytes), |word| {
        equal(word, byte)
    }) {
        None => Some(memchr(byte, bytes.get(SHORT..)?)? + SHORT),
        found => found,
    }
}

/// Where the `>` of a tag is that does not belong to the value of an attribute, from `at` on.
fn end_of_tag(bytes: &[u8], mut at: usize) -> Option<usize> {
    let end = at + find(&bytes[at..], b'>')?;
    // It is the first one unless that stands between quotes.
    let (mut open, mut single) = (0, 0);
    for byte in &bytes[at..end] {
        open ^= u8::from(*byte == b'"');
        single |= u8::from(*byte == b'\'');
    }
    if open | single == 0 {
        return Some(end);
    }
    loop {
        at += memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        if bytes[at] == b'>' {
            return Some(at);
        }
        at += memchr(bytes[at], &bytes[at + 1..])? + 2;
    }
}

/// What stands between `<` and `>` of a start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'x> {
    text: &'x str,
    /// Where the name without its prefix starts, and where it ends.
    local: usize,
    end: usize,
}

/// The name that a tag starts with, up to a blank, `>` or quote: nothing else can hide the end of the tag.
struct Name {
    length: usize,
    /// Where it starts without its prefix.
    local: usize,
}

impl Name {
    fn of(bytes: &[u8]) -> Self {
        let mut length = 0;
        loop {
            let rest = &bytes[length..];
            length +=
                first(rest, |word| equal(word, b'>') | less(word, b'\'' + 1)).unwrap_or(rest.len());
            match bytes.get(length) {
                // No name has one of these, but cameras have surprised before.
                Some(b'!' | b'#'..=b'&') => length += 1,
                _ => break,
            }
        }
        let colon = first(&bytes[..length], |word| equal(word, b':'));
        let local = colon.map_or(0, |colon| colon + 1);
        Self { length, local }
    }
}

/// How many bytes are searched before a search with vectors is worth being set up.
const SHORT: usize = 32;

/// Where the first byte is that `mark` marks with its highest bit, of eight bytes at a time.
fn first(bytes: &[u8], mark: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let find = |word| match mark(word) {
        0 => None,
        marked => Some(marked.trailing_zeros() as usize / 8),
    };
    for (number, word) in words.iter().enumerate() {
        if let Some(at) = find(u64::from_le_bytes(*word)) {
            return Some(number * 8 + at);
        }
    }
    let last = rest
        .iter()
        .rev()
        .fold(u64::MAX, |word, byte| (word << 8) | u64::from(*byte));
    Some(words.len() * 8 + find(last)?)
}

const ONES: u64 = u64::MAX / 255;

/// Marks bytes of the word that are less than one that is at most 128. What is above the first may be marked by mistake.
fn less(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(byte)) & !word & (ONES << 7)
}

/// Marks bytes of the word that equal this one, in the same way.
fn equal(word: u64, byte: u8) -> u64 {
    less(word ^ (ONES * u64::from(byte)), 1)
}

impl<'x> Tag<'x> {
    /// The tag of this text, which starts with this name.
    fn new(text: &'x str, name: Name) -> Self {
        // The slash of an empty element is no part of it.
        let end = name.length.min(text.len());
        let local = name.local.min(end);
        Self { text, local, end }
    }

    pub(super) fn name(self) -> &'x str {
        &self.text[..self.end]
    }

    /// Empty if there is none.
    pub(super) fn prefix(self) -> &'x str {
        &self.text[..self.local.saturating_sub(1)]
    }

    pub(super) fn local_name(self) -> &'x str {
        &self.text[self.local..self.end]
    }

    /// How many bytes the name has without its prefix.
    #[inline]
    pub(super) fn local_length(self) -> usize {
        self.end - self.local
    }

    pub(super) fn attributes(self) -> Attributes<'x> {
        Attributes {
            rest: &self.text[self.end..],
        }
    }
}

/// Where the first byte from `at` on is that is not passed.
fn skip(bytes: &[u8], at: usize, passed: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|byte| !passed(*byte))
        .unwrap_or(rest.len())
}

/// Where the name of an attribute ends that starts at `start`.
fn end_of_name(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let length = first(rest, |word| equal(word, b'=') | less(word, b' ' + 1));
    start + length.unwrap_or(rest.len())
}

/// Control characters are none in XML, and stand for blanks where they come.
fn is_blank(byte: u8) -> bool {
    byte <= b' '
}

/// Names and values of attributes as they are written, also those without quotes.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'x> {
    rest: &'x str,
}

impl<'x> Attributes<'x> {
    /// The text that is left.
    pub(super) fn rest(&self) -> &'x str {
        self.rest
    }
}

impl<'x> Iterator for Attributes<'x> {
    type Item = (&'x str, &'x str);

    fn next(&mut self) -> Option<Self::Item> {
        let text = std::mem::take(&mut self.rest);
        let bytes = text.as_bytes();
        let mut at = 0;
        let name = loop {
            let start = skip(bytes, at, is_blank);
            let end = end_of_name(bytes, start);
            at = skip(bytes, end, is_blank);
            // A word without a value is passed over.
            if *bytes.get(at)? == b'=' {
                break &text[start..end];
            }
        };
        let start = skip(bytes, at + 1, is_blank);
        let (value, end) = match *bytes.get(start)? {
            quote @ (b'"' | b'\'') => {
                let end = find(&bytes[start + 1..], quote)? + start + 1;
                (&text[start + 1..end], end + 1)
            }
            _ => {
                let end = skip(bytes, start, |byte| !is_blank(byte));
                (&text[start..end], end)
            }
        };
        self.rest = &text[end..];
        Some((name, value))
    }
}

/// The value of an attribute without references, and with blanks for line breaks.
pub(super) fn attribute_value(written: &str) -> Cow<'_, str> {
    let is_special = |byte: u8| matches!(byte, b'&' | b'\t' | b'\r' | b'\n');
    if !written.bytes().any(is_special) {
        return Cow::Borrowed(written);
    }
    let attribute = Attribute {
        key: QName(""),
        value: Cow::Borrowed(written),
    };
    match attribute.normalized_value(XmlVersion::Implicit1_0) {
        Ok(value) => Cow::Owned(value.into_owned()),
        // A bare `&`: take what stands there.
        Err(_) => Cow::Borrowed(written),
    }
}

/// Text without references, and with the line breaks that XML knows.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let special = match bytes.len() {
        ..=SHORT => first(bytes, |word| equal(word, b'&') | equal(word, b'\r')),
        _ => memchr2(b'&', b'\r', bytes),
    };
    if special.is_none() {
        return Cow::Borrowed(text);
    }
    let text = BytesText::from_escaped(text).xml10_content();
    let mut result = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(start) = memchr(b'&', rest.as_bytes()) {
        result.push_str(&rest[..start]);
        rest = &rest[start + 1..];
        // A bare `&` stays what it is: URIs have them in replies of cheap cameras.
        let end = memchr2(b';', b'&', rest.as_bytes()).filter(|end| rest.as_bytes()[*end] == b';');
        let Some(end) = end else {
            result.push('&');
            continue;
        };
        let name = &rest[..end];
        match BytesRef::new(name).resolve_char_ref() {
            Ok(Some(character)) => result.push(character),
            _ => match resolve_predefined_entity(name) {
                Some(known) => result.push_str(known),
                // There are no other entities without a DTD: a camera forgot to escape.
                None => {
                    result.push('&');
                    continue;
                }
            },
        }
        rest = &rest[end + 1..];
    }
    result.push_str(rest);
    Cow::Owned(result)
}

/// Line breaks as XML knows them, in text that has no references.
pub(super) fn normalize(text: &str) -> Cow<'_, str> {
    match memchr(b'\r', text.as_bytes()) {
        None => Cow::Borrowed(text),
        Some(_) => BytesText::from_escaped(text)
            .xml10_content()
            .into_owned()
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use quick_xml::events::Event;

    use super::*;

    /// The parts of a document in words, with what ends it.
    fn parts(document: &str) -> Vec<String> {
        let mut scanner = Scanner::new(document);
        let mut parts = Vec::new();
        loop {
            match scanner.next(true) {
                Ok(Part::Start(tag)) => parts.push(format!("start {}", tag.text)),
                Ok(Part::Empty(tag)) => parts.push(format!("empty {}", tag.text)),
                Ok(Part::End(_)) => parts.push("end".to_owned()),
                Ok(Part::Text(text)) => parts.push(format!("text {text}")),
                Ok(Part::Characters(text)) => parts.push(format!("characters {text}")),
                Ok(Part::Nothing) => return parts,
                Ok(Part::Doctype) | Err(_) => {
                    parts.push("refused".to_owned());
                    return parts;
                }
            }
        }
    }

    fn parts_by_quick_xml(document: &str) -> Vec<String> {
        let mut reader = quick_xml::Reader::from_str(document);
        reader.config_mut().allow_dangling_amp = true;
        let mut parts: Vec<String> = Vec::new();
        let mut in_text = false;
        loop {
            let event = reader.read_event();
            let text = match &event {
                Ok(Event::Text(text)) => Some(text.to_string()),
                Ok(Event::GeneralRef(name)) => Some(format!("&{};", &**name)),
                _ => None,
            };
            let went_on = std::mem::replace(&mut in_text, text.is_some());
            match (event, text) {
                (_, Some(text)) if went_on => parts.last_mut().unwrap().push_str(&text),
                (_, Some(text)) => parts.push(format!("text {text}")),
                (Ok(Event::Start(tag)), _) => parts.push(format!("start {}", &*tag)),
                (Ok(Event::Empty(tag)), _) => parts.push(format!("empty {}", &*tag)),
                (Ok(Event::End(_)), _) => parts.push("end".to_owned()),
                (Ok(Event::CData(text)), _) => parts.push(format!("characters {}", &*text)),
                (Ok(Event::Eof), _) => return parts,
                (Ok(Event::DocType(_)) | Err(_), _) => {
                    parts.push("refused".to_owned());
                    return parts;
                }
                (Ok(_), _) => {}
            }
        }
    }

    fn documents(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                documents(&path, found);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push(text.trim_start_matches('\u{feff}').to_owned());
            }
        }
    }

    #[test]
    fn documents_and_what_is_left_of_them_are_split_as_quick_xml_does() {
        let mut found = Vec::new();
        documents(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds"),
            &mut found,
        );
        assert!(found.len() > 20, "{}", found.len());
        // What makes a difference to a scanner, put where it does not belong.
        let pieces = [
            "<",
            ">",
            "</",
            "/>",
            "&",
            ";",
            "\"",
            "'",
            "<!--",
            "-->",
            "<![CDATA[",
            "]]>",
            "<?",
            "?>",
            "<!",
            "<!DOCTYPE",
            " ",
            "é",
            "=",
            "<a>",
            "</a>",
            "<a/>",
            "<a b='>'/>",
        ];
        let mut random = 7u32;
        let mut draw = |limit: usize| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random as usize / 7 % limit.max(1)
        };
        for document in &found {
            assert_eq!(parts(document), parts_by_quick_xml(document));
            for _ in 0..100 {
                let mut spoiled = document.clone();
                for _ in 0..=draw(2) {
                    let at = (0..=draw(spoiled.len()))
                        .rev()
                        .find(|at| spoiled.is_char_boundary(*at));
                    let at = at.unwrap_or_default();
                    match draw(4) {
                        0 => spoiled.truncate(at),
                        1 if at < spoiled.len() => drop(spoiled.remove(at)),
                        _ => spoiled.insert_str(at, pieces[draw(pieces.len())]),
                    }
                }
                assert_eq!(parts(&spoiled), parts_by_quick_xml(&spoiled), "{spoiled}");
            }
        }
    }

    #[test]
    fn a_byte_is_found_wherever_it_stands_among_any_others() {
        for length in 0..20 {
            for at in 0..length {
                for other in 0..=u8::MAX {
                    let mut bytes = vec![other; length];
                    bytes[at] = b'<';
                    let found = bytes.iter().position(|byte| *byte == b'<');
                    assert_eq!(first(&bytes, |word| equal(word, b'<')), found);
                    let found = bytes.iter().position(|byte| *byte < b'=');
                    assert_eq!(first(&bytes, |word| less(word, b'=')), found);
                }
            }
            assert_eq!(first(&vec![b'='; length], |word| equal(word, b'<')), None);
        }
    }

    #[test]
    fn attributes_are_found_as_quick_xml_finds_them_and_where_it_does_not() {
        let found = |tag: &str| -> Vec<String> {
            let attributes = Tag::new(tag, Name::of(tag.as_bytes())).attributes();
            attributes
                .map(|(name, value)| format!("{name}|{}", attribute_value(value)))
                .collect()
        };
        for tag in [
            "a",
            "a ",
            "a b='1' c:d=\"2 ' 3\"",
            "a\r\n\tb = '1'\nxmlns='urn:x'  xmlns:y = \"u\"",
            "a b='&lt;&#65;\t\n&amp;' c=''",
            "a b='é>/' c='d'",
        ] {
            let start = quick_xml::events::BytesStart::from_content(tag, 1);
            let theirs: Vec<String> = start
                .attributes()
                .map(|attribute| attribute.unwrap())
                .map(|a| {
                    let value = a.normalized_value(XmlVersion::Implicit1_0).unwrap();
                    format!("{}|{value}", a.key.into_inner())
                })
                .collect();
            assert_eq!(found(tag), theirs, "{tag}");
        }
        assert_eq!(found("a b c='1' d=2 e='3'"), ["c|1", "d|2", "e|3"]);
        assert_eq!(found("a uri='?a=1&b=2'"), ["uri|?a=1&b=2"]);
        for broken in ["a =", "a b=", "a b='", "a b", "a ="] {
            assert_eq!(found(broken), [""; 0], "{broken}");
        }
    }

    #[test]
    fn references_are_resolved_and_what_is_none_stays() {
        for (written, meant) in [
            ("a &amp; b &lt;&#65;&#x42;&gt;", "a & b <AB>"),
            ("?a=1&b=2&c;&d", "?a=1&b=2&c;&d"),
            ("&&amp;;&;", "&&;&;"),
            ("&#xD800;&#0;&#;", "&#xD800;&#0;&#;"),
            ("one\r\ntwo\rthree&#13;", "one\ntwo\nthree\r"),
        ] {
            assert_eq!(unescape(written), meant);
        }
        assert_eq!(normalize("a\r\n&amp;"), "a\n&amp;");
    }
}
