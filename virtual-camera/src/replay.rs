//! A camera that answers with what another one said.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::clock::read_duration;
use crate::error::Error;
use crate::service::Call;
use crate::soap::{self, Fault};
use crate::state::lock;
use crate::xml::{
    Element, Node, Rendering, TAN, TDS, TER, TEV, TIMG, TMD, TPTZ, TR2, TRT, WSNT, read,
};

/// The list of exchanges of a recording.
pub(crate) const INDEX: &str = "recording.json";
const MAX_FILES: usize = 10_000;
const MAX_FILE: u64 = 4 << 20;
/// Longest wait of one `PullMessages`.
const MAX_PULL: Duration = Duration::from_secs(60);

/// Folders by namespace, as collections of responses have them.
const FOLDERS: [(&str, &str); 9] = [
    ("device_management", TDS.uri),
    ("media1", TRT.uri),
    ("media2", TR2.uri),
    ("ptz", TPTZ.uri),
    ("imaging", TIMG.uri),
    ("events", TEV.uri),
    ("notification", WSNT.uri),
    ("deviceio", TMD.uri),
    ("analytics", TAN.uri),
];

/// The folder for the operations of a namespace.
pub(crate) fn folder(namespace: &str) -> &'static str {
    let mut folders = FOLDERS.iter();
    let known = folders.find(|(_, uri)| *uri == namespace);
    known.map_or("other", |(folder, _)| folder)
}

/// A line of the index: files are relative to the folder of the recording.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Entry {
    pub namespace: String,
    pub operation: String,
    pub status: u16,
    pub request: PathBuf,
    pub response: PathBuf,
}

/// What a camera said.
#[derive(Debug)]
pub(crate) struct Replay {
    /// By namespace and operation.
    exchanges: HashMap<(String, String), Vec<Exchange>>,
    /// Hosts that are the camera's own.
    hosts: BTreeSet<String>,
    /// Addresses of streams, as they stand in documents.
    streams: Vec<String>,
    /// Paths of snapshots.
    snapshots: BTreeSet<String>,
}

#[derive(Debug)]
struct Exchange {
    /// The operation's element; `None` where only the response is known.
    request: Option<Node>,
    status: StatusCode,
    response: String,
    /// The message it answered, where it says so.
    relates_to: Option<String>,
    played: AtomicBool,
}

impl Replay {
    /// Loads a recording, or a collection of responses `SERVICE/OperationResponse.xml`.
    pub(crate) fn load(folder: &Path) -> Result<Self, Error> {
        let failed = |reason: String| Error::Recording {
            folder: folder.to_owned(),
            reason,
        };
        let mut replay = Self {
            exchanges: HashMap::new(),
            hosts: BTreeSet::new(),
            streams: Vec::new(),
            snapshots: BTreeSet::new(),
        };
        let index = folder.join(INDEX);
        let loaded = match index.exists() {
            true => replay.load_index(folder, &index),
            false => replay.load_responses(folder),
        };
        loaded.map_err(|error| failed(error.to_string()))?;
        if replay.exchanges.is_empty() {
            return Err(failed("there is no response in it".to_owned()));
        }
        Ok(replay)
    }

    fn load_index(&mut self, folder: &Path, index: &Path) -> io::Result<()> {
        let entries: Vec<Entry> = serde_json::from_str(&read_file(index)?)?;
        for entry in entries.into_iter().take(MAX_FILES) {
            let request = read_file(&inside(folder, &entry.request)?)?;
            let request = soap::Request::read(request.as_bytes()).ok();
            let response = read_file(&inside(folder, &entry.response)?)?;
            let status = StatusCode::from_u16(entry.status);
            let status = status.map_err(io::Error::other)?;
            let request = request.map(|request| request.body);
            self.add(entry.namespace, entry.operation, request, status, response);
        }
        Ok(())
    }

    fn load_responses(&mut self, folder: &Path) -> io::Result<()> {
        let mut files = Vec::new();
        for service in fs::read_dir(folder)? {
            let service = service?.path();
            if !service.is_dir() {
                continue;
            }
            for file in fs::read_dir(service)?.take(MAX_FILES) {
                files.push(file?.path());
            }
        }
        files.sort();
        for file in files {
            let name = file.file_name().and_then(|name| name.to_str());
            let Some(operation) = name.and_then(|name| name.strip_suffix("Response.xml")) else {
                continue;
            };
            let service = file.parent().and_then(Path::file_name);
            let service = service.and_then(|name| name.to_str()).unwrap_or_default();
            let response = read_file(&file)?;
            let body = soap::Request::read(response.as_bytes()).ok();
            let of_folder = || {
                let known = FOLDERS.iter().find(|(folder, _)| *folder == service);
                known.map(|(_, uri)| (*uri).to_owned())
            };
            let own = body
                .map(|body| body.body)
                .filter(|body| body.name != "Fault");
            let Some(namespace) = own.map(|body| body.namespace).or_else(of_folder) else {
                continue;
            };
            self.add(
                namespace,
                operation.to_owned(),
                None,
                StatusCode::OK,
                response,
            );
        }
        Ok(())
    }

