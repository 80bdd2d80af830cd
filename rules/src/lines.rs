//! A text of several lines, written in both languages side by side.

use causeway_core::Text;

/// The lines so far.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    zh: Vec<String>,
    en: Vec<String>,
}

impl Lines {
    /// Adds a line.
    pub(crate) fn add(&mut self, zh: impl Into<String>, en: impl Into<String>) {
        self.zh.push(zh.into());
        self.en.push(en.into());
    }

    /// The text.
    pub(crate) fn text(self) -> Text {
        Text::new(self.zh.join("\n"), self.en.join("\n"))
    }
}
