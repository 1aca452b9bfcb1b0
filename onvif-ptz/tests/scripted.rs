//! Cameras that get stopping wrong, as scripts with a paused clock.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use onvif_core::{Camera, Transport, TransportError};
use onvif_ptz::{CameraExt, PtzClient, Velocity};

/// Refuses every request whose body contains one of these.
#[derive(Clone)]
struct Refusing {
    what: &'static [&'static str],
    /// From the first move on, until so much time has passed since, the camera cannot be reached.
    away: Duration,
    moved: Arc<Mutex<Option<Instant>>>,
    moves: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Transport for Refusing {
    async fn send(
        &self,
        request: Request<Bytes>,
        _: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let body = body.split_once("<s:Body>").unwrap().1.to_owned();
        let answer = if body.starts_with("<tds:GetServices") {
            "<tds:R><tds:Service><tds:Namespace>http://www.onvif.org/ver10/ptz/wsdl</tds:Namespace>\
             <tds:XAddr>http://192.0.2.7/ptz</tds:XAddr></tds:Service></tds:R>"
        } else if self.what.iter().any(|word| body.contains(word)) {
            "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code></s:Fault>"
        } else {
            "<tptz:MoveResponse/>"
        };
        let away = |since: Instant| since.elapsed() < self.away;
        if self.moved.lock().unwrap().is_some_and(away) {
            return Err(TransportError::Connect("no route to host".into()));
        }
        if body.starts_with("<tptz:ContinuousMove") {
            self.moved.lock().unwrap().get_or_insert_with(Instant::now);
        }
        if body.starts_with("<tptz:") {
            self.moves.lock().unwrap().push(body);
        }
        let envelope = format!("<s:Envelope><s:Body>{answer}</s:Body></s:Envelope>");
        Ok(Response::new(Bytes::from(envelope)))
    }
}

async fn camera(what: &'static [&'static str]) -> (PtzClient, Arc<Mutex<Vec<String>>>) {
    camera_away(what, Duration::ZERO).await
}

async fn camera_away(
    what: &'static [&'static str],
    away: Duration,
) -> (PtzClient, Arc<Mutex<Vec<String>>>) {
    let moves = Arc::default();
    let transport = Refusing {
        what,
        away,
        moved: Arc::default(),
        moves: Arc::clone(&moves),
    };
    let camera = Camera::builder("http://192.0.2.7")
        .transport(Arc::new(transport))
        .connect()
        .await
        .unwrap();
    (camera.ptz(), moves)
}

#[tokio::test(start_paused = true)]
async fn a_camera_without_stop_is_given_a_velocity_of_zero() {
    let (ptz, moves) = camera(&["tptz:Stop"]).await;
    let motion = ptz
        .continuous_move(
            &"p".into(),
            Velocity::pan_tilt(1.0, 0.0),
            Duration::from_secs(5),
        )
        .await
        .unwrap();
    motion.finished().await.unwrap();
    let moves = moves.lock().unwrap();
    assert_eq!(moves.len(), 3);
    assert!(
        moves[2].contains("<tt:PanTilt x=\"0\" y=\"0\" />") && !moves[2].contains("tt:Zoom"),
        "{}",
        moves[2]
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_refuses_the_timeout_moves_without_and_is_stopped_in_time() {
    let (ptz, moves) = camera(&["tptz:Timeout"]).await;
    let start = tokio::time::Instant::now();
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    motion.finished().await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(6));
    let moves = moves.lock().unwrap();
    assert!(
        moves[0].contains("<tptz:Timeout>PT7S</tptz:Timeout>") && !moves[1].contains("Timeout")
    );
    assert!(
        moves[2].contains("<tptz:Zoom>true</tptz:Zoom>"),
        "{}",
        moves[2]
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_confirms_nothing_is_an_error_after_three_attempts() {
    let (ptz, moves) = camera(&["tptz:Stop", "x=\"0\""]).await;
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    assert!(motion.stop().await.is_err());
    assert_eq!(
        moves
            .lock()
            .unwrap()
            .iter()
            .filter(|body| body.starts_with("<tptz:Stop"))
            .count(),
        3
    );
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_was_away_is_stopped_when_it_is_back() {
    let (ptz, moves) = camera_away(&[], Duration::from_secs(45)).await;
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    motion.finished().await.unwrap();
    assert_eq!(moves.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_stays_away_is_an_error_in_the_end() {
    let (ptz, _) = camera_away(&[], Duration::from_secs(3600)).await;
    let motion = ptz
        .continuous_move(&"p".into(), Velocity::zoom(1.0), Duration::from_secs(5))
        .await
        .unwrap();
    let start = Instant::now();
    assert!(motion.finished().await.is_err());
    assert!(start.elapsed() < Duration::from_secs(120));
}
