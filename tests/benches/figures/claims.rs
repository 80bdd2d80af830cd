//! A file of professional claims through a whole gateway for claims: dropped in a folder, decided claim by claim, answered by
//! one 999, and listed. What it costs in memory does not grow with the file, which is a gigabyte for the goal.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use causeway_tests::write_claims;

use super::house::House;
use super::table::{Row, number};
use super::{Rows, disk, seconds};

/// Bytes of one of these claims, for the sum only.
const CLAIM: u64 = 452;
/// Between two looks for the answer.
const LOOK: Duration = Duration::from_millis(50);
/// The longest wait for it.
const PATIENCE: Duration = Duration::from_mins(30);

pub(crate) async fn file() -> Rows {
    let megabytes = seconds(50, 1_000); // here they are megabytes
    let folder = disk::folder();
    let root = folder.path().join("claims");
    let stanza = format!(
        "[[listener]]\nname = 'claims'\ntransport = 'files'\nformat = 'x12'\n\
         [listener.files]\nfolder = '{}'\nlook = '50ms'\nsettle = '0s'\n",
        root.display()
    );
    let house = House::only(&stanza).await?;
    let count = usize::try_from(megabytes * 1_000_000 / CLAIM)?;
    let part = folder.path().join("part");
    let length = write_claims(&part, count)? as f64 / 1e6;
    let begun = Instant::now();
    std::fs::rename(part, root.join("inbound/large.837"))?;
    let (answer, seen) = house.watched(answered(&root.join("replies/large.837.reply"))).await?;
    let took = begun.elapsed().as_secs_f64();
    let behind = house.caught_up(PATIENCE).await?;
    let accepted = answer?.matches("IK5*A~").count();
    let sets = count.div_ceil(5_000);
    Ok(vec![
        Row::holds(
            "transaction sets accepted",
            &sets.to_string(),
            accepted.to_string(),
            accepted == sets,
        ),
        Row::at_most("memory at most", 64.0, house.process.memory() as f64 / 1_024.0, "MB"),
        Row::known(
            "its rate",
            format!(
                "{} MB in {} s: {} claims/s, {} of one core",
                number(length),
                number(took),
                number(count as f64 / took),
                number(seen.processor / took)
            ),
        ),
        Row::known("listed after", format!("{} s", number(behind.as_secs_f64()))),
    ])
}

/// The text of the reply, once it is there.
async fn answered(path: &Path) -> anyhow::Result<String> {
    let begun = Instant::now();
    while !path.exists() {
        anyhow::ensure!(begun.elapsed() < PATIENCE, "no answer");
        tokio::time::sleep(LOOK).await;
    }
    std::fs::read_to_string(path).context("the reply")
}
