//! `causeway messages replay`: asks the running gateway, through its admin port, to run a message again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::{Common, Status, block_on, output};

/// How long the gateway may take; it waits 30 s itself.
const PATIENCE: Duration = Duration::from_secs(40);
/// Largest answer.
const ANSWER: usize = 64 << 10;

pub(super) fn run(common: &Common, seq: u64) -> anyhow::Result<Status> {
    let config = common.config()?;
    let file = config.data.join("admin-token");
    let token = match std::fs::read_to_string(&file) {
        Ok(token) => token.trim().to_owned(),
        Err(error) => {
            output::note(&format!("no gateway has run in {}: {error}", config.data.display()));
            return Ok(Status::Unreachable);
        }
    };
    let address = reachable(config.admin.address);
    let asked = block_on(async { tokio::time::timeout(PATIENCE, ask(address, seq, &token)).await })?;
    let (status, answer) = match asked {
        Ok(Ok(answered)) => answered,
        Ok(Err(error)) => {
            output::note(&format!("cannot reach the gateway at {address}: {error:#}"));
            return Ok(Status::Unreachable);
        }
        Err(_) => {
            output::note(&format!("the gateway at {address} does not answer"));
            return Ok(Status::Unreachable);
        }
    };
    Ok(say(common, status, &answer))
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

async fn ask(address: SocketAddr, seq: u64, token: &str) -> anyhow::Result<(StatusCode, Value)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(connection);
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("/messages/{seq}/replay"))
        .header(HOST, address.to_string())
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER).collect().await;
    driver.abort();
    let body = body.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
    Ok((status, serde_json::from_slice(&body)?))
}

fn say(common: &Common, status: StatusCode, answer: &Value) -> Status {
    let state = answer.get("state").and_then(Value::as_str).unwrap_or_default();
    if common.json {
        output::line(&answer.to_string());
    } else if status.is_success() {
        let seq = answer.get("seq").and_then(Value::as_u64).unwrap_or_default();
        output::line(&format!("message {seq}: {state}"));
    } else {
        let error = answer
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or("the gateway refused");
        output::note(error);
    }
    match (status, state) {
        (StatusCode::NOT_FOUND, _) => Status::Unreadable,
        (_, "failed" | "refused") => Status::Findings,
        (status, _) if status.is_success() => Status::Fine,
        _ => Status::Wrong,
    }
}
