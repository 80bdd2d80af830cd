//! The client's side of a handshake: the server's certificate must be vouched for and name the host that was asked for
//! (RFC 9525). There is no way to switch that off.

use std::io;
use std::pin::Pin;

use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslMethod};
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::acceptor::failure;
use super::context::{self, TlsError};
use super::options::ClientOptions;
use super::stream::Stream;

/// What connections are made with; without TLS they are in the clear.
#[derive(Clone, Default)]
pub struct Connector(Option<SslConnector>);

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Connector").field(&self.0.is_some()).finish()
    }
}

impl Connector {
    /// Connections in the clear.
    pub fn plain() -> Self {
        Self(None)
    }

    /// Connections under TLS. Reads the files.
    ///
    /// # Errors
    /// A file cannot be read or used.
    pub fn tls(options: &ClientOptions) -> Result<Self, TlsError> {
        let nowhere = std::path::Path::new("OpenSSL");
        let whole = |error: ErrorStack| TlsError::new(nowhere, context::reason(&error));
        let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(whole)?;
        builder
            .set_min_proto_version(Some(options.minimum.version()))
            .map_err(whole)?;
        if let Some(ca) = &options.ca {
            let authorities = context::certificates(ca)?;
            let store = context::store(&authorities).map_err(|error| TlsError::new(ca, context::reason(&error)))?;
            builder.set_cert_store(store);
        }
        match (&options.certificate, &options.key) {
            (Some(certificate), Some(key)) => drop(context::identity(&mut builder, "client", certificate, key)?),
            (Some(alone), None) => return Err(TlsError::new(alone, "a certificate needs its key")),
            (None, Some(alone)) => return Err(TlsError::new(alone, "a key needs its certificate")),
            (None, None) => {}
        }
        Ok(Self(Some(builder.build())))
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
        let Some(connector) = &self.0 else {
            return Ok(Stream::plain(stream));
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let ssl = connector.configure()?.into_ssl(host)?;
        let mut stream = SslStream::new(ssl, stream)?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(Stream::tls(stream, None)),
            Err(error) => Err(io::Error::other(format!("TLS: {}", failure(&error, stream.ssl())))),
        }
    }
}
