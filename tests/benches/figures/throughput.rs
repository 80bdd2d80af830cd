//! Results through the whole line, an application acknowledgement for each: alone, pipelined, from a crowd, paced, and
//! for long.

use std::time::Duration;

use causeway_tests::{Doing, Service};

use super::house::{House, Seen};
use super::load::{ORU, Report, send};
use super::table::{Row, number};
use super::{Rows, disk, seconds};

/// The read model may take so long after a load.
const CATCH_UP: f64 = 60.0;

async fn results(house: &House, arguments: &str) -> anyhow::Result<(Report, Seen)> {
    let (report, seen) = house.watched(send(house.process.mllp, ORU, "AA", arguments)).await?;
    Ok((report?, seen))
}

/// One connection, one message at a time; the quickest of three medians, against the quicker of the disk's medians just
/// before and after it.
pub(crate) async fn one_connection() -> Rows {
    let house = House::open("").await?;
    let mut rows: Vec<(f64, Row)> = Vec::new();
    for _ in 0..3 {
        let before = disk::median();
        let arguments = format!("--connections 1 --seconds {}", seconds(4, 20));
        let report = send(house.process.mllp, ORU, "AA", &arguments).await?;
        let raw = before.min(disk::median()).as_secs_f64() * 1e3;
        let median = report.latency_ms.p50;
        let figure = format!("median of a reply; fdatasync {raw:.3} ms");
        rows.push((median, Row::at_most(&figure, raw * 1.5 + 0.35, median, "ms")));
    }
    rows.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    Ok(rows.into_iter().take(1).map(|(_, row)| row).collect())
}

/// One connection with 16 messages under way.
pub(crate) async fn pipelined() -> Rows {
    let house = House::open("").await?;
    let arguments = format!("--connections 1 --pipeline 16 --seconds {}", seconds(10, 60));
    let (report, seen) = results(&house, &arguments).await?;
    Ok(vec![
        Row::at_least("one connection, 16 pipelined", 3_000.0, report.per_second, "/s"),
        processor(&report, &seen),
    ])
}

/// 64 connections, as fast as replies come.
pub(crate) async fn crowd() -> Rows {
    let house = House::open("").await?;
    let arguments = format!("--connections 64 --seconds {}", seconds(20, 60));
    let (report, seen) = results(&house, &arguments).await?;
    let mut rows = vec![
        Row::at_least("64 connections", 3_000.0, report.per_second, "/s"),
        processor(&report, &seen),
    ];
    rows.extend(after(&house, &seen, 10.0).await?);
    rows.push(Row::at_most(
        "memory at most",
        200.0,
        seen.memory_between(0.0, 1.0),
        "MB",
    ));
    Ok(rows)
}

/// The same with a decision-support service that takes 2 ms for every message.
pub(crate) async fn crowd_with_a_hook() -> Rows {
    let nothing = Doing::AnswersAfter(Duration::from_millis(2), r#"{"cards":[]}"#.to_owned());
    let service = Service::always(nothing).await;
    let house = House::open(&format!("[[hook]]\nname = 'two'\nurl = '{}'\n", service.url())).await?;
    let arguments = format!("--connections 64 --seconds {}", seconds(20, 60));
    let (report, seen) = results(&house, &arguments).await?;
    let asked = service.calls() as u64;
    let mut rows = vec![
        Row::at_least("64 connections and a hook of 2 ms", 2_500.0, report.per_second, "/s"),
        Row::holds(
            "messages that the hook was asked about",
            "all",
            format!("{asked} of {}", report.answered),
            asked == report.answered,
        ),
        processor(&report, &seen),
    ];
    rows.extend(after(&house, &seen, 10.0).await?);
    Ok(rows)
}

/// 1,500 messages a second over 64 connections.
pub(crate) async fn paced() -> Rows {
    let house = House::open("").await?;
    let arguments = format!("--connections 64 --rate 1500 --seconds {}", seconds(30, 600));
    let (report, seen) = results(&house, &arguments).await?;
    let mut rows = vec![
        Row::at_least("paced at 1500/s", 1_500.0 * 0.99, report.per_second, "/s"),
        Row::at_most("paced: p99 of a reply", 20.0, report.latency_ms.p99, "ms"),
    ];
    rows.extend(after(&house, &seen, 5.0).await?);
    Ok(rows)
}

/// What a message costs the gateway, read model and all; other processes do not change it much.
pub(crate) fn processor(report: &Report, seen: &Seen) -> Row {
    let each = seen.processor * 1e6 / report.answered as f64;
    Row::known("the gateway's processor time a message", format!("{} us", number(each)))
}

/// What the read model did during a load, and how long it takes to have all.
async fn after(house: &House, seen: &Seen, behind: f64) -> Rows {
    let caught_up = house.caught_up(Duration::from_mins(5)).await?;
    Ok(vec![
        Row::at_most("read model behind at most", behind, seen.behind, "s"),
        Row::at_most("read model caught up after", CATCH_UP, caught_up.as_secs_f64(), "s"),
    ])
}

/// A million messages: memory stays what it was after the first tenth.
pub(crate) async fn a_million() -> Rows {
    let house = House::open("").await?;
    let (report, seen) = results(&house, "--connections 64 --count 1000000").await?;
    let (early, late) = (seen.memory_between(0.1, 0.3), seen.memory_between(0.8, 1.0));
    let mut rows = vec![
        Row::known("a million messages", format!("{} /s", number(report.per_second))),
        Row::at_most("memory at most", 200.0, seen.memory_between(0.0, 1.0), "MB"),
        Row::holds(
            "memory of the first and of the last part",
            "flat within 5 %",
            format!("{} MB, {} MB", number(early), number(late)),
            late <= early * 1.05,
        ),
    ];
    rows.extend(after(&house, &seen, 10.0).await?);
    Ok(rows)
}
