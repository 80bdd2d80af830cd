//! Senders that only want to hear that their message is kept: how fast they hear it, how fast the work set aside is
//! done, and that a kill with much set aside loses nothing.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use causeway_core::store::Event;
use causeway_store::SqliteLog;
use causeway_tests::{Doing, Service};

use super::house::House;
use super::load::{ADT, Report, send};
use super::table::{Row, number};
use super::{Rows, seconds};

/// The longest that a backlog may take.
const PATIENCE: Duration = Duration::from_mins(10);

async fn admissions(house: &House, seconds: u64) -> anyhow::Result<Report> {
    send(
        house.process.mllp,
        ADT,
        "CA",
        &format!("--connections 64 --seconds {seconds}"),
    )
    .await
}

/// The rate of commits, and of the work that was set aside meanwhile.
pub(crate) async fn rate_and_drain() -> Rows {
    let house = House::open("").await?;
    let (report, seen) = house.watched(admissions(&house, seconds(5, 20))).await?;
    let report = report?;
    let left = house.count("/log/pending").await?;
    let took = house.drained(PATIENCE).await?.as_secs_f64();
    let drained = format!("then {left} set aside are answered at");
    let caught_up = house.caught_up(PATIENCE).await?.as_secs_f64();
    let answered = house.count("/log/answered").await?;
    Ok(vec![
        Row::at_least("commits of 1 kB ADT, 64 connections", 15_000.0, report.per_second, "/s"),
        match left {
            0 => Row::known("set aside", "none: all were answered at once".to_owned()),
            _ => Row::at_least(&drained, 3_000.0, left as f64 / took, "/s"),
        },
        Row::holds(
            "committed and answered",
            "all",
            format!("{answered} of {}", report.answered),
            answered == report.answered,
        ),
        Row::known("read model caught up after", format!("{} s", number(caught_up))),
        Row::at_most("memory at most", 200.0, seen.memory_between(0.0, 1.0), "MB"),
    ])
}

/// kill -9 with a backlog, another start, and every message counted in the log. A slow service sees to it that much is set
/// aside; after the kill it is not asked any more.
pub(crate) async fn killed_with_a_backlog() -> Rows {
    let slow = Doing::AnswersAfter(Duration::from_millis(250), r#"{"cards":[]}"#.to_owned());
    let service = Service::always(slow).await;
    let stanza = format!(
        "[[hook]]\nname = 'slow'\nurl = '{}'\nconcurrency = 4000\n",
        service.url()
    );
    let house = House::open(&stanza).await?;
    let committed = admissions(&house, 3).await?.answered;
    let left = house.count("/log/pending").await?;
    let house = house.killed_and_started().await?;
    let took = house.drained(PATIENCE).await?.as_secs_f64();
    let (kept, answered) = recount(house.data())?;
    Ok(vec![
        Row::holds(
            "set aside when killed",
            "some",
            format!("{left} of {committed}"),
            left > 0,
        ),
        Row::known(
            "after the kill they are answered at",
            format!("{} /s", number(left as f64 / took)),
        ),
        Row::holds(
            "committed messages in the log, by MSH-10",
            "all",
            format!("{kept} of {committed}"),
            kept == committed,
        ),
        Row::holds(
            "answered once each",
            "all",
            format!("{answered} of {committed}"),
            answered == committed,
        ),
    ])
}

/// How many different control ids a log holds, and how many answers to different frames.
fn recount(data: &Path) -> anyhow::Result<(u64, u64)> {
    let log = SqliteLog::read_only(data).map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    let (mut ids, mut answered, mut position) = (BTreeSet::new(), BTreeSet::new(), 0);
    loop {
        let page = log
            .read_from(position, 1_000)
            .map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
        let Some(last) = page.last() else { break };
        position = last.position;
        for record in &page {
            match &record.event {
                Event::Received { frame, .. } => {
                    let id = frame.body.split(|byte| *byte == b'|').nth(9).context("MSH-10")?;
                    ids.insert(id.to_vec());
                }
                Event::Answered { .. } => anyhow::ensure!(answered.insert(record.number), "answered twice"),
                _ => {}
            }
        }
    }
    Ok((ids.len() as u64, answered.len() as u64))
}
