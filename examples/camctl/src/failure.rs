//! What is said when a verb fails: what happened, why, and what to do.

use std::fmt::{self, Display, Formatter};
use std::io;

use onvif_core::{Error, TransportError};

use crate::output::Plain;

/// An error as it is shown on standard error.
pub struct Report<'e>(pub &'e anyhow::Error);

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut said = self.0.to_string();
        writeln!(f, "error: {}", Plain(&said))?;
        for cause in self.0.chain().skip(1) {
            let cause = cause.to_string();
            // Many errors tell their cause themselves.
            if !said.contains(&cause) {
                writeln!(f, "  because: {}", Plain(&cause))?;
                said = cause;
            }
        }
        match self.0.downcast_ref::<Error>().and_then(advice) {
            Some(advice) => writeln!(f, "  {advice}"),
            None => Ok(()),
        }
    }
}

/// Whether nobody reads standard output any more.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let of_json = cause
            .downcast_ref::<serde_json::Error>()
            .and_then(serde_json::Error::io_error_kind);
        let kind = cause.downcast_ref().map(io::Error::kind).or(of_json);
        kind == Some(io::ErrorKind::BrokenPipe)
    })
}

/// What to do, where the error does not say it.
fn advice(error: &Error) -> Option<&'static str> {
    match error {
        Error::Unauthorized { user: None, .. } => {
            Some("Give --username, and --password-file or CAMCTL_PASSWORD.")
        }
        Error::Network {
            source: TransportError::Tls(_),
            ..
        } => Some(
            "If this certificate is to be trusted all the same, see --tls; if the camera speaks http, write http:// in --camera.",
        ),
        Error::Network {
            source: TransportError::Timeout(_),
            ..
        } => Some("Check the address in --camera, or give it more time with --timeout."),
        Error::Network { .. } => Some(
            "Check the address and port in --camera, and that the camera is on; `camctl discover` finds cameras.",
        ),
        Error::NotSoap { .. } => {
            Some("Check the path in --camera, and that ONVIF is turned on in the camera.")
        }
        Error::Refused { fault, .. }
            if fault.subcodes.contains(&onvif_core::FaultCode::NoProfile) =>
        {
            Some("`camctl profiles` lists the tokens for --profile.")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    fn unreachable() -> Error {
        Error::Network {
            operation: "connect".to_owned(),
            host: "192.0.2.7".to_owned(),
            source: TransportError::Connect("refused".to_owned()),
        }
    }

    #[test]
    fn a_cause_is_told_once_and_followed_by_what_to_do() {
        let error = Err::<(), _>(unreachable())
            .context("no picture")
            .unwrap_err();
        let report = Report(&error).to_string();
        assert_eq!(report.matches("cannot connect: refused").count(), 1);
        assert!(report.starts_with("error: no picture\n  because: connect: 192.0.2.7"));
        assert!(report.contains("camctl discover"));
    }

    #[test]
    fn a_closed_pipe_is_known_inside_json() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&serde_json::Error::io(closed).into()));
        assert!(!is_broken_pipe(&unreachable().into()));
    }
}
