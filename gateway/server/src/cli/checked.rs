//! What commands that check print: one line a problem on stderr, then one line a thing that was checked; with `--json`
//! one record each on stdout. What is checked is the commands' business.

use causeway_core::finding::Lang;
use serde_json::{Value, json};

use super::{Common, Status, output};

/// One thing that was checked.
#[derive(Debug)]
pub(super) struct Checked {
    kind: &'static str,
    name: String,
    problems: Vec<Remark>,
}

/// One problem, as text for people and as a record.
#[derive(Debug)]
pub(super) struct Remark {
    /// Whether what was checked cannot be used.
    pub(super) grave: bool,
    /// For people.
    pub(super) text: String,
    /// For machines, an object.
    pub(super) record: Value,
}

impl Checked {
    /// What was found in a thing of a kind: `maps`, `rules`, `listener`, `destination`.
    pub(super) fn new(kind: &'static str, name: &str, problems: Vec<Remark>) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            problems,
        }
    }

    fn errors(&self) -> usize {
        self.problems.iter().filter(|problem| problem.grave).count()
    }

    /// Prints it; findings when something is an error.
    pub(super) fn print(&self, common: &Common, lang: Lang) -> Status {
        let errors = self.errors();
        if common.json {
            self.records(errors);
        } else {
            self.problems.iter().for_each(|problem| output::note(&problem.text));
            output::line(&self.summary(errors, lang));
        }
        if errors == 0 { Status::Fine } else { Status::Findings }
    }

    fn records(&self, errors: usize) {
        for problem in &self.problems {
            let mut record = problem.record.clone();
            if let Some(record) = record.as_object_mut() {
                record.insert("check".to_owned(), self.kind.into());
                record.insert("of".to_owned(), self.name.as_str().into());
            }
            output::line(&record.to_string());
        }
        let warnings = self.problems.len() - errors;
        output::line(&json!({"check": self.kind, "of": self.name, "errors": errors, "warnings": warnings}).to_string());
    }

    fn summary(&self, errors: usize, lang: Lang) -> String {
        let warnings = self.problems.len() - errors;
        let kind = match (lang, self.kind) {
            (Lang::Zh, "maps") => "映射",
            (Lang::Zh, "rules") => "规则",
            (Lang::Zh, "listener") => "监听",
            (Lang::Zh, "destination") => "去向",
            (_, kind) => kind,
        };
        let found = match (lang, errors + warnings) {
            (Lang::Zh, 0) => "无误".to_owned(),
            (Lang::Zh, _) => format!("{errors} 个错误，{warnings} 个警告"),
            (Lang::En, 0) => "fine".to_owned(),
            (Lang::En, _) => format!("errors {errors}, warnings {warnings}"),
        };
        format!("{kind} {}: {found}", self.name)
    }
}

/// The graver of two.
pub(super) fn worse(one: Status, other: Status) -> Status {
    if other as u8 > one as u8 { other } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_in_both_languages() {
        let remark = |grave| Remark {
            grave,
            text: String::new(),
            record: json!({}),
        };
        let bad = Checked::new("maps", "lab", vec![remark(true), remark(false), remark(false)]);
        assert_eq!(bad.summary(bad.errors(), Lang::En), "maps lab: errors 1, warnings 2");
        assert_eq!(bad.summary(bad.errors(), Lang::Zh), "映射 lab: 1 个错误，2 个警告");
        assert_eq!(
            Checked::new("rules", "x", Vec::new()).summary(0, Lang::Zh),
            "规则 x: 无误"
        );
    }
}
