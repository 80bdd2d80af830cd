//! `causeway send`: sends messages and prints the replies; with `--connections`, `--count` or `--rate` it measures
//! instead. Nothing is kept here. What goes to DICOM peers is in `send_dicom`, what goes over HTTP in `send_http`.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::{Common, Status, block_on, input, output, send_dicom, send_http};
use crate::transport::mllp::{Client, ClientError, Fresh, Load, LoadReport, Timeouts, load};
use crate::transport::tls::{ClientOptions, Connector};

/// Arguments of `send`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  causeway send mllp://127.0.0.1:2575 oru.hl7
  causeway send mllp://127.0.0.1:2575 oru.hl7 --connections 16 --count 10000 --vary
  causeway send mllps://gateway.example.org:2576 oru.hl7 --ca ca.pem --certificate lis.pem --key lis.key
  causeway send mllp://127.0.0.1:2575 a01.hl7 oru.hl7 --rate 500 --seconds 60 --json
  causeway send http://127.0.0.1:8080 oru.hl7 claims.edi patient.json
  causeway send https://fhir.example.org/r4 bundle.json --token-file token
  causeway send dicom://CAUSEWAY@127.0.0.1:11112                C-ECHO
  causeway send dicom://ORTHANC@127.0.0.1:4242 ct1.dcm ct2.dcm  C-STORE")]
pub(super) struct Args {
    /// `mllp://HOST:PORT`, `http://HOST:PORT[/PATH]` or `dicom://CALLED-AE@HOST:PORT`; `mllps://`, `https://` or
    /// `dicoms://` under TLS. Over HTTP the path is that of the format where none is said: /hl7v2, /x12, /fhir.
    pub(super) target: String,
    /// Files; `-` is stdin. Without any, a DICOM peer is asked whether it is there (C-ECHO).
    pub(super) files: Vec<PathBuf>,
    /// Seconds to wait for a reply.
    #[arg(long, default_value_t = 30)]
    pub(super) timeout: u64,
    /// DICOM: the title that calls.
    #[arg(long, value_name = "AE", default_value = "CAUSEWAY")]
    pub(super) calling: String,
    /// HTTP: a file with the token, sent as `Authorization: Bearer TOKEN`.
    #[arg(long, value_name = "FILE")]
    pub(super) token_file: Option<PathBuf>,
    /// TLS: the authorities (PEM) that are trusted, instead of the system's.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// TLS: the certificate (PEM) to show, with --key.
    #[arg(long, value_name = "FILE", requires = "key")]
    certificate: Option<PathBuf>,
    /// TLS: the certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
    /// Measure: connections at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) connections: Option<u16>,
    /// Measure: messages in all, the files in turn; without it and --seconds each file once for each connection.
    #[arg(long, value_name = "N")]
    pub(super) count: Option<u64>,
    /// Measure: how long to send; what is under way then is still waited for.
    #[arg(long, value_name = "S")]
    pub(super) seconds: Option<u64>,
    /// Measure: messages a second in all; without it as fast as replies come.
    #[arg(long, value_name = "R", value_parser = rate)]
    pub(super) rate: Option<f64>,
    /// Measure: messages of one connection that wait for replies at once.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) pipeline: usize,
    /// Measure: a new patient, visit and order in every message; MSH-10 is always new.
    #[arg(long)]
    pub(super) vary: bool,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if f64::is_finite(rate) && rate > 0.0 => Ok(rate),
        _ => Err("a number above 0".to_owned()),
    }
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    if send_dicom::is_target(&args.target) {
        return send_dicom::run(args, common.json);
    }
    if args.files.is_empty() {
        anyhow::bail!("what is to be sent? FILE..., or - for stdin");
    }
    if send_http::is_target(&args.target) {
        return send_http::run(args, common.json);
    }
    if args.token_file.is_some() {
        anyhow::bail!("--token-file is for HTTP");
    }
    let (address, tls) = target(args)?;
    let Some(inputs) = input::read(&args.files) else {
        return Ok(Status::Unreadable);
    };
    if measures(args) {
        block_on(measure(address, tls, args, &inputs, common.json))
    } else {
        block_on(exchange(address, &tls, args, &inputs, common.json))
    }
}

/// Where to send, and with what.
fn target(args: &Args) -> anyhow::Result<(&str, Connector)> {
    let (tls, address) = match args.target.strip_prefix("mllps://") {
        Some(address) => (true, Some(address)),
        None => (false, args.target.strip_prefix("mllp://")),
    };
    let Some(address) = address else {
        anyhow::bail!(
            "a target is mllp(s)://HOST:PORT, http(s)://HOST:PORT[/PATH] or dicom(s)://CALLED-AE@HOST:PORT, not {:?}",
            args.target
        );
    };
    Ok((address, connector(args, tls)?))
}

