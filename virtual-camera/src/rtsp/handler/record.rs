//! ANNOUNCE and RECORD: clients that send, as to a media server (RFC 2326, 10.3 and 10.11).

use std::sync::Arc;

use bytes::Bytes;
use rtsp_types::headers::{CONTENT_TYPE, SESSION, TRANSPORT};
use rtsp_types::{Request, StatusCode};

use super::{Handler, Received, Response, SetUp, now, ok_in_session, refusal};
use crate::rtsp::announcement;
use crate::rtsp::inlet::UdpInlet;
use crate::rtsp::publication::{Publication, Tape};
use crate::rtsp::session::Session;
use crate::rtsp::transport::Delivery;

/// Where interleaved packets of a publisher go.
pub(super) struct Inlet {
    channels: (u8, u8),
    pub(super) session: String,
    index: usize,
    tape: Arc<Tape>,
}

impl Handler {
    pub(super) fn announce(&mut self, received: &Received) -> Result<Response, Response> {
        let request = &received.request;
        let url = request
            .request_uri()
            .ok_or_else(|| refusal(StatusCode::BadRequest))?;
        self.authorize(received)?;
        let content_type = request.header(&CONTENT_TYPE);
        if content_type.is_none_or(|kind| !kind.as_str().starts_with("application/sdp")) {
            return Err(refusal(StatusCode::UnsupportedMediaType));
        }
        if self.programme()?.stream(url).is_some() {
            return Err(refusal(StatusCode::Forbidden));
        }
        let sdp = String::from_utf8_lossy(request.body());
        let announced = announcement::read(&sdp);
        let announced = announced.ok_or_else(|| refusal(StatusCode::BadRequest))?;
        let path = url.path().trim_end_matches('/');
        let mut publications = self.shared.publications();
        let publication = publications.announce(path, &sdp, announced);
        drop(publications);
        self.announced = Some(publication.ok_or_else(|| refusal(StatusCode::Forbidden))?);
        Ok(refusal(StatusCode::Ok))
    }

    /// Whether a request is to set up a track that this client announced.
    pub(super) fn is_announced(&self, request: &Request<Vec<u8>>) -> bool {
        let transport = request.header(&TRANSPORT);
        let records = transport.is_some_and(|header| Delivery::records(header.as_str()));
        records && self.announced.is_some()
    }

    pub(super) fn set_up_recording(&mut self, received: &Received) -> Result<Response, Response> {
        let request = &received.request;
        self.authorize(received)?;
        let url = request
            .request_uri()
            .ok_or_else(|| refusal(StatusCode::BadRequest))?;
        let publication = self.announced.clone();
        let publication = publication.ok_or_else(|| refusal(StatusCode::BadRequest))?;
        let index = publication.track_at(url.path(), &received.target);
        let index = index.ok_or_else(|| refusal(StatusCode::NotFound))?;
        let tape = &publication.tapes[index];

        self.forget_expired();
        let transport = request.header(&TRANSPORT).map(|header| header.as_str());
        let delivery = self.delivery(transport.unwrap_or_default())?;
        if delivery == Delivery::Multicast {
            return Err(refusal(StatusCode::UnsupportedTransport));
        }
        let id = self.recording_session(request, &publication)?;
        // One that is set up again is no longer received where it was.
        self.tracks
            .retain(|track| (track.session != id) || (track.index != index));
        self.inlets
            .retain(|inlet| (inlet.session != id) || (inlet.index != index));
        let (channels, transport) = match delivery {
            Delivery::Interleaved(wanted) => {
                let (rtp, rtcp) = self.free_channels(wanted, None)?;
                self.inlets.push(Inlet {
                    channels: (rtp, rtcp),
                    session: id.clone(),
                    index,
                    tape: tape.clone(),
                });
                let transport = format!("RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp};mode=record");
                (Some((rtp, rtcp)), transport)
            }
            Delivery::Multicast => return Err(refusal(StatusCode::UnsupportedTransport)),
            Delivery::Udp(rtp, rtcp) => {
                let shared = Arc::downgrade(&self.shared);
                let inlet = UdpInlet::open((self.local, self.peer), tape, shared, id.clone());
                let inlet = inlet.map_err(|error| {
                    tracing::warn!(%error, "an RTSP client cannot publish by UDP");
                    refusal(StatusCode::InternalServerError)
                })?;
                let (ours, our_rtcp) = inlet.ports;
                if let Some(session) = self.shared.sessions().get(&id, now()) {
                    session.receive(index, inlet);
                }
                let transport = format!(
                    "RTP/AVP;unicast;client_port={rtp}-{rtcp};server_port={ours}-{our_rtcp};mode=record"
                );
                (None, transport)
            }
        };
        self.tracks.push(SetUp {
            session: id.clone(),
            index,
            channels,
        });
        let mut response = ok_in_session(&id);
        response.insert_header(TRANSPORT, transport);
        Ok(response)
    }

    pub(super) fn record(&mut self, received: &Received) -> Result<Response, Response> {
        self.authorize(received)?;
        self.with_session(&received.request, |id, session| {
            if session.publication().is_none() {
                return Err(refusal(StatusCode::MethodNotValidInThisState));
            }
            tracing::info!(path = session.path(), "an RTSP client publishes");
            Ok(ok_in_session(id))
        })
    }

    /// Takes an interleaved packet: of a publisher, or a receiver report, for which there is no use.
    pub(in crate::rtsp) fn packet(&self, channel: u8, packet: Bytes) {
        let mut inlets = self.inlets.iter();
        let inlet = inlets.find(|inlet| [inlet.channels.0, inlet.channels.1].contains(&channel));
        if let Some(inlet) = inlet
            && self.shared.sessions().get(&inlet.session, now()).is_some()
        {
            inlet.tape.push(now(), channel == inlet.channels.1, packet);
        }
    }

    /// The session that a request names, or a new one, in which this client publishes.
    fn recording_session(
        &self,
        request: &Request<Vec<u8>>,
        publication: &Arc<Publication>,
    ) -> Result<String, Response> {
        if request.header(&SESSION).is_some() {
            return self.with_session(request, |id, session| match session.publication() {
                Some(its) if Arc::ptr_eq(its, publication) => Ok(id.to_owned()),
                _ => Err(refusal(StatusCode::AggregateOperationNotAllowed)),
            });
        }
        if !publication.begin() {
            return Err(refusal(StatusCode::Forbidden));
        }
        let id = format!("{:016x}", rand::random::<u64>());
        let session = Session::recording(publication.clone());
        let mut sessions = self.shared.sessions();
        // One that is not taken is dropped, which ends the publication.
        let inserted = sessions.insert(id.clone(), session, now());
        inserted.map_err(|_| refusal(StatusCode::NotEnoughBandwidth))?;
        Ok(id)
    }
}
