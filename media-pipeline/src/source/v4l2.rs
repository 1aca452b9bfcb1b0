//! Cameras at USB and on boards, by Video4Linux.

mod device;
mod raw;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, timeout};

use super::{Source, SourceSession};
use crate::h264::{self, is_parameter_set, nal_units};
use crate::{
    AccessUnit, Codec, Error, Parameters, VideoParameters, WallClock, check_jpeg, huffman,
    parameter_sets,
};

/// Which device is read, and how. With the feature `v4l2`, on Linux.
#[derive(Clone, Debug)]
pub struct V4l2Options {
    /// The device, such as `/dev/video0`.
    pub device: PathBuf,
    /// How it is to code pictures; by default H.264 where it has that, else JPEG, else not at all.
    pub coding: Option<V4l2Coding>,
    /// Width and height in pixels to ask for; devices give what is nearest to it. 1280 x 720 by default.
    pub size: (u32, u32),
    /// Pictures per second to ask for; the device's own rate by default.
    pub frame_rate: Option<u32>,
    /// Quality in which raw pictures are encoded, 1 to 100. 90 by default.
    pub quality: u8,
    /// A device that gives no picture for so long is closed. 10 seconds by default.
    pub idle_timeout: Duration,
}

/// How a device codes pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum V4l2Coding {
    /// H.264, in access units.
    H264,
    /// JPEG pictures, passed on as they are. The tables that those of USB leave out are put in.
    Jpeg,
    /// Raw 4:2:2 (YUYV). Each picture is encoded in JPEG here, which takes 6 ms of a core for one of 1920 x 1080.
    Yuyv,
}

impl fmt::Display for V4l2Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            V4l2Coding::H264 => "H.264",
            V4l2Coding::Jpeg => "JPEG",
            V4l2Coding::Yuyv => "raw YUYV",
        })
    }
}

impl V4l2Options {
    /// The defaults for a device.
    pub fn new(device: impl Into<PathBuf>) -> Self {
        Self {
            device: device.into(),
            coding: None,
            size: (1280, 720),
            frame_rate: None,
            quality: 90,
            idle_timeout: Duration::from_secs(10),
        }
    }
}

/// A device as a stream. A picture has the time at which it was taken out of the device.
///
/// Only one session can capture at a time; a [`Hub`](crate::Hub) has one.
pub struct V4l2Source {
    options: V4l2Options,
    open: Arc<Open>,
}

type Open = dyn Fn(&V4l2Options) -> io::Result<Box<dyn Device>> + Send + Sync;

impl V4l2Source {
    /// A source; nothing is opened before [`connect`](Source::connect).
    ///
    /// # Errors
    /// [`Error::Option`] for a size, frame rate or idle timeout of zero, or a quality that is not between 1 and 100.
    pub fn new(options: V4l2Options) -> Result<Self, Error> {
        let (width, height) = options.size;
        let quality = (1..=100).contains(&options.quality);
        for (option, good, reason) in [
            ("size", width > 0 && height > 0, "must not be zero"),
            (
                "frame_rate",
                options.frame_rate != Some(0),
                "must not be zero",
            ),
            (
                "idle_timeout",
                !options.idle_timeout.is_zero(),
                "must be longer than zero",
            ),
            ("quality", quality, "must be between 1 and 100"),
        ] {
            if !good {
                let reason = reason.into();
                return Err(Error::Option { option, reason });
            }
        }
        Ok(Self {
            options,
            open: Arc::new(device::open),
        })
    }
}

impl fmt::Debug for V4l2Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("V4l2Source").field(&self.options).finish()
    }
}

#[async_trait]
impl Source for V4l2Source {
    fn label(&self) -> String {
        self.options.device.display().to_string()
    }

    async fn connect(&self) -> Result<Box<dyn SourceSession>, Error> {
        let (open, options) = (self.open.clone(), self.options.clone());
        // Some devices take a second to begin.
        let opening = spawn_blocking(move || open(&options)).await;
        let opened = opening.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        let device =
            opened.map_err(|error| failed(&self.label(), "cannot capture from it", error))?;
        let format = device.format();
        tracing::info!(
            device = %self.label(),
            "captures {} of {} x {} pixels", format.coding, format.width, format.height
        );
        Ok(Box::new(Session {
            device,
            format,
            label: self.label(),
            quality: self.options.quality,
            idle: self.options.idle_timeout,
            started: Instant::now(),
            loss: 0,
            parameters: None,
            encoding: None,
        }))
    }
}

