//! `causeway map`: checks, explains and shows the maps that a listener's messages go through, its site's rows over
//! them. No message is read here.

use causeway_hl7v2::Maps;
use causeway_mapping::Problem;
use causeway_mapping::syntax::Level;
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
        /// A place of a message: `PID-5`, `OBX-5.1`.
        place: String,
    },
    /// A structure as a Markdown page: source, condition, target, table.
    Doc {
        /// The structure, `ORU_R01`; without it the named operations.
        structure: Option<String>,
    },
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<Status> {
    let config = common.config()?;
    let wanted = listeners(&config, args.listener.as_deref())?;
    match &args.command {
        Command::Check { reverse } => check(common, &config, &wanted, *reverse),
        Command::Explain { place } => explain(&first(&config, &wanted)?, place),
        Command::Doc { structure } => doc(&first(&config, &wanted)?, structure.as_deref()),
    }
}

fn listeners<'a>(config: &'a Config, name: Option<&str>) -> anyhow::Result<Vec<&'a Listener>> {
    let fits = |listener: &&Listener| name.is_none_or(|name| listener.name == name);
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
            Ok(Maps::load(&read.files, read.site.as_ref()))
        }
        Format::Fhir => Ok(Maps::load(&[], None)), // nothing is mapped
    }
}

fn first(config: &Config, wanted: &[&Listener]) -> anyhow::Result<Maps> {
    match wanted.first() {
        Some(listener) => maps(config, listener),
        None => Ok(Maps::load(&[], None)),
    }
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
    Ok(status)
}

/// The rows without a way back, and the count of all.
fn backward(text: &str, name: &str, json: bool) {
    for line in text.lines() {
        let record = || json!({"check": "reverse", "of": name, "text": line}).to_string();
        output::line(&if json { record() } else { line.to_owned() });
    }
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

fn explain(maps: &Maps, place: &str) -> anyhow::Result<Status> {
    match maps.explain(place) {
        Ok(text) => {
            output::out(text.as_bytes());
            Ok(Status::Fine)
        }
        Err(bad) => anyhow::bail!("{place:?} is no place: {}", bad.text),
    }
}

fn doc(maps: &Maps, structure: Option<&str>) -> anyhow::Result<Status> {
    let Some(page) = maps.page(structure) else {
        let known: Vec<_> = maps.structures().collect();
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
