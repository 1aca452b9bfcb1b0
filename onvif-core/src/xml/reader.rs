mod bindings;
mod element;
mod limits;

use std::borrow::Cow;
use std::sync::Arc;

use self::bindings::Bindings;
pub use self::element::Element;
pub use self::limits::{DecodeError, Limits};
use self::limits::{MAX_NAME, within};
use super::namespace;
use super::scanner::{Part, Scanner, Tag, normalize, unescape};

/// A cursor over one document.
pub struct Reader<'x> {
    scanner: Scanner<'x>,
    bindings: Bindings<'x>,
    /// The same without what is hidden, while it is true.
    declarations: Option<Declarations>,
    /// What the last prefixes stand for, while it is true: documents use two or three of dozens that they declare.
    resolved: Vec<(&'x str, Namespace)>,
    input: &'x str,
    limits: Limits,
    depth: usize,
    /// The least depth of an element that nobody had a use for.
    unknown: usize,
    /// Whether the reader is in an element without an end tag.
    in_empty: bool,
    elements: usize,
    memory: usize,
}

impl<'x> Reader<'x> {
    /// Starts to read `input` with the default limits.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] when the document is larger than a document may be.
    pub fn new(input: &'x str) -> Result<Self, DecodeError> {
        Self::with_limits(input, Limits::default())
    }

    /// Starts to read `input` with limits of the caller.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] when the document is larger than `limits.bytes`.
    pub fn with_limits(input: &'x str, limits: Limits) -> Result<Self, DecodeError> {
        if input.len() > limits.bytes {
            return Err(DecodeError::TooLarge {
                what: "bytes",
                limit: limits.bytes,
            });
        }
        let input = input.trim_start_matches(|c: char| c == '\u{feff}' || is_padding(c));
        Ok(Self {
            scanner: Scanner::new(input),
            bindings: Bindings::new(),
            declarations: None,
            resolved: Vec::with_capacity(MAX_RESOLVED),
            input,
            limits,
            depth: 0,
            unknown: usize::MAX,
            in_empty: false,
            elements: 0,
            memory: 0,
        })
    }

    /// The root element.
    ///
    /// # Errors
    /// When there is none, or what stands before it is not XML.
    pub fn root(&mut self) -> Result<Element<'_, 'x>, DecodeError> {
        loop {
            match self.next(0, true)? {
                Token::Start(tag) => return Ok(Element::new(self, tag)),
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(_) | Token::End(_) => {
                    return Err(self.malformed("text before the root element"));
                }
            }
        }
    }

    fn malformed(&self, reason: &str) -> DecodeError {
        DecodeError::Malformed {
            position: u64::try_from(self.scanner.position()).unwrap_or(u64::MAX),
            reason: reason.to_owned(),
        }
    }

