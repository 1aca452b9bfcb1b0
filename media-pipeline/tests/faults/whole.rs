//! What is whole: units, pictures and clips of the virtual camera.

use std::collections::HashSet;
use std::path::Path;

use image::GrayImage;
use media_pipeline::{
    AccessUnit, Clip, Codec, Container, FileOptions, FileSource, Media, Pace, Snapshot,
    Source as _, check_jpeg, decoder_for,
};
use virtual_camera::frame_number;

/// Frames of the camera's clip, and of its groups of pictures.
const FRAMES: u32 = 150;
const GROUP: u32 = 30;

/// The parts of a coded picture, without parameter sets and tables.
pub type Slices = Vec<Vec<u8>>;

/// All pictures that the camera sends, as it has them.
pub async fn pictures(codec: Codec) -> HashSet<Slices> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../virtual-camera/assets");
    let clip = match codec {
        Codec::Jpeg => {
            let clip = std::fs::read(assets.join("clip.mjpeg")).unwrap();
            return pictures_of(&clip).map(|scan| vec![scan]).collect();
        }
        Codec::H265 => "clip.h265",
        _ => "clip.h264",
    };
    let units = units(&assets.join(clip)).await;
    assert_eq!(units.len(), FRAMES as usize);
    units.iter().map(slices).collect()
}

/// The scans of JPEG pictures that follow each other.
fn pictures_of(mut pictures: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let at = |data: &[u8], marker| data.windows(2).position(|two| two == [0xff, marker]);
    std::iter::from_fn(move || {
        let scan = at(pictures, 0xda)?;
        let end = scan + at(&pictures[scan..], 0xd9).unwrap();
        let header = usize::from(u16::from_be_bytes([pictures[scan + 2], pictures[scan + 3]]));
        let data = pictures[scan + 2 + header..end].to_vec();
        pictures = &pictures[end + 2..];
        Some(data)
    })
}

/// All units of a file.
async fn units(path: &Path) -> Vec<AccessUnit> {
    let mut options = FileOptions::new(path);
    options.pace = Pace::Fast;
    let mut session = FileSource::new(options).unwrap().connect().await.unwrap();
    let mut units = Vec::new();
    while let Some(unit) = session.next().await.unwrap() {
        units.push(unit);
    }
    units
}

/// The slices of a unit of H.264 or H.265, which is a byte stream (Annex B), or the scan of a JPEG picture.
pub fn slices(unit: &AccessUnit) -> Slices {
    if unit.codec == Codec::Jpeg {
        return pictures_of(&unit.data).collect();
    }
    let is_slice = |nal: &[u8]| match unit.codec {
        Codec::H264 => matches!(nal[0] & 0x1f, 1..=5),
        _ => nal[0] >> 1 & 0x3f < 32,
    };
    let mut nals = Vec::new();
    let mut rest = &unit.data[..];
    while let Some(start) = start_code(rest) {
        rest = &rest[start + 3..];
        let nal = &rest[..start_code(rest).unwrap_or(rest.len())];
        let end = nal.iter().rposition(|byte| *byte != 0).unwrap();
        nals.push(nal[..=end].to_vec());
    }
    nals.retain(|nal| is_slice(nal));
    nals
}

fn start_code(data: &[u8]) -> Option<usize> {
    data.windows(3).position(|three| three == [0, 0, 1])
}

/// Panics unless a snapshot is the whole picture of a key frame of a stream of this codec.
pub fn check_snapshot(snapshot: &Snapshot, codec: Codec) {
    let size = check_jpeg(&snapshot.data).unwrap();
    assert_eq!(size, (snapshot.width, snapshot.height));
    let picture = image::load_from_memory(&snapshot.data).unwrap().to_luma8();
    assert!(!is_torn(&picture), "its lower part is missing");
    let number = frame_number(&picture, size.0 as usize, size.1 as usize);
    let number = number.expect("it is not damaged");
    assert!(
        codec == Codec::Jpeg || number.is_multiple_of(GROUP),
        "{number}"
    );
}

/// Whether the lower part is one flat gray: what decoders show for what is missing.
fn is_torn(picture: &GrayImage) -> bool {
    let rows = picture.height() * 3 / 4..picture.height();
    let first = picture.get_pixel(0, rows.start)[0];
    rows.flat_map(|y| (0..picture.width()).map(move |x| (x, y)))
        .all(|(x, y)| picture.get_pixel(x, y)[0].abs_diff(first) < 2)
}

/// Panics unless a clip is boxes to its last byte, has the units it says, and all of them are pictures that follow each
/// other from a key frame on.
pub async fn check_clip(clip: &Clip) {
    assert_eq!(clip.container, Container::Mp4);
    assert!(is_whole_mp4(&clip.path));
    let mut units = units(&clip.path).await;
    units.retain(|unit| unit.codec.media() == Media::Video);
    assert_eq!(units.len() as u64, clip.frames, "{}", clip.path.display());
    assert!(units[0].random_access);
    let decode = move || {
        let mut decoder = decoder_for(units[0].codec).unwrap();
        let mut last = None;
        for unit in &units {
            let picture = decoder.decode(unit).unwrap().expect("a picture each");
            let (width, height) = (picture.width as usize, picture.height as usize);
            let rows = picture.y.data.chunks(picture.y.stride).take(height);
            let luma: Vec<u8> = rows.flat_map(|row| &row[..width]).copied().collect();
            let number = frame_number(&luma, width, height).expect("it is not damaged");
            let follows = last.is_none_or(|last| (last + 1) % FRAMES == number);
            assert!(follows || unit.random_access, "{last:?}, {number}");
            last = Some(number);
        }
    };
    tokio::task::spawn_blocking(decode).await.unwrap();
}

/// Whether a file is boxes to its last byte.
fn is_whole_mp4(path: &Path) -> bool {
    let data = std::fs::read(path).unwrap();
    let mut rest = &data[..];
    while let Some(length) = rest.first_chunk() {
        let length = u32::from_be_bytes(*length) as usize;
        match rest.get(length.max(8)..) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}
