//! The house's HTTP client as the exporters want it: they run on threads without a runtime, so each request is sent by a
//! task of the gateway's.

use anyhow::Context;
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

use super::PATIENCE;
use crate::telemetry::Options;
use crate::transport::tls::{Connector, HttpsConnector};

/// The largest answer of a collector that is read, in bytes.
const ANSWER: usize = 64 << 10;

/// Sends requests of exporters.
#[derive(Debug, Clone)]
pub(super) struct House {
    client: Client<HttpsConnector, Full<Bytes>>,
    runtime: Handle,
}

impl House {
    /// A client for the collector at a URL.
    pub(super) fn new(base: &str, options: &Options) -> anyhow::Result<Self> {
        let uri: Uri = base.parse()?;
        let tls = match uri.scheme_str() {
            Some("http") => Connector::plain(),
            Some("https") => Connector::tls(&options.tls)?,
            _ => anyhow::bail!("a collector is http(s)://HOST:PORT, not {base:?}"),
        };
        uri.host().context("no host")?;
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(HttpsConnector::new(tls)),
            runtime: Handle::current(),
        })
    }
}

#[async_trait]
impl HttpClient for House {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
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
