use std::borrow::Cow;
use std::sync::Arc;

use super::namespace;
use super::scanner::{Part, Scanner, Tag, attribute_value, normalize, unescape};

/// What a document may hold at most. The defaults are far above what cameras send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of the document in bytes.
    pub bytes: usize,
    /// Depth of nesting.
    pub depth: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Namespace declarations in scope.
    pub namespaces: usize,
    /// Bytes of one text that is read.
    pub text: usize,
    /// Elements in the document.
    pub elements: usize,
    /// Bytes that lists may take, and what is kept more than once. A few bytes of XML can stand for
    /// a value that is a thousand times larger.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 4 << 20,
            depth: 64,
            attributes: 128,
            namespaces: 256,
            text: 1 << 20,
            elements: 100_000,
            memory: 4 << 20,
        }
    }
}

/// Bytes of an element's name, and of a namespace: both are kept with every value that needs them.
const MAX_NAME: usize = 256;

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The document is not well-formed, or ends too early.
    #[error("not well-formed XML at byte {position}: {reason}")]
    Malformed {
        /// Where it was noticed.
        position: u64,
        /// What the XML reader says.
        reason: String,
    },
    /// The document exceeds a limit.
    #[error("XML exceeds the limit of {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The document has a DOCTYPE. SOAP forbids it, and nothing good comes of reading one.
    #[error("XML with a DOCTYPE is refused")]
    Doctype,
    /// What came is the reply to another operation.
    #[error("`{name}` is no reply to this operation")]
    Unexpected {
        /// Local name of what came.
        name: String,
    },
    /// Something that the caller cannot do without is missing.
    #[error("required `{0}` is missing")]
    Missing(&'static str),
    /// A value cannot be understood.
    #[error("`{element}` has an unusable value `{value}`")]
    Value {
        /// Local name of the element or attribute.
        element: String,
        /// Its beginning.
        value: String,
    },
}

impl DecodeError {
    /// Whether only one value is unusable, while the document itself can be read on.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Value { .. })
    }

    /// A value error that quotes no more than the beginning of the value.
    pub fn value(element: &str, value: &str) -> Self {
        Self::Value {
            element: element.to_owned(),
            value: value.chars().take(64).collect(),
        }
    }
}

