//! The fuzz targets over their seeds and over some thousand mutations of them, the same ones in every run.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../fuzz/targets.rs"]
mod targets;

use std::panic::catch_unwind;
use std::path::Path;

/// Mutations of each target.
const ROUNDS: u64 = 1500;

macro_rules! corpus {
    ($($test:ident: $target:ident,)*) => { $(
        #[test]
        fn $test() {
            run(stringify!($target), targets::$target);
        }
    )* };
}

corpus! {
    mutated_envelopes_do_no_harm: envelope,
    mutated_faults_do_no_harm: fault,
    mutated_dates_do_no_harm: date,
    mutated_datagrams_do_no_harm: probe_match,
    mutated_notifications_do_no_harm: notification,
    mutated_topic_sets_do_no_harm: topic_set,
    mutated_metadata_does_no_harm: metadata_frame,
}

fn run(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(!seeds.is_empty());
    for seed in &seeds {
        target(seed);
    }
    for round in 0..ROUNDS {
        let input = mutate(&seeds, round);
        if catch_unwind(|| target(&input)).is_err() {
            panic!(
                "round {round} of {name}: {:?}",
                String::from_utf8_lossy(&input)
            );
        }
    }
}

/// What breaks parsers, and what they take for something else.
const WORDS: &[&[u8]] = &[
    b"<",
    b">",
    b"&",
    b"/>",
    b"</",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"<!DOCTYPE a>",
    b"<?x?>",
    b"&#0;",
    b"&#x110000;",
    b"&lt;",
    b"xmlns:a=\"\"",
    b" xmlns=\"u\"",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b":",
    b"%",
    b"[",
    b"99999999999999999999",
    b"-1",
    b"1e400",
    b"NaN",
    b"\n",
    b"'",
    b"\"",
];

fn mutate(seeds: &[Vec<u8>], round: u64) -> Vec<u8> {
    let mut random = Random(round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut input = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(6) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(40)).min(input.len());
        match random.below(6) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 => drop(input.drain(at..end)),
            2 => {
                let piece = input[at..end].repeat(1 + random.below(8));
                input.splice(at..at, piece);
            }
            3 => input.truncate(at),
            4 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            _ => {
                let word = WORDS[random.below(WORDS.len())];
                input.splice(at..at, word.iter().copied());
            }
        }
    }
    input
}

/// Xorshift: enough for this, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
