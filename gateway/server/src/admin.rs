//! The admin port: `/livez` and `/readyz` for whoever runs the machine, the rest behind the token. It answers only to
//! names it knows (a page in a browser cannot rebind its way in), and never shows patient data. Whatever changes something
//! of a running gateway comes in here.

mod deliveries;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::replay::{Replay, Replayed};
use crate::rulebook::Rulebook;
use crate::transport::tls::Certificates;

pub use deliveries::Deliveries;

/// What is answered.
type Reply = Response<Full<Bytes>>;

/// What the pages show; made by whoever knows the gateway.
pub trait Insight: Send + Sync {
    /// Why the gateway is not ready; empty when it is.
    fn unready(&self) -> Vec<String>;

    /// What operators should know although the gateway is ready.
    fn remarks(&self) -> Vec<String>;

    /// Counters and states.
    fn status(&self) -> Value;

    /// The metrics as Prometheus reads them.
    fn metrics(&self) -> String;
}

/// The admin port's own state.
pub struct Admin {
    insight: Arc<dyn Insight>,
    replay: Option<Replay>,
    deliveries: Option<Deliveries>,
    rulebook: Option<Arc<Rulebook>>,
    certificates: Certificates,
    token: String,
    hosts: Vec<String>,
}

impl std::fmt::Debug for Admin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Admin")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl Admin {
    /// An admin port for a token and the host names it answers to besides its address and localhost.
    pub fn new(insight: Arc<dyn Insight>, token: String, address: SocketAddr, hosts: &[String]) -> Self {
        let port = address.port();
        let mut known = vec![
            address.to_string(),
            format!("localhost:{port}"),
            format!("127.0.0.1:{port}"),
        ];
        known.extend(hosts.iter().flat_map(|host| [host.clone(), format!("{host}:{port}")]));
        Self {
            insight,
            replay: None,
            deliveries: None,
            rulebook: None,
            certificates: Certificates::default(),
            token,
            hosts: known,
        }
    }

    /// Lets operators run messages again.
    #[must_use]
    pub fn with_replay(self, replay: Replay) -> Self {
        Self {
            replay: Some(replay),
            ..self
        }
    }

    /// Lets operators decide about deliveries.
    #[must_use]
    pub fn with_deliveries(self, deliveries: Deliveries) -> Self {
        Self {
            deliveries: Some(deliveries),
            ..self
        }
    }

    /// Lets operators reload the rules.
    #[must_use]
    pub fn with_rules(self, rulebook: Arc<Rulebook>) -> Self {
        Self {
            rulebook: Some(rulebook),
            ..self
        }
    }

    /// Lets operators reload the certificates.
    #[must_use]
    pub fn with_certificates(self, certificates: Certificates) -> Self {
        Self { certificates, ..self }
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        let host = request
            .headers()
            .get(HOST)
            .and_then(|host| host.to_str().ok())
            .unwrap_or_default();
        if !self.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)) {
            return reply(
                StatusCode::MISDIRECTED_REQUEST,
                &json!({"error": "this port does not answer to that host"}),
            );
        }
        let path = request.uri().path();
        if !matches!(path, "/livez" | "/readyz") && !self.knows(&request) {
            return reply(
                StatusCode::UNAUTHORIZED,
                &json!({"error": "Authorization: Bearer TOKEN is needed"}),
            );
        }
        if path.starts_with("/deliveries/") || path.starts_with("/destinations/") {
            return match self.deliveries.clone() {
                Some(deliveries) => deliveries.answer(request).await,
                None => said(StatusCode::NOT_FOUND, "no such page"),
            };
        }
        if let Some(number) = replayed(path) {
            return self.run_again(request.method(), number).await;
        }
        if path == "/rules/reload" {
            return self.reload(request.method()).await;
        }
        if path == "/tls/reload" {
            return self.reload_certificates(request.method()).await;
        }
        match (request.method(), path) {
            (&Method::GET | &Method::HEAD, "/livez") => reply(StatusCode::OK, &json!({"live": true})),
            (&Method::GET | &Method::HEAD, "/readyz") => self.ready(),
            (&Method::GET | &Method::HEAD, "/status") => reply(StatusCode::OK, &self.insight.status()),
            (&Method::GET | &Method::HEAD, "/metrics") => metrics(self.insight.metrics()),
            (&Method::GET | &Method::HEAD, "/version") => reply(
                StatusCode::OK,
                &json!({"name": "causeway", "version": env!("CARGO_PKG_VERSION")}),
            ),
            (_, "/livez" | "/readyz" | "/status" | "/version" | "/metrics") => {
                reply(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": "only GET"}))
            }
            _ => reply(StatusCode::NOT_FOUND, &json!({"error": "no such page"})),
        }
    }

    fn ready(&self) -> Reply {
        let reasons = self.insight.unready();
        let status = if reasons.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        reply(
            status,
            &json!({"ready": reasons.is_empty(), "reasons": reasons, "remarks": self.insight.remarks()}),
        )
    }

    async fn run_again(&self, method: &Method, number: u64) -> Reply {
        let Some(replay) = &self.replay else {
            return said(StatusCode::NOT_FOUND, "no such page");
        };
        if method != Method::POST {
            return said(StatusCode::METHOD_NOT_ALLOWED, "only POST");
        }
        match replay.run(number).await {
            Ok(Replayed::Ran { number: ran, state }) => {
                reply(StatusCode::OK, &json!({"seq": ran, "of": number, "state": state}))
            }
            Ok(Replayed::Unknown) => said(StatusCode::NOT_FOUND, "there is no such message"),
            Ok(Replayed::InWork) => said(StatusCode::CONFLICT, "the message is in work"),
            Ok(Replayed::Answered) => said(
                StatusCode::CONFLICT,
                "the message was accepted; nothing is to be run again",
            ),
            Ok(Replayed::NoListener(name)) => said(
                StatusCode::CONFLICT,
                &format!("the message's listener {name:?} is not configured any more"),
            ),
            Err(fault) => said(StatusCode::SERVICE_UNAVAILABLE, &fault.outside),
        }
    }

    async fn reload(&self, method: &Method) -> Reply {
        let Some(rulebook) = self.rulebook.clone() else {
            return said(StatusCode::NOT_FOUND, "no such page");
        };
        if method != Method::POST {
            return said(StatusCode::METHOD_NOT_ALLOWED, "only POST");
        }
        let book = Arc::clone(&rulebook);
        match tokio::task::spawn_blocking(move || book.reload()).await {
            Ok(Ok(snapshot)) => reply(StatusCode::OK, &json!({"snapshot": snapshot.id()})),
            Ok(Err(refused)) => {
                let problems: Vec<String> = refused.0.iter().map(ToString::to_string).collect();
                let kept = rulebook.current();
                let error = "the rule packs are broken; the snapshot in force stays";
                let body = json!({"error": error, "snapshot": kept.id(), "problems": problems});
                reply(StatusCode::UNPROCESSABLE_ENTITY, &body)
            }
            Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, "the reload broke"),
        }
    }

    async fn reload_certificates(&self, method: &Method) -> Reply {
        if method != Method::POST {
            return said(StatusCode::METHOD_NOT_ALLOWED, "only POST");
        }
        let certificates = self.certificates.clone();
        match tokio::task::spawn_blocking(move || certificates.reload()).await {
            Ok(Ok(listeners)) => reply(StatusCode::OK, &json!({"listeners": listeners})),
            Ok(Err(wrong)) => {
                let problems: Vec<String> = wrong.iter().map(ToString::to_string).collect();
                let error = "certificates cannot be used; those in force stay";
                reply(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &json!({"error": error, "problems": problems}),
                )
            }
            Err(_) => said(StatusCode::INTERNAL_SERVER_ERROR, "the reload broke"),
        }
    }

    fn knows(&self, request: &Request<Incoming>) -> bool {
        let given = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let given = given.strip_prefix("Bearer ").unwrap_or_default().as_bytes();
        let known = self.token.as_bytes();
        // Every byte is looked at, so that time tells nothing.
        let differing = given.iter().zip(known).fold(0, |all, (a, b)| all | (a ^ b));
        given.len() == known.len() && differing == 0
    }
}

