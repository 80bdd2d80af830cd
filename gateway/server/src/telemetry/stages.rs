//! What a message that is traced went through, step by step: a step ends where the next begins, the last with the message.
//! Names of steps and times, nothing of the message.

use jiff::Timestamp;

use super::Caller;

/// Steps that are told of one message; a file of many claims goes on without.
const MOST: usize = 64;

/// The steps so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// Names and beginnings.
    begun: Vec<(&'static str, Timestamp)>,
    /// Whose trace it is part of.
    pub caller: Option<Caller>,
}

impl Stages {
    /// Those of a message of a caller, if it has one.
    pub fn new(caller: Option<Caller>) -> Self {
        Self {
            begun: Vec::with_capacity(12),
            caller,
        }
    }

    /// The next step begins.
    pub fn begin(&mut self, name: &'static str, at: Timestamp) {
        if self.begun.len() < MOST {
            self.begun.push((name, at));
        }
    }

    /// Each step with its beginning and its end; the message ended then.
    pub fn ended(&self, end: Timestamp) -> impl Iterator<Item = (&'static str, Timestamp, Timestamp)> {
        let ends = self.begun.iter().skip(1).map(|(_, next)| *next).chain([end]);
        let steps = self.begun.iter().zip(ends);
        // A clock that was set back makes no step negative.
        steps.map(|((name, begin), end)| (*name, *begin, end.max(*begin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ends_where_the_next_begins_and_there_are_not_too_many() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut stages = Stages::default();
        stages.begin("receive", at(1));
        stages.begin("translate", at(3));
        let ended: Vec<_> = stages.ended(at(4)).collect();
        assert_eq!(ended, [("receive", at(1), at(3)), ("translate", at(3), at(4))]);
        assert_eq!(stages.ended(at(2)).last(), Some(("translate", at(3), at(3))));
        (0..1_000).for_each(|_| stages.begin("rules", at(4)));
        assert_eq!(stages.ended(at(4)).count(), MOST);
    }
}
