//! Decoding and encoding of real clips: sizes and colours come out right.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use media_pipeline::{
    AccessUnit, Codec, DecodePool, Error, H264Decoder, Hub, HubOptions, Snapshot, SnapshotOptions,
    Source, SourceSession, StillFormat, VideoDecoder as _, WallClock, check_jpeg,
};

/// The bars of the clips, see `data/make.sh`.
const BARS: [[u8; 3]; 7] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
];

/// Greatest error of a channel in a picture without loss: 8-bit YCbCr and the encoder's quantisation at QP 6.
const LOSSLESS_TOLERANCE: u8 = 4;
/// The same after JPEG at quality 95.
const JPEG_TOLERANCE: u8 = 6;

fn unit(clip: &str) -> AccessUnit {
    let (codec, ending) = if clip.contains("h265") {
        (Codec::H265, "h265")
    } else {
        (Codec::H264, "h264")
    };
    let folder = env!("CARGO_MANIFEST_DIR");
    let data = std::fs::read(format!("{folder}/tests/data/{clip}.{ending}")).unwrap();
    AccessUnit::new(codec, data.into(), Duration::ZERO, WallClock::now())
}

/// Delivers one unit over and over.
struct Still(AccessUnit);

#[async_trait]
impl Source for Still {
    fn label(&self) -> String {
        "still".into()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        Ok(Box::new(Still(self.0.clone())))
    }
}

#[async_trait]
impl SourceSession for Still {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        tokio::time::sleep(Duration::from_millis(40)).await;
        Ok(Some(self.0.clone()))
    }

    async fn close(self: Box<Self>) {}
}

async fn snapshot(unit: AccessUnit, format: StillFormat) -> Result<Snapshot, Error> {
    let pool = DecodePool::new(NonZeroUsize::MIN);
    let hub = Hub::new(
        Arc::new(Still(unit)),
        HubOptions {
            pool,
            ..HubOptions::default()
        },
    );
    hub.snapshot(&SnapshotOptions {
        format,
        quality: 95,
        ..SnapshotOptions::default()
    })
    .await
}

fn assert_bars(clip: &str, snapshot: &Snapshot, tolerance: u8) {
    let picture = image::load_from_memory(&snapshot.data).unwrap().into_rgb8();
    assert_eq!(
        (picture.width(), picture.height()),
        (snapshot.width, snapshot.height),
        "{clip}"
    );
    for row in [1, picture.height() / 2, picture.height() - 2] {
        for (bar, want) in (0..).zip(BARS) {
            let got = picture
                .get_pixel((2 * bar + 1) * picture.width() / 14, row)
                .0;
            let error = got
                .iter()
                .zip(want)
                .map(|(got, want)| got.abs_diff(want))
                .max()
                .unwrap();
            assert!(
                error <= tolerance,
                "{clip}, {}, bar {bar}, row {row}: {got:?}, not {want:?}",
                snapshot.format
            );
        }
    }
}

#[tokio::test]
async fn colours_are_right_for_each_range_matrix_profile_and_format() {
    for clip in [
        "bars_601_limited",
        "bars_601_full",
        "bars_709_limited",
        "bars_709_full",
        "bars_untagged_sd",
        "bars_untagged_1080",
        "bars_main_cabac",
        "bars_baseline",
        "bars_interlaced",
        "bars_h265_709_limited",
        "bars_h265_601_full",
        "bars_h265_untagged",
        "bars_h265_ten_bits",
        "bars_h265_2020",
    ] {
        let jpeg = snapshot(unit(clip), StillFormat::Jpeg).await.unwrap();
        assert_eq!(check_jpeg(&jpeg.data).unwrap(), (jpeg.width, jpeg.height));
        assert_bars(clip, &jpeg, JPEG_TOLERANCE);
        for format in [StillFormat::Png, StillFormat::Bmp, StillFormat::Tiff] {
            assert_bars(
                clip,
                &snapshot(unit(clip), format).await.unwrap(),
                LOSSLESS_TOLERANCE,
            );
        }
    }
}

#[tokio::test]
async fn a_picture_of_1080_lines_has_1080_lines() {
    let snapshot = snapshot(unit("bars_untagged_1080"), StillFormat::Jpeg)
        .await
        .unwrap();
    assert_eq!((snapshot.width, snapshot.height), (1918, 1080));
}

#[tokio::test]
async fn what_is_cut_on_the_left_and_top_is_not_seen() {
    let snapshot = snapshot(unit("bars_cropped"), StillFormat::Png)
        .await
        .unwrap();
    assert_eq!((snapshot.width, snapshot.height), (276, 160));
    let picture = image::load_from_memory(&snapshot.data).unwrap().into_rgb8();
    let [r, g, b] = picture.get_pixel(20, 80).0;
    assert!(
        r > 180 && g > 180 && b < 10,
        "the first bar left is yellow, not {:?}",
        [r, g, b]
    );
}

/// The access units of a clip with one slice per picture, and the headers of their slices.
fn group(clip: &str) -> Vec<(u8, AccessUnit)> {
    let data = unit(clip).data;
    // An access unit ends before each slice but the first.
    let slices: Vec<usize> = (0..data.len() - 4)
        .filter(|&i| data[i..i + 3] == [0, 0, 1] && matches!(data[i + 3] & 0x1f, 1 | 5))
        .collect();
    let starts = [0].into_iter().chain(slices[1..].iter().copied());
    let ends = slices[1..].iter().copied().chain([data.len()]);
    let spans = starts.zip(ends).zip(&slices);
    spans
        .map(|((start, end), slice)| {
            let data_of_unit = data.slice(start..end);
            let (pts, wall) = (Duration::ZERO, WallClock::now());
            let unit = AccessUnit::new(Codec::H264, data_of_unit, pts, wall);
            (data[slice + 3], unit)
        })
        .collect()
}

#[test]
fn a_group_of_pictures_decodes_in_order() {
    let group = group("bars_gop");
    assert_eq!(group.len(), 5);
    let mut decoder = H264Decoder::default();
    for (_, unit) in group {
        let picture = decoder
            .decode(&unit)
            .unwrap()
            .expect("each access unit holds a picture");
        assert_eq!((picture.width, picture.height), (322, 176));
    }
}

#[test]
fn pictures_that_no_other_refers_to_can_be_left_out() {
    const NAL_REF_IDC: u8 = 0x60;
    let group = group("moving_b_frames");
    let (mut all, mut kept) = (H264Decoder::default(), H264Decoder::default());
    let mut pictures = Vec::new();
    for (header, unit) in group {
        let complete = all.decode(&unit).unwrap().unwrap().y.data;
        if header & NAL_REF_IDC != 0 {
            let picture = kept.decode(&unit).unwrap().unwrap().y.data;
            assert!(picture == complete, "picture {} differs", pictures.len());
            pictures.push(picture);
        }
    }
    assert_eq!(pictures.len(), 5);
    pictures.dedup();
    assert_eq!(pictures.len(), 5, "the clip moves");
}

#[tokio::test]
async fn jpeg_streams_pass_untouched() {
    let jpeg = snapshot(unit("bars_601_full"), StillFormat::Jpeg)
        .await
        .unwrap();
    let unit = AccessUnit::new(
        Codec::Jpeg,
        jpeg.data.clone(),
        Duration::ZERO,
        WallClock::now(),
    );
    let passed = snapshot(unit, StillFormat::Png).await.unwrap();
    assert_eq!((passed.data, passed.format), (jpeg.data, StillFormat::Jpeg));
    assert_eq!((passed.width, passed.height), (322, 176));
}
