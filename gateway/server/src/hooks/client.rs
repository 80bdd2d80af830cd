//! The CDS Hooks client of one service: pooled HTTP, no redirects, a bounded answer, a bulkhead and a breaker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use causeway_core::{Actor, ActorKind, Bundle, Exchange, Fault, FaultKind, Finding, Hook, Kept, Meta};
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;

use super::{Breaker, HookConfig, bundle_request, cards};
use crate::transport::tls::{Clients, Connector, HttpsConnector};

/// A CDS Hooks service.
#[derive(Debug, Clone)]
pub struct CdsHook(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: HookConfig,
    meta: Meta,
    actor: Actor,
    uri: Uri,
    client: Client<HttpsConnector, Full<Bytes>>,
    breaker: Breaker,
    bulkhead: Semaphore,
}

impl CdsHook {
    /// A client for a configured service; nothing is called yet.
    ///
    /// # Errors
    /// The URL is not an absolute `http:` or `https:` one, or a certificate cannot be used.
    pub fn new(config: HookConfig) -> anyhow::Result<Self> {
        Self::among(config, &Clients::default())
    }

    /// The same, among the clients whose certificates are looked after.
    ///
    /// # Errors
    /// As [`CdsHook::new`].
    pub fn among(config: HookConfig, clients: &Clients) -> anyhow::Result<Self> {
        let uri: Uri = config
            .url
            .parse()
            .with_context(|| format!("hook {:?}: url", config.name))?;
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        if !known || uri.host().is_none() {
            anyhow::bail!(
                "hook {:?}: url must be http(s)://HOST[:PORT]/PATH, not {:?}",
                config.name,
                config.url
            );
        }
        let meta = Meta {
            id: config.name.clone(),
            version: config.version.clone(),
            fail: causeway_core::rule::Fail::Remark,
        };
        let mut actor = Actor::new(ActorKind::Hook, config.name.clone());
        actor.version = (!config.version.is_empty()).then(|| config.version.clone().into());
        let connector = connector(&config, &uri, clients)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        let breaker = Breaker::new(Duration::from_millis(config.slow_ms));
        let bulkhead = Semaphore::new(config.concurrency);
        Ok(Self(Arc::new(Inner {
            config,
            meta,
            actor,
            uri,
            client,
            breaker,
            bulkhead,
        })))
    }

    /// The breaker, for metrics.
    pub fn breaker(&self) -> &Breaker {
        &self.0.breaker
    }
}

/// Reads certificates only where they are used, so that services in the clear need no system that has any.
fn connector(config: &HookConfig, uri: &Uri, clients: &Clients) -> anyhow::Result<HttpsConnector> {
    let tls = if uri.scheme_str() == Some("https") {
        let owner = format!("hook {}", config.name);
        let connector = clients.connector(&owner, &config.tls);
        connector.with_context(|| format!("hook {:?}: tls", config.name))?
    } else {
        Connector::plain()
    };
    Ok(HttpsConnector::new(tls))
}

impl Hook for CdsHook {
    fn meta(&self) -> &Meta {
        &self.0.meta
    }

    fn wants(&self, exchange: &Exchange) -> bool {
        let on = &self.0.config.on;
        on.is_empty() || on.contains(&exchange.context.message_type)
    }

    fn advise(&self, bundle: Arc<Bundle>, kept: Kept) -> BoxFuture<'static, Result<Vec<Finding>, Fault>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.advise(&bundle, kept.number()).await })
    }
}

impl Inner {
    async fn advise(&self, bundle: &Bundle, frame: u64) -> Result<Vec<Finding>, Fault> {
        let Ok(_permit) = self.bulkhead.try_acquire() else {
            return Err(Fault::new(FaultKind::Overload, "too many calls to it are under way"));
        };
        let begun = Instant::now();
        if !self.breaker.admits(begun) {
            return Err(Fault::new(
                FaultKind::Overload,
                "it failed too often and is left alone for a while",
            ));
        }
        let limit = Duration::from_millis(self.config.timeout_ms);
        let answer = tokio::time::timeout(limit, self.call(bundle, frame)).await;
        let answer = answer.unwrap_or_else(|_| Err(Fault::new(FaultKind::Timeout, "it did not answer in time")));
        if self.breaker.record(begun.elapsed(), answer.is_ok(), Instant::now()) {
            tracing::warn!(service = %self.config.name, state = ?self.breaker.state(), "breaker");
        }
        answer
    }

    async fn call(&self, bundle: &Bundle, frame: u64) -> Result<Vec<Finding>, Fault> {
        let down = |error: &dyn std::error::Error| {
            Fault::new(FaultKind::Upstream, "it could not be reached").inside(error.to_string())
        };
        let body = bundle_request::body(&self.config.hook, bundle, frame);
        let request = Request::post(self.uri.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json")
            .body(Full::from(body))
            .map_err(|error| down(&error))?;
        let response = self.client.request(request).await.map_err(|error| down(&error))?;
        let answer = self.read(response).await?;
        cards::findings(&self.actor, bundle, &answer)
    }

    async fn read(&self, response: Response<hyper::body::Incoming>) -> Result<Bytes, Fault> {
        let status = response.status();
        if status != hyper::StatusCode::OK {
            let text = format!("it answered with HTTP {}", status.as_u16());
            return Err(Fault::new(FaultKind::Upstream, text));
        }
        let too_large = || Fault::new(FaultKind::TooLarge, "its answer is too large");
        let declared = response
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        if declared.is_some_and(|length: usize| length > self.config.answer_bytes) {
            return Err(too_large());
        }
        let body = Limited::new(response.into_body(), self.config.answer_bytes)
            .collect()
            .await;
        let broken = Fault::new(FaultKind::Upstream, "its answer broke off");
        let body = body.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                too_large()
            } else {
                broken
            }
        })?;
        Ok(body.to_bytes())
    }
}
