//! An MLLP receiver that does what it is told: says yes or no, keeps silent, answers late, hangs up. It remembers what it got,
//! in order of arrival.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::peer::framed;
use crate::{fields, segment};

/// What a receiver does with a message.
#[derive(Debug, Clone)]
pub enum React {
    /// Acknowledges with this code in MSA-1.
    Says(&'static str),
    /// The same, with an error code in ERR-3.
    SaysWhy(&'static str, &'static str),
    /// Says nothing.
    Silent,
    /// Acknowledges after a while.
    Late(Duration, &'static str),
    /// Closes the connection.
    HangsUp,
}

type Reaction = Arc<dyn Fn(&str) -> React + Send + Sync>;

#[derive(Default)]
struct Seen {
    messages: Vec<String>,
    connections: usize,
    closed: usize,
}

/// An MLLP receiver.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    react: Reaction,
    task: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Receiver {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(react: impl Fn(&str) -> React + Send + Sync + 'static) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut receiver = Self {
            address: socket.local_addr().expect("an address"),
            seen: Arc::default(),
            react: Arc::new(react),
            task: None,
        };
        receiver.task = Some(tokio::spawn(serve(
            socket,
            Arc::clone(&receiver.seen),
            Arc::clone(&receiver.react),
        )));
        receiver
    }

    /// Stops listening and closes every connection.
    pub async fn unplug(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
            let _gone = task.await;
        }
    }

    /// Listens again where it did.
    ///
    /// # Panics
    /// When it cannot listen there any more.
    pub async fn plug_in(&mut self) {
        let socket = TcpListener::bind(self.address).await.expect("the same port");
        self.task = Some(tokio::spawn(serve(
            socket,
            Arc::clone(&self.seen),
            Arc::clone(&self.react),
        )));
    }

    /// What came so far, in order of arrival.
    pub fn messages(&self) -> Vec<String> {
        self.seen().messages.clone()
    }

    /// MSH-10 of what came so far.
    pub fn control_ids(&self) -> Vec<String> {
        let messages = self.messages();
        messages.iter().map(|message| field(message, "MSH", 9)).collect()
    }

    /// How many came so far.
    pub fn count(&self) -> usize {
        self.seen().messages.len()
    }

    /// Connections that were made, and of these, closed by the other side.
    pub fn connections(&self) -> (usize, usize) {
        let seen = self.seen();
        (seen.connections, seen.closed)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A field of the first segment of a name, counted as [`fields`] does.
fn field(message: &str, name: &str, index: usize) -> String {
    let found = segment(message, name);
    let field = found.first().and_then(|one| fields(one).get(index).copied());
    field.unwrap_or_default().to_owned()
}

async fn serve(socket: TcpListener, seen: Arc<Mutex<Seen>>, react: Reaction) {
    let mut connections = JoinSet::new(); // aborted with this task
    while let Ok((stream, _)) = socket.accept().await {
        lock(&seen).connections += 1;
        connections.spawn(talk(stream, Arc::clone(&seen), Arc::clone(&react)));
    }
}

async fn talk(mut stream: TcpStream, seen: Arc<Mutex<Seen>>, react: Reaction) {
    let (mut buffer, mut chunk) = (Vec::new(), [0; 8192]);
    loop {
        while let Some(end) = buffer.windows(2).position(|pair| pair == b"\x1c\r") {
            let rest = buffer.split_off(end + 2);
            let frame = std::mem::replace(&mut buffer, rest);
            let text = String::from_utf8_lossy(frame.get(1..end).unwrap_or_default()).into_owned();
            lock(&seen).messages.push(text.clone());
            let said = match react(&text) {
                React::Says(code) => Some(ack(&text, code, None)),
                React::SaysWhy(code, why) => Some(ack(&text, code, Some(why))),
                React::Silent => None,
                React::Late(wait, code) => {
                    tokio::time::sleep(wait).await;
                    Some(ack(&text, code, None))
                }
                React::HangsUp => return,
            };
            if let Some(said) = said {
                let _gone = stream.write_all(&framed(said.as_bytes())).await;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => {
                lock(&seen).closed += 1;
                return;
            }
            Ok(read) => buffer.extend_from_slice(chunk.get(..read).unwrap_or_default()),
        }
    }
}

/// An acknowledgement of a message (HL7 v2.9 2.15.8).
fn ack(message: &str, code: &str, why: Option<&str>) -> String {
    let id = field(message, "MSH", 9);
    let error = why
        .map(|why| format!("ERR|||{why}^Text^HL70357|E\r"))
        .unwrap_or_default();
    format!("MSH|^~\\&|WARD|HOSP|CW|HOSP|20260101||ACK|A{id}|P|2.5.1\rMSA|{code}|{id}\r{error}")
}
