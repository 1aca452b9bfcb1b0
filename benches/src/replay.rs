//! A camera that sends a clip over and over as fast as it is taken, up to a rate, and then ends: for throughput only.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::clip::units;
use crate::tool::worker;
use crate::{Clip, Running};

/// An RTSP server on a free port of loopback, for RTP interleaved in TCP. It is a process of its own, because the memory of
/// this one is counted to those that it starts; it is killed when this is dropped.
#[derive(Debug)]
pub struct Replay {
    url: String,
    /// Bytes that a session sends.
    pub bytes: u64,
    /// Access units that a session sends.
    pub units: u64,
    _process: Running,
}

/// One round of the clip, as it goes over the wire.
#[derive(Clone)]
struct Film {
    wire: Vec<u8>,
    /// Where each packet begins, and which picture it is of.
    packets: Vec<(usize, u32)>,
    pictures: u32,
    description: String,
}

impl Replay {
    /// Starts it; each session gets the clip so many times.
    ///
    /// # Errors
    /// If the clip cannot be read, or no port is free.
    pub fn start(clip: &Clip, loops: u32) -> anyhow::Result<Self> {
        let mut child = worker("replay", &clip.path.to_string_lossy())?
            .arg(loops.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the replay")?;
        // Kept in the process: it ends when its input closes, also if this program is killed.
        let output = child.stdout.take().expect("piped above");
        let process = Running::from(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let [url, bytes, units] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            bail!("the replay of {:?} did not start", clip.path);
        };
        Ok(Self {
            url: url.to_owned(),
            bytes: bytes.parse()?,
            units: units.parse()?,
            _process: process,
        })
    }

    /// Where the stream is.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Bytes a second: what all tools keep up with, so that none has to wait for another kind of reader.
const RATE: f64 = 60e6;

/// The server itself: says where it is, and ends when its standard input does.
///
/// # Errors
/// If the clip cannot be read, or no port is free.
pub fn replay(clip: &Path, loops: u32) -> anyhow::Result<()> {
    let film = Film::new(&units(clip)?).context("the clip has no parameter sets")?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen")?;
    println!(
        "rtsp://{}/replay {} {}",
        listener.local_addr()?,
        film.wire.len() as u64 * u64::from(loops),
        film.pictures * loops
    );
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let film = film.clone();
            // A client that leaves early is no concern of the server's.
            thread::spawn(move || serve(stream, film, loops));
        }
    });
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

