use bytes::Bytes;
use ffmpeg_the_third::codec::decoder::{self, Video};
use ffmpeg_the_third::codec::{self, threading};
use ffmpeg_the_third::format::Pixel;
use ffmpeg_the_third::packet::Packet;
use ffmpeg_the_third::{Error as Failure, frame, log};

use super::{Picture, Plane, VideoDecoder, h264, h265};
use crate::h264::has_b_slices;
use crate::{AccessUnit, Codec, Colour, Error};

/// H.264 and H.265 by the FFmpeg that is installed, with the feature `ffmpeg`, in software or by a decoder of its that has the
/// name of some hardware. For [`DecodePool::with_decoders`](crate::DecodePool::with_decoders).
///
/// Key frames of all streams are decoded. FFmpeg gives pictures in the order of presentation, so those between key frames are,
/// too, as long as there are no B-frames. Of what decoders of hardware give, 4:2:0 with 8 bits in memory of the host is taken.
/// FFmpeg is told to log nothing, in the whole process.
pub struct FfmpegDecoder {
    codec: Codec,
    name: Option<String>,
    decoder: Video,
    h264: Option<crate::h264::Sps>,
    h265: crate::h265::ParameterSets,
    /// The last key frame came out only when nothing was to follow it.
    drained: bool,
}

impl FfmpegDecoder {
    /// The software decoder of a codec.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for codecs other than H.264 and H.265, or if the library was built without it.
    pub fn new(codec: Codec) -> Result<Self, Error> {
        Self::open(codec, None)
    }

    /// The decoder of a codec that has a name, such as `h264_v4l2m2m`, `h264_cuvid` or `hevc_qsv`; `ffmpeg -decoders` lists
    /// them.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if there is none, if it is for another codec, or if its device cannot be opened.
    pub fn with_name(codec: Codec, name: &str) -> Result<Self, Error> {
        Self::open(codec, Some(name.to_owned()))
    }

    fn open(codec: Codec, name: Option<String>) -> Result<Self, Error> {
        Ok(Self {
            codec,
            decoder: open(codec, name.as_deref())?,
            name,
            h264: None,
            h265: crate::h265::ParameterSets::default(),
            drained: false,
        })
    }

    /// Checks a unit before the library sees it; returns the size and colour of its picture, if it holds one.
    fn admit(&mut self, unit: &AccessUnit) -> Result<Option<([u32; 2], Colour)>, Error> {
        if unit.codec == Codec::H264 {
            let sps = h264::admit(unit, &mut self.h264)?;
            return Ok(Some(([sps.width(), sps.height()], sps.colour())));
        }
        let sps = h265::admit(unit, &mut self.h265)?;
        Ok(sps.map(|sps| ([sps.width, sps.height], sps.colour())))
    }

    fn picture(&mut self, unit: &AccessUnit) -> Result<Option<frame::Video>, Failure> {
        self.decoder.send_packet(&Packet::copy(&unit.data))?;
        let mut frame = frame::Video::empty();
        match self.decoder.receive_frame(&mut frame) {
            Ok(()) => return Ok(Some(frame)),
            Err(Failure::Other { .. }) => {}
            Err(error) => return Err(error),
        }
        if !unit.random_access {
            return Ok(None);
        }
        // It waits for pictures that are to be shown before this one.
        self.drained = true;
        self.decoder.send_eof()?;
        self.decoder.receive_frame(&mut frame)?;
        Ok(Some(frame))
    }
}

impl VideoDecoder for FfmpegDecoder {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let Some((size, colour)) = self.admit(unit)? else {
            return Ok(None);
        };
        if self.drained && unit.random_access {
            self.reset();
        }
        if self.drained || self.codec == Codec::H264 && has_b_slices(&unit.data) {
            return Err(unsupported(
                self.codec,
                "B-frames with FFmpeg; use the decoder of this crate, or set the camera to have none",
            ));
        }
        match self.picture(unit) {
            Ok(frame) => frame
                .map(|frame| planes(&frame, self.codec, size, colour))
                .transpose(),
            Err(error) => {
                self.decoder = open(self.codec, self.name.as_deref())?;
                self.drained = false;
                Err(damaged(&error.to_string()))
            }
        }
    }

    fn reset(&mut self) {
        self.decoder.flush();
        self.drained = false;
    }
}

fn open(codec: Codec, name: Option<&str>) -> Result<Video, Error> {
    let id = match codec {
        Codec::H264 => codec::Id::H264,
        Codec::H265 => codec::Id::HEVC,
        _ => {
            return Err(unsupported(
                codec,
                "FFmpeg is asked for H.264 and H.265 only",
            ));
        }
    };
    log::set_level(log::Level::Quiet);
    let found = match name {
        // A name that holds a zero byte is nobody's.
        Some(name) if !name.contains('\0') => decoder::find_by_name(name),
        Some(_) => None,
        None => decoder::find(id),
    };
    let found = found.filter(|found| found.id() == id).ok_or_else(|| {
        let named = name.map_or(String::new(), |name| format!(" named {name}"));
        unsupported(
            codec,
            &format!("the FFmpeg here has no decoder{named} for it"),
        )
    })?;
    let mut context = codec::Context::new_with_codec(found);
    // Else it crops in steps of 32.
    context.set_flags(codec::Flags::LOW_DELAY | codec::Flags::UNALIGNED);
    // The workers of the pool are the threads.
    context.set_threading(threading::Config::count(1));
    let opened = context.decoder().open().and_then(|opened| opened.video());
    opened.map_err(|error| unsupported(codec, &format!("FFmpeg cannot open its decoder: {error}")))
}

fn planes(
    frame: &frame::Video,
    codec: Codec,
    [width, height]: [u32; 2],
    colour: Colour,
) -> Result<Picture, Error> {
    if [frame.width(), frame.height()] != [width, height] {
        return Err(damaged(
            "the picture is not of the size that its parameter set says",
        ));
    }
    let plane = |index| Plane {
        data: Bytes::copy_from_slice(frame.data(index)),
        stride: frame.stride(index),
    };
    let planes = match frame.format() {
        Pixel::YUV420P | Pixel::YUVJ420P => [plane(0), plane(1), plane(2)],
        Pixel::NV12 => {
            let (pairs, stride) = (frame.data(1), frame.stride(1));
            let chroma = |first: usize| Plane {
                data: pairs.iter().skip(first).step_by(2).copied().collect(),
                stride: stride / 2,
            };
            [plane(0), chroma(0), chroma(1)]
        }
        other => {
            let reason = format!("pictures of FFmpeg's format {other:?}; only 4:2:0 with 8 bits");
            return Err(unsupported(codec, &reason));
        }
    };
    Picture::new(width, height, planes, colour)
        .ok_or_else(|| damaged("the picture is smaller than its parameter set says"))
}

fn damaged(reason: &str) -> Error {
    Error::Decode {
        reason: reason.into(),
    }
}

fn unsupported(codec: Codec, reason: &str) -> Error {
    Error::Unsupported {
        codec,
        reason: reason.into(),
    }
}