/// A cursor over one document.
pub struct Reader<'x> {
    scanner: Scanner<'x>,
    /// The namespaces that are declared where the reader is, the innermost last.
    bindings: Vec<Binding<'x>>,
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
            bindings: Vec::new(),
            declarations: None,
            resolved: Vec::new(),
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
            if let Some(last) = self.bindings.last()
                && last.depth > self.depth
            {
                self.leave_scopes();
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
        match tag.attributes().rest() {
            "" => Ok(()),
            _ => self.declare(tag),
        }
    }

    fn declare(&mut self, tag: Tag<'x>) -> Result<(), DecodeError> {
        // The shortest attribute takes five bytes (` a=""`), so most tags need no counting.
        let rest = tag.attributes().rest();
        if rest.len() <= self.limits.attributes * 5 && !rest.contains("xmlns") {
            return Ok(());
        }
        for (number, (name, uri)) in tag.attributes().enumerate() {
            within(number + 1, self.limits.attributes, "attributes")?;
            let Some(prefix) = declared_prefix(name) else {
                continue;
            };
            within(uri.len(), MAX_NAME, "bytes of a name")?;
            let number = self.bindings.len() + 1;
            within(number, self.limits.namespaces, "namespace declarations")?;
            self.bindings.push(Binding {
                prefix,
                uri,
                depth: self.depth,
            });
            self.declarations = None;
            self.resolved.clear();
        }
        Ok(())
    }

    /// Forgets what is declared deeper than here, which the limits keep small.
    fn leave_scopes(&mut self) {
        self.declarations = None;
        self.resolved.clear();
        let depth = self.depth;
        let left = self.bindings.iter().rposition(|known| known.depth <= depth);
        self.bindings.truncate(left.map_or(0, |last| last + 1));
    }

    /// The namespace that a prefix stands for; the default namespace has the empty prefix.
    fn namespace_of(&self, prefix: &str) -> Option<&'x str> {
        let mut inner_first = self.bindings.iter().rev();
        let binding = inner_first.find(|known| known.prefix == prefix)?;
        Some(binding.uri).filter(|uri| !uri.is_empty())
    }

    /// The same, from what is remembered.
    fn resolve(&mut self, prefix: &'x str) -> Namespace {
        if let Some((_, known)) = self.resolved.iter().find(|(known, _)| *known == prefix) {
            return *known;
        }
        let uri = self.namespace_of(prefix);
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

/// One `xmlns:prefix="uri"`.
struct Binding<'x> {
    prefix: &'x str,
    uri: &'x str,
    /// Of the element that has it.
    depth: usize,
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

/// One open element. Whatever of it is not read is skipped when its parent is read on.
pub struct Element<'r, 'x> {
    reader: &'r mut Reader<'x>,
    tag: Tag<'x>,
    namespace: Namespace,
    depth: usize,
}

impl<'r, 'x> Element<'r, 'x> {
    /// The element that `reader` has just entered.
    fn new(reader: &'r mut Reader<'x>, tag: Tag<'x>) -> Self {
        Self {
            namespace: reader.resolve(tag.prefix()),
            depth: reader.depth,
            tag,
            reader,
        }
    }

    /// The name without its prefix.
    pub fn local_name(&self) -> &'x str {
        self.tag.local_name()
    }

    /// The prefix as it stands in the document.
    pub fn prefix(&self) -> Option<&'x str> {
        Some(self.tag.prefix()).filter(|prefix| !prefix.is_empty())
    }

    /// The namespace, if the element has one that is declared.
    pub fn namespace(&self) -> Option<&'x str> {
        self.namespace_of(self.tag.prefix())
    }

    /// The namespace that `prefix` stands for here, for qualified names in content.
    pub fn namespace_of(&self, prefix: &str) -> Option<&'x str> {
        self.reader.namespace_of(prefix)
    }

    /// What is declared here, but for conventional prefixes that stand for what they always do.
    pub(crate) fn declarations(&mut self) -> Result<Declarations, DecodeError> {
        if let Some(known) = &self.reader.declarations {
            return Ok(known.clone());
        }
        // Finding out takes the square of what is declared, so it must not be asked for anew at every element.
        let bindings = &self.reader.bindings;
        let most = bindings.len();
        let special = bindings.iter().enumerate().filter(|(place, binding)| {
            namespace::uri(binding.prefix) != binding.uri
                && bindings[place + 1..]
                    .iter()
                    .all(|inner| inner.prefix != binding.prefix)
        });
        let declarations: Declarations = special
            .map(|(_, binding)| (binding.prefix.into(), binding.uri.into()))
            .collect();
        let uris: usize = declarations.iter().map(|(_, uri)| uri.len()).sum();
        self.charge(most * size_of::<(Box<str>, Box<str>)>() + uris)?;
        self.reader.declarations = Some(declarations.clone());
        Ok(declarations)
    }

    /// Whether this is the element `local` of the namespace with the conventional `prefix`. An
    /// element whose prefix is undeclared, or that has no namespace at all, matches by local name.
    pub fn is(&self, prefix: &str, local: &str) -> bool {
        self.is_in(namespace::place(prefix), local)
    }

    /// The same with the [place](namespace::place) of a conventional prefix.
    #[doc(hidden)]
    pub fn is_in(&self, place: Option<u8>, local: &str) -> bool {
        self.tag.local_name() == local
            && match self.namespace {
                Namespace::None => true,
                Namespace::Known(known) => Some(known) == place,
                Namespace::Foreign => false,
            }
    }

    /// The value of an attribute, by local name.
    pub fn attribute(&self, local: &str) -> Option<Cow<'x, str>> {
        let mut attributes = self.tag.attributes();
        let (_, value) = attributes.find(|(name, _)| {
            let prefix = name.strip_suffix(local);
            prefix.is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(':'))
        })?;
        Some(attribute_value(value))
    }

    /// All attributes with their names as written, in order. Broken ones are left out.
    pub fn attributes(&self) -> impl Iterator<Item = (&'x str, Cow<'x, str>)> {
        let attributes = self.tag.attributes();
        attributes.map(|(name, value)| (name, attribute_value(value)))
    }

    /// The next child element, or `None` when this element has ended.
    ///
    /// # Errors
    /// When the document breaks off or exceeds a limit.
    pub fn child(&mut self) -> Result<Option<Element<'_, 'x>>, DecodeError> {
        self.next_child(None)
    }

    /// The next child element as [`child`](Self::child) has it, with the text before it appended to
    /// `text`: for content where text and elements may take each other's place.
    ///
    /// # Errors
    /// When the document breaks off or exceeds a limit.
    pub fn child_after(
        &mut self,
        text: &mut String,
    ) -> Result<Option<Element<'_, 'x>>, DecodeError> {
        self.next_child(Some(text))
    }

    fn next_child(
        &mut self,
        mut before: Option<&mut String>,
    ) -> Result<Option<Element<'_, 'x>>, DecodeError> {
        while self.is_open() {
            match self.reader.next(self.depth, before.is_some())? {
                Token::Start(tag) => return Ok(Some(Element::new(self.reader, tag))),
                Token::Text(text) => {
                    if let Some(before) = before.as_deref_mut() {
                        self.reader.append(before, &text)?;
                    }
                }
                Token::End(_) => {}
            }
        }
        Ok(None)
    }

    fn is_open(&self) -> bool {
        self.reader.depth >= self.depth
    }

    /// The text of this element without that of its children, trimmed of blanks and NULs.
    ///
    /// # Errors
    /// When the document breaks off or exceeds a limit.
    pub fn text(&mut self) -> Result<Cow<'x, str>, DecodeError> {
        if let Some(text) = self.leaf()? {
            return Ok(text);
        }
        let mut all = Cow::Borrowed("");
        while self.is_open() {
            if let Token::Text(text) = self.reader.next(self.depth, true)? {
                match all.is_empty() {
                    true => all = text,
                    false => self.reader.append(all.to_mut(), &text)?,
                }
            }
        }
        Ok(trimmed(all))
    }

    /// The text of an element that holds nothing else, as most do.
    fn leaf(&mut self) -> Result<Option<Cow<'x, str>>, DecodeError> {
        if self.reader.depth != self.depth || self.reader.in_empty {
            return Ok(None);
        }
        let Some(text) = self.reader.scanner.leaf() else {
            return Ok(None);
        };
        self.reader.depth -= 1;
        let text = unescape(text);
        self.reader.check_text(&text)?;
        Ok(Some(trimmed(text)))
    }

    /// Hands every child element to `visit`, and returns the text of this element without that of
    /// its children, trimmed.
    ///
    /// # Errors
    /// When the document breaks off or exceeds a limit, and those of `visit`.
    pub fn content(
        &mut self,
        mut visit: impl FnMut(&mut Element<'_, 'x>) -> Result<(), DecodeError>,
    ) -> Result<String, DecodeError> {
        let mut all = String::new();
        while self.is_open() {
            match self.reader.next(self.depth, true)? {
                Token::Start(tag) => visit(&mut Element::new(self.reader, tag))?,
                Token::Text(text) => self.reader.append(&mut all, &text)?,
                Token::End(_) => {}
            }
        }
        Ok(all.trim().to_owned())
    }

    /// What stands between the tags of this element, as it is written.
    ///
    /// # Errors
    /// When the document breaks off or exceeds a limit.
    pub fn raw(&mut self) -> Result<&'x str, DecodeError> {
        let start = self.reader.scanner.position();
        let mut end = start;
        while self.is_open() {
            if let Token::End(position) = self.reader.next(self.depth, false)? {
                end = position;
            }
        }
        Ok(self.reader.input.get(start..end).unwrap_or_default())
    }

    /// Counts memory that a value takes beyond the text it is made of, such as the slots of a list.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] when the document has used up [`Limits::memory`].
    pub fn charge(&mut self, bytes: usize) -> Result<(), DecodeError> {
        let Self { reader, .. } = self;
        reader.memory = reader.memory.saturating_add(bytes);
        match reader.memory > reader.limits.memory {
            true => Err(DecodeError::TooLarge {
                what: "bytes of values",
                limit: reader.limits.memory,
            }),
            false => Ok(()),
        }
    }

    /// Notes that whoever reads the parent has no use for this element.
    #[doc(hidden)]
    pub fn ignore(self) {
        self.reader.unknown = self.reader.unknown.min(self.depth);
    }

    /// Whether nobody had a use for a child.
    pub(crate) fn has_unknown_child(&self) -> bool {
        self.reader.unknown == self.depth + 1
    }

    /// Reads to the end of this element, so that a document that breaks off is noticed.
    ///
    /// # Errors
    /// When the document breaks off or exceeds a limit.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        while self.is_open() {
            self.reader.next(self.depth, false)?;
        }
        Ok(())
    }
}

/// Some firmware pads texts and documents with the NULs of its buffers.
fn is_padding(c: char) -> bool {
    c.is_whitespace() || c == '\0'
}

/// Text without padding at its ends.
fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    if let [first, .., last] = text.as_bytes()
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return text;
    }
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(is_padding)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(is_padding).to_owned()),
    }
}

/// The prefix, if that is what an attribute of this name declares.
fn declared_prefix(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("xmlns")?;
    match rest {
        "" => Some(rest),
        _ => rest.strip_prefix(':'),
    }
}

fn within(number: usize, limit: usize, what: &'static str) -> Result<(), DecodeError> {
    match number > limit {
        true => Err(DecodeError::TooLarge { what, limit }),
        false => Ok(()),
    }
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
