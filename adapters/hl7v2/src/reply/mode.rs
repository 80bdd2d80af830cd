//! Which acknowledgements a message draws: the listener's mode and MSH-15/16 (HL7 v2.9 2.9.2, 2.9.3, table 0155).

use std::borrow::Cow;

use crate::header::When;
use crate::message::Message;

/// How a listener acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// As MSH-15 and MSH-16 ask; both empty, or holding nothing of table 0155, is original mode.
    #[default]
    AsMessage,
    /// One application acknowledgement, whatever the message asks.
    Original,
    /// A commit and later an application acknowledgement, each unless the message says otherwise.
    Enhanced,
}

impl Mode {
    /// The mode of a configured word.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "as-message" => Some(Self::AsMessage),
            "original" => Some(Self::Original),
            "enhanced" => Some(Self::Enhanced),
            _ => None,
        }
    }
}

/// What one message draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// When a commit acknowledgement is wanted.
    pub commit: When,
    /// When an application acknowledgement is wanted.
    pub application: When,
    /// Enhanced mode: refusals are CE and CR.
    pub enhanced: bool,
}

impl Ask {
    /// Original mode.
    pub const ORIGINAL: Self = Self {
        commit: When::Never,
        application: When::Always,
        enhanced: false,
    };

    /// What a message draws on a listener of a mode. In enhanced mode a field that says nothing asks for nothing, unless
    /// the listener's own mode is enhanced.
    pub fn of(message: &Message, mode: Mode) -> Self {
        let read = |field: Cow<'_, str>| When::read(&field);
        let (commit, application) = (read(message.first(0, 15)), read(message.first(0, 16)));
        let silent = match mode {
            Mode::Original => return Self::ORIGINAL,
            Mode::AsMessage if commit.is_none() && application.is_none() => return Self::ORIGINAL,
            Mode::AsMessage => When::Never,
            Mode::Enhanced => When::Always,
        };
        Self {
            commit: commit.unwrap_or(silent),
            application: application.unwrap_or(silent),
            enhanced: true,
        }
    }

    /// Whether a refusal is said as a commit acknowledgement: in enhanced mode, unless only an application
    /// acknowledgement of errors is wanted.
    pub fn refuses_by_commit(self) -> bool {
        self.enhanced && (self.commit.wants(false) || !self.application.wants(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::When::{Always, Error, Never, Success};
    use bytes::Bytes;

    fn check(fields: &str, mode: Mode, expect: (When, When, bool)) {
        let text = format!("MSH|^~\\&|A|B|C|D|7||ADT^A01|1|P|2.5|||{fields}\r");
        let body = crate::tokenise(&Bytes::from(text), encoding_rs::UTF_8);
        let ask = Ask::of(&body.messages[0], mode);
        assert_eq!((ask.commit, ask.application, ask.enhanced), expect, "{fields} {mode:?}");
    }

    #[test]
    fn the_message_decides_by_table_0155_alone() {
        check("|", Mode::AsMessage, (Never, Always, false));
        check("ACCEPT|ACKNOWLEDGE", Mode::AsMessage, (Never, Always, false));
        check("AL|NE", Mode::AsMessage, (Always, Never, true));
        check("AL|", Mode::AsMessage, (Always, Never, true));
        check("|SU", Mode::AsMessage, (Never, Success, true));
        check("ER|AL", Mode::AsMessage, (Error, Always, true));
        check("NE|NE", Mode::AsMessage, (Never, Never, true));
    }

    #[test]
    fn the_listener_can_decide_instead() {
        check("AL|AL", Mode::Original, (Never, Always, false));
        check("|", Mode::Enhanced, (Always, Always, true));
        check("|NE", Mode::Enhanced, (Always, Never, true));
    }

    #[test]
    fn refusals_go_where_errors_are_wanted() {
        let by_commit = |commit, application| {
            Ask {
                commit,
                application,
                enhanced: true,
            }
            .refuses_by_commit()
        };
        assert!(by_commit(Always, Always) && by_commit(Error, Never) && by_commit(Never, Never));
        assert!(!by_commit(Never, Always) && !by_commit(Success, Error));
        assert!(!Ask::ORIGINAL.refuses_by_commit());
    }
}
