//! What it costs to read a reply of a camera.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use onvif_core::decode_response;
use onvif_core::media::ver10::GetProfiles;

/// A reply in the shape that most cameras send: every profile with all its configurations.
fn made(profiles: usize) -> String {
    let profile = include_str!("fixtures/profile.xml");
    let profiles: String = (0..profiles)
        .map(|n| profile.replace("@N@", &n.to_string()))
        .collect();
    include_str!("fixtures/get_profiles_response.xml").replace("@PROFILES@", &profiles)
}

/// The longest reply among the captures of real cameras, where their collection is present next to the repository.
fn captured() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/onvif/captures");
    std::fs::read_dir(root)
        .ok()?
        .filter_map(|camera| {
            let path = camera.ok()?.path().join("media1/GetProfilesResponse.xml");
            std::fs::read_to_string(path).ok()
        })
        .max_by_key(String::len)
}

fn profiles(c: &mut Criterion) {
    let replies = [
        ("made, 4 profiles", Some(made(4))),
        ("captured", captured()),
    ];
    let mut group = c.benchmark_group("GetProfiles");
    for (name, reply) in replies {
        let Some(reply) = reply else { continue };
        let read = decode_response::<GetProfiles>(&reply).expect("it is well-formed");
        assert!(!read.expect("it is no fault").profiles.is_empty());
        group.throughput(Throughput::Bytes(reply.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| decode_response::<GetProfiles>(black_box(&reply)));
        });
    }
    group.finish();
}

criterion_group!(benches, profiles);
criterion_main!(benches);
