mod elements;

use std::collections::VecDeque;
use std::io::{self, BufReader, Read, Seek};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use mp4_atom::{Atom as _, Avcc, Hvcc};

use elements::{Elements, children, number, signed_vint, vint};

use super::coded::Coded;
use super::{MOST, Reader, Stored, invalid, too_large};
use crate::{AudioParameters, Codec};

/// A Matroska file (RFC 9559), also one that was cut off. The elements are read by us: the crates that do it make room for
/// what an element says of its size before they look how much there is.
pub(super) struct Mkv<F> {
    elements: Elements<BufReader<F>>,
    /// Nanoseconds of a tick.
    scale: u64,
    tracks: Vec<Track>,
    /// Of the current cluster, in ticks.
    time: u64,
    waiting: VecDeque<Stored>,
}

struct Track {
    number: u64,
    coded: Coded,
    /// Of one frame, where that is known.
    duration: Option<Duration>,
    last: Duration,
}

/// Largest description of tracks that is read.
const MOST_HEAD: usize = 1 << 20;
const MOST_TRACKS: usize = 64;
/// What stands before the frames of a block.
const BLOCK_HEAD: usize = 1 << 10;

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_A966;
const SCALE: u32 = 0x002A_D7B1;
const TRACKS: u32 = 0x1654_AE6B;
const ENTRY: u32 = 0xAE;
const CLUSTER: u32 = 0x1F43_B675;
const TIME: u32 = 0xE7;
const SIMPLE_BLOCK: u32 = 0xA3;
const GROUP: u32 = 0xA0;
const BLOCK: u32 = 0xA1;

impl<F: Read + Seek + Send> Mkv<F> {
    pub(super) fn open(file: F) -> io::Result<Self> {
        let mut this = Self {
            elements: Elements::new(BufReader::new(file)),
            scale: 1_000_000,
            tracks: Vec::new(),
            time: 0,
            waiting: VecDeque::new(),
        };
        let first = this.elements.next()?.filter(|first| first.id == EBML);
        let first = first.ok_or_else(|| invalid("it is no Matroska file"))?;
        this.elements.skip(first)?;
        while this.tracks.is_empty() {
            if !this.step()? {
                return Err(invalid(
                    "it has no track of H.264, H.265, JPEG, AAC or G.711",
                ));
            }
        }
        Ok(this)
    }

    /// Reads or skips the next element; false at the end. What holds clusters and blocks is only entered, whatever size it
    /// tells, so that a file that was cut off, or is still being written, is read as far as it goes.
    fn step(&mut self) -> io::Result<bool> {
        let Some(element) = self.elements.next()? else {
            return Ok(false);
        };
        let body = match element.id {
            SEGMENT | CLUSTER | GROUP => return Ok(true),
            INFO | TRACKS => self.elements.body(element, MOST_HEAD)?,
            TIME => self.elements.body(element, 8)?,
            SIMPLE_BLOCK | BLOCK => {
                if element.size > (MOST + BLOCK_HEAD) as u64 {
                    return Err(too_large());
                }
                self.elements.body(element, MOST + BLOCK_HEAD)?
            }
            _ => {
                self.elements.skip(element)?;
                return Ok(true);
            }
        };
        let Some(body) = body else {
            // It was cut off here.
            return Ok(false);
        };
        match element.id {
            INFO => {
                for (id, value) in children(body)? {
                    if id == SCALE {
                        self.scale = number(&value);
                    }
                }
            }
            TRACKS => {
                for (id, entry) in children(body)? {
                    if id == ENTRY && self.tracks.len() < MOST_TRACKS {
                        self.tracks.extend(Track::of(entry)?);
                    }
                }
            }
            TIME => self.time = number(&body),
            _ => self.block(body)?,
        }
        Ok(true)
    }

    /// Takes the frames of a block.
    fn block(&mut self, mut body: Bytes) -> io::Result<()> {
        let cut = || invalid("a block is cut off");
        let of = vint(&mut body).ok_or_else(cut)?;
        let [high, low, flags, ..] = body[..] else {
            return Err(cut());
        };
        body.advance(3);
        let found = self.tracks.iter().position(|track| track.number == of);
        let Some(index) = found else {
            return Ok(());
        };
        let track = &mut self.tracks[index];
        let frames = laced(flags >> 1 & 3, body).ok_or_else(cut)?;
        let ticks = i128::from(self.time) + i128::from(i16::from_be_bytes([high, low]));
        let nanos = ticks.max(0).saturating_mul(self.scale.into());
        // Hours beyond all that plays would not be shown anyway.
        let nanos = u64::try_from(nanos)
            .unwrap_or(u64::MAX / 2)
            .min(u64::MAX / 2);
        let mut pts = Duration::from_nanos(nanos);
        for frame in frames {
            if frame.len() > MOST {
                return Err(too_large());
            }
            let since = pts.saturating_sub(track.last);
            let duration = track.duration.unwrap_or(since);
            track.last = pts;
            self.waiting.push_back(Stored {
                track: index as u16,
                codec: track.coded.codec,
                data: track.coded.unit(frame)?,
                pts,
                duration,
                parameters: Some(track.coded.parameters.clone()),
            });
            pts += duration;
        }
        Ok(())
    }
}