    /// What comes next for an element at depth `level`: a child, its end, or its text where that is wanted. Everything
    /// else is passed over.
    fn next(&mut self, level: usize, want_text: bool) -> Result<Token<'x>, DecodeError> {
        loop {
            if self.in_empty {
                self.in_empty = false;
                self.depth -= 1;
                if self.depth < level {
                    return Ok(Token::End(self.scanner.position()));
                }
            }
            if self.bindings.leave(self.depth) {
                self.forget();
            }
            let want_text = want_text && self.depth == level;
            let part = match self.scanner.next(want_text) {
                Ok(part) => part,
                Err(reason) => return Err(self.malformed(reason)),
            };
            match part {
                Part::Start(tag) => {
                    self.enter(tag)?;
                    if self.depth == level + 1 {
                        return Ok(Token::Start(tag));
                    }
                }
                Part::Empty(tag) => {
                    self.enter(tag)?;
                    self.in_empty = true;
                    if self.depth == level + 1 {
                        return Ok(Token::Start(tag));
                    }
                }
                Part::End(start) => {
                    self.depth -= 1;
                    if self.depth < level {
                        return Ok(Token::End(start));
                    }
                }
                Part::Text(text) => return self.text(unescape(text)),
                Part::Characters(text) => return self.text(normalize(text)),
                Part::Doctype => return Err(DecodeError::Doctype),
                Part::Nothing => {
                    return Err(self.malformed("the document ends before its elements are closed"));
                }
            }
        }
    }

    /// Goes into the element of a tag.
    fn enter(&mut self, tag: Tag<'x>) -> Result<(), DecodeError> {
        self.depth += 1;
        self.elements += 1;
        let limits = self.limits;
        within(self.depth, limits.depth, "levels of nesting")?;
        within(self.elements, limits.elements, "elements")?;
        within(tag.name().len(), MAX_NAME, "bytes of a name")?;
        let attributes = tag.attributes();
        if !attributes.rest().is_empty() && self.bindings.declare(attributes, self.depth, limits)? {
            self.forget();
        }
        Ok(())
    }

    /// Forgets what was true for other declarations.
    fn forget(&mut self) {
        self.declarations = None;
        self.resolved.clear();
    }

    /// The namespace of an element, from what is remembered.
    fn resolve(&mut self, prefix: &'x str) -> Namespace {
        if let Some((_, known)) = self.resolved.iter().find(|(known, _)| *known == prefix) {
            return *known;
        }
        let uri = self.bindings.namespace_of(prefix);
        let namespace = match uri {
            None => Namespace::None,
            Some(uri) => namespace::place_of(uri).map_or(Namespace::Foreign, Namespace::Known),
        };
        if self.resolved.len() == MAX_RESOLVED {
            self.resolved.clear();
        }
        self.resolved.push((prefix, namespace));
        namespace
    }

    fn text(&self, text: Cow<'x, str>) -> Result<Token<'x>, DecodeError> {
        self.check_text(&text)?;
        Ok(Token::Text(text))
    }

    fn check_text(&self, text: &str) -> Result<(), DecodeError> {
        within(text.len(), self.limits.text, "bytes of text")
    }

    fn append(&self, all: &mut String, text: &str) -> Result<(), DecodeError> {
        within(all.len() + text.len(), self.limits.text, "bytes of text")?;
        all.push_str(text);
        Ok(())
    }
}

/// Prefixes with the namespaces they stand for; the default namespace has the empty prefix.
pub(crate) type Declarations = Arc<[(Box<str>, Box<str>)]>;

enum Token<'x> {
    Start(Tag<'x>),
    /// Carries the offset at which the end tag starts.
    End(usize),
    Text(Cow<'x, str>),
}

/// What an element's name belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Namespace {
    /// None, or the prefix is not declared.
    None,
    /// One that has a conventional prefix, by its place.
    Known(u8),
    /// Another one.
    Foreign,
}

/// How many prefixes are remembered.
const MAX_RESOLVED: usize = 8;

