use std::collections::VecDeque;
use std::io::{self, Read, Seek, SeekFrom};
use std::time::Duration;

use bytes::Bytes;
use mp4_atom::{Codec as Entry, DecodeAtom as _, Header, Moof, Moov, Stbl, StszSamples, Trak};

use super::coded::Coded;
use super::{MOST, Reader, Stored, invalid, too_large};
use crate::{AudioParameters, Codec};

/// An MP4 file, plain or in fragments. mp4-atom reads the boxes.
pub(super) struct Mp4<F> {
    file: F,
    length: u64,
    tracks: Vec<Track>,
    /// The samples that are known, in the order of decoding.
    samples: VecDeque<Sample>,
    /// Where to look for the next fragment.
    next_box: u64,
}

struct Track {
    id: u32,
    coded: Coded,
    timescale: u64,
    /// What edits add to all times, in ticks.
    shift: i64,
    /// Duration, size of samples that tell none.
    defaults: (u32, u32),
    /// Time of decoding that a fragment without its own begins with.
    next_dts: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    track: usize,
    offset: u64,
    size: u32,
    dts: u64,
    /// From decoding to showing.
    cts: i64,
    duration: u32,
}

/// Largest index that is read.
const MOST_INDEX: u64 = 64 << 20;
const MOST_SAMPLES: usize = 1 << 20;
const TICKS: u128 = 1_000_000_000;

impl<F: Read + Seek + Send> Mp4<F> {
    pub(super) fn open(mut file: F) -> io::Result<Self> {
        let length = file.seek(SeekFrom::End(0))?;
        let mut this = Self {
            file,
            length,
            tracks: Vec::new(),
            samples: VecDeque::new(),
            next_box: 0,
        };
        while let Some((kind, body)) = this.step()? {
            if &kind != b"moov" {
                continue;
            }
            let moov = Moov::decode_atom(&header(b"moov", &body), &mut &body[..]);
            let moov = moov.map_err(broken)?;
            for trak in &moov.trak {
                let Some(mut track) = Track::of(trak, moov.mvhd.timescale) else {
                    continue;
                };
                let all = moov.mvex.iter().flat_map(|mvex| &mvex.trex);
                if let Some(trex) = all.into_iter().find(|trex| trex.track_id == track.id) {
                    track.defaults = (trex.default_sample_duration, trex.default_sample_size);
                }
                this.index(&trak.mdia.minf.stbl)?;
                this.tracks.push(track);
            }
            this.sort();
            if this.tracks.is_empty() {
                return Err(invalid("it has no track of H.264, H.265, JPEG or AAC"));
            }
            return Ok(this);
        }
        Err(invalid("it has no moov box"))
    }

    /// The next box at the top of the file, and its content if it is an index.
    fn step(&mut self) -> io::Result<Option<([u8; 4], Bytes)>> {
        let at = self.next_box;
        if at + 8 > self.length {
            return Ok(None);
        }
        self.file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        self.file.read_exact(&mut head)?;
        let [s3, s2, s1, s0, kind @ ..] = head;
        let (size, header) = match u32::from_be_bytes([s3, s2, s1, s0]) {
            0 => (self.length - at, 8),
            1 => {
                let mut long = [0; 8];
                self.file.read_exact(&mut long)?;
                (u64::from_be_bytes(long), 16)
            }
            size => (size.into(), 8),
        };
        let end = at.checked_add(size).filter(|_| size >= header);
        self.next_box = end.ok_or_else(|| invalid("a box has an impossible size"))?;
        if !matches!(&kind, b"moov" | b"moof") {
            return Ok(Some((kind, Bytes::new())));
        }
        if size > MOST_INDEX {
            return Err(invalid("an index has more than 64 MiB"));
        }
        if self.next_box > self.length {
            // It was cut off; what came before plays.
            return Ok(None);
        }
        let mut body = vec![0; (size - header) as usize];
        self.file.read_exact(&mut body)?;
        Ok(Some((kind, body.into())))
    }

