//! What the disk gives without us: how many times a second 1 KiB is appended and synced, one after the other. It drifts
//! by the minute on shared machines, so that no figure means anything without it.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the disk is asked.
const ASKED: Duration = Duration::from_secs(1);

/// The folder for data: in the build folder, since `/tmp` is memory on some machines.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// Appends with fdatasync a second.
pub(crate) fn rate() -> f64 {
    let times = sync(folder().path()).expect("a disk");
    times.len() as f64 / ASKED.as_secs_f64()
}

/// The median of an append's time.
pub(crate) fn median() -> Duration {
    let mut times = sync(folder().path()).expect("a disk");
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn sync(folder: &Path) -> std::io::Result<Vec<Duration>> {
    let mut file = File::create(folder.join("raw"))?;
    let (begun, mut times) = (Instant::now(), Vec::new());
    while begun.elapsed() < ASKED {
        let start = Instant::now();
        file.write_all(&[b'x'; 1024])?;
        file.sync_data()?;
        times.push(start.elapsed());
    }
    Ok(times)
}
