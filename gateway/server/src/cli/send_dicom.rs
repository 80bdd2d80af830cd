//! `causeway send dicom://CALLED@HOST:PORT`: stores objects from their files with a DICOM peer, or asks whether it is
//! there (C-ECHO) where there is no file; `--connections` and `--count` measure. Of an object nothing is in memory but a
//! few blocks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::send::{Args, connector};
use super::{Status, block_on, output};
use crate::transport::dimse::{Association, CallError, Caller, Kind, ObjectFile, Ready, Said, Verdict};
use crate::transport::tls::Stream;

/// Whether a target is this module's.
pub(super) fn is_target(target: &str) -> bool {
    target.starts_with("dicom://") || target.starts_with("dicoms://")
}

pub(super) fn run(args: &Args, json: bool) -> anyhow::Result<Status> {
    if args.rate.is_some() || args.vary || args.seconds.is_some() || args.pipeline != 1 {
        anyhow::bail!("--rate, --seconds, --pipeline and --vary are for MLLP");
    }
    let caller = caller(args)?;
    block_on(send(&caller, args, json))
}

fn caller(args: &Args) -> anyhow::Result<Caller> {
    let (tls, rest) = match args.target.strip_prefix("dicoms://") {
        Some(rest) => (true, rest),
        None => (false, args.target.trim_start_matches("dicom://")),
    };
    let Some((called, address)) = rest.split_once('@') else {
        anyhow::bail!("a DICOM target is dicom://CALLED-AE@HOST:PORT, not {:?}", args.target);
    };
    let is_title = |title: &str| (1..=16).contains(&title.trim().len()) && title.is_ascii();
    for title in [called, args.calling.as_str()] {
        if !is_title(title) {
            anyhow::bail!("an AE title has 1 to 16 ASCII characters, not {title:?}");
        }
    }
    let time = Duration::from_secs(args.timeout);
    Ok(Caller {
        address: address.to_owned(),
        called_ae: called.to_owned(),
        calling_ae: args.calling.clone(),
        connector: connector(args, tls)?,
        connect: time,
        timeout: time,
    })
}

async fn send(caller: &Caller, args: &Args, json: bool) -> Status {
    if args.files.is_empty() {
        return echo(caller, json).await;
    }
    let Some(kinds) = kinds(&args.files) else {
        return Status::Unreadable;
    };
    if args.connections.is_some() || args.count.is_some() {
        return measure(caller, &kinds, args, json).await;
    }
    let mut association = match caller.call(&kinds).await {
        Ok(association) => association,
        Err(error) => return unreachable(caller, &error),
    };
    let mut status = Status::Fine;
    for file in &args.files {
        match one(&mut association, file).await {
            Ok(said) => status = status.max(told(file, &said, json)),
            Err(error @ CallError::NotTaken { .. }) => {
                output::note(&format!("{}: {error}", file.display()));
                status = status.max(Status::Findings);
            }
            Err(error) => {
                output::note(&format!("{}: {error}", file.display()));
                return of(&error);
            }
        }
    }
    ended(association.release().await, status)
}

/// The peer has the objects already; that it did not end well is only said.
fn ended(released: Result<(), CallError>, status: Status) -> Status {
    if let Err(error) = released {
        output::note(&format!("not released: {error}"));
    }
    status
}

async fn echo(caller: &Caller, json: bool) -> Status {
    let said = async {
        let mut association = caller.call(&[]).await?;
        let said = association.echo().await?;
        Ok::<_, CallError>((said, association.release().await))
    };
    match said.await {
        Ok((said, released)) => ended(released, told(Path::new("C-ECHO"), &said, json)),
        Err(error) => unreachable(caller, &error),
    }
}

async fn one(association: &mut Association<Stream>, file: &Path) -> Result<Said, CallError> {
    let object = ObjectFile::opened(file.to_owned()).await?;
    association.store(object).await
}

/// Every kind of object among the files; says which file is none, and then there is nothing.
fn kinds(files: &[PathBuf]) -> Option<Vec<Kind>> {
    let mut kinds = Vec::new();
    for file in files {
        match ObjectFile::open(file) {
            Ok(object) if kinds.contains(&object.kind) => {}
            Ok(object) => kinds.push(object.kind),
            Err(error) => {
                output::note(&format!("{}: {error}", file.display()));
                return None;
            }
        }
    }
    Some(kinds)
}

fn told(file: &Path, said: &Said, json: bool) -> Status {
    let (status, comment) = (format!("{:04X}", said.status), &said.comment);
    if json {
        output::line(&json!({"file": file, "status": status, "comment": comment}).to_string());
    } else {
        output::line(format!("{}: {status} {comment}", file.display()).trim_end());
    }
    if said.is_taken() {
        Status::Fine
    } else {
        Status::Findings
    }
}

