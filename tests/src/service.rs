//! A decision-support service that a test has in its hand: it speaks just enough HTTP to be called, counts its calls,
//! and answers as it is told, well or badly. And the requests that tests make of the admin port.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a service does with a call.
#[derive(Debug, Clone)]
pub enum Doing {
    /// HTTP 200 with a body.
    Answers(String),
    /// The same, after a while.
    AnswersAfter(Duration, String),
    /// These bytes, whatever they are, and the connection ends.
    Says(String),
    /// HTTP 200 and a body of so many bytes; says its length before, or not.
    Floods { bytes: usize, declared: bool },
    /// HTTP 200 and a body that begins and never ends.
    Trickles,
    /// Nothing, ever.
    Hangs,
}

/// A running service; it ends when dropped.
#[derive(Debug)]
pub struct Service {
    /// Where it is.
    pub address: SocketAddr,
    calls: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Service {
    /// Starts one that decides by the request's JSON.
    ///
    /// # Panics
    /// When nothing can be bound.
    pub async fn start(decide: impl Fn(&Value) -> Doing + Send + Sync + 'static) -> Self {
        Self::serving(move |body| decide(&serde_json::from_slice(body).unwrap_or_default())).await
    }

    /// Starts one that always does the same and does not read what it is asked.
    ///
    /// # Panics
    /// When nothing can be bound.
    pub async fn always(doing: Doing) -> Self {
        Self::serving(move |_| doing.clone()).await
    }

    async fn serving(decide: impl Fn(&[u8]) -> Doing + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = socket.local_addr().expect("an address");
        let (calls, decide) = (Arc::new(AtomicUsize::new(0)), Arc::new(decide));
        let counted = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = socket.accept().await {
                let (decide, counted) = (Arc::clone(&decide), Arc::clone(&counted));
                tokio::spawn(async move { serve(stream, decide.as_ref(), &counted).await });
            }
        });
        Self { address, calls, task }
    }

    /// The URL of the service.
    pub fn url(&self) -> String {
        format!("http://{}/cds-services/test", self.address)
    }

    /// How often it was called.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

async fn serve(mut stream: TcpStream, decide: &(impl Fn(&[u8]) -> Doing + Sync), calls: &AtomicUsize) -> Option<()> {
    loop {
        let body = request(&mut stream).await?;
        calls.fetch_add(1, Ordering::SeqCst);
        act(&mut stream, decide(&body)).await?;
    }
}

async fn act(stream: &mut TcpStream, doing: Doing) -> Option<()> {
    match doing {
        Doing::Answers(body) => answer(stream, &body).await,
        Doing::AnswersAfter(time, body) => {
            tokio::time::sleep(time).await;
            answer(stream, &body).await
        }
        Doing::Says(text) => {
            stream.write_all(text.as_bytes()).await.ok()?;
            None
        }
        Doing::Floods { bytes, declared } => flood(stream, bytes, declared).await,
        Doing::Trickles => {
            let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head.as_bytes()).await.ok()?;
            loop {
                stream.write_all(b"1\r\n \r\n").await.ok()?;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Doing::Hangs => std::future::pending().await,
    }
}

async fn answer(stream: &mut TcpStream, body: &str) -> Option<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
    let text = format!("{head}{}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.ok()
}

async fn flood(stream: &mut TcpStream, bytes: usize, declared: bool) -> Option<()> {
    let head = if declared {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {bytes}\r\n\r\n")
    } else {
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_owned()
    };
    stream.write_all(head.as_bytes()).await.ok()?;
    let chunk = vec![b' '; 64 << 10];
    for _ in 0..bytes.div_ceil(chunk.len()) {
        stream.write_all(&chunk).await.ok()?;
    }
    None
}

/// The body of the next request; `None` when there is none.
async fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    let begin = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(read.get(..begin)?).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    while read.len() < begin + length {
        if stream.read_buf(&mut read).await.ok()? == 0 {
            return None;
        }
    }
    Some(read.split_off(begin))
}

/// A card about an observation of the bundle in a request, found by its LOINC code.
pub fn card_on(request: &Value, loinc: &str, summary: &str) -> String {
    let entries = request.pointer("/prefetch/bundle/entry").and_then(Value::as_array);
    let focus = entries.into_iter().flatten().find(|entry| {
        let codings = entry.pointer("/resource/code/coding").and_then(Value::as_array);
        codings
            .into_iter()
            .flatten()
            .any(|coding| coding.get("code").is_some_and(|code| code == loinc))
    });
    let focus = focus
        .and_then(|entry| entry.get("fullUrl"))
        .cloned()
        .unwrap_or_default();
    let card = serde_json::json!({
        "summary": summary, "indicator": "warning", "source": {"label": "a test"},
        "extension": {"health.causeway.focus": focus},
    });
    serde_json::json!({ "cards": [card] }).to_string()
}

/// Status and body of a GET.
///
/// # Panics
/// When there is no answer.
pub async fn get(address: SocketAddr, path: &str, token: &str) -> (u16, String) {
    ask("GET", address, path, token).await
}

/// Status and body of a POST without a body.
///
/// # Panics
/// When there is no answer.
pub async fn post(address: SocketAddr, path: &str, token: &str) -> (u16, String) {
    ask("POST", address, path, token).await
}

async fn ask(method: &str, address: SocketAddr, path: &str, token: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("the port");
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    (status.expect("a status"), body.to_owned())
}
