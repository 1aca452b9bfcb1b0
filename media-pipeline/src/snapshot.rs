//! Still pictures of a stream.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::decode::Make;
use crate::encode::{StillFormat, with_capture_time};
use crate::reshape::{Crop, Shape};
use crate::still::check_jpeg;
use crate::{AccessUnit, Codec, DecodePool, Error, Frame, Picture, WallClock};

/// A still picture of a stream.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// The picture file.
    pub data: Bytes,
    /// Its format.
    pub format: StillFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// When the picture was taken.
    pub captured: WallClock,
    /// Presentation time in the stream's session.
    pub pts: Duration,
}

/// What snapshots look like and how fresh they are.
#[derive(Clone, Debug)]
pub struct SnapshotOptions {
    /// File format. JPEG streams always give JPEG.
    pub format: StillFormat,
    /// Quality of JPEG, 1 (small) to 100 (good). Not applied to the pictures of JPEG streams, which pass untouched.
    pub quality: u8,
    /// The part of the picture that is wanted; all of it by default. Not applied to the pictures of JPEG streams.
    pub crop: Option<Crop>,
    /// Greatest width and height: larger pictures, or parts of pictures, are made smaller, with their proportions kept.
    /// Not applied to the pictures of JPEG streams.
    pub fit: Option<(u32, u32)>,
    /// Whether the time at which the picture was taken stands in the file (Exif, UTC). Only in JPEG, and not in the
    /// pictures of JPEG streams.
    pub exif: bool,
    /// A key frame that arrived longer ago is not used for a snapshot on demand; the next one is waited for.
    pub max_age: Duration,
    /// How long a snapshot on demand waits for a picture, connecting included. A periodic snapshot that is this late
    /// becomes an error item.
    pub deadline: Duration,
    /// How long a snapshot of an instant ([`Hub::snapshot_at`](crate::Hub::snapshot_at)) may take to decode what lies
    /// between the key frame and that instant. After that it is of the picture that was reached.
    pub budget: Duration,
    /// Where pictures come from, if there is a choice.
    pub capture: CaptureMethod,
}

/// Where snapshots come from: the stream, or the address that the camera has for them
/// ([`HubOptions::snapshot_uri`](crate::HubOptions::snapshot_uri)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CaptureMethod {
    /// The snapshot URI where there is one, JPEG is asked for, and no more than one picture a second; the stream stands in
    /// whenever it fails. A key frame that the stream has at hand is taken for a snapshot on demand. Note that many cameras
    /// have another resolution there than in the stream.
    #[default]
    Auto,
    /// The stream.
    Stream,
    /// The snapshot URI alone, at any period; the stream is not even connected. Pictures are always JPEG, as they come.
    SnapshotUri,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self {
            format: StillFormat::Jpeg,
            quality: 85,
            crop: None,
            fit: None,
            exif: true,
            max_age: Duration::from_secs(2),
            deadline: Duration::from_secs(15),
            capture: CaptureMethod::default(),
            budget: Duration::from_secs(5),
        }
    }
}

impl SnapshotOptions {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if !(1..=100).contains(&self.quality) {
            return Err(Error::Option {
                option: "quality",
                reason: format!("is {}; it must be 1 to 100", self.quality),
            });
        }
        if self
            .fit
            .is_some_and(|(width, height)| width == 0 || height == 0)
        {
            return Err(Error::Option {
                option: "fit",
                reason: "has a side of no length".into(),
            });
        }
        Ok(())
    }

    /// What snapshots of the same key frame have in common if they are the same.
    pub(crate) fn look(&self) -> Look {
        Look {
            make: Make {
                shape: Shape {
                    crop: self.crop,
                    fit: self.fit,
                },
                format: self.format,
                quality: self.quality,
            },
            exif: self.exif,
        }
    }
}

/// What a snapshot looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Look {
    make: Make,
    exif: bool,
}

/// Which picture of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Moment {
    /// The newest of now, by whatever clock.
    Now,
    /// The one that was seen at this time, by the clock of [`AccessUnit::wall`]: the camera's where it tells its time.
    At(SystemTime),
}

/// How often pictures are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rate {
    /// Once in each period, the newest picture.
    ///
    /// Where key frames come at least as often, only they are decoded, and consumers of the same key frame share it.
    /// Where they are farther apart, by more than a tenth, this consumer decodes forward with a decoder of its own: all
    /// that lies between the key frame and the picture that is due, except pictures that no other refers to. That
    /// costs up to as much as [`EveryFrame`](Self::EveryFrame); only what comes after the last instant of a group is
    /// left out. Set the camera's key frame interval (GOV length) to the period to avoid it.
    ///
    /// The distance is learned from the stream, and the choice made anew for each picture. A group that has lasted
    /// longer than the period counts at once, so there is no need to wait for the second key frame.
    ///
    /// Where decoding is slower than the stream, periods are left out. After a loss, or a picture that cannot be
    /// decoded, the next picture is that of the next key frame.
    Every(Duration),
    /// Each key frame (each picture of a JPEG stream).
    EachKeyFrame,
    /// Every picture, from the start of the current group of pictures on. All of the stream is decoded for this one
    /// consumer: several times the work of key frames. Where that is too slow, whole groups are left out.
    ///
    /// Pictures come in decoding order. Without B-frames, as cameras send them by default, this is the order of
    /// presentation; with B-frames, `pts` steps back at each picture that is shown before one that was decoded before
    /// it: sort by `pts` where that matters.
    EveryFrame,
}

/// Makes the snapshot of one random access unit; JPEG passes untouched.
pub(crate) async fn take(
    pool: &DecodePool,
    unit: AccessUnit,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    if unit.codec == Codec::Jpeg {
        return pass_jpeg(unit);
    }
    let (captured, pts) = (unit.wall, unit.pts);
    let made = pool.still(unit, options.look().make).await?;
    Ok(finish(made, captured, pts, options))
}

/// Makes the snapshot of a decoded unit.
pub(crate) async fn encode(
    pool: &DecodePool,
    unit: &AccessUnit,
    picture: Picture,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    let made = pool.encode(picture, options.look().make).await?;
    Ok(finish(made, unit.wall, unit.pts, options))
}

/// Makes the snapshot of a frame.
pub(crate) async fn encode_frame(
    pool: &DecodePool,
    frame: Frame,
    options: &SnapshotOptions,
) -> Result<Snapshot, Error> {
    let made = pool.encode(frame.picture, options.look().make).await?;
    Ok(finish(made, frame.captured, frame.pts, options))
}

fn finish(
    (data, width, height): (Bytes, u32, u32),
    captured: WallClock,
    pts: Duration,
    options: &SnapshotOptions,
) -> Snapshot {
    let data = if options.exif && options.format == StillFormat::Jpeg {
        with_capture_time(data, captured.time)
    } else {
        data
    };
    Snapshot {
        data,
        format: options.format,
        width,
        height,
        captured,
        pts,
    }
}

/// Makes a snapshot of a JPEG unit.
pub(crate) fn pass_jpeg(unit: AccessUnit) -> Result<Snapshot, Error> {
    let (width, height) = check_jpeg(&unit.data)?;
    Ok(Snapshot {
        data: unit.data,
        format: StillFormat::Jpeg,
        width,
        height,
        captured: unit.wall,
        pts: unit.pts,
    })
}
