//! The clip that everything is measured with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde::Serialize;

/// What the clip is to be. Its length, frame rate and bitrate are fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClipSpec {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Seconds from key frame to key frame.
    pub gop_seconds: u32,
}

/// A clip on disk: H.264 in Annex B framing, with an access unit delimiter before each picture.
#[derive(Clone, Debug, Serialize)]
pub struct Clip {
    /// What it was made to be.
    #[serde(flatten)]
    pub spec: ClipSpec,
    /// Where it is.
    #[serde(skip)]
    pub path: PathBuf,
    /// Number of pictures.
    pub pictures: usize,
    /// Bits per second, in millions.
    pub mbit_per_second: f64,
    /// Mean size of a key frame in kilobytes.
    pub key_frame_kb: f64,
}

impl Clip {
    /// Frames per second.
    pub const RATE: u32 = 25;
    const SECONDS: u32 = 20;
    /// Starts each picture: x264 writes one per access unit with `aud=1`.
    const DELIMITER: [u8; 5] = [0, 0, 0, 1, 9];

    /// The clip in the cache folder, made with ffmpeg if it is not there.
    ///
    /// # Errors
    /// If ffmpeg is missing or fails, or the folder cannot be written.
    pub fn in_cache(cache: &Path, spec: ClipSpec) -> anyhow::Result<Self> {
        let ClipSpec {
            width,
            height,
            gop_seconds,
        } = spec;
        let path = cache.join(format!("{width}x{height}-gop{gop_seconds}s.h264"));
        if !path.exists() {
            fs::create_dir_all(cache).with_context(|| format!("cannot make {cache:?}"))?;
            eprintln!("making {}, once", path.display());
            make(&path, spec)?;
        }
        let data = fs::read(&path).with_context(|| format!("cannot read {path:?}"))?;
        Self::describe(path, spec, &data)
    }

    fn describe(path: PathBuf, spec: ClipSpec, data: &[u8]) -> anyhow::Result<Self> {
        let (mut sizes, mut keys) = (Vec::new(), Vec::new());
        for picture in pictures(data) {
            sizes.push(picture.len());
            if is_key(picture) {
                keys.push(picture.len());
            }
        }
        if sizes.is_empty() || keys.is_empty() {
            bail!("{path:?} holds no pictures; remove it to have it made again");
        }
        let mean = |sizes: &[usize]| sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
        Ok(Self {
            spec,
            path,
            pictures: sizes.len(),
            mbit_per_second: mean(&sizes) * 8.0 * f64::from(Self::RATE) / 1e6,
            key_frame_kb: mean(&keys) / 1e3,
        })
    }
}

/// A detailed still that moves slowly under temporal noise: key frames as heavy, and a bitrate as steady, as a camera's.
fn make(path: &Path, spec: ClipSpec) -> anyhow::Result<()> {
    let ClipSpec {
        width,
        height,
        gop_seconds,
    } = spec;
    let rate = Clip::RATE;
    let scene = format!(
        "mandelbrot=size={width}x{height}:rate={rate}:maxiter=500,trim=end_frame=1,loop=loop=-1:size=1,\
         scroll=horizontal=0.0005,noise=c0s=5:c0f=t,format=yuv420p"
    );
    let gop = (gop_seconds * rate).to_string();
    // A name of its own, so that an interrupted run leaves no half clip behind.
    let partial = path.with_extension("partial");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", &scene]);
    ffmpeg.args(["-t", &Clip::SECONDS.to_string()]);
    ffmpeg.args("-c:v libx264 -preset veryfast -profile:v main -bf 0 -sc_threshold 0".split(' '));
    ffmpeg.args(["-g", &gop, "-keyint_min", &gop]);
    ffmpeg.args("-b:v 4M -maxrate 5M -bufsize 4M -x264-params aud=1 -f h264".split(' '));
    let status = ffmpeg
        .arg(&partial)
        .stdin(Stdio::null())
        .status()
        .context("cannot run ffmpeg; install it with: apt-get install ffmpeg")?;
    if !status.success() {
        bail!("ffmpeg could not make the clip ({status}); it needs libx264");
    }
    fs::rename(&partial, path).with_context(|| format!("cannot write {path:?}"))
}

/// The pictures of a clip, each an access unit.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn units(path: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let data = fs::read(path).with_context(|| format!("cannot read {path:?}"))?;
    Ok(pictures(&data).map(<[u8]>::to_vec).collect())
}

/// The first picture of a clip.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn first_unit(path: &Path) -> anyhow::Result<Vec<u8>> {
    let data = fs::read(path).with_context(|| format!("cannot read {path:?}"))?;
    let first = pictures(&data).next().context("the clip is empty")?;
    Ok(first.to_vec())
}

fn pictures(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<usize> = data
        .windows(Clip::DELIMITER.len())
        .enumerate()
        .filter_map(|(at, bytes)| (bytes == Clip::DELIMITER).then_some(at))
        .chain([data.len()])
        .collect();
    (1..starts.len()).map(move |n| &data[starts[n - 1]..starts[n]])
}

/// Whether a slice of an IDR picture is in it (NAL unit type 5, H.264 table 7-1).
fn is_key(picture: &[u8]) -> bool {
    picture
        .windows(4)
        .any(|bytes| bytes[..3] == [0, 0, 1] && bytes[3] & 31 == 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: ClipSpec = ClipSpec {
        width: 64,
        height: 48,
        gop_seconds: 1,
    };

    #[test]
    fn pictures_and_key_frames_are_counted() {
        let mut data = Vec::new();
        for kind in [0x65, 0x41, 0x41] {
            data.extend(Clip::DELIMITER);
            data.extend([0xf0, 0, 0, 1, kind, 7, 7]);
        }
        let clip = Clip::describe("clip.h264".into(), SPEC, &data).expect("it holds pictures");
        assert_eq!(clip.pictures, 3);
        assert!((clip.key_frame_kb - 0.012).abs() < 1e-9);
        assert!((clip.mbit_per_second - 0.0024).abs() < 1e-9);
    }

    #[test]
    fn a_file_without_pictures_is_refused() {
        assert!(Clip::describe("clip.h264".into(), SPEC, b"no clip").is_err());
    }
}
