//! The house's HTTP client as the exporters want it: they run on threads without a runtime, so each request is sent by a
//! task of the gateway's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

use super::PATIENCE;
use crate::telemetry::Options;
use crate::transport::tls::{Clients, Connector, HttpsConnector};

/// The largest answer of a collector that is read, in bytes.
const ANSWER: usize = 64 << 10;

/// Sends requests of exporters.
#[derive(Debug, Clone)]
pub(super) struct House {
    client: Client<HttpsConnector, Full<Bytes>>,
    runtime: Handle,
    /// The collector took nothing when it was last tried.
    gone: Arc<AtomicBool>,
}

impl House {
    /// A client for the collector at a URL.
    pub(super) fn new(base: &str, options: &Options, clients: &Clients) -> anyhow::Result<Self> {
        let uri: Uri = base.parse()?;
        let tls = match uri.scheme_str() {
            Some("http") => Connector::plain(),
            Some("https") => clients.connector("telemetry", &options.tls)?,
            _ => anyhow::bail!("a collector is http(s)://HOST:PORT, not {base:?}"),
        };
        uri.host().context("no host")?;
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(HttpsConnector::new(tls)),
            runtime: Handle::current(),
            gone: Arc::default(),
        })
    }
}

impl House {
    /// Logs when the collector goes and when it comes back; the SDK keeps silent about both.
    fn note(&self, sent: Result<StatusCode, String>) {
        let trouble = match sent {
            Ok(status) if status.is_success() => None,
            Ok(status) => Some(format!("it answered with HTTP {}", status.as_u16())),
            Err(error) => Some(error),
        };
        let before = self.gone.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(why) if !before => tracing::warn!(why, "the telemetry collector does not take what is sent"),
            None if before => tracing::info!("the telemetry collector takes what is sent again"),
            _ => {}
        }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sent = self.runtime.spawn(async move {
            let response = tokio::time::timeout(PATIENCE, client.request(request.map(Full::new))).await??;
            let (head, body) = response.into_parts();
            let body = tokio::time::timeout(PATIENCE, Limited::new(body, ANSWER).collect()).await??;
            Ok::<_, HttpError>(Response::from_parts(head, body.to_bytes()))
        });
        sent.await?
    }
}

#[async_trait]
impl HttpClient for House {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.send(request).await;
        self.note(sent.as_ref().map(Response::status).map_err(ToString::to_string));
        sent
    }
}
