//! A running session: what retina depacketizes becomes access units.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use retina::client::{Demuxed, SessionGroup};
use retina::codec::CodecItem;
use tokio::time::{Instant, timeout};

use super::{explain, tracks};
use crate::clock::{MediaClock, from_ntp};
use crate::guard::Guard;
use crate::source::SourceSession;
use crate::{AccessUnit, Codec, Error, Parameters, h265};

pub(super) struct RtspSession {
    demuxed: Demuxed,
    guard: Guard,
    group: Arc<SessionGroup>,
    label: String,
    tracks: Vec<Track>,
    started: Instant,
}

/// A track that was set up.
pub(super) struct Track {
    index: usize,
    codec: Codec,
    clock: MediaClock,
    begun: bool,
    aligned: bool,
    parameters: Option<Arc<Parameters>>,
}

impl Track {
    /// `rate` is the RTP clock rate in Hz.
    pub(super) fn new(index: usize, codec: Codec, rate: u32) -> Self {
        Self {
            index,
            codec,
            clock: MediaClock::new(rate),
            begun: false,
            aligned: false,
            parameters: None,
        }
    }
}

/// What all of retina's items have, taken apart.
struct Item {
    track: usize,
    timestamp: retina::Timestamp,
    context: retina::PacketContext,
    loss: u16,
    new_parameters: bool,
    data: Bytes,
}

impl RtspSession {
    pub(super) fn new(
        demuxed: Demuxed,
        guard: Guard,
        group: Arc<SessionGroup>,
        label: String,
        tracks: Vec<Track>,
    ) -> Self {
        Self {
            demuxed,
            guard,
            group,
            label,
            tracks,
            started: Instant::now(),
        }
    }

    fn unit(&mut self, item: Item) -> Option<AccessUnit> {
        let several = self.tracks.len() > 1;
        let track = self.tracks.iter_mut().find(|t| t.index == item.track)?;
        if item.new_parameters || track.parameters.is_none() {
            let stream = &self.demuxed.streams()[track.index];
            track.parameters = tracks::parameters(stream).map(Arc::new);
        }
        let received = Instant::from_std(item.context.received());
        let arrival = received.saturating_duration_since(self.started);
        if several && !std::mem::replace(&mut track.begun, true) {
            track.clock.start(item.timestamp.elapsed_secs(), arrival);
        }
        let now = SystemTime::from(item.context.received_wall());
        let (pts, wall) = track.clock.stamp(item.timestamp.timestamp(), arrival, now);
        let mut unit = AccessUnit::new(track.codec, item.data, pts, wall);
        unit.track = track.index as u16;
        unit.loss = u32::from(item.loss);
        if track.codec == Codec::Jpeg {
            let timestamp = item.timestamp.timestamp() as u32;
            unit.loss = unit.loss.max(self.guard.losses.take(timestamp));
        }
        unit.parameters = track.parameters.clone();
        if unit.codec == Codec::H265 && unit.random_access {
            complete(&mut unit);
        }
        Some(unit)
    }

    fn report(&mut self, packets: &retina::rtcp::ReceivedCompoundPacket) {
        let report = packets
            .pkts()
            .find_map(|packet| packet.as_sender_report().ok().flatten());
        let stream = packets.stream_id();
        if let Some(track) = self.tracks.iter_mut().find(|t| t.index == stream)
            && let (Some(report), Some(rtp)) = (report, packets.rtp_timestamp())
            && let Some(time) = from_ntp(report.ntp_timestamp().0)
        {
            let received = packets.ctx().received_wall().into();
            track.clock.sender_report(rtp.timestamp(), time, received);
        }
        self.align();
    }

    /// Puts each track beside the first, once: from then on all keep their own time.
    fn align(&mut self) {
        let Some((lead, others)) = self.tracks.split_first_mut() else {
            return;
        };
        if !lead.clock.is_placed() {
            return;
        }
        for track in others {
            if !track.aligned && track.clock.is_placed() {
                track.clock.align(&lead.clock);
                track.aligned = true;
            }
        }
    }
}

#[async_trait]
impl SourceSession for RtspSession {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        loop {
            let item = match self.demuxed.next().await {
                Some(Ok(CodecItem::VideoFrame(frame))) => Item {
                    track: frame.stream_id(),
                    timestamp: frame.timestamp(),
                    context: *frame.start_ctx(),
                    loss: frame.loss(),
                    new_parameters: frame.has_new_parameters(),
                    data: frame.into_data().into(),
                },
                Some(Ok(CodecItem::AudioFrame(frame))) => Item {
                    track: frame.stream_id(),
                    timestamp: frame.timestamp(),
                    context: *frame.ctx(),
                    loss: frame.loss(),
                    new_parameters: false,
                    data: Bytes::copy_from_slice(frame.data()),
                },
                Some(Ok(CodecItem::MessageFrame(frame))) => Item {
                    track: frame.stream_id(),
                    timestamp: frame.timestamp(),
                    context: *frame.ctx(),
                    loss: frame.loss(),
                    new_parameters: false,
                    data: Bytes::copy_from_slice(frame.data()),
                },
                Some(Ok(CodecItem::Rtcp(packets))) => {
                    self.report(&packets);
                    continue;
                }
                Some(Ok(_)) => continue,
                Some(Err(e)) => {
                    return Err(explain(&self.guard, &self.label, "the stream broke", &e));
                }
                None => return self.guard.reason().map_or(Ok(None), Err),
            };
            if let Some(unit) = self.unit(item) {
                return Ok(Some(unit));
            }
        }
    }

    async fn close(self: Box<Self>) {
        const PATIENCE: Duration = Duration::from_secs(2);
        let group = self.group.clone();
        // Dropping the session makes retina send TEARDOWN over the guard, which stays until retina has closed.
        drop(self);
        let _ = timeout(PATIENCE, group.await_teardown()).await;
    }
}

/// Puts the parameter sets before a CRA or BLA picture: retina does so for IDR pictures alone, and takes them out of the
/// stream.
fn complete(unit: &mut AccessUnit) {
    let Some(Parameters::Video(video)) = unit.parameters.as_deref() else {
        return;
    };
    if h265::has_parameter_sets(&unit.data) {
        return;
    }
    let mut data = Vec::with_capacity(unit.data.len() + 256);
    for set in &video.sets {
        data.extend_from_slice(&[0, 0, 0, 1]);
        data.extend_from_slice(set);
    }
    data.extend_from_slice(&unit.data);
    unit.data = data.into();
}
