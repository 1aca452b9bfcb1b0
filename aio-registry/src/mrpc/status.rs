/// The `__stat` of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// 200: answered.
    Ok,
    /// 204: answered, with no content.
    NoContent,
    /// 400: a header or the payload is bad.
    BadRequest,
    /// 408: the executor took too long.
    Timeout,
    /// 415: the content type is not one it takes.
    UnsupportedContentType,
    /// 500: the executor failed.
    Internal,
    /// 503: the executor is in no state to answer, or the clocks differ too much.
    Unavailable,
    /// 505: the executor speaks another version of the protocol.
    UnsupportedVersion,
    /// Another one.
    Other(u16),
}

impl Status {
    /// The number on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::Ok => 200,
            Self::NoContent => 204,
            Self::BadRequest => 400,
            Self::Timeout => 408,
            Self::UnsupportedContentType => 415,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::UnsupportedVersion => 505,
            Self::Other(code) => code,
        }
    }

    /// The status of that number.
    pub fn from_code(code: u16) -> Self {
        match code {
            200 => Self::Ok,
            204 => Self::NoContent,
            400 => Self::BadRequest,
            408 => Self::Timeout,
            415 => Self::UnsupportedContentType,
            500 => Self::Internal,
            503 => Self::Unavailable,
            505 => Self::UnsupportedVersion,
            other => Self::Other(other),
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Timeout | Self::Unavailable)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = match self {
            Self::Ok => "OK",
            Self::NoContent => "no content",
            Self::BadRequest => "bad request",
            Self::Timeout => "timed out",
            Self::UnsupportedContentType => "unsupported content type",
            Self::Internal => "internal error",
            Self::Unavailable => "unavailable",
            Self::UnsupportedVersion => "unsupported protocol version",
            Self::Other(_) => "unknown status",
        };
        write!(f, "{} {words}", self.code())
    }
}
