//! Streams that many receive together.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::outlet::Outlet;
use super::sender::Sender;

/// Tracks that may be sent to a group. Each has a pair of ports of its own.
const MAX_TRACKS: u16 = 32;

/// Who sends to a group, by path and number of the track.
pub(super) struct Groups {
    /// The group, with the first port.
    first: SocketAddrV4,
    senders: Mutex<BTreeMap<TrackOf, Numbered>>,
}

/// The path of a stream, and the number of a track.
type TrackOf = (String, usize);
/// Which pair of ports a sender has.
type Numbered = (u16, Weak<Sender>);

impl Groups {
    pub(super) fn new(first: SocketAddrV4) -> Self {
        Self {
            first,
            senders: Mutex::default(),
        }
    }

    /// The one who sends a track of a stream, made by `make` where there is none.
    ///
    /// # Errors
    /// When there are no ports left for another track, or it cannot be sent.
    pub(super) fn sender(
        &self,
        local: IpAddr,
        path: &str,
        index: usize,
        make: impl FnOnce(Outlet) -> Sender,
    ) -> io::Result<Arc<Sender>> {
        let senders = self.senders.lock();
        let mut senders = senders.unwrap_or_else(PoisonError::into_inner);
        let count = u16::try_from(senders.len()).unwrap_or(u16::MAX);
        let key = (path.to_owned(), index);
        let number = match senders.get(&key) {
            Some((number, sender)) => match sender.upgrade() {
                Some(sender) => return Ok(sender),
                None => *number,
            },
            None if count < MAX_TRACKS => count,
            None => return Err(io::ErrorKind::AddrNotAvailable.into()),
        };
        let port = self.first.port().checked_add(2 * number);
        let port = port.filter(|port| *port < u16::MAX);
        let port = port.ok_or(io::ErrorKind::AddrNotAvailable)?;
        let group = SocketAddrV4::new(*self.first.ip(), port);
        let sender = Arc::new(make(Outlet::multicast(local, group)?));
        senders.insert(key, (number, Arc::downgrade(&sender)));
        Ok(sender)
    }
}