/// The number in `/messages/{number}/replay`.
fn replayed(path: &str) -> Option<u64> {
    path.strip_prefix("/messages/")?.strip_suffix("/replay")?.parse().ok()
}

fn said(status: StatusCode, error: &str) -> Reply {
    reply(status, &json!({ "error": error }))
}

/// The text exposition format of Prometheus, version 0.0.4.
fn metrics(text: String) -> Reply {
    let mut response = Response::new(Full::from(text));
    let kind = hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

fn reply(status: StatusCode, value: &Value) -> Reply {
    let mut response = Response::new(Full::from(format!("{value}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        hyper::header::HeaderValue::from_static("application/json"),
    );
    response
}

/// Connections of the admin port at once.
const CONNECTIONS: usize = 64;

/// Serves until told to stop.
pub async fn serve(socket: TcpListener, admin: Admin, mut stop: watch::Receiver<bool>) {
    let admin = Arc::new(admin);
    let room = Arc::new(tokio::sync::Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let (Ok((stream, _)), Ok(permit)) = (accepted, Arc::clone(&room).try_acquire_owned()) else {
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let admin = Arc::clone(&admin);
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let admin = Arc::clone(&admin);
                async move { Ok::<_, std::convert::Infallible>(admin.answer(request).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(10))
                .max_buf_size(16 << 10);
            // A peer that breaks off is no news.
            let _broken = http.serve_connection(TokioIo::new(stream), service).await;
            drop(permit);
        });
    }
}

/// The token of a data folder, made at the first start and readable by its owner only.
///
/// # Errors
/// The folder cannot be written, or the file cannot be read.
pub fn token(folder: &Path) -> anyhow::Result<String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let file = folder.join("admin-token");
    if let Ok(text) = std::fs::read_to_string(&file)
        && !text.trim().is_empty()
    {
        return Ok(text.trim().to_owned());
    }
    let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let mut made = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    writeln!(made, "{token}")?;
    Ok(token)
}
