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
use crate::{AccessUnit, Codec, Error, Parameters, VideoParameters, parameter_sets};

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
    /// The parameter sets in the description.
    described: Option<VideoParameters>,
    parameters: Option<Arc<Parameters>>,
}

impl Track {
    /// `rate` is the RTP clock rate in Hz.
    pub(super) fn new(
        index: usize,
        codec: Codec,
        rate: u32,
        described: Option<VideoParameters>,
    ) -> Self {
        Self {
            index,
            codec,
            clock: MediaClock::new(rate),
            begun: false,
            aligned: false,
            described,
            parameters: None,
        }
    }

    /// Takes what retina knows of the track: of several picture parameter sets it knows the one that it saw last. Returns
    /// the sets that changed.
    fn update(&mut self, mut new: Option<Parameters>) -> Vec<Bytes> {
        let before = self.parameters.as_deref().and_then(Parameters::video);
        match (&mut new, before.or(self.described.as_ref())) {
            (Some(Parameters::Video(new)), Some(before)) => {
                parameter_sets::keep(self.codec, new, before);
            }
            (None, Some(described)) => new = Some(Parameters::Video(described.clone())),
            _ => {}
        }
        if new.as_ref() == self.parameters.as_deref() {
            return Vec::new();
        }
        let changed = match (new.as_ref().and_then(Parameters::video), before) {
            (Some(new), Some(before)) => {
                let sets = new.sets.iter().filter(|set| !before.sets.contains(set));
                sets.cloned().collect()
            }
            _ => Vec::new(),
        };
        self.parameters = new.map(Arc::new);
        changed
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
        let mut changed = Vec::new();
        if item.new_parameters || track.parameters.is_none() {
            let stream = &self.demuxed.streams()[track.index];
            changed = track.update(tracks::parameters(stream));
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
        // retina takes all sets out of the stream.
        let known = unit.parameters.as_deref().and_then(Parameters::video);
        let sets = match known {
            Some(video) if unit.random_access => &video.sets,
            _ => &changed,
        };
        if !sets.is_empty() {
            unit.data = parameter_sets::insert(unit.codec, &unit.data, sets);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_that_comes_between_key_frames_is_passed_on_and_stays() {
        let (sps, zero, one) = (&[0x67, 1][..], &[0x68, 0xc0][..], &[0x68, 0x50][..]);
        let video = |sets: &[&'static [u8]]| VideoParameters {
            width: 16,
            height: 16,
            sets: sets.iter().map(|set| Bytes::from_static(set)).collect(),
        };
        let known = |sets: &[&'static [u8]]| Some(Parameters::Video(video(sets)));
        let mut track = Track::new(0, Codec::H264, 90_000, None);
        assert!(track.update(known(&[sps, zero])).is_empty());
        assert_eq!(track.update(known(&[sps, one])), [one]);
        // The next key frame sends the first again, which retina takes for a change.
        assert!(track.update(known(&[sps, zero])).is_empty());
        assert_eq!(
            track.parameters.as_deref(),
            known(&[sps, zero, one]).as_ref()
        );

        let mut described = Track::new(0, Codec::H264, 90_000, Some(video(&[sps, zero, one])));
        assert!(described.update(None).is_empty());
        assert_eq!(described.parameters, track.parameters);
    }
}
