//! A connection on which pictures come one after the other (`multipart/x-mixed-replace`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use tokio::time::{Instant, timeout_at};

use super::client::Answer;
use super::multipart::{Multipart, PartCaps, TooLarge};
use super::parameters;
use crate::source::SourceSession;
use crate::{AccessUnit, Codec, Error, Parameters, WallClock, check_jpeg};

/// So many parts in a row without a picture are no stream of pictures.
const MOST_SPOILED: u32 = 50;

pub(super) struct MjpegSession {
    answer: Answer,
    label: String,
    parts: Multipart,
    buffer: BytesMut,
    idle: Duration,
    started: Instant,
    /// Since when the next picture is waited for.
    waiting: Option<Instant>,
    /// Parts since the last picture that were none.
    spoiled: u32,
    parameters: Option<Arc<Parameters>>,
}

impl MjpegSession {
    pub(super) fn new(answer: Answer, label: String, caps: PartCaps, idle: Duration) -> Self {
        Self {
            parts: Multipart::new(&answer.content_type, caps),
            answer,
            label,
            buffer: BytesMut::new(),
            idle,
            started: Instant::now(),
            waiting: None,
            spoiled: 0,
            parameters: None,
        }
    }

    /// The next part, whatever it is.
    async fn part(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            let part = self.parts.next(&mut self.buffer);
            let part = part.map_err(|TooLarge(cap, limit)| Error::CapExceeded {
                url: self.label.clone(),
                cap,
                limit,
            })?;
            if part.is_some() {
                return Ok(part);
            }
            match self.answer.piece().await? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None => return Ok(None),
            }
        }
    }

    async fn picture(&mut self) -> Result<Option<AccessUnit>, Error> {
        while let Some(part) = self.part().await? {
            let size = match check_jpeg(&part) {
                Ok(size) => size,
                Err(error) => {
                    self.spoiled += 1;
                    tracing::debug!(stream = %self.label, %error, "left out a part that is no picture");
                    if self.spoiled < MOST_SPOILED {
                        continue;
                    }
                    return Err(Error::Misbehaved {
                        url: self.label.clone(),
                        reason: format!("{MOST_SPOILED} parts in a row were no pictures: {error}"),
                    });
                }
            };
            let mut unit =
                AccessUnit::new(Codec::Jpeg, part, self.started.elapsed(), WallClock::now());
            unit.parameters = Some(parameters(size, &mut self.parameters));
            unit.loss = std::mem::take(&mut self.spoiled);
            return Ok(Some(unit));
        }
        Ok(None)
    }
}

#[async_trait]
impl SourceSession for MjpegSession {
    async fn next(&mut self) -> Result<Option<AccessUnit>, Error> {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let idle = self.idle;
        let unit = timeout_at(since + idle, self.picture()).await;
        self.waiting = None;
        unit.unwrap_or_else(|_| {
            Err(Error::Stalled {
                url: self.label.clone(),
                after: idle,
            })
        })
    }

    async fn close(self: Box<Self>) {}
}
