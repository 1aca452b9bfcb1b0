use std::borrow::Cow;
use std::sync::Arc;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{
    NamespaceError, NamespaceResolver, Prefix, PrefixDeclaration, QName, ResolveResult,
};

use super::namespace;

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
    /// Bytes of one text node.
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
    inner: quick_xml::Reader<&'x [u8]>,
    /// The namespaces that are declared where the reader is.
    scopes: NamespaceResolver,
    /// The same as a list, while it is true.
    declarations: Option<Declarations>,
    input: &'x str,
    limits: Limits,
    depth: usize,
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
        let mut inner = quick_xml::Reader::from_str(input);
        inner.config_mut().expand_empty_elements = true;
        // URIs with a bare `&` are common in replies of cheap cameras.
        inner.config_mut().allow_dangling_amp = true;
        let mut scopes = NamespaceResolver::default();
        scopes.set_max_namespace_bindings(limits.namespaces);
        Ok(Self {
            inner,
            scopes,
            declarations: None,
            input,
            limits,
            depth: 0,
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
                Token::Start(start) => return Ok(Element::new(self, start)),
                Token::Text(text) if text.trim().is_empty() => {}
                Token::Text(_) | Token::End(_) => {
                    return Err(self.malformed("text before the root element"));
                }
            }
        }
    }

    fn malformed(&self, reason: impl ToString) -> DecodeError {
        DecodeError::Malformed {
            position: self.inner.error_position(),
            reason: reason.to_string(),
        }
    }

    /// What comes next for an element at depth `level`: a child, its end, or its text where that is wanted. Everything
    /// else is passed over.
    fn next(&mut self, level: usize, text: bool) -> Result<Token<'x>, DecodeError> {
        loop {
            if usize::from(self.scopes.level()) > self.depth {
                self.leave_scopes(self.depth);
            }
            let before = self.position();
            let event = match self.inner.read_event() {
                Ok(event) => event,
                Err(error) => return Err(self.malformed(error)),
            };
            let wanted = text && self.depth == level;
            match event {
                Event::Start(start) => {
                    self.depth += 1;
                    self.elements += 1;
                    self.check(&start)?;
                    if start.attributes_raw().contains("xmlns") {
                        self.leave_scopes(self.depth - 1);
                        self.scopes
                            .push(&start)
                            .map_err(|error| self.undeclarable(&error))?;
                    }
                    if self.depth == level + 1 {
                        return Ok(Token::Start(start));
                    }
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth < level {
                        return Ok(Token::End(before));
                    }
                }
                Event::Text(text) if wanted => return self.text(text.xml10_content()),
                Event::CData(text) if wanted => return self.text(text.xml10_content()),
                Event::GeneralRef(reference) if wanted => {
                    let text = match reference.resolve_char_ref() {
                        Ok(Some(character)) => character.to_string(),
                        _ => match quick_xml::escape::resolve_predefined_entity(&reference) {
                            Some(text) => text.to_owned(),
                            // There are no other entities without a DTD: a camera forgot to escape.
                            None => format!("&{};", &*reference),
                        },
                    };
                    return Ok(Token::Text(Cow::Owned(text)));
                }
                Event::DocType(_) => return Err(DecodeError::Doctype),
                Event::Eof => {
                    return Err(self.malformed("the document ends before its elements are closed"));
                }
                Event::Text(text) => self.check_text(&text)?,
                Event::CData(text) => self.check_text(&text)?,
                Event::GeneralRef(_) => {}
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Forgets what is declared deeper than `depth`, which the limits keep small.
    fn leave_scopes(&mut self, depth: usize) {
        self.declarations = None;
        self.scopes
            .set_level(u16::try_from(depth).unwrap_or(u16::MAX));
    }

    fn undeclarable(&self, error: &NamespaceError) -> DecodeError {
        match error {
            NamespaceError::TooManyBindings(_) => DecodeError::TooLarge {
                what: "namespace declarations",
                limit: self.limits.namespaces,
            },
            error => self.malformed(error),
        }
    }

    fn check(&self, start: &BytesStart<'_>) -> Result<(), DecodeError> {
        let Limits {
            depth,
            elements,
            attributes,
            ..
        } = self.limits;
        if self.depth > depth {
            return Err(DecodeError::TooLarge {
                what: "levels of nesting",
                limit: depth,
            });
        }
        if self.elements > elements {
            return Err(DecodeError::TooLarge {
                what: "elements",
                limit: elements,
            });
        }
        let raw = start.attributes_raw();
        let too_long = |name: &str| {
            name.len() > MAX_NAME
                || raw.len() > MAX_NAME
                    && start.attributes().with_checks(false).flatten().any(|a| {
                        a.value.len() > MAX_NAME && a.key.into_inner().starts_with("xmlns")
                    })
        };
        if too_long(start.name().into_inner()) {
            return Err(DecodeError::TooLarge {
                what: "bytes of a name",
                limit: MAX_NAME,
            });
        }
        // The shortest attribute takes five bytes (` a=""`), so most tags need no counting.
        if start.attributes_raw().len() > attributes * 5
            && start
                .attributes()
                .with_checks(false)
                .take(attributes + 1)
                .count()
                > attributes
        {
            return Err(DecodeError::TooLarge {
                what: "attributes",
                limit: attributes,
            });
        }
        Ok(())
    }

    fn text(&self, text: Cow<'x, str>) -> Result<Token<'x>, DecodeError> {
        self.check_text(&text)?;
        Ok(Token::Text(text))
    }

    fn check_text(&self, text: &str) -> Result<(), DecodeError> {
        if text.len() > self.limits.text {
            return Err(DecodeError::TooLarge {
                what: "bytes of text",
                limit: self.limits.text,
            });
        }
        Ok(())
    }

    fn append(&self, all: &mut String, text: &str) -> Result<(), DecodeError> {
        if all.len() + text.len() > self.limits.text {
            return Err(DecodeError::TooLarge {
                what: "bytes of text",
                limit: self.limits.text,
            });
        }
        all.push_str(text);
        Ok(())
    }

    fn position(&self) -> usize {
        usize::try_from(self.inner.buffer_position()).unwrap_or(usize::MAX)
    }
}

/// Prefixes with the namespaces they stand for; the default namespace has the empty prefix.
pub(crate) type Declarations = Arc<[(Box<str>, Box<str>)]>;

enum Token<'x> {
    Start(BytesStart<'x>),
    /// Carries the offset at which the end tag starts.
    End(usize),
    Text(Cow<'x, str>),
}

/// One open element. Whatever of it is not read is skipped when its parent is read on.
pub struct Element<'r, 'x> {
    reader: &'r mut Reader<'x>,
    start: BytesStart<'x>,
    /// Where the name without its prefix starts.
    local: usize,
    depth: usize,
}

impl<'r, 'x> Element<'r, 'x> {
    /// The element that `reader` has just entered.
    fn new(reader: &'r mut Reader<'x>, start: BytesStart<'x>) -> Self {
        let name = start.name().into_inner();
        Self {
            local: name.find(':').map_or(0, |colon| colon + 1),
            depth: reader.depth,
            start,
            reader,
        }
    }

    /// The name without its prefix.
    pub fn local_name(&self) -> &str {
        &self.start.name().into_inner()[self.local..]
    }

    /// The prefix as it stands in the document.
    pub fn prefix(&self) -> Option<&str> {
        self.start.name().prefix().map(Prefix::into_inner)
    }

    /// The namespace, if the element has one that is declared.
    pub fn namespace(&self) -> Option<&str> {
        bound(self.reader.scopes.resolve_element(self.start.name()).0)
    }

    /// The namespace that `prefix` stands for here, for qualified names in content.
    pub fn namespace_of(&self, prefix: &str) -> Option<&str> {
        let name = format!("{prefix}:x");
        bound(self.reader.scopes.resolve(QName(&name), false).0)
    }

    /// What is declared here, but for conventional prefixes that stand for what they always do.
    pub(crate) fn declarations(&mut self) -> Result<Declarations, DecodeError> {
        if let Some(known) = &self.reader.declarations {
            return Ok(known.clone());
        }
        // Finding out takes the square of what is declared, so it must not be asked for anew at every element.
        let (_, most) = self.reader.scopes.bindings().size_hint();
        self.charge(most.unwrap_or_default() * size_of::<(Box<str>, Box<str>)>())?;
        let declared = self.reader.scopes.bindings().filter_map(|(prefix, uri)| {
            let prefix = match prefix {
                PrefixDeclaration::Named(prefix) => prefix,
                PrefixDeclaration::Default => "",
            };
            let uri = uri.into_inner();
            (namespace::uri(prefix) != uri).then(|| (prefix.into(), uri.into()))
        });
        let declarations: Declarations = declared.collect();
        self.charge(declarations.iter().map(|(_, uri)| uri.len()).sum())?;
        self.reader.declarations = Some(declarations.clone());
        Ok(declarations)
    }

    /// Whether this is the element `local` of the namespace with the conventional `prefix`. An
    /// element whose prefix is undeclared, or that has no namespace at all, matches by local name.
    pub fn is(&self, prefix: &str, local: &str) -> bool {
        self.local_name() == local
            && self
                .namespace()
                .is_none_or(|uri| uri == namespace::uri(prefix))
    }

    /// The value of an attribute, by local name.
    pub fn attribute(&self, local: &str) -> Option<Cow<'_, str>> {
        self.attributes()
            .find(|(name, _)| name.rsplit(':').next() == Some(local))
            .map(|(_, value)| value)
    }

    /// All attributes with their names as written, in order. Broken ones are left out.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        let mut attributes = self.start.attributes();
        attributes.with_checks(false);
        attributes.filter_map(|attribute| {
            let attribute = attribute.ok()?;
            let value = match attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0) {
                Ok(value) => value,
                // A bare `&`: take what stands there.
                Err(_) => attribute.value,
            };
            Some((attribute.key.into_inner(), value))
        })
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
                Token::Start(start) => return Ok(Some(Element::new(self.reader, start))),
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
    pub fn text(&mut self) -> Result<String, DecodeError> {
        let mut all = String::new();
        while self.is_open() {
            if let Token::Text(text) = self.reader.next(self.depth, true)? {
                self.reader.append(&mut all, &text)?;
            }
        }
        let trimmed = all.trim_matches(is_padding);
        Ok(if trimmed.len() == all.len() {
            all
        } else {
            trimmed.to_owned()
        })
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
                Token::Start(start) => visit(&mut Element::new(self.reader, start))?,
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
        let start = self.reader.position();
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

fn bound(result: ResolveResult<'_>) -> Option<&str> {
    match result {
        ResolveResult::Bound(namespace) => Some(namespace.into_inner()),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => None,
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
            ("text", format!("<a>{}</a>", "x".repeat((1 << 20) + 1))),
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
