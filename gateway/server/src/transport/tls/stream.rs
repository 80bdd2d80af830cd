//! A connection, in the clear or under TLS, as transports see it: bytes in, bytes out, and whom the peer's certificate
//! names. How it came to be is not known here.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// A connection.
#[derive(Debug)]
pub struct Stream {
    io: Io,
    name: Option<Arc<str>>,
}

#[derive(Debug)]
enum Io {
    Plain(TcpStream),
    Tls(Box<SslStream<TcpStream>>),
}

impl Stream {
    /// A connection in the clear.
    pub fn plain(stream: TcpStream) -> Self {
        Self {
            io: Io::Plain(stream),
            name: None,
        }
    }

    /// A connection under TLS, with the name in the peer's certificate where it showed one.
    pub(super) fn tls(stream: SslStream<TcpStream>, name: Option<Arc<str>>) -> Self {
        Self {
            io: Io::Tls(Box::new(stream)),
            name,
        }
    }

    /// Whom the peer's certificate names (RFC 4514); nothing in the clear or where none was shown.
    pub fn peer_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The peer for frames and logs: its address, and whom its certificate names.
    pub fn peer(&self, address: impl std::fmt::Display) -> Arc<str> {
        match &self.name {
            Some(name) => format!("{address} {name}").into(),
            None => address.to_string().into(),
        }
    }

    /// Whether it is under TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self.io, Io::Tls(_))
    }

    /// The socket of a connection in the clear, whose halves need no lock; a connection under TLS comes back as it is.
    ///
    /// # Errors
    /// The connection is under TLS.
    pub fn into_plain(self) -> Result<TcpStream, Self> {
        match self.io {
            Io::Plain(stream) => Ok(stream),
            io @ Io::Tls(_) => Err(Self { io, name: self.name }),
        }
    }

    /// The socket below, for its options.
    pub fn socket(&self) -> &TcpStream {
        match &self.io {
            Io::Plain(stream) => stream,
            Io::Tls(stream) => stream.get_ref(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, parts),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, parts),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.io {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.io {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
