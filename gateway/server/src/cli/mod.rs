//! The command line, a contract: names, meanings and exit statuses change only with a note in CHANGELOG.md. One file a
//! command. This is the only module that prints.

mod answer;
mod ask;
mod audit;
mod check;
mod checked;
mod deliveries;
mod demo;
mod destinations;
mod example_service;
mod format;
mod input;
mod map;
mod messages;
mod output;
mod replay;
mod rules;
mod run;
mod send;
mod send_dicom;
mod send_http;
mod show;
mod translate;

use std::path::PathBuf;
use std::process::ExitCode;

use causeway_core::finding::Lang;
use clap::{Parser, Subcommand};

/// How a command ended; the numbers are part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All is well.
    Fine = 0,
    /// There are findings of severity error.
    Findings = 1,
    /// Wrong use or configuration.
    Wrong = 2,
    /// Input could not be read.
    Unreadable = 3,
    /// The gateway or peer could not be reached.
    Unreachable = 4,
}

/// FHIR-native interoperability middleware: keeps every message, turns it into FHIR R4, checks it, and answers the
/// sender in the sender's own format.
#[derive(Debug, Parser)]
#[command(name = "causeway", version, after_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  causeway demo                                 see one message go through
  causeway run --config causeway.toml           the gateway
  causeway translate oru.hl7                    HL7v2 to FHIR on stdout
  causeway send mllp://127.0.0.1:2575 oru.hl7   send and print the replies";

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data folder, instead of the configured one.
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Language of texts.
    #[arg(long, global = true, value_parser = lang, value_name = "zh|en")]
    lang: Option<Lang>,
    /// Output for machines.
    #[arg(long, global = true)]
    json: bool,
}

fn lang(text: &str) -> Result<Lang, String> {
    match text {
        "zh" => Ok(Lang::Zh),
        "en" => Ok(Lang::En),
        _ => Err("zh or en".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The gateway.
    Run,
    /// A gateway in a throw-away folder, and one lab result through it.
    Demo(demo::Args),
    /// Checks configuration, maps and rules without starting.
    Check,
    /// Any format to FHIR on stdout, findings on stderr.
    Translate(translate::Args),
    /// What a sender would get: the whole chain in memory.
    Answer(answer::Args),
    /// Sends messages and prints the replies, or measures with --count.
    Send(send::Args),
    /// What the store holds, beside a running gateway.
    Messages(messages::Args),
    /// What is to be delivered, what is dead and why.
    Deliveries(deliveries::Args),
    /// Where deliveries go; pause and resume.
    Destinations(destinations::Args),
    /// Who looked at resources over FHIR.
    Audit(audit::Args),
    /// The maps that messages go through: check, explain, doc.
    Map(map::Args),
    /// The rule packs that the gateway runs.
    Rules(rules::Args),
}

impl Common {
    /// The configuration with the options of the command line.
    fn config(&self) -> anyhow::Result<crate::config::Config> {
        let mut config = crate::config::load(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        if let Some(lang) = self.lang {
            config.lang = lang;
        }
        Ok(config)
    }
}

/// Runs the command of this process's arguments.
pub fn main() -> ExitCode {
    let args = Args::parse(); // leaves with 2 by itself when wrong
    let common = &args.common;
    let ended = match args.command {
        Command::Run => run::run(common),
        Command::Demo(args) => demo::run(common, &args),
        Command::Check => check::run(common),
        Command::Translate(args) => translate::run(common, &args),
        Command::Answer(args) => answer::run(common, &args),
        Command::Send(args) => send::run(common, &args),
        Command::Messages(args) => messages::run(common, &args),
        Command::Deliveries(args) => deliveries::run(common, &args),
        Command::Destinations(args) => destinations::run(common, &args),
        Command::Audit(args) => audit::run(common, &args),
        Command::Map(args) => map::run(common, &args),
        Command::Rules(args) => rules::run(common, &args),
    };
    let status = ended.unwrap_or_else(|error| {
        output::error(&error);
        Status::Wrong
    });
    ExitCode::from(status as u8)
}

/// A runtime for commands that wait. Two workers: the log's writer is a thread of its own.
fn block_on<T>(future: impl Future<Output = T>) -> anyhow::Result<T> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(future))
}
