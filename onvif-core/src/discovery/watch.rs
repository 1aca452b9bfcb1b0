use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::collector::plain;
use super::interfaces;
use super::rank::rank;
use super::reading::{Content, MAX_REFERENCE, read};
use super::search::{GROUP_V4, GROUP_V6, PORT, datagrams_of};
use super::{Discovered, DiscoveryError, DiscoveryOptions};

/// Interfaces come and go: cables, Wi-Fi, VPNs.
const JOIN_AGAIN_EVERY: Duration = Duration::from_secs(30);
/// Announcements are repeated, and come in on every interface.
const MAX_RECENT: usize = 256;

/// What a camera said without being asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Announcement {
    /// A camera joined the network, or something about it changed (WS-Discovery, section 4.1). It
    /// may leave out its addresses; [`Discovery::resolve`](super::Discovery::resolve) asks for them.
    Hello(Discovered),
    /// A camera is leaving the network (WS-Discovery, section 4.2). Anybody can say so.
    #[non_exhaustive]
    Bye {
        /// Who it is, as in [`Discovered::endpoint_reference`].
        endpoint_reference: String,
        /// Where it came from.
        from: SocketAddr,
    },
}

/// What cameras announce. See [`Discovery::watch`](super::Discovery::watch).
pub struct Announcements {
    stream: BoxStream<'static, Announcement>,
}

impl Stream for Announcements {
    type Item = Announcement;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Announcement>> {
        self.stream.as_mut().poll_next(context)
    }
}

impl std::fmt::Debug for Announcements {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Announcements").finish_non_exhaustive()
    }
}

pub(super) fn listen(options: DiscoveryOptions) -> Result<Announcements, DiscoveryError> {
    // A name that is wrong is said now, not every half a minute.
    interfaces::chosen(&interfaces::all(), &options.interfaces)?;
    let v4 = Arc::new(group_socket(Domain::IPV4, Ipv4Addr::UNSPECIFIED.into())?);
    let v6 = match options.ipv6 {
        true => group_socket(Domain::IPV6, Ipv6Addr::UNSPECIFIED.into())
            .inspect_err(|error| tracing::debug!(%error, "no IPv6 here"))
            .ok()
            .map(Arc::new),
        false => None,
    };
    let sockets = [Some(v4.clone()), v6.clone()].into_iter().flatten();
    let received = stream::select_all(sockets.map(datagrams_of));
    let mut join = interval(JOIN_AGAIN_EVERY);
    join.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener {
        filter: Filter {
            scopes: options.scopes,
            recent: VecDeque::new(),
        },
        wanted: options.interfaces,
        received: received.boxed(),
        join,
        v4,
        v6,
    };
    let stream = stream::unfold(listener, |mut listener| async move {
        let announcement = listener.next().await?;
        Some((announcement, listener))
    });
    Ok(Announcements {
        stream: stream.boxed(),
    })
}

struct Listener {
    filter: Filter,
    wanted: Vec<String>,
    received: BoxStream<'static, (Vec<u8>, SocketAddr)>,
    join: Interval,
    v4: Arc<UdpSocket>,
    v6: Option<Arc<UdpSocket>>,
}

impl Listener {
    async fn next(&mut self) -> Option<Announcement> {
        loop {
            tokio::select! {
                biased;
                _ = self.join.tick() => self.join_everywhere(),
                received = self.received.next() => {
                    let (datagram, from) = received?;
                    if let Some(mut announcement) = self.filter.take(&datagram, from) {
                        if let Announcement::Hello(camera) = &mut announcement {
                            let networks: Vec<_> =
                                interfaces::all().iter().map(|own| own.network).collect();
                            rank(&mut camera.xaddrs, from.ip(), &networks);
                        }
                        return Some(announcement);
                    }
                }
            }
        }
    }

    /// Joins the groups on every interface. Where that was done before, the system says so.
    fn join_everywhere(&self) {
        let chosen = interfaces::chosen(&interfaces::all(), &self.wanted).unwrap_or_default();
        for interface in chosen {
            let joined = match (interface.network.address, interface.index, &self.v6) {
                (IpAddr::V4(address), ..) => self.v4.join_multicast_v4(GROUP_V4, address),
                (IpAddr::V6(_), Some(index), Some(v6)) => v6.join_multicast_v6(&GROUP_V6, index),
                _ => continue,
            };
            match joined {
                Ok(()) => {
                    tracing::debug!(interface = interface.name, "listening for announcements")
                }
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(error) => {
                    tracing::debug!(interface = interface.name, %error, "cannot listen on this interface");
                }
            }
        }
    }
}

