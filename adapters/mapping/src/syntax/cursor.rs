//! A cursor over the text of one cell. It knows characters and positions; what they mean is known to its callers.

use super::span::{Bad, Span};

/// A cursor over a cell.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    start: Span,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str, start: Span) -> Self {
        Self { text, at: 0, start }
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The character after the next one.
    pub(crate) fn peek_second(&self) -> Option<char> {
        self.rest().chars().nth(1)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.rest().is_empty()
    }

    pub(crate) fn span(&self) -> Span {
        let before = self.text.get(..self.at).unwrap_or("");
        self.start.right(before.chars().count())
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    pub(crate) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    pub(crate) fn eat_text(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    pub(crate) fn want(&mut self, wanted: char, within: &str) -> Result<(), Bad> {
        if self.eat(wanted) {
            return Ok(());
        }
        Err(self.bad(format!("expected '{wanted}' {within}, found {}", self.found())))
    }

    pub(crate) fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    pub(crate) fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    /// The word ahead up to white space, without taking it.
    pub(crate) fn word_ahead(&self) -> &'a str {
        self.clone().take_while(|c| !c.is_whitespace())
    }

    /// Takes a word when it is the whole word ahead.
    pub(crate) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.word_ahead() == word;
        if found {
            self.at += word.len();
            self.skip_space();
        }
        found
    }

    /// A value: `'quoted text'`, a doubled quote standing for one, or characters up to white space or a stop.
    pub(crate) fn value(&mut self, stops: &str) -> Result<String, Bad> {
        if self.peek() == Some('\'') {
            return self.quoted();
        }
        let value = self.take_while(|c| !c.is_whitespace() && !stops.contains(c));
        if value.is_empty() {
            return Err(self.bad(format!("expected a value, found {}", self.found())));
        }
        Ok(value.to_owned())
    }

    fn quoted(&mut self) -> Result<String, Bad> {
        let open = self.span();
        self.next();
        let mut value = String::new();
        loop {
            value.push_str(self.take_while(|c| c != '\''));
            if !self.eat('\'') {
                return Err(Bad::new(open, "the quote is not closed"));
            }
            if !self.eat('\'') {
                return Ok(value);
            }
            value.push('\'');
        }
    }

    /// What stands at the cursor, for a message.
    pub(crate) fn found(&self) -> String {
        match self.peek() {
            Some(c) => format!("'{c}'"),
            None => "the end of the cell".to_owned(),
        }
    }

    pub(crate) fn bad(&self, text: impl Into<String>) -> Bad {
        Bad::new(self.span(), text)
    }

    /// An error unless the cell ends here.
    pub(crate) fn done(&mut self) -> Result<(), Bad> {
        self.skip_space();
        if self.is_done() {
            return Ok(());
        }
        Err(self.bad(format!("did not expect {} here", self.found())))
    }
}

/// A value as a cell writes it: quoted when it would not read back as one word.
pub(crate) fn quote(value: &str) -> String {
    let plain = !value.is_empty()
        && !value.starts_with('\'')
        && !value.chars().any(|c| c.is_whitespace() || ")]".contains(c))
        && !matches!(value, "and" | "not");
    if plain {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "''"))
    }
}
