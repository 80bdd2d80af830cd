//! What a finding of a rule records of its own making: snapshot, row and bound values. It is read from the finding as
//! the log keeps it, so a decision can be explained when the rules have long changed, and replayed when its snapshot
//! is at hand.

use causeway_core::{Actor, ActorKind, Finding, Text};

use crate::Snapshot;
use crate::lines::Lines;

/// One row's decision, as its finding records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The pack.
    pub pack: String,
    /// The row; `None` when the pack as a whole speaks, as it does of what was not evaluated.
    pub row: Option<String>,
    /// Version of the pack.
    pub version: String,
    /// Name of the snapshot.
    pub snapshot: String,
    /// Bound values by name, in the order recorded: limit, value, age, specimen, unit, source.
    pub bound: Vec<(String, String)>,
    /// What was said.
    pub text: Text,
    /// Where it points in the sender's message.
    pub place: Option<String>,
}

impl Decision {
    /// The decision that a finding records; `None` when no rule of a pack made it.
    pub fn of(finding: &Finding) -> Option<Self> {
        let Actor { kind, id, version } = &finding.by;
        if *kind != ActorKind::Rule {
            return None;
        }
        let (pack, row) = match id.split_once('/') {
            Some((pack, row)) => (pack, Some(row.to_owned())),
            None => (&**id, None),
        };
        let mut bound: Vec<(String, String)> = finding
            .evidence
            .iter()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let snapshot = bound.iter().position(|(name, _)| name == "snapshot")?;
        let (_, snapshot) = bound.remove(snapshot);
        bound.retain(|(name, _)| name != "row");
        Some(Self {
            pack: pack.to_owned(),
            row,
            version: version.as_deref().unwrap_or_default().to_owned(),
            snapshot,
            bound,
            text: finding.text.clone(),
            place: finding.place.clone(),
        })
    }

    /// A bound value.
    pub fn bound(&self, name: &str) -> Option<&str> {
        let found = self.bound.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Explains it in both languages, from the record alone; with the snapshot in force it says whether the same row
    /// still stands.
    pub fn explain(&self, current: Option<&Snapshot>) -> Text {
        let row = self.row.as_deref().map_or(String::new(), |row| format!("/{row}"));
        let (pack, version, snapshot) = (&self.pack, &self.version, &self.snapshot);
        let mut lines = Lines::default();
        lines.add(&*self.text.zh, &*self.text.en);
        lines.add(
            format!("规则：{pack}{row}，版本 {version}"),
            format!("rule: {pack}{row}, version {version}"),
        );
        if let Some(place) = &self.place {
            lines.add(format!("位置：{place}"), format!("place: {place}"));
        }
        for (name, value) in &self.bound {
            lines.add(format!("{}:{value}", chinese(name)), format!("{name}: {value}"));
        }
        let (zh, en) = match current {
            None => ("", ""),
            Some(current) if *current.id() == **snapshot => ("，现行", ", in force"),
            Some(_) => ("，已被替换", ", replaced since"),
        };
        lines.add(format!("规则快照：{snapshot}{zh}"), format!("snapshot: {snapshot}{en}"));
        lines.text()
    }
}

fn chinese(name: &str) -> &str {
    match name {
        "limit" => "界限",
        "value" => "结果",
        "age" => "年龄段",
        "specimen" => "标本",
        "unit" => "单位换算",
        "source" => "依据",
        other => other,
    }
}
