//! `causeway rules`: checks, tests, explains and reloads the rule packs.

use causeway_core::finding::Lang;
use causeway_rules::{Packs, Problem, Site, Snapshot};
use clap::Subcommand;
use serde_json::{Value, json};

use super::checked::{Checked, Remark, worse};
use super::{Common, Status, ask, output};
use crate::config::Config;
use crate::rulebook;

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
    /// Has the running gateway read its packs again; a broken one leaves the old ones in force.
    Reload,
    /// What a row says, why, and since when: `critical-values/ROW`.
    Explain {
        /// The row, as findings name it.
        row: String,
        /// The snapshot that decided, as findings and `messages show --json` name it; without it, the packs as they are.
        #[arg(long, value_name = "NAME")]
        snapshot: Option<String>,
    },
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    let config = common.config()?;
    match &args.command {
        Command::Check => check(common, &config),
        Command::Test => test(&config),
        Command::Reload => reload(common, &config),
        Command::Explain { row, snapshot } => explain(&config, row, snapshot.as_deref()),
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

fn check(common: &Common, config: &Config) -> anyhow::Result<Status> {
    let packs = checked(config)?;
    Ok(packs
        .iter()
        .map(|pack| pack.print(common, config.lang))
        .fold(Status::Fine, worse))
}

/// What is wrong with each pack; its own cases are run when it can be read.
pub(super) fn checked(config: &Config) -> anyhow::Result<Vec<Checked>> {
    let packs = packs(config)?;
    let remarks = |problems: &[Problem]| problems.iter().map(|one| remark(one, config.lang)).collect();
    let (mut checked, mut fine) = (Vec::new(), true);
    for (name, files) in &packs.0 {
        let problems = causeway_rules::lint(name, files, &site(config));
        fine &= problems.is_empty();
        checked.push(Checked::new("rules", name, remarks(&problems)));
    }
    // Cases, and what packs are to one another, are judged once all can be read.
    if fine && let Err(refused) = Snapshot::build(&packs, &site(config)) {
        checked.push(Checked::new("rules", "snapshot", remarks(&refused.0)));
    }
    Ok(checked)
}

fn remark(problem: &Problem, lang: Lang) -> Remark {
    let line = match problem.line {
        0 => String::new(),
        line => format!(":{line}"),
    };
    Remark {
        grave: true,
        text: format!("{}{line}: {}", problem.file, problem.text.get(lang)),
        record: json!({
            "level": "error", "file": problem.file, "line": problem.line, "text": problem.text.get(lang),
        }),
    }
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

fn reload(common: &Common, config: &Config) -> anyhow::Result<Status> {
    let Some((status, answer)) = ask::post(config, "/rules/reload")? else {
        return Ok(Status::Unreachable);
    };
    if common.json {
        output::line(&answer.to_string());
    } else if status.is_success() {
        output::line(&format!("snapshot {}", ask::text(&answer, "snapshot")));
    } else {
        output::note(ask::text(&answer, "error"));
        let problems = answer.get("problems").and_then(Value::as_array);
        let texts = problems.into_iter().flatten().filter_map(Value::as_str);
        texts.for_each(output::note);
    }
    Ok(if status.is_success() {
        Status::Fine
    } else {
        Status::Findings
    })
}

fn explain(config: &Config, row: &str, kept: Option<&str>) -> anyhow::Result<Status> {
    let snapshot = match kept {
        Some(id) => rulebook::kept(&config.data, id)?,
        None => snapshot(config)?,
    };
    let Some(text) = snapshot.explain(row) else {
        output::note(&format!("there is no row {row:?}"));
        return Ok(Status::Wrong);
    };
    output::line(text.get(config.lang));
    Ok(Status::Fine)
}
