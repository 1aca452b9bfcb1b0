//! One session: a client and the tracks it set up of a stream.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio_util::task::AbortOnDropHandle;

use super::inlet::UdpInlet;
use super::publication::Publication;
use super::sender::{Player, Sender, Start};

/// The tracks that one client set up. Dropped, it says goodbye.
pub(super) struct Session {
    path: String,
    tracks: Vec<SetUp>,
    /// Of a publisher, who sets up no tracks to be sent.
    intake: Option<Intake>,
}

struct Intake {
    publication: Arc<Publication>,
    /// By the number of the track.
    inlets: BTreeMap<usize, UdpInlet>,
}

struct SetUp {
    /// The number of the track in its stream.
    index: usize,
    sender: Arc<Sender>,
    player: Option<Arc<Player>>,
}

impl Session {
    /// A session of the stream with this path.
    pub(super) fn new(path: String) -> Self {
        Self {
            path,
            tracks: Vec::new(),
            intake: None,
        }
    }

    /// The session of a publisher.
    pub(super) fn recording(publication: Arc<Publication>) -> Self {
        let mut session = Self::new(publication.path.clone());
        session.intake = Some(Intake {
            inlets: BTreeMap::new(),
            publication,
        });
        session
    }

    /// What its client publishes.
    pub(super) fn publication(&self) -> Option<&Arc<Publication>> {
        Some(&self.intake.as_ref()?.publication)
    }

    /// Takes packets of a track by UDP for as long as the session lasts.
    pub(super) fn receive(&mut self, index: usize, inlet: UdpInlet) {
        if let Some(intake) = &mut self.intake {
            intake.inlets.insert(index, inlet);
        }
    }

    /// The path of the stream.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Sets a track up, anew where it was.
    pub(super) fn set_up(&mut self, index: usize, sender: Arc<Sender>) {
        self.tracks.retain(|track| track.index != index);
        sender.join();
        self.tracks.push(SetUp {
            index,
            sender,
            player: None,
        });
        self.tracks.sort_by_key(|track| track.index);
    }

    pub(super) fn is_playing(&self) -> bool {
        self.tracks.iter().any(SetUp::is_playing)
    }

    /// Where each track begins that was set up, by its number.
    pub(super) fn positions(&self, now: Instant) -> Vec<(usize, Start)> {
        let tracks = self.tracks.iter();
        tracks
            .map(|track| (track.index, track.sender.position(now)))
            .collect()
    }

    /// Sends each track from where it begins, unless it is under way.
    pub(super) fn play(&mut self, from: &[(usize, Start)]) {
        for track in &mut self.tracks {
            let start = from.iter().find(|(index, _)| *index == track.index);
            if let Some((_, start)) = start
                && !track.is_playing()
            {
                track.player = Some(track.sender.start(start.unit));
            }
        }
    }

    /// Stops sending, and gives back what was sending for this session alone, which is told to end; how many tracks it
    /// was, too.
    pub(super) fn pause(&mut self) -> (usize, Vec<Player>) {
        let playing = self.tracks.iter_mut();
        let playing: Vec<_> = playing.filter_map(|track| track.player.take()).collect();
        let count = playing.len();
        let players: Vec<_> = playing.into_iter().filter_map(Arc::into_inner).collect();
        players.iter().for_each(AbortOnDropHandle::abort);
        (count, players)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.pause();
        self.tracks.clear();
        if let Some(intake) = self.intake.take() {
            tracing::info!(path = self.path, "an RTSP publisher is gone");
            drop(intake.inlets);
            intake.publication.end();
        }
    }
}

impl Drop for SetUp {
    fn drop(&mut self) {
        self.player = None;
        self.sender.leave();
    }
}

impl SetUp {
    fn is_playing(&self) -> bool {
        let player = self.player.as_ref();
        player.is_some_and(|player| !player.is_finished())
    }
}
