//! The devices of the system. All that decides is elsewhere, because no test has a device.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use linuxvideo::format::{PixFormat, PixelFormat};
use linuxvideo::stream::ReadStream;
use linuxvideo::{BufType, Fract};
use tokio::time::sleep;

use super::{Captured, Device, Format, V4l2Coding, V4l2Options, choose};

const CODINGS: [(PixelFormat, V4l2Coding); 4] = [
    (PixelFormat::from_fourcc(*b"H264"), V4l2Coding::H264),
    (PixelFormat::MJPG, V4l2Coding::Jpeg),
    (PixelFormat::JPEG, V4l2Coding::Jpeg),
    (PixelFormat::YUYV, V4l2Coding::Yuyv),
];

/// Between looks whether a buffer is filled. To be woken for it takes `unsafe`, and a look takes microseconds.
const LOOK: Duration = Duration::from_millis(4);

struct Streaming {
    stream: ReadStream,
    format: Format,
}

/// Opens a device and begins to capture. Blocking.
pub(super) fn open(options: &V4l2Options) -> io::Result<Box<dyn Device>> {
    let device = linuxvideo::Device::open(&options.device)?;
    let offered: Vec<_> = device
        .formats(BufType::VIDEO_CAPTURE)
        .map(|format| format.map(|format| format.pixel_format()))
        .collect::<io::Result<_>>()?;
    let known = CODINGS.iter().filter(|(code, _)| offered.contains(code));
    let known: Vec<_> = known.map(|(_, coding)| *coding).collect();
    let coding = choose(&known, options.coding)?;
    let code = CODINGS
        .iter()
        .find(|(code, known)| *known == coding && offered.contains(code));
    let (code, _) = code.expect("it was chosen of those");
    let (width, height) = options.size;
    let capture = device.video_capture(PixFormat::new(width, height, *code))?;
    let given = capture.format();
    let coding = CODINGS
        .iter()
        .find(|(code, _)| *code == given.pixel_format());
    let Some((_, coding)) = coding else {
        let code = given.pixel_format();
        return Err(io::Error::other(format!(
            "it captures {code} in spite of what it offers"
        )));
    };
    let format = Format {
        coding: *coding,
        width: given.width(),
        height: given.height(),
        stride: given.bytes_per_line() as usize,
    };
    if let Some(rate) = options.frame_rate
        && let Err(error) = capture.set_frame_interval(Fract::new(1, rate))
    {
        tracing::warn!(device = %options.device.display(), %error, "it has its own frame rate");
    }
    let stream = capture.into_stream()?;
    Ok(Box::new(Streaming { stream, format }))
}

#[async_trait]
impl Device for Streaming {
    fn format(&self) -> Format {
        self.format
    }

    async fn capture(&mut self) -> io::Result<Captured> {
        while self.stream.will_block()? {
            sleep(LOOK).await;
        }
        self.stream.dequeue(|buffer| {
            Ok(Captured {
                data: Bytes::copy_from_slice(&buffer),
                damaged: buffer.is_error(),
            })
        })
    }
}
