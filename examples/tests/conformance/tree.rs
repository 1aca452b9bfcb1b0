//! XML as a tree, read without the code that is judged.

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

/// An element: names without prefixes, text without white space at its ends.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub namespace: String,
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Node>,
    pub text: String,
}

impl Node {
    /// The root of a document; `None` where it is not well-formed.
    pub fn read(document: &str) -> Option<Self> {
        let mut reader = NsReader::from_str(document);
        let mut open: Vec<Node> = Vec::new();
        loop {
            let closed = match reader.read_event().ok()? {
                Event::Start(start) => {
                    open.push(begin(&reader, &start)?);
                    continue;
                }
                Event::Empty(start) => begin(&reader, &start)?,
                Event::End(_) => open.pop()?,
                Event::Text(text) => {
                    if let Some(node) = open.last_mut() {
                        node.text.push_str(&text.xml10_content());
                    }
                    continue;
                }
                Event::GeneralRef(entity) => {
                    let character = entity.resolve_char_ref().ok()?.map(String::from);
                    let text = match character {
                        Some(text) => text,
                        None => resolve_predefined_entity(&entity.into_inner())?.to_owned(),
                    };
                    open.last_mut()?.text.push_str(&text);
                    continue;
                }
                Event::Eof => return None,
                _ => continue,
            };
            let closed = Node {
                text: closed.text.trim().to_owned(),
                ..closed
            };
            match open.last_mut() {
                Some(parent) => parent.children.push(closed),
                None => return Some(closed),
            }
        }
    }

    pub fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at a path of local names: `Position/PanTilt`.
    pub fn at(&self, path: &str) -> Option<&Node> {
        path.split('/')
            .try_fold(self, |node, name| node.child(name))
    }

    /// What stands at a path, which may end with an attribute: `Position/PanTilt/@space`. `None` where it is empty.
    pub fn text_at(&self, path: &str) -> Option<&str> {
        let text = match path.rsplit_once('@') {
            Some((parents, name)) => {
                let parents = parents.trim_end_matches('/');
                let node = match parents {
                    "" => self,
                    parents => self.at(parents)?,
                };
                let found = node.attributes.iter().find(|(local, _)| local == name);
                found.map(|(_, value)| value.as_str())?
            }
            None => &self.at(path)?.text,
        };
        (!text.is_empty()).then_some(text)
    }
}

fn begin(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Option<Node> {
    let (namespace, name) = reader.resolver().resolve_element(start.name());
    let mut node = Node {
        namespace: match namespace {
            ResolveResult::Bound(namespace) => namespace.into_inner().to_owned(),
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return None,
        },
        name: name.into_inner().to_owned(),
        ..Node::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).ok()?;
        let name = attribute.key.local_name().into_inner().to_owned();
        node.attributes.push((name, value.into_owned()));
    }
    Some(node)
}
