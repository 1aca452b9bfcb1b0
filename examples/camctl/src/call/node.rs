//! JSON as XML, and XML as JSON, with the order kept.

use std::fmt::{self, Formatter, Write as _};

use anyhow::{Result, bail};
use onvif_core::xml::{DecodeError, Element};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::output::Plain;
use crate::secret::shown_text;

/// A value. Elements with the same name are a list.
#[derive(Debug, PartialEq)]
pub enum Node {
    Empty,
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Node {
    /// The request with these arguments.
    pub fn request(&self, prefix: &str, operation: &str) -> Result<String> {
        let mut xml = String::new();
        self.write(&mut xml, prefix, operation, prefix)?;
        Ok(xml)
    }

    /// Writes this as the element `name`; children without a prefix get `of_children`.
    fn write(&self, xml: &mut String, prefix: &str, name: &str, of_children: &str) -> Result<()> {
        let tag = match name.split_once(':') {
            Some(_) => name.to_owned(),
            None => format!("{prefix}:{name}"),
        };
        if !tag.split(':').all(is_name) {
            bail!("`{name}` is no name of an element");
        }
        match self {
            Self::List(items) => {
                for item in items {
                    item.write(xml, prefix, name, of_children)?;
                }
            }
            Self::Empty => write!(xml, "<{tag}/>")?,
            Self::Text(text) => write!(xml, "<{tag}>{}</{tag}>", escaped(text))?,
            Self::Object(fields) => {
                write!(xml, "<{tag}")?;
                for (name, value) in fields {
                    let Some(name) = name.strip_prefix('@') else {
                        continue;
                    };
                    let Self::Text(text) = value else {
                        bail!("the attribute `{name}` is not text");
                    };
                    if !name.split(':').all(is_name) {
                        bail!("`{name}` is no name of an attribute");
                    }
                    write!(xml, " {name}=\"{}\"", escaped(text))?;
                }
                xml.push('>');
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("#text", Self::Text(text)) => xml.push_str(&escaped(text)),
                        (name, _) if name.starts_with('@') => {}
                        (name, value) => value.write(xml, of_children, name, "tt")?,
                    }
                }
                write!(xml, "</{tag}>")?;
            }
        }
        Ok(())
    }

    /// Reads an element. Its depth has a limit, which the reader keeps. Passwords are left out.
    pub fn read(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let secret = is_secret(element.local_name());
        let mut fields: Vec<(String, Self)> = element
            .attributes()
            .filter(|(name, _)| *name != "xmlns" && !name.starts_with("xmlns:"))
            .map(|(name, value)| (format!("@{name}"), Self::Text(shown_text(&value))))
            .collect();
        let mut text = String::new();
        let mut has_children = false;
        while let Some(mut child) = element.child_after(&mut text)? {
            has_children = true;
            let name = child.local_name().to_owned();
            let value = Self::read(&mut child)?;
            add(&mut fields, name, value);
        }
        let text = text.trim();
        if has_children || text.is_empty() {
            return Ok(if fields.is_empty() {
                Self::Empty
            } else {
                Self::Object(fields)
            });
        }
        let text = if secret {
            "***".to_owned()
        } else {
            shown_text(text)
        };
        if fields.is_empty() {
            return Ok(Self::Text(text));
        }
        fields.push(("#text".to_owned(), Self::Text(text)));
        Ok(Self::Object(fields))
    }

    /// For people: a name and a value a line, what is inside of something indented.
    pub fn lines(&self, f: &mut Formatter<'_>, name: &str, depth: usize) -> fmt::Result {
        let indent = "  ".repeat(depth.saturating_sub(1));
        match self {
            Self::List(items) => {
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        writeln!(f)?;
                    }
                    item.lines(f, name, depth)?;
                }
                Ok(())
            }
            Self::Empty if depth == 0 => f.write_str("done"),
            Self::Empty => write!(f, "{indent}{}", Plain(name)),
            Self::Text(text) => write!(f, "{indent}{}  {}", Plain(name), Plain(text)),
            Self::Object(fields) => {
                if depth > 0 {
                    writeln!(f, "{indent}{}", Plain(name))?;
                }
                for (number, (name, value)) in fields.iter().enumerate() {
                    if number > 0 {
                        writeln!(f)?;
                    }
                    value.lines(f, name, depth + 1)?;
                }
                Ok(())
            }
        }
    }
}

/// Adds a child; one whose name is there already makes a list of them.
fn add(fields: &mut Vec<(String, Node)>, name: String, value: Node) {
    match fields.iter_mut().find(|(known, _)| *known == name) {
        Some((_, Node::List(items))) => items.push(value),
        Some((_, first)) => {
            let before = std::mem::replace(first, Node::Empty);
            *first = Node::List(vec![before, value]);
        }
        None => fields.push((name, value)),
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("password") || name.contains("passphrase") || name == "psk"
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c < ' ' && !matches!(c, '\t' | '\n' | '\r') => {}
            c => out.push(c),
        }
    }
    out
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Empty => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyNode)
    }
}

struct AnyNode;

impl<'de> Visitor<'de> for AnyNode {
    type Value = Node;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Node, E> {
        Ok(Node::Empty)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Text(value.to_string()))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Node, A::Error> {
        let mut object = Vec::new();
        while let Some(field) = fields.next_entry()? {
            object.push(field);
        }
        Ok(Node::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use onvif_core::xml::Reader;

    use super::*;

    #[test]
    fn arguments_keep_their_order_and_get_their_prefixes() {
        let json = r#"{"ProfileToken": "a<b", "Velocity": {"PanTilt": {"@x": 0.5, "@y": 0}}, "tt:Z": [1, 2], "E": {}}"#;
        let node: Node = serde_json::from_str(json).unwrap();
        assert_eq!(
            node.request("tptz", "Move").unwrap(),
            "<tptz:Move><tptz:ProfileToken>a&lt;b</tptz:ProfileToken>\
             <tptz:Velocity><tt:PanTilt x=\"0.5\" y=\"0\"></tt:PanTilt></tptz:Velocity>\
             <tt:Z>1</tt:Z><tt:Z>2</tt:Z><tptz:E></tptz:E></tptz:Move>"
        );
    }

    #[test]
    fn a_name_cannot_carry_markup() {
        for json in [r#"{"a><b": 1}"#, r#"{"@a='1' b": 1}"#, r#"{"": 1}"#] {
            let node: Node = serde_json::from_str(json).unwrap();
            assert!(node.request("tds", "Get").is_err(), "{json}");
        }
    }

    #[test]
    fn a_reply_becomes_json_without_passwords() {
        let xml = "<R><U t='1'><N>a</N><Password>geheim</Password></U><U><N>b</N></U>\
                   <Uri>rtsp://u:p@h/?pwd=x</Uri><E/></R>";
        let mut reader = Reader::new(xml).unwrap();
        let node = Node::read(&mut reader.root().unwrap()).unwrap();
        assert_eq!(
            serde_json::to_string(&node).unwrap(),
            r#"{"U":[{"@t":"1","N":"a","Password":"***"},{"N":"b"}],"Uri":"rtsp://h/?pwd=***","E":null}"#
        );
    }
}
