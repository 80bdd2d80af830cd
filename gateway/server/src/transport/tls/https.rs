//! Connections for the house's HTTP client: `http:` in the clear, `https:` under TLS. It knows no request.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tower::Service;

use super::{Connector, Stream};

/// What went wrong, as hyper's client takes it.
type Wrong = Box<dyn Error + Send + Sync>;

/// Connects to the hosts of URLs.
#[derive(Debug, Clone)]
pub struct HttpsConnector {
    http: HttpConnector,
    tls: Connector,
    within: Option<Duration>,
}

impl HttpsConnector {
    /// Connects with this where a URL says `https:`.
    pub fn new(tls: Connector) -> Self {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.enforce_http(false);
        Self {
            http,
            tls,
            within: None,
        }
    }

    /// The same, with a limit for a connection with its handshake.
    #[must_use]
    pub fn within(self, limit: Duration) -> Self {
        Self {
            within: Some(limit),
            ..self
        }
    }
}

impl Service<Uri> for HttpsConnector {
    type Response = TokioIo<Stream>;
    type Error = Wrong;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Wrong>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Wrong>> {
        self.http.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let secure = uri.scheme_str() == Some("https");
        let tls = if secure { self.tls.clone() } else { Connector::plain() };
        let host = uri.host().unwrap_or_default().to_owned();
        let (connecting, within) = (self.http.call(uri), self.within);
        let connected = async move {
            let socket = connecting.await?.into_inner();
            Ok(TokioIo::new(tls.over(socket, &host).await?))
        };
        Box::pin(async move {
            match within {
                None => connected.await,
                Some(limit) => {
                    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
                    tokio::time::timeout(limit, connected).await.map_err(late)?
                }
            }
        })
    }
}
