//! The base of a FHIR server as a peer: each delivery is a transaction that is posted to it (FHIR R4 HTTP 3.1.0.11.2). What
//! its answer means is in `answer`. Connections stay open between deliveries; no redirect is followed.
//!
//! Delivery is at least once, and a repetition writes the same under the same identifiers and ids; `X-Request-Id` is the same
//! at every attempt, for servers that look at it. The token is read again when it is not accepted, so that a new one needs no
//! restart.

mod answer;
#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use crate::outbox::{Class, Delivered, Destination, Failure, Outgoing, Peer};
use crate::transport::tls::{Connector, HttpsConnector};

/// The largest answer that is read, in bytes; each entry of a transaction has one of its own in it.
const ANSWER: usize = 16 << 20;
/// The largest token, in bytes.
const TOKEN: u64 = 64 << 10;
/// How long a connection stays open without a delivery. Many servers close theirs after a minute or less.
const IDLE: Duration = Duration::from_secs(20);
/// The media type of what comes back.
const FHIR: &str = "application/fhir+json";
/// What we call ourselves.
const AGENT: &str = concat!("causeway/", env!("CARGO_PKG_VERSION"));

/// A FHIR server.
#[derive(Debug)]
pub struct Http {
    base: Uri,
    client: Client<HttpsConnector, Full<Bytes>>,
    /// For an attempt in all.
    within: Duration,
    token_file: Option<PathBuf>,
    token: Mutex<Option<HeaderValue>>,
}

impl Http {
    /// The server of a destination at a base such as `https://host/fhir`.
    ///
    /// # Errors
    /// The base is no URL, or the token cannot be read.
    pub fn new(destination: &Destination, base: &str, connector: Connector) -> anyhow::Result<Self> {
        let wrong = || {
            format!(
                "destination {:?}: to is http(s)://HOST[:PORT]/PATH, not {base:?}",
                destination.name
            )
        };
        let uri: Uri = base.parse().with_context(wrong)?;
        let plain = uri.query().is_none() && uri.authority().is_some_and(|name| !name.as_str().contains('@'));
        anyhow::ensure!(plain, wrong());
        let token = destination.token_file.as_ref().map(|file| {
            let told = || format!("destination {:?}: token-file {}", destination.name, file.display());
            bearer(file).with_context(told)
        });
        let connector = HttpsConnector::new(connector).within(destination.connect_timeout);
        Ok(Self {
            base: uri,
            client: Client::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(destination.concurrency)
                .build(connector),
            within: destination.connect_timeout + destination.timeout,
            token_file: destination.token_file.clone(),
            token: Mutex::new(token.transpose()?),
        })
    }

    /// One attempt. A connection that was open may have been closed while nobody looked; that says nothing of what is sent,
    /// which then goes out once more.
    async fn post(&self, outgoing: &Outgoing) -> Result<Delivered, Failure> {
        let due = Instant::now() + self.within;
        let silent = |_| Failure::new(Class::Timeout, "no answer in time");
        let mut asked = timeout_at(due, self.client.request(self.request(outgoing)?))
            .await
            .map_err(silent)?;
        if asked.as_ref().is_err_and(|error| !error.is_connect()) {
            asked = timeout_at(due, self.client.request(self.request(outgoing)?))
                .await
                .map_err(silent)?;
        }
        let response = asked.map_err(|error| unanswered(&error))?;
        let (head, body) = timeout_at(due, read(response)).await.map_err(silent)??;
        if head.status == StatusCode::UNAUTHORIZED {
            self.renew().await;
        }
        answer::judge(
            head.status.as_u16(),
            answer::wait(&head.headers, Timestamp::now()),
            &body,
        )
    }

    fn request(&self, outgoing: &Outgoing) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::post(self.base.clone())
            .header(CONTENT_TYPE, &outgoing.media_type)
            .header(ACCEPT, FHIR)
            .header(USER_AGENT, AGENT)
            .header("prefer", "return=minimal")
            .header("x-request-id", &outgoing.control_id)
            .header("traceparent", outgoing.span.to_string());
        let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::new(outgoing.bytes.clone()));
        request.map_err(|_| Failure::new(Class::Broken, "no request can be made of it"))
    }

    /// Reads the token again; one that cannot be read leaves what is known.
    async fn renew(&self) {
        let Some(file) = self.token_file.clone() else { return };
        let read = tokio::task::spawn_blocking(move || bearer(&file)).await;
        if let Ok(Ok(token)) = read {
            *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
        }
    }
}

impl Peer for Http {
    fn deliver(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Delivered, Failure>> {
        Box::pin(async move {
            if outgoing.file.is_some() {
                return Err(Failure::new(Class::Broken, "a file is no transaction"));
            }
            self.post(&outgoing).await
        })
    }
}

/// The field that carries a file's token (RFC 6750 2.1).
fn bearer(file: &PathBuf) -> io::Result<HeaderValue> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(file)?.take(TOKEN).read_to_string(&mut text)?;
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "it holds no token");
    let mut value = HeaderValue::from_str(&format!("Bearer {}", text.trim())).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Reads an answer. Of one that cannot be read to its end nothing is known but its status.
async fn read(response: Response<Incoming>) -> Result<(hyper::http::response::Parts, Bytes), Failure> {
    let (head, body) = response.into_parts();
    match Limited::new(body, ANSWER).collect().await {
        Ok(body) => Ok((head, body.to_bytes())),
        Err(_) if !head.status.is_success() => Ok((head, Bytes::new())),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::new(Class::Failed, "the answer is too large")),
        Err(_) => Err(Failure::new(Class::Timeout, "the answer broke off")),
    }
}

/// Why there was no answer, in words that are alike for what failed alike.
fn unanswered(error: &Error) -> Failure {
    let (mut cause, mut alert) = (None, false);
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(inner) = inner.downcast_ref::<io::Error>() {
            alert = inner.kind() == io::ErrorKind::Other;
            cause = Some(match inner.kind() {
                io::ErrorKind::Other => inner.to_string(),
                kind => kind.to_string(),
            });
        }
        source = inner.source();
    }
    // Without a connection nothing was sent, nor where TLS refuses it, which 1.3 says after the handshake.
    // Later the peer may have it; and if it is this that it breaks at, others go first.
    let (class, usual) = if error.is_connect() || alert {
        (Class::Unreachable, "no connection")
    } else {
        (Class::Timeout, "the peer closed the connection")
    };
    Failure::new(class, cause.unwrap_or_else(|| usual.to_owned()))
}
