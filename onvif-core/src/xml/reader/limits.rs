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
    /// Bytes of one text that is read.
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
pub(super) const MAX_NAME: usize = 256;

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
    /// What came is the reply to another operation.
    #[error("`{name}` is no reply to this operation")]
    Unexpected {
        /// Local name of what came.
        name: String,
    },
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
pub(super) fn within(number: usize, limit: usize, what: &'static str) -> Result<(), DecodeError> {
    match number > limit {
        true => Err(DecodeError::TooLarge { what, limit }),
        false => Ok(()),
    }
}
