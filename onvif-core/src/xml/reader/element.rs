use std::borrow::Cow;

use super::limits::DecodeError;
use super::{Declarations, Namespace, Reader, Token, is_padding};
use crate::xml::namespace;
use crate::xml::scanner::{Tag, attribute_value, unescape};

/// One open element. Whatever of it is not read is skipped when its parent is read on.
pub struct Element<'r, 'x> {
    reader: &'r mut Reader<'x>,
    tag: Tag<'x>,
    namespace: Namespace,
    depth: usize,
}

impl<'r, 'x> Element<'r, 'x> {
    /// The element that `reader` has just entered.
    pub(super) fn new(reader: &'r mut Reader<'x>, tag: Tag<'x>) -> Self {
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
        self.reader.bindings.namespace_of(prefix)
    }

    /// What is declared here, but for conventional prefixes that stand for what they always do.
    pub(crate) fn declarations(&mut self) -> Result<Declarations, DecodeError> {
        if let Some(known) = &self.reader.declarations {
            return Ok(known.clone());
        }
        // Finding out takes the square of what is declared, so it must not be asked for anew at every element.
        let bindings: Vec<_> = self.reader.bindings.iter().collect();
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
    #[inline]
    pub fn is_in(&self, place: Option<u8>, local: &str) -> bool {
        // Asked once for each field there is, and answered by the length most of the time.
        self.tag.local_length() == local.len() && self.is_named(place, local)
    }

    fn is_named(&self, place: Option<u8>, local: &str) -> bool {
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
    /// [`DecodeError::TooLarge`] when the document has used up [`Limits::memory`](crate::xml::Limits::memory).
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
