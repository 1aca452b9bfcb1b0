//! SETUP: how the packets of a track shall come.

use std::io;
use std::sync::Arc;

use rtsp_types::StatusCode;
use rtsp_types::headers::{SESSION, TRANSPORT};

use super::{Handler, Received, Response, SetUp, now, ok_in_session, refusal};
use crate::rtsp::outlet::Outlet;
use crate::rtsp::sender::Sender;
use crate::rtsp::session::Session;
use crate::rtsp::transport::{Delivery, Refusal};

impl Handler {
    pub(super) fn setup(&mut self, received: &Received) -> Result<Response, Response> {
        let request = &received.request;
        let (_, stream, index) = self.stream(request)?;
        self.authorize(received)?;
        let transport = request.header(&TRANSPORT);
        let transport = transport.ok_or_else(|| refusal(StatusCode::BadRequest))?;
        if Delivery::records(transport.as_str()) {
            return Err(refusal(StatusCode::MethodNotValidInThisState));
        }
        let index = match index {
            Some(index) => index,
            None if stream.tracks.len() == 1 => 0,
            None => return Err(refusal(StatusCode::AggregateOperationNotAllowed)),
        };
        let track = stream.tracks.get(index);
        let track = track.ok_or_else(|| refusal(StatusCode::NotFound))?;
        self.forget_expired();
        let session = match request.header(&SESSION) {
            Some(_) => Some(self.with_session(request, |id, session| {
                if session.is_playing() || session.publication().is_some() {
                    Err(refusal(StatusCode::MethodNotValidInThisState))
                } else if session.path() == stream.path {
                    Ok(id.to_owned())
                } else {
                    // One stream a session (RFC 2326, 10.4).
                    Err(refusal(StatusCode::AggregateOperationNotAllowed))
                }
            })?),
            None => None,
        };
        let replaced = session.as_deref().map(|session| (session, index));
        let programme = Arc::downgrade(&self.programme()?);
        let timeline = self.shared.timeline;
        let quirks = self.shared.quirks();
        let cue = self.shared.cue(&stream.path, track);
        let make = |outlet| Sender::new(track.clone(), cue, programme, timeline, outlet, quirks);
        let (sender, channels) = match self.delivery(transport.as_str())? {
            Delivery::Multicast => {
                let groups = self.shared.groups.as_ref();
                let groups = groups.ok_or_else(|| refusal(StatusCode::UnsupportedTransport))?;
                let sender = groups.sender(self.local, &stream.path, index, make);
                (sender.map_err(|error| unsendable(&error))?, None)
            }
            delivery => {
                let (outlet, channels) = self.outlet(delivery, replaced)?;
                (Arc::new(make(outlet)), channels)
            }
        };
        let transport = sender.transport().map_err(|error| unsendable(&error))?;
        let id = match session {
            Some(id) => {
                self.with_session(request, |_, session| {
                    session.set_up(index, sender);
                    Ok(())
                })?;
                self.tracks
                    .retain(|track| (track.session != id) || (track.index != index));
                id
            }
            None => {
                let id = format!("{:016x}", rand::random::<u64>());
                let mut session = Session::new(stream.path);
                session.set_up(index, sender);
                self.shared
                    .sessions()
                    .insert(id.clone(), session, now())
                    .map_err(|_| refusal(StatusCode::NotEnoughBandwidth))?;
                id
            }
        };
        let mut response = ok_in_session(&id);
        self.tracks.push(SetUp {
            session: id,
            index,
            channels,
        });
        response.insert_header(TRANSPORT, transport);
        Ok(response)
    }

    /// The way packets take to this client alone, and the channels it takes up here. The track of a session
    /// that is replaced frees its own.
    fn outlet(
        &self,
        delivery: Delivery,
        replaced: Option<(&str, usize)>,
    ) -> Result<(Outlet, Option<(u8, u8)>), Response> {
        match delivery {
            Delivery::Interleaved(wanted) => {
                let (rtp, rtcp) = self.free_channels(wanted, replaced)?;
                let connection = self.queue.clone();
                let outlet = Outlet::Interleaved {
                    rtp,
                    rtcp,
                    connection,
                };
                Ok((outlet, Some((rtp, rtcp))))
            }
            Delivery::Udp(rtp, rtcp) => {
                let outlet = Outlet::udp(self.local, self.peer, (rtp, rtcp));
                let outlet = outlet.map_err(|error| unsendable(&error))?;
                Ok((outlet, None))
            }
            Delivery::Multicast => Err(refusal(StatusCode::UnsupportedTransport)),
        }
    }

    pub(super) fn delivery(&self, transport: &str) -> Result<Delivery, Response> {
        Delivery::parse(transport, &self.peer.to_string()).map_err(|refused| match refused {
            Refusal::Unsupported => refusal(StatusCode::UnsupportedTransport),
            Refusal::ForeignDestination => refusal(StatusCode::DestinationProhibited),
        })
    }

    /// The channels that a client wants, or others where they are taken or it does not care.
    pub(super) fn free_channels(
        &self,
        wanted: Option<(u8, u8)>,
        replaced: Option<(&str, usize)>,
    ) -> Result<(u8, u8), Response> {
        wanted
            .into_iter()
            .chain((0..=127).map(|pair| (2 * pair, 2 * pair + 1)))
            .find(|channels| self.are_free(*channels, replaced))
            .ok_or_else(|| refusal(StatusCode::NotEnoughBandwidth))
    }

    fn are_free(&self, (rtp, rtcp): (u8, u8), replaced: Option<(&str, usize)>) -> bool {
        !self.tracks.iter().any(|track| {
            let taken = |(a, b): (u8, u8)| [a, b].contains(&rtp) || [a, b].contains(&rtcp);
            track.channels.is_some_and(taken)
                && Some((track.session.as_str(), track.index)) != replaced
        })
    }

    pub(super) fn forget_expired(&mut self) {
        let now = now();
        let table = self.shared.sessions();
        self.tracks
            .retain(|track| table.is_live(&track.session, now));
    }
}

fn unsendable(error: &io::Error) -> Response {
    tracing::warn!(%error, "an RTSP client cannot be served");
    refusal(StatusCode::InternalServerError)
}
