//! Moves of one client take turns; an emergency stop overtakes all that wait.

use onvif_core::Error;
use tokio::sync::{Semaphore, watch};

/// One request moves the camera at a time, so that the order of moves is the order of calls, and so
/// that a stop finds at most one of them on its way.
#[derive(Debug)]
pub(crate) struct Lane {
    turn: Semaphore,
    /// Counts the emergency stops; whoever waits for a turn leaves at the next.
    stops: watch::Sender<u64>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            turn: Semaphore::new(1),
            stops: watch::Sender::new(0),
        }
    }
}

impl Lane {
    /// Does `work` when it is its turn. Nothing of it is done before.
    ///
    /// # Errors
    /// [`Error::Caller`] when an emergency stop came first, and those of `work`.
    pub(crate) async fn take_turn<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let mut stops = self.stops.subscribe();
        let turn = tokio::select! {
            biased;
            _ = stops.changed() => return Err(overtaken()),
            turn = self.turn.acquire() => turn,
        };
        let result = work.await;
        drop(turn);
        result
    }

    /// Sends everybody away who waits for a turn, and does `stop` at once. When a move is on its way
    /// to the camera, which may get it after the stop, `stop` is done again once it has arrived.
    pub(crate) async fn overtake<F>(&self, stop: impl Fn() -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        self.stops.send_modify(|stops| *stops += 1);
        if let Ok(_turn) = self.turn.try_acquire() {
            return stop().await;
        }
        // The next turn is taken now, so that no later move gets in between.
        let (_, turn) = tokio::join!(stop(), self.turn.acquire());
        let result = stop().await;
        drop(turn);
        result
    }
}

fn overtaken() -> Error {
    Error::Caller("an emergency stop was asked for before it was the turn of this move".into())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;

    /// Notes what is done, and takes a while.
    struct Camera(Mutex<Vec<&'static str>>);

    impl Camera {
        async fn does(&self, what: &'static str, seconds: u64) -> Result<(), Error> {
            self.0.lock().unwrap().push(what);
            sleep(Duration::from_secs(seconds)).await;
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_overtakes_what_waits_and_comes_again_after_what_is_on_its_way() {
        let (lane, camera) = (Lane::default(), Camera(Mutex::default()));
        let (first, second, third, stopped) = tokio::join!(
            lane.take_turn(camera.does("first", 5)),
            lane.take_turn(camera.does("second", 5)),
            lane.take_turn(camera.does("third", 5)),
            async {
                sleep(Duration::from_secs(1)).await;
                let start = Instant::now();
                lane.overtake(|| camera.does("stop", 1)).await.unwrap();
                start.elapsed()
            }
        );
        assert!(first.is_ok() && second.is_err() && third.is_err());
        assert_eq!(*camera.0.lock().unwrap(), ["first", "stop", "stop"]);
        assert_eq!(stopped, Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn moves_after_the_stop_are_made() {
        let (lane, camera) = (Lane::default(), Camera(Mutex::default()));
        lane.overtake(|| camera.does("stop", 1)).await.unwrap();
        lane.take_turn(camera.does("move", 1)).await.unwrap();
        assert_eq!(*camera.0.lock().unwrap(), ["stop", "move"]);
    }
}