/// What a device was set to.
#[derive(Clone, Copy, Debug)]
struct Format {
    coding: V4l2Coding,
    width: u32,
    height: u32,
    /// Bytes from row to row of raw pictures.
    stride: usize,
}

/// What a device put into a buffer.
struct Captured {
    data: Bytes,
    /// The driver says that something is missing.
    damaged: bool,
}

/// A device that captures.
#[async_trait]
trait Device: Send {
    fn format(&self) -> Format;

    /// The next buffer. Cancel-safe.
    async fn capture(&mut self) -> io::Result<Captured>;
}

/// Of what a device offers, in the order of preference.
fn choose(offered: &[V4l2Coding], wanted: Option<V4l2Coding>) -> io::Result<V4l2Coding> {
    let mut fitting = offered.iter().copied();
    let found = fitting.find(|coding| wanted.is_none_or(|wanted| wanted == *coding));
    found.ok_or_else(|| {
        let wanted = wanted.map_or("H.264, JPEG or raw YUYV".to_owned(), |it| it.to_string());
        io::Error::new(
            io::ErrorKind::Unsupported,
            format!("it does not offer {wanted}"),
        )
    })
}

struct Session {
    device: Box<dyn Device>,
    format: Format,
    label: String,
    quality: u8,
    idle: Duration,
    started: Instant,
    /// Buffers left out since the last unit.
    loss: u32,
    parameters: Option<Arc<Parameters>>,
    encoding: Option<Encoding>,
}

/// A raw picture on its way to JPEG, with its time.
struct Encoding {
    task: JoinHandle<Result<Bytes, Error>>,
    pts: Duration,
    wall: WallClock,
}

#[async_trait]
impl SourceSession for Session {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        loop {
            if let Some(Encoding { task, pts, wall }) = &mut self.encoding {
                let (encoded, pts, wall) = (task.await, *pts, *wall);
                self.encoding = None;
                let encoded = encoded.unwrap_or_else(|panic| {
                    let reason = panic.to_string();
                    Err(Error::Encode { reason })
                });
                match encoded {
                    Ok(jpeg) => return Ok(Some(self.jpeg(jpeg, pts, wall))),
                    Err(error) => self.leave_out(&error),
                }
            }
            let captured = timeout(self.idle, self.device.capture()).await;
            let captured = captured.map_err(|_| Error::Stalled {
                url: self.label.clone(),
                after: self.idle,
            })?;
            let captured = captured.map_err(|error| failed(&self.label, "it stopped", error))?;
            let (pts, wall) = (self.started.elapsed(), WallClock::now());
            if captured.damaged || captured.data.is_empty() {
                self.loss += 1;
                continue;
            }
            match self.format.coding {
                V4l2Coding::H264 => return Ok(Some(self.h264(captured.data, pts, wall))),
                V4l2Coding::Jpeg => match complete(captured.data) {
                    Ok(jpeg) => return Ok(Some(self.jpeg(jpeg, pts, wall))),
                    Err(error) => self.leave_out(&error),
                },
                V4l2Coding::Yuyv => {
                    let (format, quality) = (self.format, self.quality);
                    let encode = move || raw::encode(&captured.data, &format, quality);
                    let task = spawn_blocking(encode);
                    self.encoding = Some(Encoding { task, pts, wall });
                }
            }
        }
    }

    async fn close(self: Box<Self>) {}
}

impl Session {
    fn leave_out(&mut self, error: &Error) {
        self.loss += 1;
        tracing::debug!(device = %self.label, %error, "a picture is left out");
    }

    fn jpeg(&mut self, data: Bytes, pts: Duration, wall: WallClock) -> AccessUnit {
        let (width, height) = (self.format.width, self.format.height);
        let parameters = self.parameters.get_or_insert_with(|| {
            Arc::new(Parameters::Video(VideoParameters::of_jpeg(width, height)))
        });
        let mut unit = AccessUnit::new(Codec::Jpeg, data, pts, wall);
        unit.parameters = Some(parameters.clone());
        unit.loss = std::mem::take(&mut self.loss);
        unit
    }