    fn add(
        &mut self,
        namespace: String,
        operation: String,
        request: Option<Node>,
        status: StatusCode,
        response: String,
    ) {
        let document = read(response.as_bytes()).ok();
        if let Some(document) = &document {
            self.learn_addresses(document, operation == "GetSnapshotUri");
        }
        let header = document
            .as_ref()
            .and_then(|document| document.child("Header"));
        let relates_to = header.and_then(|header| header.text_of("RelatesTo"));
        let exchange = Exchange {
            request,
            status,
            relates_to: relates_to.map(str::to_owned),
            response,
            played: AtomicBool::new(false),
        };
        let of_operation = self.exchanges.entry((namespace, operation)).or_default();
        of_operation.push(exchange);
    }

    /// What is an address here is one of the camera's own.
    fn learn_addresses(&mut self, document: &Node, of_snapshots: bool) {
        let mut open = vec![document];
        while let Some(node) = open.pop() {
            open.extend(&node.children);
            if !["XAddr", "Uri", "Address"].contains(&node.name.as_str()) {
                continue;
            }
            let Ok(url) = Url::parse(node.text()) else {
                continue;
            };
            let (Some(host), scheme) = (url.host_str(), url.scheme()) else {
                continue;
            };
            match scheme {
                "http" | "https" | "rtsp" | "rtsps" => self.hosts.insert(host.to_owned()),
                _ => continue,
            };
            if scheme.starts_with("rtsp") {
                let written = quick_xml::escape::escape(node.text()).into_owned();
                if !self.streams.contains(&written) {
                    self.streams.push(written);
                }
            } else if of_snapshots {
                self.snapshots.insert(url.path().to_owned());
            }
        }
    }

    /// Whether a snapshot is at a path.
    pub(crate) fn has_snapshot(&self, path: &str) -> bool {
        self.snapshots.contains(path)
    }

    /// What the camera said to such a request, with the addresses of this one.
    pub(crate) async fn answer(
        &self,
        call: &Call<'_>,
        header: &Node,
    ) -> Result<(StatusCode, String), Fault> {
        let operation = call.request.name.as_str();
        let key = (call.request.namespace.clone(), operation.to_owned());
        let known = self.exchanges.get(&key);
        let known = known.ok_or_else(|| Fault::not_supported(operation))?;
        let exchange = choose(known, call.request).ok_or_else(|| {
            let reason = format!("{operation} was not recorded with these arguments");
            Fault::sender(&[(TER, "InvalidArgVal")], reason)
        })?;
        let again = exchange.played.swap(true, Ordering::Relaxed);
        if again && operation == "PullMessages" {
            return Ok((StatusCode::OK, no_messages(call, header).await));
        }
        let mut document = self.with_addresses_of(call, &exchange.response);
        if let (Some(then), Some(now)) = (&exchange.relates_to, header.text_of("MessageID")) {
            let now = quick_xml::escape::escape(now);
            document = document.replace(then.as_str(), &now);
        }
        Ok((exchange.status, document))
    }

    fn with_addresses_of(&self, call: &Call<'_>, response: &str) -> String {
        let camera = call.camera;
        let mut written = String::with_capacity(response.len());
        let mut rest = response;
        while let Some(at) = rest.find("://") {
            let scheme_at = rest[..at]
                .rfind(|c: char| !c.is_ascii_alphabetic())
                .map_or(0, |before| before + 1);
            let (before, url) = rest.split_at(scheme_at);
            let end = url.find(['<', '"', '\'', ' ', '\t', '\r', '\n']);
            let (url, after) = url.split_at(end.unwrap_or(url.len()));
            written.push_str(before);
            match self.own_address(url) {
                Some(("rtsp" | "rtsps", _)) => {
                    let port = camera.rtsp.local_addr().port();
                    let mut streams = self.streams.iter();
                    let place = streams.position(|stream| stream == url);
                    let path = if place.unwrap_or(0) == 0 {
                        "main"
                    } else {
                        "sub"
                    };
                    written.push_str(&format!("rtsp://{}:{port}/{path}", call.host));
                }
                Some((_, path)) => written.push_str(&call.url(path)),
                None => written.push_str(url),
            }
            rest = after;
        }
        written + rest
    }

    /// Scheme and path of an address of the camera.
    fn own_address<'u>(&self, url: &'u str) -> Option<(&'u str, &'u str)> {
        let parsed = Url::parse(url).ok()?;
        let own = parsed
            .host_str()
            .is_some_and(|host| self.hosts.contains(host));
        let (scheme, rest) = url.split_once("://").filter(|_| own)?;
        let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
        Some((scheme, path))
    }
}

