//! Still pictures of a stream.

use std::time::Duration;

use bytes::Bytes;

use crate::encode::StillFormat;
use crate::still::check_jpeg;
use crate::{AccessUnit, Codec, DecodePool, Error, WallClock};

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
    /// A key frame that arrived longer ago is not used for a snapshot on demand; the next one is waited for.
    pub max_age: Duration,
    /// How long a snapshot on demand waits for a picture, connecting included. A periodic snapshot that is this late
    /// becomes an error item.
    pub deadline: Duration,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self {
            format: StillFormat::Jpeg,
            quality: 85,
            max_age: Duration::from_secs(2),
            deadline: Duration::from_secs(15),
        }
    }
}

impl SnapshotOptions {
    pub(crate) fn check(&self) -> Result<(), Error> {
        if (1..=100).contains(&self.quality) {
            return Ok(());
        }
        Err(Error::Option {
            option: "quality",
            reason: format!("is {}; it must be 1 to 100", self.quality),
        })
    }
}

/// How often pictures are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rate {
    /// Once in each period, from the newest key frame; less often where key frames are rarer.
    Every(Duration),
    /// Each key frame (each picture of a JPEG stream).
    EachKeyFrame,
    /// Every picture, in decoding order, from the start of the current group of pictures on. All of the stream is decoded for
    /// this one consumer: several times the work of the other rates. Where that is too slow, whole groups are left out.
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
    let (data, width, height) = pool.still(unit, options.format, options.quality).await?;
    Ok(Snapshot {
        data,
        format: options.format,
        width,
        height,
        captured,
        pts,
    })
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
