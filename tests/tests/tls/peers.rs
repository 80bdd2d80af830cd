//! The peers of these scenarios: Python's `ssl` as client and as server, and a gateway whose log lines are read.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use causeway_tests::{Authority, Identity, Process, fields, get, oru, segment};
use serde_json::{Value, json};

/// A connection of Python's.
pub(crate) struct Client {
    child: Child,
    into: Option<ChildStdin>,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
}

impl Client {
    /// Connects for MLLP, and what it says of the handshake.
    pub(crate) fn connect(to: SocketAddr, options: &Value) -> (Self, Value) {
        Self::run("tls_client.py", to, options)
    }

    /// The same for HTTP.
    pub(crate) fn https(to: SocketAddr, options: &Value) -> (Self, Value) {
        Self::run("https_client.py", to, options)
    }

    fn run(script: &str, to: SocketAddr, options: &Value) -> (Self, Value) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(script);
        let mut child = Command::new("python3")
            .arg(script)
            .args([to.ip().to_string(), to.port().to_string(), options.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let into = child.stdin.take();
        let folder = tempfile::tempdir().expect("a folder");
        let mut client = Self {
            child,
            into,
            lines,
            folder,
        };
        let said = client.next();
        (client, said)
    }

    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Sends a message; the reply, or why there is none.
    pub(crate) fn send(&mut self, message: &str) -> Value {
        let file = self.folder.path().join("message.hl7");
        std::fs::write(&file, message).expect("a file");
        writeln!(self.into.as_mut().expect("stdin"), "{}", file.display()).expect("a pipe");
        self.next()
    }

    /// Sends a request; its response, or why there is none.
    pub(crate) fn ask(&mut self, method: &str, path: &str, media: &str, body: &str) -> Value {
        let fields = if media.is_empty() {
            json!({})
        } else {
            json!({"Content-Type": media})
        };
        let request = json!([method, path, fields, body]);
        writeln!(self.into.as_mut().expect("stdin"), "{request}").expect("a pipe");
        self.next()
    }

    /// Sends a message; whether it was accepted.
    pub(crate) fn is_answered(&mut self, control_id: &str) -> bool {
        let said = self.send(&oru(control_id, "4.0"));
        let reply = said["reply"].as_str().unwrap_or_else(|| panic!("{said}"));
        fields(segment(reply, "MSA")[0])[1..3] == ["AA", control_id]
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.into = None;
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Why the gateway did not let it in, as the client heard it. Under TLS 1.3 a client hears it only when it reads.
pub(crate) fn refusal(to: SocketAddr, options: &Value) -> String {
    let (mut client, said) = Client::connect(to, options);
    let said = if said["error"].is_null() {
        client.send(&oru("NOT", "4.0"))
    } else {
        said
    };
    said["error"]
        .as_str()
        .unwrap_or_else(|| panic!("let in: {said}"))
        .to_owned()
}

pub(crate) fn shows(authority: &Authority, identity: &Identity) -> Value {
    json!({"ca": authority.file(), "certificate": identity.certificate, "key": identity.key})
}

/// A process with a TLS listener, its log lines in a file.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) data: tempfile::TempDir,
    pub(crate) token: String,
}

/// The stanza of a listener that lets in whom the authority vouches for.
pub(crate) fn mutual(authority: &Authority, own: &Identity) -> String {
    format!(
        "[listener.tls]\ncertificate = '{}'\nkey = '{}'\nclient-ca = '{}'\n",
        own.certificate.display(),
        own.key.display(),
        authority.file().display()
    )
}

impl Running {
    pub(crate) fn start(authority: &Authority, own: &Identity) -> Self {
        Self::with(&mutual(authority, own))
    }

    /// One with these stanzas.
    pub(crate) fn with(stanzas: &str) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let process = Process::logged(data.path(), stanzas, &[], &data.path().join("lines"));
        let token = std::fs::read_to_string(data.path().join("admin-token")).expect("a token");
        let token = token.trim().to_owned();
        Self { process, data, token }
    }

    pub(crate) async fn page(&self, path: &str) -> Value {
        let (_, text) = get(self.process.admin, path, &self.token).await;
        serde_json::from_str(&text).expect("JSON")
    }

    pub(crate) fn lines(&self) -> String {
        std::fs::read_to_string(self.data.path().join("lines")).expect("the log's lines")
    }

    /// The serial number that a new connection is shown.
    pub(crate) fn serial(&self, options: &Value) -> Value {
        Client::connect(self.process.mllp, options).1["serial"].clone()
    }
}

/// Python's HTTP server under TLS, stopped when dropped.
pub(crate) struct Service(Child, pub(crate) u16);

impl Service {
    pub(crate) fn start(own: &Identity, card: &str, clients: &Authority) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/tls_service.py");
        let mut child = Command::new("python3")
            .args([&script, &own.certificate, &own.key])
            .arg(card)
            .arg(clients.file())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("stdout");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        Self(child, line.trim().parse().expect("a port"))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}
