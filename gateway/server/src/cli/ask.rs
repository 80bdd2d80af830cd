//! What commands ask of a running gateway, through its admin port and with the token of its data folder.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::{block_on, output};
use crate::config::Config;

/// How long the gateway may take; it waits 30 s itself.
const PATIENCE: Duration = Duration::from_secs(40);
/// Largest answer.
const ANSWER: usize = 64 << 10;

/// Posts to a page; nothing when the gateway cannot be reached, which was said then.
pub(super) fn post(config: &Config, path: &str) -> anyhow::Result<Option<(StatusCode, Value)>> {
    post_body(config, path, Bytes::new())
}

/// Posts a body to a page; as [`post`].
pub(super) fn post_body(config: &Config, path: &str, body: Bytes) -> anyhow::Result<Option<(StatusCode, Value)>> {
    let token = match std::fs::read_to_string(config.data.join("admin-token")) {
        Ok(token) => token.trim().to_owned(),
        Err(error) => {
            output::note(&format!("no gateway has run in {}: {error}", config.data.display()));
            return Ok(None);
        }
    };
    let address = reachable(config.admin.address);
    let asked = block_on(async { tokio::time::timeout(PATIENCE, ask(address, path, &token, body)).await })?;
    match asked {
        Ok(Ok(answered)) => return Ok(Some(answered)),
        Ok(Err(error)) => output::note(&format!("cannot reach the gateway at {address}: {error:#}")),
        Err(_) => output::note(&format!("the gateway at {address} does not answer")),
    }
    Ok(None)
}

/// A gateway that listens everywhere is asked on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// Shows an answer: as it is to machines, in words to people, and of a refusal why.
pub(super) fn show(json: bool, status: StatusCode, answer: &Value, words: impl FnOnce() -> String) {
    if json {
        output::line(&answer.to_string());
    } else if status.is_success() {
        output::line(&words());
    } else {
        output::note(text(answer, "error"));
    }
}

async fn ask(address: SocketAddr, path: &str, token: &str, body: Bytes) -> anyhow::Result<(StatusCode, Value)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, address.to_string())
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Full::new(body))?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER).collect().await;
    driver.abort();
    let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
    Ok((status, serde_json::from_slice(&body)?))
}

/// A text of an answer.
pub(super) fn text<'a>(answer: &'a Value, key: &str) -> &'a str {
    answer.get(key).and_then(Value::as_str).unwrap_or_default()
}
