//! `causeway translate`: any format to FHIR on stdout, findings with a source excerpt on stderr.

use std::path::PathBuf;

use causeway_core::fhir::{compact, pretty};
use causeway_core::{Adapter, Finding, Head, MemorySource, NodeId, Severity};
use causeway_hl7v2::Hl7v2;
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use super::{Common, Status, input, output};
use crate::config::BundleOption;

/// Arguments of `translate`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files; `-` is stdin.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// What they are.
    #[arg(long, default_value = "auto")]
    from: From,
    /// The kind of Bundle.
    #[arg(long)]
    bundle: Option<Kind>,
    /// How it is written.
    #[arg(long, default_value = "pretty")]
    output: Output,
    /// Print one ledger record a source leaf instead.
    #[arg(long)]
    ledger: bool,
    /// Print one lineage record a FHIR leaf instead.
    #[arg(long, conflicts_with = "ledger")]
    lineage: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum From {
    Auto,
    Hl7v2,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Message,
    Transaction,
    Collection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Pretty,
    Ndjson,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    let config = common.config()?;
    let Some(inputs) = input::read(&args.files) else {
        return Ok(Status::Unreadable);
    };
    let mut hl7v2 = config
        .listeners
        .first()
        .map(|listener| listener.hl7v2.clone())
        .unwrap_or_default();
    if let Some(kind) = args.bundle {
        hl7v2.bundle = match kind {
            Kind::Message => BundleOption::Message,
            Kind::Transaction => BundleOption::Transaction,
            Kind::Collection => BundleOption::Collection,
        };
    }
    match args.from {
        From::Auto | From::Hl7v2 => {}
    }
    let adapter = Hl7v2::new(hl7v2.read(config.lang)?)?;
    let mut status = Status::Fine;
    for input in inputs {
        let findings = one(&adapter, &input, args);
        for finding in &findings {
            output::note(&format!("{}: {}", input.name, output::finding(finding, config.lang)));
        }
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            status = Status::Findings;
        }
    }
    Ok(status)
}

fn one(adapter: &Hl7v2, input: &input::Input, args: &Args) -> Vec<Finding> {
    let head = Head::file(input.name.clone());
    let hash: [u8; 32] = Sha256::digest(&input.bytes).into();
    let mut source = MemorySource(input.bytes.clone());
    if args.ledger || args.lineage {
        return trace(adapter, input, &head, &hash, args.ledger);
    }
    let parsed = adapter.parse(&head, &mut source);
    let mut findings = parsed.findings;
    let Some(mut message) = parsed.value else {
        return findings;
    };
    while let Some(draft) = adapter.next(&mut message, &mut source, &hash) {
        let tree = &draft.bundle.tree;
        output::line(&match args.output {
            Output::Pretty => pretty(tree, NodeId::ROOT),
            Output::Ndjson => compact(tree, NodeId::ROOT),
        });
        findings.extend(draft.findings);
    }
    findings
}

fn trace(adapter: &Hl7v2, input: &input::Input, head: &Head, hash: &[u8; 32], ledger: bool) -> Vec<Finding> {
    let parsed = adapter.trace(head, &mut MemorySource(input.bytes.clone()), hash);
    let trace = parsed.value.unwrap_or_default();
    let print = |record: serde_json::Result<serde_json::Value>| {
        if let Ok(serde_json::Value::Object(mut record)) = record {
            record.insert("file".to_owned(), input.name.clone().into());
            output::line(&serde_json::Value::Object(record).to_string());
        }
    };
    if ledger {
        trace
            .ledger
            .iter()
            .for_each(|record| print(serde_json::to_value(record)));
    } else {
        trace
            .lineage
            .iter()
            .for_each(|record| print(serde_json::to_value(record)));
    }
    parsed.findings
}
