use super::{QName, XmlElement};
use crate::soap_reply;
use crate::xml::{Decode, DecodeError, Element, FromText};

/// A kind of rule or module.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ConfigDescription {
    /// Its name, which is the type of its rules or modules.
    pub name: QName,
    /// Whether those that exist can be neither created nor deleted.
    pub fixed: Option<bool>,
    /// How many there may be of it.
    pub max_instances: Option<u32>,
    /// What they are set up with.
    pub parameters: Option<ItemListDescription>,
    /// The events they raise.
    pub messages: Vec<MessageDescription>,
}

soap_reply! {
    /// An event that a kind of rule raises.
    pub struct MessageDescription in "tt" [
        /// Whether it tells of a state, and not of a moment.
        is_property: Option<bool> = "IsProperty",
    ] {
        /// What says where it comes from.
        source: Option<ItemListDescription> = "Source",
        /// What tells one object from another.
        key: Option<ItemListDescription> = "Key",
        /// What says what happened.
        data: Option<ItemListDescription> = "Data",
        /// Its topic, as the camera writes it.
        parent_topic: Option<String> = "ParentTopic",
    }
}

soap_reply! {
    /// Which parameters there are.
    pub struct ItemListDescription in "tt" {
        /// The plain ones.
        simple: Vec<ItemDescription> = "SimpleItemDescription",
        /// Those that are XML.
        elements: Vec<ItemDescription> = "ElementItemDescription",
    }
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ItemDescription {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: QName,
}

/// What a parameter of rules or modules may be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigOptions {
    /// The kind of rule; for modules the kind of module. `None` where the device does not say.
    pub of: Option<QName>,
    /// The parameter.
    pub name: String,
    /// The type of the options.
    pub kind: Option<QName>,
    /// How often the parameter has to be given at least.
    pub min_occurs: Option<u32>,
    /// How often it may be given at most.
    pub max_occurs: Option<u32>,
    /// The options: ranges and lists of the common schema, or what the vendor made.
    pub content: Vec<XmlElement>,
}

/// What metadata a kind of module produces.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MetadataInfo {
    /// The kind of module.
    pub kind: QName,
    /// A frame of metadata as an example.
    pub sample: Option<XmlElement>,
}

impl Decode for ConfigDescription {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let name = qname(element, "Name")?;
        let fixed = number(element, "fixed");
        let max_instances = number(element, "maxInstances");
        let mut parameters = None;
        let mut messages = Vec::new();
        while let Some(mut child) = element.child()? {
            if child.is("tt", "Parameters") {
                parameters.get_or_insert(ItemListDescription::decode(&mut child)?);
            } else if child.is("tt", "Messages") {
                messages.push(MessageDescription::decode(&mut child)?);
            }
        }
        Ok(Self {
            name,
            fixed,
            max_instances,
            parameters,
            messages,
        })
    }
}

impl Decode for ItemDescription {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        Ok(Self {
            name: text(element, "Name")?,
            kind: qname(element, "Type")?,
        })
    }
}

impl Decode for ConfigOptions {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let of = qname(element, "RuleType").or_else(|_| qname(element, "AnalyticsModule"));
        let mut options = Self {
            of: of.ok(),
            name: text(element, "Name")?,
            kind: qname(element, "Type").ok(),
            min_occurs: number(element, "minOccurs"),
            max_occurs: number(element, "maxOccurs"),
            content: Vec::new(),
        };
        while let Some(mut child) = element.child()? {
            options.content.push(XmlElement::decode(&mut child)?);
        }
        Ok(options)
    }
}

impl Decode for MetadataInfo {
    fn decode(element: &mut Element<'_, '_>) -> Result<Self, DecodeError> {
        let kind = qname(element, "Type")?;
        let mut sample = None;
        while let Some(mut child) = element.child()? {
            if child.is("tan", "SampleFrame") {
                sample.get_or_insert(XmlElement::decode(&mut child)?);
            }
        }
        Ok(Self { kind, sample })
    }
}

fn text(element: &Element<'_, '_>, name: &'static str) -> Result<String, DecodeError> {
    let value = element.attribute(name).ok_or(DecodeError::Missing(name))?;
    Ok(value.trim().to_owned())
}

fn qname(element: &Element<'_, '_>, name: &'static str) -> Result<QName, DecodeError> {
    Ok(QName::read(&text(element, name)?, element))
}

fn number<T: FromText>(element: &Element<'_, '_>, name: &str) -> Option<T> {
    T::from_text(element.attribute(name)?.trim())
}
