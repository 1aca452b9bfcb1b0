//! What the small programs of this package share: their command line, `URL [USER PASSWORD-FILE]`.

use std::error::Error;

use onvif_core::{Camera, CameraBuilder, Credentials};

/// A URL and, where they were given, a user name and the password from a file.
#[derive(Clone)]
pub struct Args {
    /// The first argument.
    pub url: String,
    /// User name and password.
    pub credentials: Option<(String, String)>,
}

impl Args {
    /// Reads the command line.
    ///
    /// # Errors
    /// Says how the program is called, or which file cannot be read.
    pub fn read() -> Result<Self, Box<dyn Error>> {
        let mut args = std::env::args().skip(1);
        let url = args
            .next()
            .ok_or("call it with: URL [USER PASSWORD-FILE]")?;
        let credentials = match (args.next(), args.next()) {
            (Some(user), Some(file)) => {
                let password =
                    std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))?;
                Some((user, password.trim_end_matches(['\r', '\n']).to_owned()))
            }
            (None, _) => None,
            (Some(_), None) => return Err("a user name needs a password file".into()),
        };
        Ok(Self { url, credentials })
    }

    /// The camera at the URL, with the credentials that were given.
    pub fn camera(self) -> CameraBuilder {
        let builder = Camera::builder(self.url);
        match self.credentials {
            Some((user, password)) => builder.credentials(Credentials::new(user, password)),
            None => builder,
        }
    }
}

/// The README's library example is run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