    /// Takes the samples of a plain file's next track.
    fn index(&mut self, stbl: &Stbl) -> io::Result<()> {
        let track = self.tracks.len();
        let sizes = &stbl.stsz.samples;
        let (count, size_of): (usize, Box<dyn Fn(usize) -> u32>) = match sizes {
            StszSamples::Identical { count, size } => (*count as usize, Box::new(|_| *size)),
            StszSamples::Different { sizes } => (sizes.len(), Box::new(|i| sizes[i])),
        };
        if self.samples.len() + count > MOST_SAMPLES {
            return Err(invalid("it has more than a million samples"));
        }
        let durations = stbl.stts.entries.iter();
        let mut durations =
            durations.flat_map(|e| std::iter::repeat_n(e.sample_delta, e.sample_count as usize));
        let offsets = stbl.ctts.iter().flat_map(|ctts| &ctts.entries);
        let mut offsets =
            offsets.flat_map(|e| std::iter::repeat_n(e.sample_offset, e.sample_count as usize));
        let chunks: Vec<u64> = match (&stbl.co64, &stbl.stco) {
            (Some(co64), _) => co64.entries.clone(),
            (None, Some(stco)) => stco.entries.iter().map(|&o| o.into()).collect(),
            (None, None) => Vec::new(),
        };
        let mut runs = stbl.stsc.entries.iter().peekable();
        let (mut sample, mut dts, mut in_chunk) = (0, 0u64, 0);
        for (chunk, mut offset) in (1u32..).zip(chunks) {
            while let Some(run) = runs.next_if(|run| run.first_chunk <= chunk) {
                in_chunk = run.samples_per_chunk;
            }
            for _ in 0..in_chunk {
                if sample == count {
                    return Ok(());
                }
                let duration = durations.next().unwrap_or_default();
                self.samples.push_back(Sample {
                    track,
                    offset,
                    size: size_of(sample),
                    dts,
                    cts: offsets.next().unwrap_or_default(),
                    duration,
                });
                offset = offset.saturating_add(size_of(sample).into());
                dts += u64::from(duration);
                sample += 1;
            }
        }
        Ok(())
    }

    /// Takes the samples of a fragment, which begins at `base`.
    fn fragment(&mut self, moof: &Moof, base: u64) -> io::Result<()> {
        for traf in &moof.traf {
            let found = self.tracks.iter().position(|t| t.id == traf.tfhd.track_id);
            let Some(index) = found else {
                continue;
            };
            let track = &mut self.tracks[index];
            let base = traf.tfhd.base_data_offset.unwrap_or(base);
            let duration = traf
                .tfhd
                .default_sample_duration
                .unwrap_or(track.defaults.0);
            let size = traf.tfhd.default_sample_size.unwrap_or(track.defaults.1);
            let own = traf.tfdt.as_ref().map(|tfdt| tfdt.base_media_decode_time);
            let mut dts = own.unwrap_or(track.next_dts);
            let mut offset = base;
            for trun in &traf.trun {
                if let Some(relative) = trun.data_offset {
                    let start = base.checked_add_signed(relative.into());
                    offset = start.ok_or_else(|| invalid("a fragment lies before the file"))?;
                }
                if self.samples.len() + trun.samples.len() > MOST_SAMPLES {
                    return Err(invalid("it has more than a million samples"));
                }
                for entry in trun.samples.iter() {
                    let sample = Sample {
                        track: index,
                        offset,
                        size: entry.size.unwrap_or(size),
                        dts,
                        cts: entry.cts.unwrap_or_default(),
                        duration: entry.duration.unwrap_or(duration),
                    };
                    self.samples.push_back(sample);
                    offset = offset.saturating_add(sample.size.into());
                    dts = dts.saturating_add(sample.duration.into());
                }
            }
            track.next_dts = dts;
        }
        Ok(())
    }

    fn sort(&mut self) {
        let tracks = &self.tracks;
        let moment = |s: &Sample| u128::from(s.dts) * TICKS / u128::from(tracks[s.track].timescale);
        self.samples.make_contiguous().sort_by_key(moment);
    }

