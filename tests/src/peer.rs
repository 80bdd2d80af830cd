//! A bare MLLP peer: bytes out, frames in.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a peer waits before the test is over.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
#[derive(Debug)]
pub struct Peer {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A payload in its frame (MLLP release 1: VT, payload, FS, CR).
pub fn framed(payload: &[u8]) -> Vec<u8> {
    [b"\x0b", payload, b"\x1c\r"].concat()
}

/// Sends one message on a connection of its own and returns the reply.
///
/// # Panics
/// When there is none.
pub async fn exchange(address: SocketAddr, message: &str) -> String {
    let mut peer = Peer::connect(address).await;
    peer.send(&framed(message.as_bytes())).await;
    peer.reply().await.expect("a reply")
}

impl Peer {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.expect("a listener"),
            buffer: Vec::new(),
        }
    }

    /// Connects with the smallest receive buffer that the system gives, so that what is not read is felt soon.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn narrow(address: SocketAddr) -> Self {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(1).expect("a small buffer");
        Self {
            stream: socket.connect(address).await.expect("a listener"),
            buffer: Vec::new(),
        }
    }

    /// Sends bytes as they are; whether the peer still takes them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// The next reply without its frame; `None` when the connection ended.
    ///
    /// # Panics
    /// When nothing comes for long.
    pub async fn reply(&mut self) -> Option<String> {
        Some(String::from_utf8_lossy(&self.reply_bytes().await?).into_owned())
    }

    /// The same, as the bytes they are.
    ///
    /// # Panics
    /// When nothing comes for long.
    pub async fn reply_bytes(&mut self) -> Option<Vec<u8>> {
        let reply = tokio::time::timeout(PATIENCE, self.frame());
        reply.await.expect("a reply in time")
    }

    /// The bytes of the next frame.
    async fn frame(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\x1c\r") {
                let rest = self.buffer.split_off(end + 2);
                let frame = std::mem::replace(&mut self.buffer, rest);
                let start = frame.iter().position(|byte| *byte == 0x0b).map_or(0, |vt| vt + 1);
                return frame.get(start..end).map(<[u8]>::to_vec);
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk).await {
                Ok(0) | Err(_) => return None,
                Ok(read) => self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default()),
            }
        }
    }

    /// Says no more; the other side may still answer.
    pub async fn finish(&mut self) {
        let _closed = self.stream.shutdown().await;
    }
}
