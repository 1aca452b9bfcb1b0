use std::io::Write;

use yaserde::__xml::escape::escape_str_pcdata;
use yaserde::__xml::writer::XmlEvent;
use yaserde::YaSerialize;
use yaserde::ser::{Config, Serializer};

/// A request could not be written as XML: a value holds something XML cannot carry.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the request as XML: {0}")]
pub struct EncodeError(String);

/// Writes a request as the content of a SOAP body. The prefixes are those of
/// [`namespace::PREFIXES`](super::namespace::PREFIXES), which the envelope declares.
///
/// # Errors
/// When a text holds characters that XML forbids.
pub fn to_body<T: YaSerialize>(request: &T) -> Result<String, EncodeError> {
    write(&mut |writer| request.serialize(writer))
}

/// What writes a request. It is no type parameter, so that there is one copy of what calls it, not one for each request.
type Serialize<'a> = dyn FnMut(&mut Serializer<Vec<u8>>) -> Result<(), yaserde::Error> + 'a;

fn write(serialize: &mut Serialize<'_>) -> Result<String, EncodeError> {
    let config = Config {
        perform_indent: false,
        write_document_declaration: false,
        indent_string: None,
    };
    let mut writer = Serializer::new_from_writer(Vec::with_capacity(512), &config);
    serialize(&mut writer).map_err(|error| EncodeError(error.to_string()))?;
    let body =
        String::from_utf8(writer.into_inner()).map_err(|error| EncodeError(error.to_string()))?;
    let is_control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    if body.bytes().any(is_control) {
        return Err(EncodeError("a text holds a control character".into()));
    }
    Ok(body)
}

/// A field that is written as child elements: `T`, `Option<T>` or `Vec<T>`.
pub trait WriteField {
    /// Writes an element of this name for each value.
    ///
    /// # Errors
    /// When a value cannot be written as XML.
    fn write<W: Write>(&self, writer: &mut Serializer<W>, name: &str)
    -> Result<(), yaserde::Error>;
}

impl<T: WriteField> WriteField for Option<T> {
    fn write<W: Write>(
        &self,
        writer: &mut Serializer<W>,
        name: &str,
    ) -> Result<(), yaserde::Error> {
        self.iter().try_for_each(|value| value.write(writer, name))
    }
}

impl<T: WriteField> WriteField for Vec<T> {
    fn write<W: Write>(
        &self,
        writer: &mut Serializer<W>,
        name: &str,
    ) -> Result<(), yaserde::Error> {
        self.iter().try_for_each(|value| value.write(writer, name))
    }
}

/// A field that is written as an attribute: `T` or `Option<T>`.
pub trait WriteAttribute {
    /// What is written; nothing for an attribute that is absent.
    fn text(&self) -> Option<String>;
}

impl<T: WriteAttribute> WriteAttribute for Option<T> {
    fn text(&self) -> Option<String> {
        self.as_ref().and_then(T::text)
    }
}

crate::__soap_write_text!(String);
crate::__soap_write_text!(bool);
crate::__soap_write_text!(i32);
crate::__soap_write_text!(u32);
crate::__soap_write_text!(i64);
crate::__soap_write_text!(f32);
crate::__soap_write_text!(f64);

/// Writes an element with text.
///
/// # Errors
/// Those of the writer.
pub fn write_text<W: Write>(
    writer: &mut Serializer<W>,
    name: &str,
    text: &str,
) -> Result<(), yaserde::Error> {
    // One event instead of three, which cost the most of writing a short request.
    let element = ["<", name, ">", &escape_str_pcdata(text), "</", name, ">"];
    Ok(writer.write(XmlEvent::raw_characters(&element.concat()))?)
}

/// What writes the content of an element.
type Content<'a, W> = dyn FnMut(&mut Serializer<W>) -> Result<(), yaserde::Error> + 'a;

/// Writes the open element around `content`; the element of a request, which nobody opened, by its own name.
///
/// # Errors
/// Those of the writer, and of `content`.
pub fn write_struct<W: Write>(
    writer: &mut Serializer<W>,
    own_name: &str,
    attributes: &[(&str, Option<String>)],
    content: &mut Content<'_, W>,
) -> Result<(), yaserde::Error> {
    let opened = writer.get_start_event_name();
    let mut start = XmlEvent::start_element(opened.as_deref().unwrap_or(own_name));
    for (name, text) in attributes {
        if let Some(text) = text {
            start = start.attr(*name, text);
        }
    }
    writer.write(start)?;
    content(writer)?;
    Ok(writer.write(XmlEvent::end_element())?)
}

/// Writes a value as the element of a name.
///
/// # Errors
/// When the value cannot be written as XML.
pub fn write_child<W: Write>(
    writer: &mut Serializer<W>,
    name: &str,
    child: &impl YaSerialize,
) -> Result<(), yaserde::Error> {
    writer.set_start_event_name(Some(name.to_owned()));
    child.serialize(writer)
}