fn serve(stream: TcpStream, mut film: Film, loops: u32) -> std::io::Result<()> {
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    loop {
        let (mut method, mut sequence) = (String::new(), String::new());
        let mut line = String::new();
        while input.read_line(&mut line)? > 2 {
            if method.is_empty() {
                method = line.split(' ').next().unwrap_or_default().to_owned();
            } else if let Some(value) = line.strip_prefix("CSeq:") {
                sequence = value.trim().to_owned();
            }
            line.clear();
        }
        let mut body = "";
        let headers = match method.as_str() {
            "" | "TEARDOWN" => return Ok(()),
            "OPTIONS" => "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n".to_owned(),
            "DESCRIBE" => {
                body = &film.description;
                format!(
                    "Content-Type: application/sdp\r\nContent-Length: {}\r\n",
                    body.len()
                )
            }
            "SETUP" => {
                "Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000001\r\n"
                    .to_owned()
            }
            _ => "Session: 1\r\nRange: npt=0-\r\n".to_owned(),
        };
        write!(
            output,
            "RTSP/1.0 200 OK\r\nCSeq: {sequence}\r\n{headers}\r\n{body}"
        )?;
        if method == "PLAY" {
            break;
        }
    }
    let began = Instant::now();
    for number in 0..loops {
        film.stamp(number);
        output.write_all(&film.wire)?;
        let sent = f64::from(number + 1) * film.wire.len() as f64;
        let due = began + Duration::from_secs_f64(sent / RATE);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    // A report without blocks, and a goodbye of the only source (RFC 3550).
    output.write_all(b"$\x01\0\x10\x80\xc9\0\x01\0\0\0\x01\x81\xcb\0\x01\0\0\0\x01")?;
    // The client is given time to end by itself.
    thread::sleep(Duration::from_millis(300));
    output.shutdown(std::net::Shutdown::Write)
}

impl Film {
    fn new(units: &[Vec<u8>]) -> Option<Self> {
        let mut film = Self {
            wire: Vec::new(),
            packets: Vec::new(),
            pictures: 0,
            description: String::new(),
        };
        let mut sets = Vec::new();
        for unit in units {
            let nals: Vec<&[u8]> = nals(unit).filter(|nal| nal[0] & 31 != 9).collect();
            for (n, nal) in nals.iter().enumerate() {
                if sets.len() < 2 && matches!(nal[0] & 31, 7 | 8) {
                    sets.push(nal.to_vec());
                }
                film.nal(nal, n + 1 == nals.len());
            }
            film.pictures += 1;
        }
        let [sps, pps] = &sets[..] else { return None };
        let profile: String = sps.get(1..4)?.iter().map(|b| format!("{b:02x}")).collect();
        let (sps, pps) = (STANDARD.encode(sps), STANDARD.encode(pps));
        film.description = format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=replay\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
             m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
             a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sps},{pps}\r\n\
             a=control:track1\r\n"
        );
        Some(film)
    }

    /// Adds the packets of a NAL unit (RFC 6184).
    fn nal(&mut self, nal: &[u8], last: bool) {
        const MOST: usize = 1400;
        if nal.len() <= MOST {
            return self.packet(&[], nal, last);
        }
        let (header, payload) = (nal[0], &nal[1..]);
        let parts = payload.len().div_ceil(MOST);
        for (n, part) in payload.chunks(MOST).enumerate() {
            let start = u8::from(n == 0) << 7;
            let end = u8::from(n + 1 == parts) << 6;
            let fragment = [header & 0xe0 | 28, start | end | header & 31];
            self.packet(&fragment, part, last && n + 1 == parts);
        }
    }

    fn packet(&mut self, head: &[u8], payload: &[u8], marker: bool) {
        let length = (12 + head.len() + payload.len()) as u16;
        self.packets.push((self.wire.len(), self.pictures));
        self.wire.extend([b'$', 0]);
        self.wire.extend(length.to_be_bytes());
        self.wire.extend([0x80, 96 | u8::from(marker) << 7]);
        self.wire.extend([0; 6]);
        self.wire.extend(1u32.to_be_bytes());
        self.wire.extend(head);
        self.wire.extend(payload);
    }

    /// Goes on with sequence numbers and times.
    fn stamp(&mut self, round: u32) {
        let first = round as usize * self.packets.len();
        for (n, (at, picture)) in self.packets.iter().enumerate() {
            let sequence = (first + n) as u16;
            let number = round.wrapping_mul(self.pictures).wrapping_add(*picture);
            let time = number.wrapping_mul(90_000 / Clip::RATE);
            self.wire[at + 6..at + 8].copy_from_slice(&sequence.to_be_bytes());
            self.wire[at + 8..at + 12].copy_from_slice(&time.to_be_bytes());
        }
    }
}

/// The NAL units of an access unit in Annex B framing.
fn nals(unit: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts: Vec<usize> = (0..unit.len().saturating_sub(3))
        .filter(|&at| unit[at..at + 3] == [0, 0, 1])
        .map(|at| at + 3)
        .collect();
    (0..starts.len()).map(move |n| {
        let end = starts.get(n + 1).map_or(unit.len(), |next| next - 3);
        let nal = &unit[starts[n]..end];
        &nal[..nal.iter().rposition(|&b| b != 0).map_or(1, |last| last + 1)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_go_on_over_the_rounds() {
        let key = [
            &[
                0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x67, 77, 0, 40, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x65,
            ][..],
            &[7; 3000],
        ]
        .concat();
        let other = vec![0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41, 7];
        let mut film = Film::new(&[key, other]).expect("it has parameter sets");
        assert_eq!((film.packets.len(), film.pictures), (6, 2));
        assert!(film.description.contains("profile-level-id=4d0028;"));
        film.stamp(1);
        let (at, picture) = film.packets[5];
        assert_eq!(picture, 1);
        assert_eq!(film.wire[at + 5], 96 | 0x80);
        assert_eq!(film.wire[at + 6..at + 8], [0, 11]);
        assert_eq!(film.wire[at + 8..at + 12], 10_800u32.to_be_bytes());
    }
}