/// Which datagrams are announcements that were not seen before. Pure.
struct Filter {
    scopes: Vec<String>,
    /// Identifiers of the last messages.
    recent: VecDeque<String>,
}

impl Filter {
    fn take(&mut self, datagram: &[u8], from: SocketAddr) -> Option<Announcement> {
        let read = read(datagram, from)
            .inspect_err(|error| tracing::debug!(%from, %error, "skipping what cannot be read"))
            .ok()?;
        let announcement = match read.content {
            Content::Hello(found) if found.camera => {
                let camera = found.device;
                let wanted = self.scopes.iter().all(|scope| camera.has_scope(scope));
                wanted.then_some(Announcement::Hello(camera))
            }
            Content::Bye(endpoint_reference) if !endpoint_reference.is_empty() => {
                Some(Announcement::Bye {
                    endpoint_reference,
                    from,
                })
            }
            _ => None,
        }?;
        let (Announcement::Hello(Discovered {
            endpoint_reference, ..
        })
        | Announcement::Bye {
            endpoint_reference, ..
        }) = &announcement;
        if endpoint_reference.len() > MAX_REFERENCE {
            return None;
        }
        let id = plain(&read.message_id.unwrap_or_default());
        if !id.is_empty() && id.len() <= MAX_REFERENCE {
            if self.recent.contains(&id) {
                return None;
            }
            if self.recent.len() == MAX_RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(id);
        }
        Some(announcement)
    }
}

fn group_socket(domain: Domain, any: IpAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    if domain == Domain::IPV6 {
        socket.set_only_v6(true)?;
    }
    // Others on this machine listen there as well.
    socket.set_reuse_address(true)?;
    #[cfg(all(unix, not(any(target_os = "solaris", target_os = "illumos"))))]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::new(any, PORT).into())?;
    UdpSocket::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from() -> SocketAddr {
        "192.0.2.7:3702".parse().unwrap()
    }

    fn filter(scopes: &[&str]) -> Filter {
        Filter {
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            recent: VecDeque::new(),
        }
    }

    fn announcement(id: &str, name: &str, types: &str) -> Vec<u8> {
        format!(
            "<s:Envelope><s:Header><a:MessageID>{id}</a:MessageID></s:Header><s:Body><d:{name}><a:EndpointReference>\
             <a:Address>urn:uuid:a</a:Address></a:EndpointReference>{types}</d:{name}></s:Body></s:Envelope>"
        )
        .into_bytes()
    }

    #[test]
    fn an_announcement_that_is_repeated_counts_once() {
        let mut filter = filter(&[]);
        let hello = announcement("urn:uuid:1", "Hello", "");
        assert!(matches!(
            filter.take(&hello, from()),
            Some(Announcement::Hello(_))
        ));
        assert_eq!(filter.take(&hello, from()), None);
        let bye = announcement("urn:uuid:2", "Bye", "");
        let expected = Announcement::Bye {
            endpoint_reference: "urn:uuid:a".to_owned(),
            from: from(),
        };
        assert_eq!(filter.take(&bye, from()), Some(expected));
        for i in 0..2 * MAX_RECENT {
            filter.take(&announcement(&format!("urn:{i}"), "Bye", ""), from());
        }
        assert_eq!(filter.recent.len(), MAX_RECENT);
    }

    #[test]
    fn printers_and_cameras_elsewhere_are_left_out() {
        let printer = announcement("1", "Hello", "<d:Types>x:PrintDeviceType</d:Types>");
        assert_eq!(filter(&[]).take(&printer, from()), None);
        let scopes = "<d:Scopes>onvif://www.onvif.org/location/hall</d:Scopes>";
        let camera = announcement("1", "Hello", scopes);
        let mut hall = filter(&["onvif://www.onvif.org/location/hall"]);
        assert!(hall.take(&camera, from()).is_some());
        let mut yard = filter(&["onvif://www.onvif.org/location/yard"]);
        assert_eq!(yard.take(&camera, from()), None);
        assert_eq!(filter(&[]).take(b"<Probe", from()), None);
    }
}
