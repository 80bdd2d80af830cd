//! A bare HTTP peer: bytes out, responses in, so that a scenario can do what no proper client would.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a peer waits before the test is over.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two bytes of a peer that is slow on purpose.
const DRIP: Duration = Duration::from_millis(20);

/// A connection.
#[derive(Debug)]
pub struct Http {
    stream: TcpStream,
    buffer: Vec<u8>,
    host: String,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// A header field; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

impl Http {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.expect("a listener"), address)
    }

    /// Connects with the smallest receive buffer that the system gives.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn narrow(address: SocketAddr) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(1).expect("a small buffer");
        Self::over(socket.connect(address).await.expect("a listener"), address)
    }

    fn over(stream: TcpStream, address: SocketAddr) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            host: address.to_string(),
        }
    }

    /// The bytes of a request with more header fields, each ended by CR LF.
    pub fn request(&self, method: &str, path: &str, fields: &str, body: &[u8]) -> Vec<u8> {
        let host = &self.host;
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n{fields}\r\n");
        [head.as_bytes(), body].concat()
    }

    /// Sends bytes as they are; whether the peer still takes them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Sends a byte again and again, as who wants to hold a place does, until there is a response; `None` when the connection
    /// ended without one.
    ///
    /// # Panics
    /// When nothing comes for long.
    pub async fn drip(&mut self, byte: u8) -> Option<Response> {
        let dripping = async {
            while tokio::time::timeout(DRIP, self.stream.readable()).await.is_err() {
                if self.stream.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        };
        let told = tokio::time::timeout(PATIENCE, dripping).await;
        told.expect("a word in time");
        self.response().await
    }

    /// Says no more; the other side may still answer.
    pub async fn finish(&mut self) {
        let _closed = self.stream.shutdown().await;
    }

    /// Sends a request and reads its response.
    ///
    /// # Panics
    /// When there is none.
    pub async fn ask(&mut self, method: &str, path: &str, fields: &str, body: &[u8]) -> Response {
        let request = self.request(method, path, fields, body);
        assert!(self.send(&request).await, "the request is taken");
        self.response().await.expect("a response")
    }

    /// Sends a request and reads its response, where the other side may be gone.
    ///
    /// # Panics
    /// When nothing comes for long.
    pub async fn try_ask(&mut self, method: &str, path: &str, fields: &str, body: &[u8]) -> Option<Response> {
        let request = self.request(method, path, fields, body);
        if self.send(&request).await {
            self.response().await
        } else {
            None
        }
    }

    /// The next response; `None` when the connection ended.
    ///
    /// # Panics
    /// When nothing comes for long.
    pub async fn response(&mut self) -> Option<Response> {
        let read = tokio::time::timeout(PATIENCE, self.read());
        read.await.expect("a response in time")
    }

    /// The next response to a HEAD, which has no body whatever its length says; `None` when the connection ended.
    ///
    /// # Panics
    /// When nothing comes for long.
    pub async fn head(&mut self) -> Option<Response> {
        let read = tokio::time::timeout(PATIENCE, self.read_head());
        read.await.expect("a response in time")
    }

    /// A response without its body.
    async fn read_head(&mut self) -> Option<Response> {
        let begin = loop {
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..begin]).into_owned();
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let field = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.filter_map(field).collect();
        self.buffer.drain(..begin);
        let body = Vec::new();
        Some(Response { status, headers, body })
    }

    async fn read(&mut self) -> Option<Response> {
        let mut response = self.read_head().await?;
        let length = response.header("content-length");
        let end = if length.is_empty() {
            0
        } else {
            length.parse().expect("a length")
        };
        while self.buffer.len() < end {
            self.more().await?;
        }
        let rest = self.buffer.split_off(end);
        response.body = std::mem::replace(&mut self.buffer, rest);
        Some(response)
    }

    async fn more(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.buffer).await.ok()?;
        (read > 0).then_some(())
    }
}