fn unreachable(caller: &Caller, error: &CallError) -> Status {
    output::note(&format!("{}: {error}", caller.address));
    of(error)
}

fn of(error: &CallError) -> Status {
    match error {
        CallError::File(_) => Status::Unreadable,
        _ => Status::Unreachable,
    }
}

/// What a measurement found.
#[derive(Debug, Default)]
struct Found {
    statuses: BTreeMap<String, u64>,
    errors: BTreeMap<String, u64>,
    times: Vec<Duration>,
}

impl Found {
    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
        self.times.extend(other.times);
    }

    /// With what ended it.
    fn with(mut self, error: &CallError) -> Self {
        *self.errors.entry(error.to_string()).or_default() += 1;
        self
    }

    /// A quantile of the times, in milliseconds; they are in order.
    fn quantile(&self, per_mille: usize) -> f64 {
        let at = (self.times.len() * per_mille / 1_000).min(self.times.len().saturating_sub(1));
        self.times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// Sends objects over several associations, each taking the next file that nobody has taken.
async fn measure(caller: &Caller, kinds: &[Kind], args: &Args, json: bool) -> Status {
    let connections = usize::from(args.connections.unwrap_or(1));
    let count = args.count.unwrap_or(args.files.len() as u64);
    let turns = Arc::new(Turns {
        files: args.files.clone(),
        next: AtomicU64::new(0),
        count,
    });
    let mut associations = Vec::new();
    for _ in 0..connections {
        match caller.call(kinds).await {
            Ok(association) => associations.push(association),
            Err(error) => return unreachable(caller, &error),
        }
    }
    let begun = Instant::now();
    let mut running = tokio::task::JoinSet::new();
    for association in associations {
        running.spawn(load(association, Arc::clone(&turns)));
    }
    let mut found = Found::default();
    while let Some(ended) = running.join_next().await {
        found.add(ended.unwrap_or_default());
    }
    report(found, connections, begun.elapsed(), json)
}

/// Sends by one association; the next object is read while the peer is busy with the one before.
async fn load(mut association: Association<Stream>, turns: Arc<Turns>) -> Found {
    let mut found = Found::default();
    let mut next = coming(&association, &turns).await;
    while let Some(ready) = next {
        let ready = match ready {
            Ok(ready) => ready,
            Err(error) => return found.with(&error),
        };
        next = coming(&association, &turns).await;
        let begun = Instant::now();
        match association.send(ready).await {
            Ok(said) => {
                *found.statuses.entry(format!("{:04X}", said.status)).or_default() += 1;
                found.times.push(begun.elapsed());
            }
            Err(error) => return found.with(&error),
        }
    }
    drop(association.release().await); // all was said
    found
}

/// The object whose turn it is; none when all went out.
async fn coming(association: &Association<Stream>, turns: &Turns) -> Option<Result<Ready, CallError>> {
    let object = ObjectFile::opened(turns.next()?.to_owned()).await;
    Some(
        object
            .map_err(CallError::from)
            .and_then(|object| association.ready(object)),
    )
}

/// Files in turn, for all associations together.
struct Turns {
    files: Vec<PathBuf>,
    next: AtomicU64,
    count: u64,
}

impl Turns {
    fn next(&self) -> Option<&Path> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = usize::try_from(number % self.files.len().max(1) as u64).unwrap_or(0);
        self.files
            .get(turn)
            .filter(|_| number < self.count)
            .map(PathBuf::as_path)
    }
}

fn report(mut found: Found, connections: usize, took: Duration, json: bool) -> Status {
    found.times.sort_unstable();
    let (answered, seconds) = (found.times.len(), took.as_secs_f64());
    let rate = f64::from(u32::try_from(answered).unwrap_or(u32::MAX)) / seconds;
    let (median, p99, most) = (found.quantile(500), found.quantile(990), found.quantile(1_000));
    if json {
        let record = json!({
            "connections": connections, "answered": answered, "seconds": seconds, "per_second": rate,
            "latency_ms": {"p50": median, "p99": p99, "max": most},
            "statuses": found.statuses, "errors": found.errors,
        });
        output::line(&record.to_string());
    } else {
        output::line(&format!(
            "{answered} objects in {seconds:.2} s over {connections} associations: {rate:.0}/s"
        ));
        output::line(&format!("ms: p50 {median:.2}, p99 {p99:.2}, max {most:.2}"));
        for (what, count) in found.statuses.iter().chain(&found.errors) {
            output::line(&format!("{what}: {count}"));
        }
    }
    let taken = |status: &String| u16::from_str_radix(status, 16).is_ok_and(|status| Verdict::of(status).is_taken());
    if !found.errors.is_empty() {
        Status::Unreachable
    } else if found.statuses.keys().all(taken) {
        Status::Fine
    } else {
        Status::Findings
    }
}
