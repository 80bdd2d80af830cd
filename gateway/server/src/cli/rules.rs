//! `causeway rules`: checks, tests and explains the rule packs.

use causeway_rules::{Packs, Site, Snapshot};
use clap::Subcommand;

use super::{Common, Status, output};
use crate::config::Config;

/// Arguments of `rules`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reads and lints every pack.
    Check,
    /// Runs every pack's own cases.
    Test,
    /// What a row says, why, and since when: `critical-values/ROW`.
    Explain {
        /// The row, as findings name it.
        row: String,
    },
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    let config = common.config()?;
    match &args.command {
        Command::Check => check(&config),
        Command::Test => test(&config),
        Command::Explain { row } => explain(&config, row),
    }
}

fn site(config: &Config) -> Site {
    Site {
        jurisdiction: config.chain.jurisdiction.clone(),
    }
}

fn packs(config: &Config) -> anyhow::Result<Packs> {
    let mut packs = Packs::embedded();
    for folder in &config.chain.pack_folders {
        packs.lay_over(folder).map_err(|refused| anyhow::anyhow!("{refused}"))?;
    }
    Ok(packs)
}

fn check(config: &Config) -> anyhow::Result<Status> {
    let packs = packs(config)?;
    let mut status = Status::Fine;
    for (name, files) in &packs.0 {
        let problems = causeway_rules::lint(name, files, &site(config));
        for problem in &problems {
            output::note(&problem.to_string());
            status = Status::Findings;
        }
        if problems.is_empty() {
            output::line(&format!("{name}: fine"));
        }
    }
    Ok(status)
}

fn snapshot(config: &Config) -> anyhow::Result<Snapshot> {
    Snapshot::build(&packs(config)?, &site(config)).map_err(|refused| anyhow::anyhow!("{refused}"))
}

fn test(config: &Config) -> anyhow::Result<Status> {
    let snapshot = snapshot(config)?; // a failing case refuses the snapshot and is named in the error
    for pack in snapshot.packs() {
        let report = causeway_rules::test(pack);
        output::line(&format!("{}: {} cases pass", pack.manifest().id, report.ran));
    }
    output::line(&format!("snapshot {}", snapshot.id()));
    Ok(Status::Fine)
}

fn explain(config: &Config, row: &str) -> anyhow::Result<Status> {
    let Some(text) = snapshot(config)?.explain(row) else {
        output::note(&format!("there is no row {row:?}"));
        return Ok(Status::Wrong);
    };
    output::line(text.get(config.lang));
    Ok(Status::Fine)
}
