//! The camera's own XML: a tree to write replies with and a bounded reader for requests.

mod reader;

pub(crate) use reader::{Node, ReadError, read};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

/// A namespace and the prefix this camera writes it with. An empty prefix is "no namespace".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ns {
    pub prefix: &'static str,
    pub uri: &'static str,
}

macro_rules! namespaces {
    ($($constant:ident $prefix:literal $uri:literal)*) => {
        $(pub(crate) const $constant: Ns = Ns { prefix: $prefix, uri: $uri };)*
    };
}

namespaces! {
    NONE "" ""
    ENV "env" "http://www.w3.org/2003/05/soap-envelope"
    TER "ter" "http://www.onvif.org/ver10/error"
    TT "tt" "http://www.onvif.org/ver10/schema"
    TDS "tds" "http://www.onvif.org/ver10/device/wsdl"
    TRT "trt" "http://www.onvif.org/ver10/media/wsdl"
    TR2 "tr2" "http://www.onvif.org/ver20/media/wsdl"
    TPTZ "tptz" "http://www.onvif.org/ver20/ptz/wsdl"
    TIMG "timg" "http://www.onvif.org/ver20/imaging/wsdl"
    TMD "tmd" "http://www.onvif.org/ver10/deviceIO/wsdl"
    TAN "tan" "http://www.onvif.org/ver20/analytics/wsdl"
    TEV "tev" "http://www.onvif.org/ver10/events/wsdl"
    TNS1 "tns1" "http://www.onvif.org/ver10/topics"
    WSA "wsa" "http://www.w3.org/2005/08/addressing"
    WSNT "wsnt" "http://docs.oasis-open.org/wsn/b-2"
    WSTOP "wstop" "http://docs.oasis-open.org/wsn/t-1"
    WSRF_R "wsrf-r" "http://docs.oasis-open.org/wsrf/r-2"
    WSRF_BF "wsrf-bf" "http://docs.oasis-open.org/wsrf/bf-2"
    WSRF_RW "wsrf-rw" "http://docs.oasis-open.org/wsrf/rw-2"
    XS "xs" "http://www.w3.org/2001/XMLSchema"
    DISCOVERY "d" "http://schemas.xmlsoap.org/ws/2005/04/discovery"
    ADDRESSING_2004 "a" "http://schemas.xmlsoap.org/ws/2004/08/addressing"
    NETWORK "dn" "http://www.onvif.org/ver10/network/wsdl"
}

/// An element to be written. Names come from the program, text from anywhere: text is escaped here and nowhere else.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    ns: Ns,
    name: Cow<'static, str>,
    attributes: Vec<(Ns, &'static str, String)>,
    content: Vec<Content>,
    /// Namespaces that only text or attribute values of this element refer to (QNames, topics).
    mentioned: Vec<Ns>,
}

#[derive(Clone, Debug)]
enum Content {
    Element(Element),
    Text(String),
    /// Text that is an address or a topic, which some cameras pad with line breaks.
    Address(String),
}

/// How a document is written. The default is correct XML; everything else imitates a faulty camera.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rendering<'a> {
    pub undeclared: &'a [Ns],
    pub pad_addresses: bool,
}

/// Starts an element.
pub(crate) fn element(ns: Ns, name: &'static str) -> Element {
    Element {
        ns,
        name: Cow::Borrowed(name),
        attributes: Vec::new(),
        content: Vec::new(),
        mentioned: Vec::new(),
    }
}

/// Starts an element whose name a request decides. It has to be checked before.
pub(crate) fn named(ns: Ns, name: String) -> Element {
    Element {
        name: Cow::Owned(name),
        ..element(ns, "")
    }
}

impl Element {
    /// Adds an attribute without a namespace.
    pub(crate) fn attribute(self, name: &'static str, value: impl Display) -> Self {
        self.attribute_in(NONE, name, value)
    }

    pub(crate) fn attribute_in(mut self, ns: Ns, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((ns, name, value.to_string()));
        self
    }