/// What connections are made with.
pub(super) fn connector(args: &Args, tls: bool) -> anyhow::Result<Connector> {
    let options = ClientOptions {
        ca: args.ca.clone(),
        certificate: args.certificate.clone(),
        key: args.key.clone(),
        ..ClientOptions::default()
    };
    if tls {
        return Ok(Connector::tls(&options)?);
    }
    if options != ClientOptions::default() {
        anyhow::bail!(
            "certificates are for mllps://, https:// and dicoms://, and the target is {:?}",
            args.target
        );
    }
    Ok(Connector::plain())
}

/// Whether any argument asks for a measurement.
fn measures(args: &Args) -> bool {
    let ends = args.count.is_some() || args.seconds.is_some();
    ends || args.connections.is_some() || args.rate.is_some() || args.vary
}

async fn exchange(address: &str, tls: &Connector, args: &Args, inputs: &[input::Input], json: bool) -> Status {
    let mut client = match Client::connect_with(tls, address, Duration::from_secs(args.timeout)).await {
        Ok(client) => client,
        Err(error) => return unreachable(address, &error),
    };
    let mut status = Status::Fine;
    for input in inputs {
        match client.exchange(&input.bytes).await {
            Ok(replies) => {
                print(&input.name, &replies, json);
                if replies.iter().any(|reply| is_negative(reply)) {
                    status = Status::Findings;
                }
            }
            Err(error) => {
                output::note(&format!("{}: {error}", input.name));
                return Status::Unreachable;
            }
        }
    }
    status
}

/// Whether a reply says that the message was not taken (HL7 table 0008).
pub(super) fn is_negative(reply: &[u8]) -> bool {
    let text = output::segments(reply);
    let code = text.lines().find_map(|line| line.strip_prefix("MSA")?.get(1..3));
    code.is_some_and(|code| matches!(code, "AE" | "AR" | "CE" | "CR"))
}

fn unreachable(address: &str, error: &ClientError) -> Status {
    output::note(&format!("cannot reach {address}: {error}"));
    Status::Unreachable
}

fn print(name: &str, replies: &[Bytes], json: bool) {
    if json {
        let texts: Vec<_> = replies.iter().map(|reply| output::text(reply)).collect();
        output::line(&json!({"file": name, "replies": texts}).to_string());
    } else {
        for reply in replies {
            output::line(&output::segments(reply));
        }
    }
}

async fn measure(address: &str, tls: Connector, args: &Args, inputs: &[input::Input], json: bool) -> Status {
    let messages: Vec<Bytes> = inputs.iter().map(|input| input.bytes.clone()).collect();
    let connections = usize::from(args.connections.unwrap_or(1));
    let each_once = connections as u64 * messages.len() as u64;
    let unsaid = args.seconds.map_or(each_once, |_| u64::MAX);
    let load_of = Load {
        connections,
        count: args.count.unwrap_or(unsaid),
        lasting: args.seconds.map(Duration::from_secs),
        rate: args.rate,
        pipeline: args.pipeline.max(1),
        fresh: if args.vary { Fresh::Everything } else { Fresh::Ids },
        timeouts: Timeouts {
            reply: Duration::from_secs(args.timeout),
            ..Timeouts::default()
        },
        tls,
    };
    let answered = Arc::new(AtomicU64::new(0));
    let all = load_of.lasting.is_none().then_some(load_of.count);
    let bar = progress(Arc::clone(&answered), all);
    let report = tokio::select! {
        report = load(address, &messages, load_of, answered) => report,
        never = bar => match never {},
    };
    match report {
        Ok(report) => said(&report, json),
        Err(error) => unreachable(address, &error),
    }
}

/// Shows on a terminal how far it is, where the end is a number of messages; never ends.
async fn progress(answered: Arc<AtomicU64>, all: Option<u64>) -> std::convert::Infallible {
    let all = all.filter(|_| std::io::stderr().is_terminal());
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        if let Some(all) = all {
            output::progress(answered.load(Ordering::Relaxed), all);
        }
    }
}

fn said(report: &LoadReport, json: bool) -> Status {
    if std::io::stderr().is_terminal() {
        output::progress_done();
    }
    match serde_json::to_string(report) {
        Ok(text) if json => output::line(&text),
        _ => output::out(report.to_string().as_bytes()),
    }
    if report.is_fine() {
        Status::Fine
    } else if report.failed > 0 || !report.errors.is_empty() {
        Status::Unreachable
    } else {
        Status::Findings
    }
}
