//! What a snapshot costs besides the network: decoding a key frame, and encoding it as JPEG.

use std::path::Path;
use std::time::Duration;
use std::{fs, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use media_pipeline::{
    AccessUnit, Codec, H264Decoder, StillFormat, VideoDecoder as _, WallClock, encoder_for,
};

/// The first key frame, 1280 x 720, of the virtual camera's clip.
fn key_frame() -> AccessUnit {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../virtual-camera/assets/clip.h264");
    let clip = fs::read(path).expect("it is part of the repository");
    let kinds: Vec<(usize, u8)> = clip
        .windows(4)
        .enumerate()
        .filter_map(|(at, bytes)| (bytes[..3] == [0, 0, 1]).then_some((at, bytes[3] & 31)))
        .collect();
    let key = kinds.iter().position(|(_, kind)| *kind == 5);
    let key = key.expect("the clip has a key frame");
    let (end, _) = kinds[key..]
        .iter()
        .find(|(_, kind)| *kind != 5)
        .expect("pictures follow it");
    let data = clip[..*end].to_vec();
    let unit = AccessUnit::new(Codec::H264, data.into(), Duration::ZERO, WallClock::now());
    assert!(unit.random_access);
    unit
}

fn still(c: &mut Criterion) {
    let unit = key_frame();
    let mut decoder = H264Decoder::default();
    let picture = decoder
        .decode(&unit)
        .expect("it decodes")
        .expect("to a picture");
    assert_eq!((picture.width, picture.height), (1280, 720));
    let mut encoder = encoder_for(StillFormat::Jpeg);

    let mut group = c.benchmark_group("720p");
    group.bench_function("decode key frame", |b| {
        b.iter(|| decoder.decode(black_box(&unit)).expect("it decodes"));
    });
    group.bench_function("encode JPEG", |b| {
        let fresh = || black_box(picture.clone());
        b.iter(|| encoder.encode(fresh(), 80).expect("it encodes"));
    });
    group.bench_function("key frame to JPEG", |b| {
        b.iter(|| {
            let picture = decoder.decode(black_box(&unit)).expect("it decodes");
            encoder.encode(picture.expect("to a picture"), 80)
        });
    });
    group.finish();
}

criterion_group!(benches, still);
criterion_main!(benches);