/// Some firmware pads texts and documents with the NULs of its buffers.
fn is_padding(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn read(document: &str) -> Result<(), DecodeError> {
        Reader::new(document)?.root()?.finish()
    }

    #[test]
    fn hostile_documents_are_refused_quickly() {
        let attributes: String = (0..50_000).map(|i| format!(" a{i}=\"\"")).collect();
        let namespaces: String = (0..10_000).map(|i| format!(" xmlns:n{i}=\"u\"")).collect();
        let documents = [
            ("doctype", "<!DOCTYPE a><a/>".to_owned()),
            (
                "entity bomb",
                "<!DOCTYPE a [<!ENTITY b \"x\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>".to_owned(),
            ),
            (
                "external entity",
                "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>".to_owned(),
            ),
            ("nesting", "<a>".repeat(200_000)),
            ("attributes", format!("<a{attributes}/>")),
            ("namespaces", format!("<a{namespaces}/>")),
            ("truncated", "<a><b></b>".to_owned()),
            ("truncated tag", "<a><b".to_owned()),
            ("mismatched", "<a></b>".to_owned()),
            ("empty", String::new()),
            ("not XML", "HTTP/1.1 200 OK".to_owned()),
            ("elements", format!("<a>{}</a>", "<b/>".repeat(100_001))),
            ("size", " ".repeat((4 << 20) + 1)),
        ];
        for (name, document) in documents {
            let start = Instant::now();
            assert!(read(&document).is_err(), "{name}");
            assert!(
                start.elapsed() < Duration::from_secs(2),
                "{name} took {:?}",
                start.elapsed()
            );
        }
    }

    #[test]
    fn text_that_is_too_long_is_refused_where_it_is_wanted() {
        let document = format!("<a>{}</a>", "x".repeat((1 << 20) + 1));
        assert_eq!(read(&document), Ok(()));
        let mut reader = Reader::new(&document).unwrap();
        assert!(matches!(
            reader.root().unwrap().text(),
            Err(DecodeError::TooLarge { limit, .. }) if limit == 1 << 20
        ));
    }

    #[test]
    fn junk_after_the_root_is_ignored() {
        assert_eq!(read("<a/></b>\u{0}<!DOCTYPE x>"), Ok(()));
    }

    #[test]
    fn an_undeclared_prefix_matches_by_local_name() {
        let mut reader = Reader::new("<a><wsa:Address>x</wsa:Address></a>").unwrap();
        let mut root = reader.root().unwrap();
        let child = root.child().unwrap().unwrap();
        assert!(child.is("wsa", "Address"));
    }

    #[test]
    fn a_foreign_namespace_does_not_match() {
        let mut reader = Reader::new("<a xmlns:v=\"urn:vendor\"><v:Name>x</v:Name></a>").unwrap();
        let mut root = reader.root().unwrap();
        assert!(!root.child().unwrap().unwrap().is("tt", "Name"));
    }

    #[test]
    fn text_is_trimmed_and_bare_ampersands_survive() {
        let mut reader =
            Reader::new("<a>\r\n http://h/?a=1&b=2&amp;c=&#51;<![CDATA[&]]> \n</a>").unwrap();
        assert_eq!(
            reader.root().unwrap().text().unwrap(),
            "http://h/?a=1&b=2&c=3&"
        );
    }

    #[test]
    fn nuls_around_documents_and_texts_are_left_out() {
        let mut reader =
            Reader::new("\0\u{feff}\0 <?xml version=\"1.0\"?><a>\0cam\0\0</a>\0\0").unwrap();
        assert_eq!(reader.root().unwrap().text().unwrap(), "cam");
    }

    #[test]
    fn an_attribute_with_a_bare_ampersand_is_kept() {
        let mut reader = Reader::new("<a uri='http://h/?a=1&b=2' x:token='t1'/>").unwrap();
        let root = reader.root().unwrap();
        assert_eq!(root.attribute("uri").as_deref(), Some("http://h/?a=1&b=2"));
        assert_eq!(root.attribute("token").as_deref(), Some("t1"));
    }

    #[test]
    fn text_can_stand_before_and_between_children() {
        let mut reader = Reader::new("<a>one<b/> two <c>x</c>three</a>").unwrap();
        let mut root = reader.root().unwrap();
        let mut text = String::new();
        assert_eq!(
            root.child_after(&mut text).unwrap().unwrap().local_name(),
            "b"
        );
        assert_eq!(text, "one");
        assert!(root.child_after(&mut text).unwrap().is_some());
        assert!(root.child_after(&mut text).unwrap().is_none());
        assert_eq!(text, "one two three");
    }

    #[test]
    fn unread_children_are_skipped() {
        let mut reader = Reader::new("<a><b><c><d/></c></b><e>1</e></a>").unwrap();
        let mut root = reader.root().unwrap();
        {
            let mut b = root.child().unwrap().unwrap();
            assert_eq!(b.child().unwrap().unwrap().local_name(), "c");
        }
        assert_eq!(root.child().unwrap().unwrap().text().unwrap(), "1");
        assert!(root.child().unwrap().is_none());
    }

    #[test]
    fn raw_keeps_what_was_written() {
        let mut reader = Reader::new("<a><b><c x='1'/>t</b><d/></a>").unwrap();
        let mut root = reader.root().unwrap();
        assert_eq!(root.child().unwrap().unwrap().raw().unwrap(), "<c x='1'/>t");
        assert_eq!(root.child().unwrap().unwrap().raw().unwrap(), "");
    }
}