    pub(crate) fn child(mut self, child: Element) -> Self {
        self.content.push(Content::Element(child));
        self
    }

    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.content
            .extend(children.into_iter().map(Content::Element));
        self
    }

    /// Adds the child `<name>value</name>`.
    pub(crate) fn leaf(self, ns: Ns, name: &'static str, value: impl Display) -> Self {
        self.child(element(ns, name).text(value))
    }

    /// Adds the child `<name>value</name>` where the value is an address.
    pub(crate) fn address_leaf(self, ns: Ns, name: &'static str, value: impl Display) -> Self {
        self.child(element(ns, name).address(value))
    }

    pub(crate) fn text(mut self, value: impl Display) -> Self {
        self.content.push(Content::Text(value.to_string()));
        self
    }

    pub(crate) fn address(mut self, value: impl Display) -> Self {
        self.content.push(Content::Address(value.to_string()));
        self
    }

    /// Declares a namespace that only a value refers to.
    pub(crate) fn mentions(mut self, ns: Ns) -> Self {
        self.mentioned.push(ns);
        self
    }

    /// Writes the document; every namespace is declared once, at the root.
    pub(crate) fn render(&self, rendering: Rendering<'_>) -> String {
        let mut declared = BTreeMap::new();
        self.collect(&mut declared);
        for ns in rendering.undeclared {
            declared.remove(ns.prefix);
        }
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, &declared, rendering);
        out
    }

    fn collect(&self, declared: &mut BTreeMap<&'static str, &'static str>) {
        let of_attributes = self.attributes.iter().map(|(ns, ..)| ns);
        for ns in of_attributes.chain(&self.mentioned).chain([&self.ns]) {
            if !ns.prefix.is_empty() {
                declared.insert(ns.prefix, ns.uri);
            }
        }
        for content in &self.content {
            if let Content::Element(child) = content {
                child.collect(declared);
            }
        }
    }

    fn write(
        &self,
        out: &mut String,
        declare: &BTreeMap<&'static str, &'static str>,
        rendering: Rendering<'_>,
    ) {
        out.push('<');
        push_name(out, self.ns, &self.name);
        for (prefix, uri) in declare {
            let _ = write!(out, " xmlns:{prefix}=\"{uri}\"");
        }
        for (ns, name, value) in &self.attributes {
            out.push(' ');
            push_name(out, *ns, name);
            let _ = write!(out, "=\"{}\"", escape(value));
        }
        if self.content.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        for content in &self.content {
            match content {
                Content::Element(child) => child.write(out, &BTreeMap::new(), rendering),
                Content::Address(text) if rendering.pad_addresses => {
                    let _ = write!(out, "\n      {}\n    ", escape(text));
                }
                Content::Text(text) | Content::Address(text) => out.push_str(&escape(text)),
            }
        }
        out.push_str("</");
        push_name(out, self.ns, &self.name);
        out.push('>');
    }
}

fn push_name(out: &mut String, ns: Ns, name: &str) {
    if !ns.prefix.is_empty() {
        out.push_str(ns.prefix);
        out.push(':');
    }
    out.push_str(name);
}

/// Escapes markup, and replaces the characters that XML 1.0 cannot hold at all.
fn escape(text: &str) -> Cow<'_, str> {
    let forbidden = |c: char| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}');
    if text.contains(forbidden) {
        return quick_xml::escape::escape(text.replace(forbidden, "\u{fffd}"));
    }
    quick_xml::escape::escape(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let written = element(TT, "Name")
            .attribute("token", "a\"<b>&")
            .text("</tt:Name>&\u{1}")
            .render(Rendering::default());

        let read = read(written.as_bytes()).unwrap();
        assert_eq!(read.attribute("token"), Some("a\"<b>&"));
        assert_eq!(read.text(), "</tt:Name>&\u{fffd}");
    }

    #[test]
    fn each_namespace_is_declared_once_at_the_root() {
        let written = element(ENV, "Envelope")
            .child(element(TT, "A").leaf(TT, "B", 1))
            .mentions(TNS1)
            .render(Rendering::default());

        for ns in [ENV, TT, TNS1] {
            assert_eq!(written.matches(ns.uri).count(), 1, "{written}");
        }
    }
}
