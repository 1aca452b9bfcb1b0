use std::io::Write;

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
    let mut writer = Serializer::new_from_writer(Vec::new(), &config);
    serialize(&mut writer).map_err(|error| EncodeError(error.to_string()))?;
    let body =
        String::from_utf8(writer.into_inner()).map_err(|error| EncodeError(error.to_string()))?;
    if body
        .chars()
        .any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r'))
    {
        return Err(EncodeError("a text holds a control character".into()));
    }
    Ok(body)
}

/// Writes the open element (or the attribute value) that `writer` is at, with `text` as content.
/// For implementing [`YaSerialize`] on values that are written as text.
///
/// # Errors
/// Those of the writer.
pub fn text_element<W: Write>(
    writer: &mut Serializer<W>,
    text: &str,
) -> Result<(), yaserde::Error> {
    use yaserde::__xml::writer::XmlEvent;
    let name = writer
        .get_start_event_name()
        .filter(|_| !writer.skip_start_end());
    if let Some(name) = &name {
        writer.write(XmlEvent::start_element(name.as_str()))?;
    }
    writer.write(XmlEvent::characters(text))?;
    if name.is_some() {
        writer.write(XmlEvent::end_element())?;
    }
    Ok(())
}
