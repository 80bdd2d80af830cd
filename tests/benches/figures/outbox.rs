//! The way out: how fast results reach peers that take them at once, and how fast a peer that was gone for a while gets what
//! waited for it. The MLLP peer is a receiver in this process; the FHIR peer is a second gateway on the same two cores.

use std::time::{Duration, Instant};

use causeway_tests::{Process, React, Receiver, free_port};

use super::house::House;
use super::load::{ORU, send};
use super::table::{Row, number};
use super::throughput::processor;
use super::{Rows, disk, http, is_full, seconds};

/// The longest that a queue may take.
const PATIENCE: Duration = Duration::from_mins(10);

fn stanza(to: &str) -> String {
    format!("[[destination]]\nname = 'next'\nto = '{to}'\n[destination.retry]\nlongest = '1s'\n")
}

/// Waits until nothing waits; deliveries a second since then.
async fn emptied(house: &House) -> anyhow::Result<f64> {
    let (begun, before) = (Instant::now(), house.count("/destinations/0/delivered").await?);
    let none = async || Ok(house.count("/destinations/0/waiting").await? == 0);
    house.until(PATIENCE, "all of it delivered", none).await?;
    let after = house.count("/destinations/0/delivered").await?;
    Ok((after - before) as f64 / begun.elapsed().as_secs_f64())
}

/// To an MLLP peer: at a pace, and what waited while it was gone.
pub(crate) async fn to_mllp() -> Rows {
    let mut ward = Receiver::start(|_| React::Says("AA")).await;
    let house = House::open(&stanza(&format!("mllp://{}", ward.address))).await?;
    let arguments = format!("--connections 64 --rate 1000 --seconds {}", seconds(5, 60));
    let (report, seen) = house.watched(send(house.process.mllp, ORU, "AA", &arguments)).await?;
    let report = report?;
    let left = house.count("/destinations/0/waiting").await?;
    emptied(&house).await?;
    ward.unplug().await;
    let count = if is_full() { 20_000 } else { 5_000 };
    let arguments = format!("--connections 64 --count {count}");
    send(house.process.mllp, ORU, "AA", &arguments).await?;
    let waiting = house.count("/destinations/0/waiting").await?;
    ward.plug_in().await;
    let rate = emptied(&house).await?;
    Ok(vec![
        Row::known(
            "ORU delivered by MLLP while they come",
            format!("{} /s", number(report.per_second)),
        ),
        Row::known("waiting when the last was answered", left.to_string()),
        processor(&report, &seen),
        Row::known(
            &format!("{waiting} that waited for an MLLP peer"),
            format!("{} /s", number(rate)),
        ),
    ])
}

/// To a FHIR server, a second gateway that keeps each on disk: what waited while it was gone.
pub(crate) async fn to_fhir() -> Rows {
    let (back, door) = (disk::folder(), free_port());
    let house = House::open(&stanza(&format!("http://127.0.0.1:{door}/fhir"))).await?;
    let count = if is_full() { 10_000 } else { 2_000 };
    send(
        house.process.mllp,
        ORU,
        "AA",
        &format!("--connections 64 --count {count}"),
    )
    .await?;
    house.resources_caught_up(PATIENCE).await?;
    let waiting = house.count("/destinations/0/waiting").await?;
    let inlet = http::STANZA.replace("127.0.0.1:0", &format!("127.0.0.1:{door}"));
    let second = Process::configured(back.path(), &inlet, &[]);
    let before = (house.process.processor(), second.processor());
    let rate = emptied(&house).await?;
    let each = |after: Duration, before: Duration| {
        let micros = after.saturating_sub(before).as_secs_f64() * 1e6 / waiting.max(1) as f64;
        format!("{} us", number(micros))
    };
    Ok(vec![
        Row::known(
            &format!("{waiting} that waited for a FHIR server"),
            format!("{} /s", number(rate)),
        ),
        Row::known("processor a delivery here", each(house.process.processor(), before.0)),
        Row::known("processor a delivery there", each(second.processor(), before.1)),
    ])
}
