use std::io::Write;

use yaserde::YaSerialize;
use yaserde::ser::Serializer;

use super::content::XmlContent;
use super::element::{QName, write_elements, write_open};
use crate::soap_type;
use crate::xml::{Decode, DecodeError, Element, write_child};

/// A rule or an analytics module: what it is of, and how it is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Its name, by which it is changed and deleted. One name is used once in a configuration.
    pub name: String,
    /// What it is of, `tt:MotionRegionDetector` for instance.
    pub kind: QName,
    /// How it is set up.
    pub parameters: ItemList,
}

/// Parameters by name: plain values, and values that are XML.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemList {
    /// The plain values.
    pub simple: Vec<SimpleItem>,
    /// The values that are XML.
    pub elements: Vec<ElementItem>,
}

impl ItemList {
    /// The plain value with this name.
    pub fn value(&self, name: &str) -> Option<&str> {
        let item = self.simple.iter().find(|item| item.name == name)?;
        Some(&item.value)
    }

    /// The XML value with this name.
    pub fn element(&self, name: &str) -> Option<&ElementItem> {
        self.elements.iter().find(|item| item.name == name)
    }

    /// Sets the plain value with this name.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        let value = value.to_string();
        match self.simple.iter_mut().find(|item| item.name == name) {
            Some(item) => item.value = value,
            None => self.simple.push(SimpleItem {
                name: name.to_owned(),
                value,
            }),
        }
    }
}

soap_type! {
    /// A plain value with its name.
    #[derive(Eq, Hash)]
    pub struct SimpleItem in "tt" [
        /// Its name.
        name: String = "Name",
        /// The value.
        value: String = "Value",
    ] {}
}

/// A value that is XML, with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementItem {
    /// Its name.
    pub name: String,
    /// The value; one element, as the specification has it.
    pub content: XmlContent,
}

impl Decode for Config {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let name = element
            .attribute("Name")
            .ok_or(DecodeError::Missing("Name"))?;
        let kind = element
            .attribute("Type")
            .ok_or(DecodeError::Missing("Type"))?;
        let (name, kind) = (name.into_owned(), QName::read(kind.trim(), element));
        let mut parameters = None;
        while let Some(mut child) = element.child()? {
            if child.is("tt", "Parameters") {
                parameters.get_or_insert(ItemList::decode(&mut child)?);
            }
        }
        Ok(Self {
            name,
            kind,
            parameters: parameters.unwrap_or_default(),
        })
    }
}

impl Decode for ItemList {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let mut list = Self::default();
        while let Some(mut child) = element.child()? {
            if child.is("tt", "SimpleItem") {
                // One without a name or value cannot be used, the others can.
                if let Ok(item) = SimpleItem::decode(&mut child) {
                    list.simple.push(item);
                }
            } else if child.is("tt", "ElementItem") {
                list.elements.push(ElementItem::decode(&mut child)?);
            }
        }
        Ok(list)
    }
}

impl Decode for ElementItem {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let name = element.attribute("Name").unwrap_or_default().into_owned();
        let content = XmlContent::take(element)?;
        Ok(Self { name, content })
    }
}

crate::__soap_write_child!(Config);
crate::__soap_required_field!(Config);
crate::__soap_required_field!(ItemList);

impl YaSerialize for Config {
    fn serialize<W: Write>(&self, writer: &mut Serializer<W>) -> Result<(), yaserde::Error> {
        let kind = self.kind.to_string();
        let attributes = [("Name", self.name.as_str()), ("Type", kind.as_str())];
        write_open(writer, &attributes, self.kind.declaration(), |writer| {
            write_child(writer, "tt:Parameters", &self.parameters)
        })
    }

    crate::__soap_no_attributes!();
}

impl YaSerialize for ItemList {
    fn serialize<W: Write>(&self, writer: &mut Serializer<W>) -> Result<(), yaserde::Error> {
        write_open(writer, &[], None, |writer| {
            for item in &self.simple {
                write_child(writer, "tt:SimpleItem", item)?;
            }
            for item in &self.elements {
                write_child(writer, "tt:ElementItem", item)?;
            }
            Ok(())
        })
    }

    crate::__soap_no_attributes!();
}

impl YaSerialize for ElementItem {
    fn serialize<W: Write>(&self, writer: &mut Serializer<W>) -> Result<(), yaserde::Error> {
        write_open(writer, &[("Name", &self.name)], None, |writer| {
            let elements = self.content.elements();
            let elements = elements.map_err(|error| error.to_string())?;
            write_elements(writer, &elements)
        })
    }

    crate::__soap_no_attributes!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation;
    use crate::xml::{Reader, to_body};

    operation! {
        /// Carries a rule.
        pub struct CreateRules in "tan" {
            /// The rule.
            rule: Vec<Config> = "Rule",
        } -> ();
        Analytics, "urn:test", Actuate, Write
    }

    #[test]
    fn a_rule_is_written_as_it_was_read_whatever_prefixes_the_camera_uses() {
        let document = r#"<x:Rule xmlns:x="http://www.onvif.org/ver20/analytics/wsdl"
            xmlns:s1="http://www.onvif.org/ver10/schema" xmlns:v="urn:vendor" Name="a&amp;b" Type="v:Fence">
            <s1:Parameters><s1:SimpleItem Name="Armed" Value="true"/>
            <s1:ElementItem Name="Field"><s1:Polygon v:unit="v:px"><s1:Point x="0" y="1"/><v:Extra>v:q</v:Extra></s1:Polygon>
            </s1:ElementItem></s1:Parameters></x:Rule>"#;
        let read = |document: &str| {
            let mut reader = Reader::new(document).unwrap();
            Config::decode(&mut reader.root().unwrap()).unwrap()
        };
        let config = read(document);
        assert_eq!(config.name, "a&b");
        assert_eq!(config.kind.namespace, "urn:vendor");
        assert_eq!(config.parameters.value("Armed"), Some("true"));

        let body = to_body(&CreateRules {
            rule: vec![config.clone()],
        })
        .unwrap();
        assert_eq!(
            body,
            "<tan:CreateRules><tan:Rule xmlns:v=\"urn:vendor\" Name=\"a&amp;b\" Type=\"v:Fence\"><tt:Parameters>\
             <tt:SimpleItem Name=\"Armed\" Value=\"true\" /><tt:ElementItem Name=\"Field\">\
             <tt:Polygon v:unit=\"v:px\"><tt:Point x=\"0\" y=\"1\" />\
             <v:Extra>v:q</v:Extra></tt:Polygon></tt:ElementItem>\
             </tt:Parameters></tan:Rule></tan:CreateRules>"
        );
        let rule = &body["<tan:CreateRules>".len()..body.len() - "</tan:CreateRules>".len()];
        assert_eq!(read(rule).kind, config.kind);
    }
}
