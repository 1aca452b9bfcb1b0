use std::fmt;

use quick_xml::escape::escape;

use super::element::XmlElement;
use crate::xml::{Declarations, Decode as _, DecodeError, Element, Reader, namespace};

/// XML that this crate has no type for: kept as it was written, and read when somebody asks.
#[derive(Clone)]
pub struct XmlContent(Form);

#[derive(Clone)]
enum Form {
    Read {
        text: Box<str>,
        declarations: Declarations,
    },
    Made(Vec<XmlElement>),
}

impl XmlContent {
    /// The elements, with what their prefixes stand for.
    ///
    /// # Errors
    /// [`DecodeError::TooLarge`] when there is more of them than a document may have.
    pub fn elements(&self) -> Result<Vec<XmlElement>, DecodeError> {
        let (text, declarations) = match &self.0 {
            Form::Read { text, declarations } => (text, declarations),
            Form::Made(elements) => return Ok(elements.clone()),
        };
        let mut document = String::with_capacity(text.len() + 2048);
        document.push_str("<content");
        let declared = |prefix: &str| declarations.iter().any(|(known, _)| &**known == prefix);
        let conventional = namespace::PREFIXES.iter();
        let conventional = conventional
            .filter(|(prefix, _)| !declared(prefix))
            .copied();
        let special = declarations.iter().map(|(prefix, uri)| (&**prefix, &**uri));
        for (prefix, uri) in special.chain(conventional) {
            let colon = if prefix.is_empty() { "" } else { ":" };
            document.push_str(&format!(" xmlns{colon}{prefix}=\"{}\"", escape(uri)));
        }
        document.push('>');
        document.push_str(text);
        document.push_str("</content>");
        let mut elements = Vec::new();
        let mut reader = Reader::new(&document)?;
        let mut root = reader.root()?;
        while let Some(mut child) = root.child()? {
            elements.push(XmlElement::decode(&mut child)?);
        }
        Ok(elements)
    }

    /// Takes what stands between the tags of `element`.
    pub(super) fn take(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let declarations = element.declarations()?;
        let text: Box<str> = element.raw()?.trim().into();
        element.charge(size_of::<Self>() + text.len())?;
        Ok(Self(Form::Read { text, declarations }))
    }
}

impl From<Vec<XmlElement>> for XmlContent {
    fn from(elements: Vec<XmlElement>) -> Self {
        Self(Form::Made(elements))
    }
}

impl From<XmlElement> for XmlContent {
    fn from(element: XmlElement) -> Self {
        vec![element].into()
    }
}

/// Equal are those with equal elements, however they are written.
impl PartialEq for XmlContent {
    fn eq(&self, other: &Self) -> bool {
        self.elements() == other.elements()
    }
}

impl fmt::Debug for XmlContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Read { text, .. } => f.debug_tuple("XmlContent").field(text).finish(),
            Form::Made(elements) => f.debug_tuple("XmlContent").field(elements).finish(),
        }
    }
}
