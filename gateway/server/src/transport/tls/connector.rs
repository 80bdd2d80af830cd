//! The client's side of a handshake: the server's certificate must be vouched for and name the host that was asked for
//! (RFC 9525). There is no way to switch that off.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslConnector, SslMethod};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::acceptor::failure;
use super::context::{self, TlsError};
use super::expiry::Expiry;
use super::options::ClientOptions;
use super::stream::Stream;

/// What connections are made with; without TLS they are in the clear.
#[derive(Debug, Clone, Default)]
pub struct Connector(Option<Arc<Dialer>>);

/// What a client connects with under TLS, and the files in force.
pub(super) struct Dialer {
    owner: Arc<str>,
    options: ClientOptions,
    drawn: RwLock<Drawn>,
}

/// What files were made into.
pub(super) struct Drawn {
    connector: SslConnector,
    expiries: Vec<Expiry>,
}

impl std::fmt::Debug for Dialer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Dialer").field(&self.owner).finish()
    }
}

impl Dialer {
    /// Reads the files.
    pub(super) fn open(owner: &str, options: &ClientOptions) -> Result<Self, TlsError> {
        Ok(Self {
            owner: owner.into(),
            options: options.clone(),
            drawn: RwLock::new(draw(owner, options)?),
        })
    }

    /// Reads the files again and leaves what is in force.
    pub(super) fn read(&self) -> Result<Drawn, TlsError> {
        draw(&self.owner, &self.options)
    }

    /// Puts it in force for connections to come.
    pub(super) fn put(&self, drawn: Drawn) {
        *self.drawn.write().unwrap_or_else(PoisonError::into_inner) = drawn;
    }

    /// When what is shown and trusted ends.
    pub(super) fn expiries(&self) -> Vec<Expiry> {
        let drawn = self.drawn.read().unwrap_or_else(PoisonError::into_inner);
        drawn.expiries.clone()
    }

    /// A connection that is to be shaken hands on.
    fn ssl(&self, host: &str) -> Result<Ssl, ErrorStack> {
        let drawn = self.drawn.read().unwrap_or_else(PoisonError::into_inner);
        drawn.connector.configure()?.into_ssl(host)
    }
}

fn draw(owner: &str, options: &ClientOptions) -> Result<Drawn, TlsError> {
    let nowhere = std::path::Path::new("OpenSSL");
    let whole = |error: ErrorStack| TlsError::new(nowhere, context::reason(&error));
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(whole)?;
    builder
        .set_min_proto_version(Some(options.minimum.version()))
        .map_err(whole)?;
    let mut expiries = Vec::new();
    if let Some(ca) = &options.ca {
        let authorities = context::certificates(ca)?;
        expiries.extend(Expiry::first(owner, ca, &authorities));
        let store = context::store(&authorities).map_err(|error| TlsError::new(ca, context::reason(&error)))?;
        builder.set_cert_store(store);
    }
    match (&options.certificate, &options.key) {
        (Some(certificate), Some(key)) => expiries.push(context::identity(&mut builder, owner, certificate, key)?),
        (Some(alone), None) => return Err(TlsError::new(alone, "a certificate needs its key")),
        (None, Some(alone)) => return Err(TlsError::new(alone, "a key needs its certificate")),
        (None, None) => {}
    }
    Ok(Drawn {
        connector: builder.build(),
        expiries,
    })
}

impl Connector {
    /// Connections in the clear.
    pub fn plain() -> Self {
        Self(None)
    }

    pub(super) fn of(dialer: Arc<Dialer>) -> Self {
        Self(Some(dialer))
    }

    /// Connections under TLS by files that are read once, for a client that does not live long. A gateway's own are made
    /// by [`super::Clients`].
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub fn tls(options: &ClientOptions) -> Result<Self, TlsError> {
        Ok(Self::of(Arc::new(Dialer::open("client", options)?)))
    }

    /// Connects to `host:port`. There is no deadline here.
    ///
    /// # Errors
    /// The connection or the handshake failed.
    pub async fn connect(&self, address: &str) -> io::Result<Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        self.over(stream, host).await
    }

    /// Makes a connection to a host of a socket that is connected.
    ///
    /// # Errors
    /// The handshake failed.
    pub async fn over(&self, stream: TcpStream, host: &str) -> io::Result<Stream> {
        let Some(dialer) = &self.0 else {
            return Ok(Stream::plain(stream));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut stream = SslStream::new(dialer.ssl(host)?, stream)?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(Stream::tls(stream, None)),
            Err(error) => Err(io::Error::other(format!("TLS: {}", failure(&error, stream.ssl())))),
        }
    }
}
