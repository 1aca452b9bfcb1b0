use ac_ffmpeg::Error as Failure;
use ac_ffmpeg::codec::Decoder as _;
use ac_ffmpeg::codec::video::{VideoDecoder as Decoder, VideoFrame};
use ac_ffmpeg::packet::PacketMut;
use bytes::Bytes;

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
    decoder: Decoder,
    h264: crate::h264::ParameterSets,
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
            h264: crate::h264::ParameterSets::default(),
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

    fn picture(&mut self, unit: &AccessUnit) -> Result<Option<VideoFrame>, Failure> {
        self.decoder.push(PacketMut::from(&unit.data).freeze())?;
        let frame = self.decoder.take()?;
        if frame.is_some() || !unit.random_access {
            return Ok(frame);
        }
        // It waits for pictures that are to be shown before this one.
        self.drained = true;
        self.decoder.flush()?;
        self.decoder.take()
    }

    fn reopen(&mut self) -> Result<(), Error> {
        self.decoder = open(self.codec, self.name.as_deref())?;
        self.drained = false;
        Ok(())
    }
}

impl VideoDecoder for FfmpegDecoder {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let Some((size, colour)) = self.admit(unit)? else {
            return Ok(None);
        };
        if self.drained && unit.random_access {
            self.reopen()?;
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
                self.reopen()?;
                Err(damaged(&error.to_string()))
            }
        }
    }

    fn reset(&mut self) {
        // It takes a new one, with the next key frame.
        self.drained = true;
    }
}

fn open(codec: Codec, name: Option<&str>) -> Result<Decoder, Error> {
    let standard = match codec {
        Codec::H264 => "h264",
        Codec::H265 => "hevc",
        _ => {
            return Err(unsupported(
                codec,
                "FFmpeg is asked for H.264 and H.265 only",
            ));
        }
    };
    ac_ffmpeg::set_log_callback(|_, _| {});
    let name = name.unwrap_or(standard);
    // FFmpeg names decoders after what they decode. A name that holds a zero byte is nobody's.
    let known = name.contains(standard) && !name.contains('\0');
    let builder = known.then(|| Decoder::builder(name)).and_then(Result::ok);
    let builder = builder.ok_or_else(|| {
        unsupported(
            codec,
            &format!("the FFmpeg here has no decoder named {name} for it"),
        )
    })?;
    let opened = builder
        // Else it crops in steps of 32.
        .set_option("flags", "+low_delay+unaligned")
        // The workers of the pool are the threads.
        .set_option("threads", 1)
        .build();
    opened.map_err(|error| unsupported(codec, &format!("FFmpeg cannot open its decoder: {error}")))
}

fn planes(
    frame: &VideoFrame,
    codec: Codec,
    [width, height]: [u32; 2],
    colour: Colour,
) -> Result<Picture, Error> {
    if [frame.width(), frame.height()] != [width as usize, height as usize] {
        return Err(damaged(
            "the picture is not of the size that its parameter set says",
        ));
    }
    let planes = frame.planes();
    let plane = |index: usize| Plane {
        data: Bytes::copy_from_slice(planes[index].data()),
        stride: planes[index].line_size(),
    };
    let planes = match frame.pixel_format().name() {
        "yuv420p" | "yuvj420p" => [plane(0), plane(1), plane(2)],
        "nv12" => {
            let (pairs, stride) = (planes[1].data(), planes[1].line_size());
            let chroma = |first: usize| Plane {
                data: pairs.iter().skip(first).step_by(2).copied().collect(),
                stride: stride / 2,
            };
            [plane(0), chroma(0), chroma(1)]
        }
        other => {
            let reason = format!("pictures of FFmpeg's format {other}; only 4:2:0 with 8 bits");
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
