//! What RTP packets carry: an access unit, cut as the payload format of its codec says. Pure.

mod jpeg;
mod nal;

use crate::{AccessUnit, Codec, Error, Parameters};

/// Most bytes of payload in a packet; with all headers that is less than the MTU of Ethernet, so that the server can send
/// the packets on as datagrams.
pub(super) const MAX_PAYLOAD: usize = 1400;

/// What goes into one packet.
pub(super) struct Payload<'a> {
    /// The bytes, in parts.
    pub(super) parts: &'a [&'a [u8]],
    /// Whether it ends the access unit, for codecs that mark that.
    pub(super) marker: bool,
    /// How long after the access unit's time this is, in ticks of the RTP clock.
    pub(super) later: u32,
}

/// Gives the payloads of a unit, in their order.
///
/// # Errors
/// [`Error::Payload`] for JPEG pictures that RTP has no form for; nothing was given then.
pub(super) fn cut(unit: &AccessUnit, emit: &mut dyn FnMut(Payload<'_>)) -> Result<(), Error> {
    match unit.codec {
        Codec::H264 | Codec::H265 => nal::cut(unit.codec, &unit.data, emit),
        Codec::Jpeg => {
            let picture = jpeg::Picture::read(&unit.data).map_err(|reason| Error::Payload {
                codec: Codec::Jpeg,
                reason,
            })?;
            picture.cut(emit);
        }
        Codec::Aac => aac(&unit.data, emit),
        Codec::Pcmu | Codec::Pcma => {
            let audio = unit.parameters.as_deref().and_then(Parameters::audio);
            let channels = audio.map_or(1, |audio| usize::from(audio.channels.max(1)));
            pcm(&unit.data, channels, emit);
        }
        Codec::OnvifMetadata => {}
    }
    Ok(())
}

/// One frame after its header: 13 bits of length and 3 of index (RFC 3640 section 3.3.6). Each part of a frame that is
/// longer than a packet has the header of the whole.
fn aac(frame: &[u8], emit: &mut dyn FnMut(Payload<'_>)) {
    let size = (frame.len() as u16) << 3;
    let mut parts = frame.chunks(MAX_PAYLOAD - 4).peekable();
    while let Some(part) = parts.next() {
        emit(Payload {
            parts: &[&[0, 16], &size.to_be_bytes(), part],
            marker: parts.peek().is_none(),
            later: 0,
        });
    }
}

/// Samples of one byte (RFC 3551 section 4.5.14). There are no pauses after which talk could spurt, so there are no markers.
fn pcm(samples: &[u8], channels: usize, emit: &mut dyn FnMut(Payload<'_>)) {
    let whole = MAX_PAYLOAD - MAX_PAYLOAD % channels;
    for (index, part) in samples.chunks(whole.max(1)).enumerate() {
        emit(Payload {
            parts: &[part],
            marker: false,
            later: (index * whole / channels) as u32,
        });
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::{AudioParameters, WallClock};

    fn packets(codec: Codec, data: Vec<u8>, channels: u16) -> Vec<(Vec<u8>, bool, u32)> {
        let mut unit = AccessUnit::new(codec, data.into(), Duration::ZERO, WallClock::now());
        let audio = AudioParameters::new(8_000, channels, Bytes::new());
        unit.parameters = Some(Arc::new(Parameters::Audio(audio)));
        let mut packets = Vec::new();
        cut(&unit, &mut |payload| {
            packets.push((payload.parts.concat(), payload.marker, payload.later));
        })
        .unwrap();
        packets
    }

    #[test]
    fn a_frame_of_aac_says_its_length_in_each_of_its_packets() {
        let frame: Vec<u8> = (0..3000u32).map(|i| i as u8).collect();
        let packets = packets(Codec::Aac, frame.clone(), 1);
        assert_eq!(packets.len(), 3);
        let header = [0, 16, (3000u16 << 3).to_be_bytes()[0], (3000u16 << 3) as u8];
        let mut received = Vec::new();
        for (index, (packet, marker, later)) in packets.iter().enumerate() {
            assert_eq!(packet[..4], header);
            assert_eq!((*marker, *later), (index == 2, 0));
            received.extend_from_slice(&packet[4..]);
        }
        assert_eq!(received, frame);
    }

    #[test]
    fn samples_are_cut_between_samples_and_keep_their_time() {
        let samples = vec![7; 4200];
        let mono = packets(Codec::Pcmu, samples.clone(), 1);
        assert_eq!(
            mono.iter().map(|p| (p.0.len(), p.2)).collect::<Vec<_>>(),
            [(1400, 0), (1400, 1400), (1400, 2800)]
        );
        let three = packets(Codec::Pcma, samples, 3);
        assert_eq!(
            three.iter().map(|p| (p.0.len(), p.2)).collect::<Vec<_>>(),
            [(1398, 0), (1398, 466), (1398, 932), (6, 1398)]
        );
    }
}
