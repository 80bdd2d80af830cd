//! Metrics as values: families of samples with labels, and their text for Prometheus (text exposition format 0.0.4). What
//! they mean is said where they are gathered.

use std::fmt::Write;

/// What kind of metric it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A histogram; its samples are named by suffix.
    Histogram,
}

/// One number with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// `_bucket`, `_sum` or `_count` of a histogram; else empty.
    pub suffix: &'static str,
    /// Names and values.
    pub labels: Vec<(&'static str, String)>,
    /// The number.
    pub value: f64,
}

/// One metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// Its name, with its unit and, for a counter, `_total`.
    pub name: &'static str,
    /// What it is.
    pub help: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Its numbers.
    pub samples: Vec<Sample>,
}

impl Family {
    /// One without numbers yet.
    pub fn new(kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            help,
            kind,
            samples: Vec::new(),
        }
    }

    /// With one more number.
    #[must_use]
    pub fn with(mut self, labels: &[(&'static str, &str)], value: f64) -> Self {
        self.push("", labels, value);
        self
    }

    pub(super) fn push(&mut self, suffix: &'static str, labels: &[(&'static str, &str)], value: f64) {
        let labels = labels
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        self.samples.push(Sample { suffix, labels, value });
    }
}

/// The text that Prometheus reads.
pub fn prometheus(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.samples.is_empty()) {
        // Writing to a String cannot fail.
        let _fine = written(family, &mut text);
    }
    text
}

fn written(family: &Family, text: &mut String) -> std::fmt::Result {
    let kind = match family.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    writeln!(text, "# HELP {} {}", family.name, family.help)?;
    writeln!(text, "# TYPE {} {kind}", family.name)?;
    for sample in &family.samples {
        write!(text, "{}{}", family.name, sample.suffix)?;
        for (at, (name, value)) in sample.labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            write!(text, "{before}{name}=\"{}\"", escaped(value))?;
        }
        let after = if sample.labels.is_empty() { "" } else { "}" };
        writeln!(text, "{after} {}", sample.value)?;
    }
    Ok(())
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_as_prometheus_reads_it() {
        let family = Family::new(Kind::Counter, "causeway_x_total", "What it is.")
            .with(&[("listener", "a\"b\\c\nd"), ("type", "ORU^R01")], 3.0)
            .with(&[], 0.25);
        let empty = Family::new(Kind::Gauge, "causeway_y", "Nothing.");
        assert_eq!(
            prometheus(&[family, empty]),
            "# HELP causeway_x_total What it is.\n# TYPE causeway_x_total counter\n\
             causeway_x_total{listener=\"a\\\"b\\\\c\\nd\",type=\"ORU^R01\"} 3\ncauseway_x_total 0.25\n"
        );
    }
}