impl<F: Read + Seek + Send> Reader for Mkv<F> {
    fn next(&mut self) -> io::Result<Option<Stored>> {
        while self.waiting.is_empty() {
            if !self.step()? {
                return Ok(None);
            }
        }
        Ok(self.waiting.pop_front())
    }
}

impl Track {
    /// `None` for one that cannot be played.
    fn of(entry: Bytes) -> io::Result<Option<Self>> {
        let (mut number_of, mut codec, mut private) = (0, Bytes::new(), Bytes::new());
        let (mut size, mut rate, mut channels) = ((0, 0), 8000.0, 1);
        let mut duration = None;
        for (id, value) in children(entry)? {
            match id {
                0xD7 => number_of = number(&value),
                0x86 => codec = value,
                0x63A2 => private = value,
                0x23_E383 => duration = Some(number(&value)).filter(|&nanos| nanos > 0),
                0xE0 => {
                    for (id, value) in children(value)? {
                        match id {
                            0xB0 => size.0 = number(&value) as u32,
                            0xBA => size.1 = number(&value) as u32,
                            _ => {}
                        }
                    }
                }
                0xE1 => {
                    for (id, value) in children(value)? {
                        match id {
                            0xB5 => rate = elements::float(&value),
                            0x9F => channels = number(&value) as u16,
                            _ => {}
                        }
                    }
                }
                // Its frames are compressed or encrypted.
                0x6D80 => return Ok(None),
                _ => {}
            }
        }
        let sound = |codec, config| {
            let sound = AudioParameters::new(rate as u32, channels, config);
            (rate >= 1.0).then(|| Coded::sound(codec, sound))
        };
        let coded = match codec.trim_ascii_end() {
            b"V_MPEG4/ISO/AVC" => Avcc::decode_body(&mut &private[..])
                .ok()
                .and_then(|avcc| Coded::h264(&avcc)),
            b"V_MPEGH/ISO/HEVC" => Hvcc::decode_body(&mut &private[..])
                .ok()
                .and_then(|hvcc| Coded::h265(&hvcc)),
            b"V_MJPEG" => Some(Coded::jpeg(size.0, size.1)),
            b"A_AAC" => sound(Codec::Aac, private),
            // The beginning of a WAVEFORMATEX says what it is.
            b"A_MS/ACM" if private.starts_with(&[7, 0]) => sound(Codec::Pcmu, Bytes::new()),
            b"A_MS/ACM" if private.starts_with(&[6, 0]) => sound(Codec::Pcma, Bytes::new()),
            _ => None,
        };
        Ok(coded.map(|coded| Self {
            number: number_of,
            duration: match coded.codec {
                Codec::Aac => Some(Duration::from_secs_f64(1024.0 / rate)),
                _ => duration.map(Duration::from_nanos),
            },
            coded,
            last: Duration::ZERO,
        }))
    }
}

/// The frames of a block with this lacing (RFC 9559, 10.3); `None` if it is cut off.
fn laced(lacing: u8, mut body: Bytes) -> Option<Vec<Bytes>> {
    if lacing == 0 {
        return Some(vec![body]);
    }
    let last = usize::from(body.try_get_u8().ok()?);
    let mut sizes = Vec::with_capacity(last);
    match lacing {
        1 => {
            for _ in 0..last {
                let mut size = 0;
                loop {
                    let part = body.try_get_u8().ok()?;
                    size += usize::from(part);
                    if part != 255 {
                        break;
                    }
                }
                sizes.push(size);
            }
        }
        2 => {
            if !body.len().is_multiple_of(last + 1) {
                return None;
            }
            sizes.resize(last, body.len() / (last + 1));
        }
        _ => {
            let mut size = 0i64;
            for number in 0..last {
                size = match number {
                    0 => i64::try_from(vint(&mut body)?).ok()?,
                    _ => size.checked_add(signed_vint(&mut body)?)?,
                };
                sizes.push(usize::try_from(size).ok()?);
            }
        }
    }
    let mut frames = Vec::with_capacity(last + 1);
    for size in sizes {
        if size > body.len() {
            return None;
        }
        frames.push(body.split_to(size));
    }
    frames.push(body);
    Some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_one_block_are_told_apart_in_each_way() {
        let frames = [vec![1; 300], vec![2; 500], vec![3; 7]];
        let data = frames.concat();
        let block = |head: &[u8]| Bytes::from([head, &data].concat());
        // 300, 500 and what is left; 500 as 200 more.
        for (lacing, head) in [
            (1, &[2, 255, 45, 255, 245][..]),
            (3, &[2, 0x41, 0x2c, 0x60, 0xc7]),
        ] {
            assert_eq!(laced(lacing, block(head)).unwrap(), frames, "{lacing}");
        }
        let equal = laced(2, Bytes::from_static(&[2, 1, 1, 2, 2, 3, 3])).unwrap();
        assert_eq!(equal, [&[1, 1][..], &[2, 2], &[3, 3]]);
        let one = laced(0, Bytes::from_static(&[1, 2])).unwrap();
        assert_eq!(one, [&[1, 2][..]]);
        for lacing in 1..4 {
            assert_eq!(
                laced(lacing, Bytes::from_static(&[9, 200])),
                None,
                "{lacing}"
            );
        }
    }
}
