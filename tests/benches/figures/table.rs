//! One table, a line a figure, printed as it comes.

use super::Rows;

/// One figure.
#[derive(Debug)]
pub(crate) struct Row {
    figure: String,
    goal: String,
    measured: String,
    /// Absent where there is no goal.
    met: Option<bool>,
}

impl Row {
    /// A figure that should be at least so much.
    pub(crate) fn at_least(figure: &str, goal: f64, measured: f64, unit: &str) -> Self {
        Self::new(figure, ">=", goal, measured, unit, measured >= goal)
    }

    /// A figure that should be at most so much.
    pub(crate) fn at_most(figure: &str, goal: f64, measured: f64, unit: &str) -> Self {
        Self::new(figure, "<=", goal, measured, unit, measured <= goal)
    }

    /// Something that must hold, with the figure that shows it.
    pub(crate) fn holds(figure: &str, goal: &str, measured: String, met: bool) -> Self {
        Self {
            figure: figure.to_owned(),
            goal: goal.to_owned(),
            measured,
            met: Some(met),
        }
    }

    /// A figure to know, without a goal.
    pub(crate) fn known(figure: &str, measured: String) -> Self {
        Self {
            figure: figure.to_owned(),
            goal: String::new(),
            measured,
            met: None,
        }
    }

    fn new(figure: &str, sign: &str, goal: f64, measured: f64, unit: &str, met: bool) -> Self {
        let goal = format!("{sign} {} {unit}", number(goal));
        Self::holds(figure, &goal, format!("{} {unit}", number(measured)), met)
    }
}

/// As many digits as matter.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// What the table is about, and its head.
pub(crate) fn head() {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let kind = if super::is_full() { "full" } else { "short" };
    println!("{cores} cores, load {load} before; {kind} durations; disk: 1 KiB appends with fdatasync a second\n");
    line("part", "figure", "goal", "measured", "", "disk before, after");
}

/// A part's figures, with the disk's rate around it.
pub(crate) fn part(name: &str, rows: Rows, before: f64, after: f64) {
    let disk = format!("{before:.0}, {after:.0}");
    let failed = |error: anyhow::Error| vec![Row::holds("not measured", "", format!("{error:#}"), false)];
    for row in rows.unwrap_or_else(failed) {
        let verdict = match row.met {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        line(name, &row.figure, &row.goal, &row.measured, verdict, &disk);
    }
}

fn line(part: &str, figure: &str, goal: &str, measured: &str, verdict: &str, disk: &str) {
    println!("{part:<10} {figure:<42} {goal:<16} {measured:<22} {verdict:<7} {disk}");
}