    fn read(&mut self, sample: Sample) -> io::Result<Stored> {
        if sample.size as usize > MOST {
            return Err(too_large());
        }
        let track = &self.tracks[sample.track];
        let mut data = vec![0; sample.size as usize];
        self.file.seek(SeekFrom::Start(sample.offset))?;
        self.file.read_exact(&mut data)?;
        let data = track.coded.unit(data.into())?;
        let shown = i128::from(sample.dts) + i128::from(sample.cts) + i128::from(track.shift);
        Ok(Stored {
            track: sample.track as u16,
            codec: track.coded.codec,
            data,
            pts: track.time(shown),
            duration: track.time(sample.duration.into()),
            parameters: Some(track.coded.parameters.clone()),
        })
    }
}

impl<F: Read + Seek + Send> Reader for Mp4<F> {
    fn next(&mut self) -> io::Result<Option<Stored>> {
        while self.samples.is_empty() {
            let at = self.next_box;
            let Some((kind, body)) = self.step()? else {
                return Ok(None);
            };
            if &kind == b"moof" {
                let moof = Moof::decode_atom(&header(b"moof", &body), &mut &body[..]);
                self.fragment(&moof.map_err(broken)?, at)?;
                self.sort();
            }
        }
        let sample = self.samples.pop_front();
        sample.map(|sample| self.read(sample)).transpose()
    }
}

impl Track {
    fn of(trak: &Trak, movie_timescale: u32) -> Option<Self> {
        let stbl = &trak.mdia.minf.stbl;
        let coded = match stbl.stsd.codecs.first()? {
            Entry::Avc1(avc1) => Coded::h264(&avc1.avcc)?,
            Entry::Avc3(avc3) => Coded::h264(&avc3.avcc)?,
            Entry::Hvc1(hvc1) => Coded::h265(&hvc1.hvcc)?,
            Entry::Hev1(hev1) => Coded::h265(&hev1.hvcc)?,
            Entry::Jpeg(jpeg) => Coded::jpeg(jpeg.visual.width.into(), jpeg.visual.height.into()),
            Entry::Mp4a(mp4a) => {
                let specific = mp4a.esds.es_desc.dec_config.dec_specific.as_ref()?;
                let (rate, config) = (mp4a.audio.sample_rate.integer(), specific.raw.clone());
                let channels = mp4a.audio.channel_count;
                let sound = AudioParameters::new(rate.into(), channels, config.into());
                Coded::sound(Codec::Aac, sound)
            }
            _ => return None,
        };
        let timescale = trak.mdia.mdhd.timescale.max(1);
        // Time before the track begins, and what is cut from its beginning.
        let edits = trak.edts.iter().filter_map(|edts| edts.elst.as_ref());
        let mut shift = 0i64;
        for edit in edits.flat_map(|elst| &elst.entries).take(2) {
            match edit.media_time {
                None => {
                    let waits = u128::from(edit.segment_duration) * u128::from(timescale)
                        / u128::from(movie_timescale.max(1));
                    shift = i64::try_from(waits).unwrap_or(0);
                }
                Some(cut) => {
                    shift = shift.saturating_sub(i64::try_from(cut).unwrap_or(0));
                    break;
                }
            }
        }
        Some(Self {
            id: trak.tkhd.track_id,
            coded,
            timescale: timescale.into(),
            shift,
            defaults: (0, 0),
            next_dts: 0,
        })
    }

    /// Ticks as time; what is before the start is at the start.
    fn time(&self, ticks: i128) -> Duration {
        let ticks = u128::try_from(ticks).unwrap_or(0);
        let nanos = ticks.saturating_mul(TICKS) / u128::from(self.timescale);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

fn header(kind: &[u8; 4], body: &Bytes) -> Header {
    Header {
        kind: kind.into(),
        size: Some(body.len()),
    }
}

fn broken(error: mp4_atom::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
