mod audio;
mod metadata;
mod overlay;
mod profiles;
mod streaming;
mod video;

use crate::camera::Camera;
use crate::error::{Error, ErrorKind};
use crate::operation::{Effect, Operation, Service};

/// Media of one camera (ONVIF Media and Media2). Media2 is asked first, because Media lacks H.265;
/// where the camera has no Media2, or it fails, Media answers.
#[derive(Clone, Copy, Debug)]
pub struct MediaClient<'c> {
    camera: &'c Camera,
}

impl<'c> MediaClient<'c> {
    pub(crate) fn new(camera: &'c Camera) -> Self {
        Self { camera }
    }
}

impl MediaClient<'_> {
    fn has(&self, service: Service) -> bool {
        self.camera.services().has(service)
    }

    /// Asks Media2; where the camera has none, or it fails, Media.
    async fn either<N, O, T>(
        &self,
        newer: &N,
        from_newer: impl FnOnce(N::Response) -> T,
        older: &O,
        from_older: impl FnOnce(O::Response) -> T,
    ) -> Result<T, Error>
    where
        N: Operation + Sync,
        O: Operation + Sync,
    {
        if self.has(Service::Media2) {
            match self.camera.call(newer).await {
                Err(error) if self.may_fall_back(&error, N::EFFECT) => {
                    return match self.camera.call(older).await {
                        // What the newer one said tells more.
                        Err(second) if second.kind() == ErrorKind::Unsupported => Err(error),
                        other => other.map(from_older),
                    };
                }
                other => return other.map(from_newer),
            }
        }
        self.camera.call(older).await.map(from_older)
    }

    /// As [`either`](Self::either), for lists: an empty one may be a gap in Media2.
    async fn list<N, O, T>(
        &self,
        newer: &N,
        from_newer: impl FnOnce(N::Response) -> Vec<T>,
        older: &O,
        from_older: impl FnOnce(O::Response) -> Vec<T>,
    ) -> Result<Vec<T>, Error>
    where
        N: Operation + Sync,
        O: Operation + Sync,
    {
        if !self.has(Service::Media2) {
            return self.camera.call(older).await.map(from_older);
        }
        let found = match self.camera.call(newer).await {
            Err(error) if !self.may_fall_back(&error, N::EFFECT) => return Err(error),
            other => other.map(from_newer),
        };
        if found.as_ref().is_ok_and(|list| !list.is_empty()) || !self.has(Service::Media) {
            return found;
        }
        match self.camera.call(older).await {
            Ok(reply) => Ok(from_older(reply)),
            Err(error) if error.kind() == ErrorKind::Network => Err(error),
            Err(_) => found,
        }
    }

    /// As [`list`](Self::list), for something that has to be there.
    async fn one<N, O, T>(
        &self,
        newer: &N,
        from_newer: impl FnOnce(N::Response) -> Option<T>,
        older: &O,
        from_older: impl FnOnce(O::Response) -> Option<T>,
        what: &str,
    ) -> Result<T, Error>
    where
        N: Operation + Sync,
        O: Operation + Sync,
    {
        let found = self.list(
            newer,
            |reply| Vec::from_iter(from_newer(reply)),
            older,
            |reply| Vec::from_iter(from_older(reply)),
        );
        found.await?.pop().ok_or_else(|| self.lacks(what))
    }

    /// A service that is advertised but fails must not hide the one that works. A change that may
    /// have happened is not made again.
    fn may_fall_back(&self, error: &Error, effect: Effect) -> bool {
        let fails = match error.kind() {
            ErrorKind::Refused | ErrorKind::Unsupported => true,
            ErrorKind::Misbehaved => effect == Effect::Read,
            _ => false,
        };
        if fails && self.has(Service::Media) {
            tracing::debug!(%error, "Media2 failed; asking Media");
        }
        fails && self.has(Service::Media)
    }

    fn lacks(&self, what: &str) -> Error {
        Error::Unsupported {
            host: self.camera.host(),
            what: what.to_owned(),
        }
    }
}
