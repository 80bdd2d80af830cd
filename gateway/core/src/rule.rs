//! What a rule is to the chain: a pure check of one exchange. How rules are written is the business of the rules crate.

use crate::{Exchange, Finding};

/// What a rule or hook says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Its name.
    pub id: String,
    /// Its version, a hash or number.
    pub version: String,
    /// What happens when it breaks.
    pub fail: Fail,
}

/// What happens to a message when a rule breaks. Clinical advice remarks, privacy and law hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fail {
    /// A finding "not evaluated", and the message goes on.
    #[default]
    Remark,
    /// The message is held for a person.
    Hold,
    /// The message is refused.
    Refuse,
}

/// A check of an exchange: no I/O, and "now" is the time the frame was received.
pub trait Rule: Send + Sync {
    /// What it is.
    fn meta(&self) -> &Meta;

    /// Its remarks; none means nothing found.
    fn check(&self, exchange: &Exchange) -> Vec<Finding>;
}
