//! FHIR over HTTP: reads and durable creates as fast as they go, and reads at a pace. The client is the bench itself, on the
//! same machine.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use causeway_tests::{Http, JSON};

use super::house::House;
use super::table::Row;
use super::{Rows, seconds};

/// A listener with a FHIR route.
pub(crate) const STANZA: &str = "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/fhir', format = 'fhir'}]\n";

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:oid:1.2.3","value":"0084512"}],
    "name":[{"family":"Wei","given":["Zhang"]}],"gender":"male","birthDate":"1979-05-16"}"#;

/// Asks the same on some connections for some seconds, each at its pace or without one; answers a second and their median
/// in milliseconds.
async fn asked(
    address: SocketAddr,
    connections: usize,
    time: Duration,
    pace: Option<Duration>,
    (method, path, body, status): (&str, &str, &str, u16),
) -> anyhow::Result<(f64, f64)> {
    let begun = Instant::now();
    let one = || async {
        let mut http = Http::connect(address).await;
        let request = http.request(method, path, JSON, body.as_bytes());
        let mut took = Vec::new();
        while begun.elapsed() < time {
            let sent = Instant::now();
            anyhow::ensure!(http.send(&request).await, "the connection ended");
            let answer = http.response().await.context("no answer")?;
            anyhow::ensure!(answer.status == status, "{}", answer.text());
            took.push(sent.elapsed());
            if let Some(pace) = pace {
                tokio::time::sleep(pace.saturating_sub(sent.elapsed())).await;
            }
        }
        Ok(took)
    };
    let all = futures_util::future::try_join_all((0..connections).map(|_| one())).await?;
    let mut took: Vec<Duration> = all.into_iter().flatten().collect();
    took.sort();
    let median = took.get(took.len() / 2).context("no answers")?;
    Ok((
        took.len() as f64 / begun.elapsed().as_secs_f64(),
        median.as_secs_f64() * 1_000.0,
    ))
}

/// Reads and creates.
pub(crate) async fn reads_and_creates() -> Rows {
    let house = House::open(STANZA).await?;
    let address = house.process.http.context("an HTTP listener")?;
    let time = Duration::from_secs(seconds(5, 20));
    let put = ("PUT", "/fhir/Patient/p1", PATIENT, 201);
    let mut http = Http::connect(address).await;
    let first = http.ask(put.0, put.1, JSON, put.2.as_bytes()).await;
    anyhow::ensure!(first.status == put.3, "{}", first.text());
    let read = ("GET", "/fhir/Patient/p1", "", 200);
    let (reads, _) = asked(address, 16, time, None, read).await?;
    let (_, median) = asked(address, 10, time, Some(Duration::from_millis(10)), read).await?;
    let create = ("POST", "/fhir/Patient", PATIENT, 201);
    let (creates, _) = asked(address, 64, time, None, create).await?;
    Ok(vec![
        Row::at_least("FHIR reads, 16 connections", 15_000.0, reads, "/s"),
        Row::at_most("a read at 1,000/s, median", 0.5, median, "ms"),
        Row::at_least("durable FHIR creates, 64 connections", 3_000.0, creates, "/s"),
    ])
}
