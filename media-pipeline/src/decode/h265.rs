use rust_h265::{DecodeError, DecodeLimits, Decoder, Frame, PixelData, parse_nal};

use super::{MAX_SIDE, Picture, Plane, VideoDecoder};
use crate::h264;
use crate::h265::{self, ParameterSets, Sps};
use crate::{AccessUnit, Codec, Error};

/// H.265 in pure Rust: Main and Main 10 profile, 4:2:0; of 10 and 12 bits the upper 8 come out.
///
/// Pictures that lead a clean random access picture and refer to those before it are left out where decoding starts
/// there.
pub struct H265Decoder {
    decoder: Decoder,
    sets: ParameterSets,
}

/// Most luma samples of a picture: level 6.2 (ITU-T H.265 table A.8).
const MAX_SAMPLES: u64 = 35_651_584;

/// Most luma samples of all pictures that are kept: what the decoder of level 5.2 keeps of 4096 x 2176.
const MAX_KEPT_SAMPLES: u64 = 16 * 8_912_896;

/// Access unit delimiter: the picture before it is complete.
const DELIMITER: [u8; 3] = [35 << 1, 1, 0x50];
/// End of sequence: what follows does not refer to what came before.
const END_OF_SEQUENCE: [u8; 2] = [36 << 1, 1];

impl Default for H265Decoder {
    fn default() -> Self {
        Self {
            decoder: Decoder::with_limits(DecodeLimits {
                max_picture_pixels: MAX_SAMPLES,
                ..DecodeLimits::default()
            }),
            sets: ParameterSets::default(),
        }
    }
}

impl VideoDecoder for H265Decoder {
    fn decode(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let result = self.decode_unit(unit);
        if result.is_err() {
            *self = Self::default();
        }
        result
    }

    fn reset(&mut self) {
        // The sets stay: a key frame brings its own.
        if feed(&mut self.decoder, &END_OF_SEQUENCE).is_err() {
            *self = Self::default();
        }
    }
}

impl H265Decoder {
    fn decode_unit(&mut self, unit: &AccessUnit) -> Result<Option<Picture>, Error> {
        let Some(sps) = admit(unit, &mut self.sets)? else {
            return Ok(None);
        };
        let mut last = None;
        for nal in h264::nal_units(&unit.data).filter(|nal| h265::is_base_layer(nal)) {
            last = feed(&mut self.decoder, nal)?.or(last);
        }
        let last = feed(&mut self.decoder, &DELIMITER)?.or(last);
        last.map(|frame| picture(frame, sps)).transpose()
    }
}

/// Checks a unit before a decoder sees it, which allocates what it is asked for; returns the parameter set of its picture,
/// if it holds one.
pub(super) fn admit<'a>(
    unit: &AccessUnit,
    sets: &'a mut ParameterSets,
) -> Result<Option<&'a Sps>, Error> {
    if !h265::is_about_one_picture(&unit.data) {
        return Err(damaged("it holds far more than one picture"));
    }
    // A worker's decoder sees streams of several cameras: a key frame must bring its own sets.
    if unit.random_access && !h265::has_parameter_sets(&unit.data) {
        return Err(damaged("the key frame comes without its parameter sets"));
    }
    let demand = sets.demand(&unit.data).ok_or_else(|| {
        damaged("its parameter sets are missing, or what it refers to cannot be read")
    })?;
    let Some(sps) = demand.sps else {
        return Ok(None);
    };
    check(sps, demand.kept)?;
    Ok(Some(sps))
}

fn feed(decoder: &mut Decoder, nal: &[u8]) -> Result<Option<Frame>, Error> {
    let Some(nal) = parse_nal(nal) else {
        return Err(damaged("it holds a NAL unit without a header"));
    };
    decoder.decode_nal(&nal).map_err(|e| match e {
        DecodeError::Unsupported(tool) => unsupported(tool.into()),
        e => damaged(&e.to_string()),
    })
}

fn check(sps: &Sps, kept: u32) -> Result<(), Error> {
    let (width, height) = (sps.coded_width, sps.coded_height);
    let samples = u64::from(width) * u64::from(height);
    if width > MAX_SIDE || height > MAX_SIDE || samples > MAX_SAMPLES {
        return Err(unsupported(format!(
            "the picture of {width} x {height} pixels exceeds {MAX_SIDE} on a side or {MAX_SAMPLES} in all"
        )));
    }
    if samples * u64::from(kept + 1) > MAX_KEPT_SAMPLES.max(samples) {
        return Err(damaged(
            "it asks for more pictures to be kept than any level permits",
        ));
    }
    if sps.chroma_format != 1 || sps.luma_depth.max(sps.chroma_depth) > 12 {
        return Err(unsupported(
            "only 4:2:0 with up to 12 bits can be decoded; set the camera to Main or Main 10 profile".into(),
        ));
    }
    Ok(())
}

fn picture(frame: Frame, sps: &Sps) -> Result<Picture, Error> {
    let plane = |samples, depth: u32, stride| {
        let data = match samples {
            PixelData::U8(samples) => samples,
            PixelData::U16(samples) => to_eight_bits(&samples, depth),
        };
        Plane {
            data: data.into(),
            stride,
        }
    };
    let stride = frame.width as usize;
    let planes = [
        plane(frame.y, sps.luma_depth, stride),
        plane(frame.u, sps.chroma_depth, stride.div_ceil(2)),
        plane(frame.v, sps.chroma_depth, stride.div_ceil(2)),
    ];
    Picture::new(frame.width, frame.height, planes, sps.colour())
        .ok_or_else(|| damaged("the picture is smaller than its parameter set says"))
}

/// The upper eight bits, rounded.
fn to_eight_bits(samples: &[u16], depth: u32) -> Vec<u8> {
    let shift = depth.saturating_sub(8);
    let half = (1 << shift) >> 1;
    let rounded = |sample: &u16| (sample.saturating_add(half) >> shift).min(255) as u8;
    samples.iter().map(rounded).collect()
}

fn damaged(reason: &str) -> Error {
    Error::Decode {
        reason: reason.into(),
    }
}

fn unsupported(reason: String) -> Error {
    Error::Unsupported {
        codec: Codec::H265,
        reason,
    }
}
