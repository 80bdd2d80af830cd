//! An OpenTelemetry collector in a test's hand, and a gateway of which everything that it tells is kept: its log lines, its
//! pages, and what it sends to a collector.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::{Process, get};

/// A collector of Python's, stopped when dropped.
#[derive(Debug)]
pub struct Collector {
    child: Child,
    /// Where it listens.
    pub port: u16,
    folder: tempfile::TempDir,
}

impl Collector {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no Python.
    pub fn start() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let peers = here.parent().expect("the root").join("target/peers/bin/python");
        let python = if peers.exists() {
            peers
        } else {
            PathBuf::from("python3")
        };
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(python)
            .arg(here.join("peers/otlp_collector.py"))
            .arg(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let port = line.trim().parse().expect("a port");
        Self { child, port, folder }
    }

    /// Every body that came.
    ///
    /// # Panics
    /// When its folder is gone.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        let files = std::fs::read_dir(self.folder.path()).expect("a folder");
        let paths = files.map(|file| file.expect("a file").path());
        let bodies = paths.filter(|path| path.extension().is_some_and(|ending| ending == "bin"));
        bodies.map(|path| std::fs::read(path).expect("a file")).collect()
    }

    /// Whether some body holds each of these texts.
    ///
    /// # Panics
    /// When its folder is gone.
    pub fn has(&self, texts: &[&str]) -> bool {
        let bodies = self.bodies();
        let holds = |body: &[u8], text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
        texts.iter().all(|text| bodies.iter().any(|body| holds(body, text)))
    }

    /// What the package read of one kind, a line of JSON for each body; nothing without the package.
    pub fn read(&self, signal: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{signal}.jsonl"))).unwrap_or_default()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// A gateway whose lines are kept.
#[derive(Debug)]
pub struct Watched {
    /// The gateway.
    pub process: Process,
    /// Its folder.
    pub data: tempfile::TempDir,
    token: String,
}

impl Watched {
    /// Starts one that logs from a level on.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(stanzas: &str, level: &str) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let lines = data.path().join("lines");
        let process = Process::logged(data.path(), stanzas, &[("RUST_LOG", level)], &lines);
        let token = std::fs::read_to_string(data.path().join("admin-token")).expect("a token");
        let token = token.trim().to_owned();
        Self { process, data, token }
    }

    /// A page of the admin port.
    ///
    /// # Panics
    /// When there is none.
    pub async fn page(&self, path: &str) -> String {
        get(self.process.admin, path, &self.token).await.1
    }

    /// The lines that it logged so far.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn lines(&self) -> String {
        std::fs::read_to_string(self.data.path().join("lines")).expect("the log's lines")
    }

    /// One number of the metrics page; 0 where it is not there.
    ///
    /// # Panics
    /// When it is no number.
    pub async fn number(&self, sample: &str) -> f64 {
        let page = self.page("/metrics").await;
        let found = page
            .lines()
            .find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        found.map_or(0.0, |number| number.parse().expect("a number"))
    }
}

/// Bytes as protobuf's JSON has them (RFC 4648 4).
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= three.len() { char::from(digit) } else { '=' });
        }
    }
    text
}