/// The exchange to play: the next one whose arguments are the same, or at least the tokens among them.
fn choose<'e>(known: &'e [Exchange], request: &Node) -> Option<&'e Exchange> {
    let fits = |fit: fn(&Node, &Node) -> bool| {
        let same = move |exchange: &&Exchange| {
            let recorded = exchange.request.as_ref();
            recorded.is_none_or(|recorded| fit(recorded, request))
        };
        let fresh = |exchange: &&Exchange| !exchange.played.load(Ordering::Relaxed);
        let mut unplayed = known.iter().filter(same).filter(fresh);
        unplayed.next().or_else(|| known.iter().rfind(same))
    };
    fits(same_element).or_else(|| fits(|a, b| tokens(a) == tokens(b)))
}

fn same_element(a: &Node, b: &Node) -> bool {
    // Requests are bounded in depth by their reader.
    a.name == b.name
        && a.text() == b.text()
        && a.children.len() == b.children.len()
        && a.children
            .iter()
            .zip(&b.children)
            .all(|(a, b)| same_element(a, b))
}

/// The arguments that say which thing is meant.
fn tokens(request: &Node) -> BTreeSet<(&str, &str)> {
    let mut found = BTreeSet::new();
    let mut open = vec![request];
    while let Some(node) = open.pop() {
        open.extend(&node.children);
        if node.name.ends_with("Token") {
            found.insert((node.name.as_str(), node.text()));
        }
        if let Some(token) = node.attribute("token") {
            found.insert((node.name.as_str(), token));
        }
    }
    found
}

/// The answer to a pull when all that was recorded was told.
async fn no_messages(call: &Call<'_>, header: &Node) -> String {
    let timeout = call.request.text_of("Timeout").and_then(read_duration);
    let timeout = timeout.unwrap_or_default().min(MAX_PULL);
    tokio::select! {
        () = tokio::time::sleep(timeout) => {}
        () = call.camera.stopping.cancelled() => {}
    }
    let now = lock(&call.camera.clock).now();
    let ends = now
        .saturating_add(SignedDuration::from_mins(1))
        .unwrap_or(now);
    let quirks = call.camera.quirks();
    let body: Element = call
        .response("PullMessagesResponse")
        .leaf(TEV, "CurrentTime", quirks.write_time(now))
        .leaf(TEV, "TerminationTime", quirks.write_time(ends));
    soap::reply(Some(header), body).render(Rendering::default())
}

fn read_file(path: &Path) -> io::Result<String> {
    let named =
        |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    let length = fs::metadata(path).map_err(named)?.len();
    if length > MAX_FILE {
        return Err(named(io::Error::other("the file is too large")));
    }
    let bytes = fs::read(path).map_err(named)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A file of the recording and no other.
fn inside(folder: &Path, file: &Path) -> io::Result<PathBuf> {
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    match file.components().all(plain) {
        true => Ok(folder.join(file)),
        false => Err(io::Error::other("a file of the recording is outside of it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(request: &str, response: &str) -> Exchange {
        Exchange {
            request: Some(read(request.as_bytes()).unwrap()),
            status: StatusCode::OK,
            response: response.to_owned(),
            relates_to: None,
            played: AtomicBool::new(false),
        }
    }

    fn played<'e>(known: &'e [Exchange], request: &str) -> Option<&'e str> {
        let chosen = choose(known, &read(request.as_bytes()).unwrap())?;
        chosen.played.store(true, Ordering::Relaxed);
        Some(&chosen.response)
    }

    #[test]
    fn exchanges_are_chosen_by_their_arguments_in_their_order() {
        let known = [
            exchange("<G><ProfileToken>a</ProfileToken></G>", "a1"),
            exchange("<G><ProfileToken>b</ProfileToken></G>", "b"),
            exchange("<G><ProfileToken>a</ProfileToken></G>", "a2"),
            exchange("<G><ProfileToken>c</ProfileToken><T>PT1S</T></G>", "c"),
        ];
        let a = "<x:G xmlns:x='urn:x'><x:ProfileToken>a</x:ProfileToken></x:G>";
        assert_eq!(played(&known, a), Some("a1"));
        assert_eq!(played(&known, a), Some("a2"));
        assert_eq!(played(&known, a), Some("a2"));
        let c = "<G><ProfileToken>c</ProfileToken><T>PT9S</T></G>";
        assert_eq!(played(&known, c), Some("c"));
        assert_eq!(
            played(&known, "<G><ProfileToken>d</ProfileToken></G>"),
            None
        );
    }

    #[test]
    fn only_files_of_the_recording_are_read() {
        let folder = Path::new("/recording");
        assert!(inside(folder, Path::new("ptz/Stop.1.xml")).is_ok());
        for outside in ["../secret", "/etc/passwd", "a/../../b"] {
            assert!(inside(folder, Path::new(outside)).is_err(), "{outside}");
        }
    }
}
