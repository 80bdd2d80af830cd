//! `pack.toml`, what a pack says of itself, and `site.toml`, what a site says of its changes. Keys are a closed list.

use std::collections::BTreeMap;

use causeway_core::Text;
use causeway_core::rule::Fail;
use jiff::civil::Date;
use serde::Deserialize;

use crate::Problem;
use crate::limits::age::Birth;

/// What a pack says of itself.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its name, that of its folder.
    pub id: String,
    /// Its version, the author's own.
    pub version: String,
    /// Its title.
    pub title: Text,
    /// Who answers for it.
    pub owner: String,
    /// First day it is in force.
    pub from: Date,
    /// Last day it is in force.
    pub to: Option<Date>,
    /// What happens to a message when the pack breaks.
    pub fail: Fail,
    /// What to do when a row fires.
    pub advice: Text,
    /// What its rows cite, by name.
    pub sources: BTreeMap<String, Source>,
}

/// Something that rows cite.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Authors, title, where it appeared.
    pub citation: String,
    /// When it appeared: a day, month or year.
    pub date: String,
    /// Country or body that it comes from.
    pub jurisdiction: String,
    /// DOI, document number or address.
    #[serde(default)]
    pub link: String,
    /// How it was read: the paper itself, its abstract, another's table of it.
    #[serde(default)]
    pub read: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    pack: RawPack,
    advice: Pair,
    #[serde(default)]
    source: BTreeMap<String, Source>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawPack {
    id: String,
    kind: String,
    version: String,
    title: Pair,
    owner: String,
    from: String,
    #[serde(default)]
    to: Option<String>,
    fail: RawFail,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    zh: String,
    en: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawFail {
    Remark,
    Hold,
    Refuse,
}

/// Who approved a site's changes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Approval {
    /// The site.
    pub site: String,
    /// Who approved, by name and office.
    pub approved_by: String,
    /// When.
    pub approved_on: String,
    /// What the changed rows cite beyond the pack's own sources.
    #[serde(default)]
    pub source: BTreeMap<String, Source>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.citation == other.citation && self.date == other.date && self.jurisdiction == other.jurisdiction
    }
}

impl Eq for Source {}

/// Reads `pack.toml`.
pub(crate) fn manifest(file: &str, bytes: &[u8]) -> Result<Manifest, Vec<Problem>> {
    let raw: Raw = read(file, bytes).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    if raw.pack.kind != "limits" {
        let (zh, en) = ("kind 只能是 limits", "kind must be \"limits\"");
        problems.push(Problem::new(file, 0, zh, en));
    }
    for (name, cell) in [
        ("version", &raw.pack.version),
        ("owner", &raw.pack.owner),
        ("title.zh", &raw.pack.title.zh),
        ("title.en", &raw.pack.title.en),
    ] {
        if cell.trim().is_empty() {
            problems.push(Problem::new(
                file,
                0,
                format!("{name} 不能为空"),
                format!("{name} is empty"),
            ));
        }
    }
    check_sources(file, &raw.source, &mut problems);
    let from = date(file, 0, &raw.pack.from, &mut problems);
    let to = raw.pack.to.map(|to| date(file, 0, &to, &mut problems));
    let (Some(from), to) = (from, to.flatten()) else {
        return Err(problems);
    };
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Manifest {
        id: raw.pack.id,
        version: raw.pack.version,
        title: Text::new(raw.pack.title.zh, raw.pack.title.en),
        owner: raw.pack.owner,
        from,
        to,
        fail: match raw.pack.fail {
            RawFail::Remark => Fail::Remark,
            RawFail::Hold => Fail::Hold,
            RawFail::Refuse => Fail::Refuse,
        },
        advice: Text::new(raw.advice.zh, raw.advice.en),
        sources: raw.source,
    })
}

/// Reads `site.toml`.
pub(crate) fn approval(file: &str, bytes: &[u8]) -> Result<Approval, Vec<Problem>> {
    let approval: Approval = read(file, bytes).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    date(file, 0, &approval.approved_on, &mut problems);
    if approval.approved_by.trim().is_empty() || approval.site.trim().is_empty() {
        let (zh, en) = ("site 与 approved-by 不能为空", "site and approved-by must be filled");
        problems.push(Problem::new(file, 0, zh, en));
    }
    check_sources(file, &approval.source, &mut problems);
    if problems.is_empty() {
        Ok(approval)
    } else {
        Err(problems)
    }
}

fn check_sources(file: &str, sources: &BTreeMap<String, Source>, problems: &mut Vec<Problem>) {
    for (name, source) in sources {
        if Birth::parse(&source.date).is_none() {
            problems.push(Problem::new(
                file,
                0,
                format!("来源 {name} 没有日期"),
                format!("source {name} has no date"),
            ));
        }
        if source.citation.trim().is_empty() || source.jurisdiction.trim().is_empty() {
            problems.push(Problem::new(
                file,
                0,
                format!("来源 {name} 缺少引文或管辖地"),
                format!("source {name} lacks its citation or jurisdiction"),
            ));
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(file: &str, bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|_| Problem::new(file, 0, "不是 UTF-8", "not UTF-8"))?;
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        let line = before.matches('\n').count() as u64 + 1;
        Problem::new(file, line, error.message().to_owned(), error.message().to_owned())
    })
}

/// Reads a day, or notes the problem.
pub(crate) fn date(file: &str, line: u64, text: &str, problems: &mut Vec<Problem>) -> Option<Date> {
    let day = text.parse::<Date>().ok();
    if day.is_none() {
        problems.push(Problem::new(
            file,
            line,
            format!("{text:?} 不是日期（年-月-日）"),
            format!("{text:?} is no day (YYYY-MM-DD)"),
        ));
    }
    day
}
