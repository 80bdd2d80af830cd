//! `causeway translate`: any format to FHIR on stdout, findings with a source excerpt on stderr. Of FHIR it shows what the
//! gateway takes it for: a Bundle for each part, whose entries say what is to be done.

use std::path::PathBuf;

use causeway_core::fhir::{compact, pretty};
use causeway_core::finding::Lang;
use causeway_core::{Adapter, Finding, Head, MemorySource, NodeId, Severity};
use causeway_dicom::Dicom;
use causeway_fhir::Fhir;
use causeway_hl7v2::Hl7v2;
use causeway_x12::X12;
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use super::{Common, Status, format, input, output};
use crate::config::{BundleOption, Config, Format, Listener};

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
    X12,
    Dicom,
    Fhir,
}

impl From {
    /// What an input is: as is said, else as it looks.
    fn format(self, input: &input::Input) -> Format {
        match self {
            Self::Auto => format::of(&input.bytes),
            Self::Hl7v2 => Format::Hl7v2,
            Self::X12 => Format::X12,
            Self::Dicom => Format::Dicom,
            Self::Fhir => Format::Fhir,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Message,
    Transaction,
    Collection,
}

impl std::convert::From<Kind> for BundleOption {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Message => Self::Message,
            Kind::Transaction => Self::Transaction,
            Kind::Collection => Self::Collection,
        }
    }
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
    let mut adapters = Adapters::new(&config, args);
    let mut status = Status::Fine;
    for input in inputs {
        let findings = adapters.read(&input, args)?;
        for finding in &findings {
            output::note(&format!("{}: {}", input.name, output::finding(finding, config.lang)));
        }
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            status = Status::Findings;
        }
    }
    Ok(status)
}

/// The adapters, with the options of the first listener; each is made for the first file that needs it.
struct Adapters {
    lang: Lang,
    options: Listener,
    hl7v2: Option<Hl7v2>,
    x12: Option<X12>,
    dicom: Option<Dicom>,
}

impl Adapters {
    fn new(config: &Config, args: &Args) -> Self {
        let mut options = config.listeners.first().cloned().unwrap_or_default();
        if let Some(kind) = args.bundle {
            options.hl7v2.bundle = kind.into();
            options.x12.bundle = kind.into();
        }
        Self {
            lang: config.lang,
            options,
            hl7v2: None,
            x12: None,
            dicom: None,
        }
    }

    fn read(&mut self, input: &input::Input, args: &Args) -> anyhow::Result<Vec<Finding>> {
        let (options, lang) = (&self.options, self.lang);
        Ok(match args.from.format(input) {
            Format::X12 => one(
                ready(&mut self.x12, || Ok(X12::new(&options.x12.read()?)?))?,
                input,
                args,
            ),
            Format::Dicom => {
                let config = causeway_dicom::Config::default();
                one(ready(&mut self.dicom, || Ok(Dicom::new(&config)?))?, input, args)
            }
            Format::Fhir => one(&Fhir::new(lang), input, args),
            Format::Hl7v2 => {
                let make = || Ok(Hl7v2::new(options.hl7v2.read(lang)?)?);
                one(ready(&mut self.hl7v2, make)?, input, args)
            }
        })
    }
}

/// What is there, or is made now.
fn ready<A>(slot: &mut Option<A>, make: impl FnOnce() -> anyhow::Result<A>) -> anyhow::Result<&A> {
    match slot {
        Some(there) => Ok(there),
        none => Ok(none.insert(make()?)),
    }
}

fn one<A: Adapter>(adapter: &A, input: &input::Input, args: &Args) -> Vec<Finding> {
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
        // A part may say nothing in FHIR: a set of X12 that is only acknowledged.
        if tree.children(NodeId::ROOT).next().is_some() {
            output::line(&match args.output {
                Output::Pretty => pretty(tree, NodeId::ROOT),
                Output::Ndjson => compact(tree, NodeId::ROOT),
            });
        }
        findings.extend(draft.findings);
    }
    findings
}

fn trace<A: Adapter>(adapter: &A, input: &input::Input, head: &Head, hash: &[u8; 32], ledger: bool) -> Vec<Finding> {
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