    /// Devices may send the parameter sets once; key frames are to have them.
    fn h264(&mut self, data: Bytes, pts: Duration, wall: WallClock) -> AccessUnit {
        let mut unit = AccessUnit::new(Codec::H264, data, pts, wall);
        unit.loss = std::mem::take(&mut self.loss);
        if h264::has_parameter_sets(&unit.data) {
            let sets = nal_units(&unit.data).filter(|nal| is_parameter_set(nal));
            let sets = sets.map(Bytes::copy_from_slice).collect();
            let found = VideoParameters::from_sets(Codec::H264, sets).map(Parameters::Video);
            if found.is_some() && found.as_ref() != self.parameters.as_deref() {
                self.parameters = found.map(Arc::new);
            }
        } else if unit.random_access
            && let Some(video) = self.parameters.as_deref().and_then(Parameters::video)
        {
            unit.data = parameter_sets::insert(Codec::H264, &unit.data, &video.sets);
        }
        unit.parameters.clone_from(&self.parameters);
        unit
    }
}

/// Checks a picture, and puts in the tables that it leaves out.
fn complete(data: Bytes) -> Result<Bytes, Error> {
    check_jpeg(&data)?;
    let mut at = 2;
    // The check has been along here.
    while let Some([0xff, marker, high, low]) = data.get(at..).and_then(|rest| rest.first_chunk()) {
        match *marker {
            0xc4 => return Ok(data),
            0xda => {
                return Ok([&data[..at], &huffman::segment(), &data[at..]]
                    .concat()
                    .into());
            }
            0xff => at += 1,
            0x01 | 0xd0..=0xd7 => at += 2,
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    Ok(data)
}

fn failed(label: &str, action: &str, error: io::Error) -> Error {
    Error::Network {
        url: label.into(),
        action: action.into(),
        source: Some(Arc::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::StreamExt as _;

    use super::*;
    use crate::{ErrorKind, Hub, HubOptions, HubStatus, Picture, SnapshotOptions, decoder_for};

    const KEY_FRAMES: &[u8] = include_bytes!("../../tests/data/bars_gop.h264");
    const SOON: Duration = Duration::from_secs(30);

    /// Stands in for a device: gives these buffers, and then fails or falls silent.
    struct Script {
        format: Format,
        buffers: VecDeque<Captured>,
        fails: bool,
        open: Arc<AtomicU32>,
    }

    impl Drop for Script {
        fn drop(&mut self) {
            self.open.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[async_trait]
    impl Device for Script {
        fn format(&self) -> Format {
            self.format
        }

        async fn capture(&mut self) -> io::Result<Captured> {
            match self.buffers.pop_front() {
                Some(captured) => Ok(captured),
                None if self.fails => Err(io::Error::from_raw_os_error(19)),
                None => std::future::pending().await,
            }
        }
    }

    fn whole(data: impl Into<Bytes>) -> Captured {
        let data = data.into();
        Captured {
            data,
            damaged: false,
        }
    }

    /// A source whose device gives `buffers` when it is opened for the first time.
    fn source(
        coding: V4l2Coding,
        (width, height): (u32, u32),
        buffers: Vec<Captured>,
        fails: bool,
    ) -> (V4l2Source, Arc<AtomicU32>) {
        let format = Format {
            coding,
            width,
            height,
            stride: width as usize * 2,
        };
        let open = Arc::<AtomicU32>::default();
        let (opened, buffers) = (open.clone(), Mutex::new(VecDeque::from(buffers)));
        let source = V4l2Source {
            options: V4l2Options::new("/dev/video7"),
            open: Arc::new(move |_: &V4l2Options| -> io::Result<Box<dyn Device>> {
                assert_eq!(opened.fetch_add(1, Ordering::SeqCst), 0, "it is busy");
                Ok(Box::new(Script {
                    format,
                    buffers: std::mem::take(&mut buffers.lock().unwrap()),
                    fails,
                    open: opened.clone(),
                }))
            }),
        };
        (source, open)
    }

    async fn unit(session: &mut Box<dyn SourceSession>) -> AccessUnit {
        session.next().await.unwrap().unwrap()
    }

    fn raw(luma: u8, width: u32, height: u32) -> Vec<u8> {
        [luma, 128].repeat((width * height) as usize)
    }

    fn jpeg() -> Vec<u8> {
        let format = Format {
            coding: V4l2Coding::Yuyv,
            width: 64,
            height: 48,
            stride: 128,
        };
        raw::encode(&raw(120, 64, 48), &format, 80).unwrap().into()
    }

    fn decoded(unit: &AccessUnit) -> Picture {
        let mut decoder = decoder_for(unit.codec).unwrap();
        decoder.decode(unit).unwrap().unwrap()
    }

    /// The same picture without its Huffman tables, as cameras at USB send it.
    fn without_tables(mut jpeg: Vec<u8>) -> Vec<u8> {
        while let Some(at) = jpeg.windows(2).position(|pair| pair == [0xff, 0xc4]) {
            let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
            jpeg.drain(at..at + 2 + length);
        }
        jpeg
    }

    #[tokio::test]
    async fn jpeg_passes_untouched_and_missing_tables_are_put_in() {
        let jpeg = jpeg();
        let bare = without_tables(jpeg.clone());
        assert!(bare.len() < jpeg.len());
        let buffers = vec![whole(jpeg.clone()), whole(bare)];
        let (source, _) = source(V4l2Coding::Jpeg, (64, 48), buffers, false);
        let mut session = source.connect().await.unwrap();
        let first = unit(&mut session).await;
        assert_eq!((first.codec, first.track), (Codec::Jpeg, 0));
        assert_eq!(first.data[..], jpeg[..]);
        let size = first.parameters.as_deref().and_then(Parameters::video);
        assert_eq!(size.map(|it| (it.width, it.height)), Some((64, 48)));
        let second = unit(&mut session).await;
        assert!(second.pts >= first.pts && second.random_access);
        assert_eq!(decoded(&second).y.data, decoded(&first).y.data);
    }

    #[tokio::test]
    async fn what_is_torn_is_left_out_and_counted() {
        let jpeg = jpeg();
        let torn = jpeg[..jpeg.len() / 2].to_vec();
        let damaged = Captured {
            data: jpeg.clone().into(),
            damaged: true,
        };
        let buffers = vec![whole(torn), damaged, whole(Vec::new()), whole(jpeg.clone())];
        let (source, _) = source(V4l2Coding::Jpeg, (64, 48), buffers, false);
        let mut session = source.connect().await.unwrap();
        let first = unit(&mut session).await;
        assert_eq!((first.loss, &first.data[..]), (3, &jpeg[..]));
    }

    #[tokio::test]
    async fn raw_pictures_become_jpeg_in_the_right_brightness() {
        // White and black of limited range.
        let buffers = vec![whole(raw(235, 64, 48)), whole(raw(16, 64, 48))];
        let (source, _) = source(V4l2Coding::Yuyv, (64, 48), buffers, false);
        let mut session = source.connect().await.unwrap();
        for full in [255u8, 0] {
            let unit = unit(&mut session).await;
            assert_eq!(check_jpeg(&unit.data).unwrap(), (64, 48));
            let picture = decoded(&unit);
            assert!(picture.y.data.iter().all(|luma| luma.abs_diff(full) <= 1));
        }
    }

    #[tokio::test]
    async fn a_picture_that_is_being_encoded_is_not_lost_with_the_future() {
        let buffers = vec![whole(raw(100, 640, 480)), whole(raw(200, 640, 480))];
        let (source, _) = source(V4l2Coding::Yuyv, (640, 480), buffers, false);
        let mut session = source.connect().await.unwrap();
        let mut dropped = 0;
        let first = loop {
            match futures::future::poll_immediate(session.next()).await {
                Some(unit) => break unit.unwrap().unwrap(),
                None => dropped += 1,
            }
            tokio::task::yield_now().await;
        };
        assert!(dropped > 0);
        let second = unit(&mut session).await;
        assert!(decoded(&first).y.data[0] < decoded(&second).y.data[0]);
        assert!(first.pts <= second.pts);
    }

    #[tokio::test]
    async fn key_frames_of_h264_get_the_sets_that_came_once() {
        let starts = KEY_FRAMES.windows(4).enumerate();
        let idr = starts.filter(|(_, it)| it[..3] == [0, 0, 1] && it[3] & 0x1f == 5);
        let (at, _) = idr.into_iter().next().unwrap();
        let bare = KEY_FRAMES[at..].to_vec();
        let buffers = vec![whole(KEY_FRAMES), whole(bare)];
        let (source, _) = source(V4l2Coding::H264, (322, 176), buffers, false);
        let mut session = source.connect().await.unwrap();
        let (first, second) = (unit(&mut session).await, unit(&mut session).await);
        assert_eq!(first.data[..], *KEY_FRAMES);
        assert!(second.random_access && h264::has_parameter_sets(&second.data));
        assert!(second.data.len() > KEY_FRAMES.len() - at);
        let video = second
            .parameters
            .as_deref()
            .and_then(Parameters::video)
            .unwrap();
        assert_eq!((video.width, video.height, video.sets.len()), (322, 176, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_falls_silent_or_is_pulled_out_is_an_error() {
        let (silent, _) = source(V4l2Coding::Jpeg, (64, 48), Vec::new(), false);
        let mut session = silent.connect().await.unwrap();
        let error = session.next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Stalled, "{error}");
        let (gone, _) = source(V4l2Coding::Jpeg, (64, 48), Vec::new(), true);
        let mut session = gone.connect().await.unwrap();
        let error = session.next().await.unwrap_err();
        assert!(error.is_transient());
        assert!(error.to_string().contains("/dev/video7"), "{error}");
    }

    #[tokio::test]
    async fn a_hub_makes_snapshots_and_opens_the_device_again_after_it_closed_it() {
        let buffers = vec![whole(jpeg())];
        let (source, open) = source(V4l2Coding::Jpeg, (64, 48), buffers, true);
        let delays = HubOptions {
            first_delay: Duration::from_millis(10),
            longest_delay: Duration::from_millis(10),
            ..HubOptions::default()
        };
        let hub = Hub::new(Arc::new(source), delays);
        let mut changes = hub.watch_status();
        let options = SnapshotOptions::default();
        let snapshot = timeout(SOON, hub.snapshot(&options));
        let snapshot = snapshot.await.unwrap().unwrap();
        assert_eq!((snapshot.width, snapshot.height), (64, 48));
        let _consumer = hub.subscribe();
        let mut failures = 0;
        let failing = async {
            while failures < 2 {
                let status = changes.next().await.unwrap();
                failures += u32::from(matches!(status, HubStatus::Backoff { .. }));
            }
        };
        timeout(SOON, failing).await.unwrap();
        drop(hub);
        assert!(open.load(Ordering::SeqCst) <= 1);
    }

    #[test]
    fn the_first_that_is_offered_is_chosen_unless_another_is_wanted() {
        use V4l2Coding::{H264, Jpeg, Yuyv};
        assert_eq!(choose(&[H264, Jpeg], None).unwrap(), H264);
        assert_eq!(choose(&[Jpeg, Yuyv], Some(Yuyv)).unwrap(), Yuyv);
        let error = choose(&[Jpeg], Some(H264)).unwrap_err();
        assert!(
            error.to_string().contains("does not offer H.264"),
            "{error}"
        );
        assert!(choose(&[], None).is_err());
    }

    #[tokio::test]
    async fn what_is_no_device_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("video0");
        std::fs::write(&file, "no device").unwrap();
        for device in [file, folder.path().join("video1")] {
            let source = V4l2Source::new(V4l2Options::new(&device)).unwrap();
            let error = source.connect().await.err().unwrap();
            assert!(
                error.to_string().contains("cannot capture from it"),
                "{error}"
            );
            assert!(
                error.to_string().contains(device.to_str().unwrap()),
                "{error}"
            );
        }
        let mut options = V4l2Options::new("/dev/video0");
        options.quality = 0;
        let error = V4l2Source::new(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Caller);
    }
}
