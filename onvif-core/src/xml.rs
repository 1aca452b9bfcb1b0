//! Reading what cameras send: a pull decoder that is strict about size and tolerant about style.
//!
//! Requests are written with `yaserde`; responses are read here. The reader works on the text in
//! place, builds no tree, and checks its [limits](Limits) before it keeps anything. Elements are
//! matched by namespace; where a camera uses a prefix it never declared, by local name alone.
//!
//! Types are declared once with [`soap_type!`](crate::soap_type), [`soap_reply!`](crate::soap_reply),
//! [`soap_enum!`](crate::soap_enum) and [`soap_token!`](crate::soap_token), which write both sides.

pub mod date;
mod declare;
mod encode;
pub mod namespace;
mod reader;
mod scanner;
mod value;

pub use encode::{EncodeError, to_body};
#[doc(hidden)]
pub use encode::{WriteAttribute, WriteField, write_child, write_struct, write_text};
pub(crate) use reader::Declarations;
pub use reader::{DecodeError, Element, Limits, Reader};
pub use value::{AttributeField, Decode, Field, FromText, IsoDuration};
