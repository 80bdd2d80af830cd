//! `causeway map`: checks, explains and shows the maps that a listener's messages go through, its site's rows over
//! them. No message is read here.

use causeway_mapping::syntax::Level;
use causeway_mapping::{Maps, Problem, UNREAD};
use clap::Subcommand;
use serde_json::json;

use super::checked::{Checked, Remark, worse};
use super::{Common, Status, output};
use crate::config::{Config, Format, Listener};

/// Arguments of `map`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  causeway map check                 every row of every listener's maps
  causeway map check --reverse       also the rows that have no way back to the message
  causeway map explain PID-5         which rows read PID-5, and what they fill
  causeway map explain CLM-05        the same of a claim
  causeway map doc ORU_R01           the whole structure as a page")]
pub(super) struct Args {
    /// The listener whose maps are meant; without it the first one, or all for `check`.
    #[arg(long, global = true, value_name = "NAME")]
    listener: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks every row against the facts of FHIR R4.
    Check {
        /// Also list the rows that have no way back.
        #[arg(long)]
        reverse: bool,
    },
    /// Which rows use a place, with what.
    Explain {
        /// A place of a message: `PID-5`, `OBX-5.1`, `CLM-05`.
        place: String,
    },
    /// A structure as a Markdown page: source, condition, target, table.
    Doc {
        /// The structure, `ORU_R01` or `837P`; without it the named operations.
        structure: Option<String>,
    },
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    let config = common.config()?;
    let wanted = listeners(&config, args.listener.as_deref())?;
    match &args.command {
        Command::Check { reverse } => check(common, &config, &wanted, *reverse),
        Command::Explain { place } => explain(&shown(&config, &wanted)?, place),
        Command::Doc { structure } => doc(&shown(&config, &wanted)?, structure.as_deref()),
    }
}

fn listeners<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<Vec<&'a Listener>> {
    let has_maps = |listener: &Listener| listener.format == Format::Hl7v2;
    let fits = |listener: &&Listener| name.map_or_else(|| has_maps(listener), |name| listener.name == name);
    let found: Vec<_> = config.listeners.iter().filter(fits).collect();
    match name {
        Some(name) if found.is_empty() => anyhow::bail!("there is no listener {name:?}"),
        _ => Ok(found),
    }
}

fn maps(config: &Config, listener: &Listener) -> anyhow::Result<Maps> {
    match listener.format {
        Format::Hl7v2 => {
            let read = listener.hl7v2.read(config.lang)?;
            Ok(causeway_hl7v2::maps(&read.files, read.site.as_ref()))
        }
        // Nothing of FHIR is mapped; the claims' maps are as good as any.
        Format::X12 | Format::Fhir => {
            let read = listener.x12.read()?;
            Ok(causeway_x12::lift::maps(&read.files, read.site.as_ref()))
        }
        Format::Dicom => anyhow::bail!("listener {:?} has no maps", listener.name),
    }
}

/// The maps that questions are asked of, in order: those of the first listener that is meant, then those of claims.
fn shown(config: &Config, wanted: &[&Listener]) -> anyhow::Result<Vec<Maps>> {
    let first = match wanted.first() {
        Some(listener) => maps(config, listener)?,
        None => causeway_hl7v2::maps(&[], None),
    };
    Ok(vec![first, causeway_x12::lift::maps(&[], None)])
}

fn check(common: &Common, config: &Config, wanted: &[&Listener], reverse: bool) -> anyhow::Result<Status> {
    let mut status = Status::Fine;
    for listener in wanted {
        let maps = maps(config, listener)?;
        status = worse(status, judge(&maps, &listener.name).print(common, config.lang));
        if reverse {
            backward(&maps.reverse(), &listener.name, common.json);
        }
    }
    if wanted.len() == config.listeners.len() {
        let claims = causeway_x12::lift::maps(&[], None);
        status = worse(status, judge(&claims, "x12").print(common, config.lang));
        if reverse {
            backward(&claims.reverse(), "x12", common.json);
        }
    }
    Ok(status)
}

/// The rows without a way back, and the count of all.
fn backward(text: &str, name: &str, json: bool) {
    for line in text.lines() {
        let record = || json!({"check": "reverse", "of": name, "text": line}).to_string();
        output::line(&if json { record() } else { line.to_owned() });
    }
}

/// Whether a listener's maps can be looked at; those of DICOM are the gateway's own.
pub(super) fn has_maps(listener: &Listener) -> bool {
    listener.format != Format::Dicom
}

/// What is wrong with the maps of a listener.
pub(super) fn checked(config: &Config, listener: &Listener) -> anyhow::Result<Checked> {
    Ok(judge(&maps(config, listener)?, &listener.name))
}

fn judge(maps: &Maps, name: &str) -> Checked {
    Checked::new("maps", name, maps.check().iter().map(remark).collect())
}

fn remark(problem: &Problem) -> Remark {
    let grave = problem.level == Level::Error;
    Remark {
        grave,
        text: problem.to_string(),
        record: json!({
            "level": if grave { "error" } else { "warning" }, "file": &*problem.file, "line": problem.line,
            "column": problem.column, "text": problem.text, "nearest": problem.nearest,
        }),
    }
}

fn explain(all: &[Maps], place: &str) -> anyhow::Result<Status> {
    let said: Result<Vec<String>, _> = all.iter().map(|maps| maps.explain(place)).collect();
    let said = said.map_err(|bad| anyhow::anyhow!("{place:?} is no place: {}", bad.text))?;
    let read = said.iter().find(|text| !text.contains(UNREAD)).or(said.first());
    output::out(read.map_or(&[][..], |text| text.as_bytes()));
    Ok(Status::Fine)
}

fn doc(all: &[Maps], structure: Option<&str>) -> anyhow::Result<Status> {
    let Some(page) = all.iter().find_map(|maps| maps.page(structure)) else {
        let known: Vec<_> = all.iter().flat_map(Maps::structures).collect();
        anyhow::bail!(
            "there is no structure {:?}; there are {}",
            structure.unwrap_or_default(),
            known.join(", ")
        );
    };
    output::out(page.as_bytes());
    Ok(Status::Fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_by_name_and_a_wrong_name_is_said() {
        let config = Config::default();
        assert_eq!(listeners(&config, None).unwrap().len(), 2);
        assert_eq!(listeners(&config, Some("mllp")).unwrap().len(), 1);
        let said = listeners(&config, Some("lab")).unwrap_err().to_string();
        assert_eq!(said, "there is no listener \"lab\"");
    }

    #[test]
    fn claims_are_explained_where_no_listener_takes_them() {
        let all = shown(&Config::default(), &[]).unwrap();
        let reads = |place: &str| {
            let said = all.iter().map(|maps| !maps.explain(place).unwrap().contains(UNREAD));
            said.collect::<Vec<_>>()
        };
        assert_eq!(reads("CLM-02"), [false, true]);
        assert_eq!(reads("PID-5"), [true, false]);
        assert!(all.iter().any(|maps| maps.page(Some("837P")).is_some()));
    }

    #[test]
    fn the_embedded_maps_have_no_errors() {
        let config = Config::default();
        let checked = checked(&config, &config.listeners[0]).unwrap();
        let common = Common {
            config: None,
            data: None,
            lang: None,
            json: false,
        };
        assert_eq!(checked.print(&common, config.lang), Status::Fine);
    }
}
