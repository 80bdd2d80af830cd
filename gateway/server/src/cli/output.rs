//! Printing: stdout for what was asked for, stderr for the rest. A closed pipe is not an error.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the command line prints")]

use std::io::Write;

use causeway_core::Finding;
use causeway_core::finding::Lang;

/// Writes bytes to stdout.
pub(super) fn out(bytes: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    let _closed = stdout.write_all(bytes).and_then(|()| stdout.flush());
}

/// Writes a line to stdout.
pub(super) fn line(text: &str) {
    out(format!("{text}\n").as_bytes());
}

/// Writes a line to stderr.
pub(super) fn note(text: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "{text}");
}

/// An error with its causes.
pub(super) fn error(error: &anyhow::Error) {
    note(&format!("causeway: {error:#}"));
}

/// One finding as a line: severity, place, code, text.
pub(super) fn finding(finding: &Finding, lang: Lang) -> String {
    let severity = match finding.severity {
        causeway_core::Severity::Information => "info",
        causeway_core::Severity::Warning => "warning",
        causeway_core::Severity::Error => "error",
    };
    let place = finding.place.as_deref().unwrap_or("-");
    format!(
        "{severity:<7} {place:<14} {} ({}): {}",
        finding.code,
        finding.by.id,
        finding.text.get(lang)
    )
}

/// HL7v2 bytes for a person: one segment a line, in the character set that the message says or shows.
pub(super) fn segments(bytes: &[u8]) -> String {
    text(bytes)
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .trim_end()
        .to_owned()
}

/// HL7v2 bytes as text.
pub(super) fn text(bytes: &[u8]) -> String {
    let decoded = causeway_hl7v2::charset::decode(&bytes::Bytes::copy_from_slice(bytes), None);
    String::from_utf8_lossy(decoded.text.as_ref()).into_owned()
}

/// A bar on stderr, over the last one; for terminals only.
pub(super) fn progress(done: u64, all: u64) {
    let filled = usize::try_from(done.saturating_mul(40) / all.max(1))
        .unwrap_or(40)
        .min(40);
    let bar = "#".repeat(filled);
    let _closed = write!(std::io::stderr().lock(), "\r[{bar:<40}] {done}/{all}");
}

/// Clears the bar.
pub(super) fn progress_done() {
    let _closed = write!(std::io::stderr().lock(), "\r\x1b[K");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_gbk_is_shown_as_text() {
        // 王 is CD F5 and 建国 BD A8 B9 FA in GB 2312 rows 45, 29 and 25.
        let bytes = b"MSH|^~\\&|A|||||||1|P|2.5||||||GB 18030-2000\rPID|1||7||\xcd\xf5^\xbd\xa8\xb9\xfa\r";
        assert!(segments(bytes).ends_with("\nPID|1||7||王^建国"), "{}", segments(bytes));
    }
}
