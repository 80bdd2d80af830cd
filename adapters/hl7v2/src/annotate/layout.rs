//! Where an ORU takes comments and results of others (structure `ORU_R01`: HL7 v2.5.1 and v2.9 7.3.1): a comment behind the
//! PID, OBR or OBX that it speaks of, behind the comments that are there; a result behind the last of its order. Other
//! segments have no NTE of their own in every version, so what is said of them is said at the order or the patient that they
//! belong to. What is written there is not known here.

use std::collections::HashMap;

use causeway_core::Place;

use crate::header::Version;
use crate::message::{Message, Name};

/// The segments of a message as the structure has them.
pub(super) struct Layout<'a> {
    pub(super) message: &'a Message,
    /// NK1 stands before the comments on the patient (HL7 v2.4 7.3.1).
    next_of_kin_first: bool,
    /// For each segment the OBR that it belongs to.
    orders: Vec<Option<usize>>,
    /// The results of each OBR.
    results: HashMap<usize, Vec<usize>>,
}

/// What may stand between an OBR and the first OBX of its own (HL7 v2.9 7.3.1).
const BEFORE_RESULTS: &[&[u8; 3]] = &[b"NTE", b"PRT", b"TQ1", b"TQ2", b"CTD"];

impl<'a> Layout<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        let mut layout = Self {
            message,
            next_of_kin_first: message.version().is_some_and(|version| version < Version(2, 5, 0)),
            orders: Vec::with_capacity(message.segments.len()),
            results: HashMap::new(),
        };
        let (mut order, mut specimen) = (None, false);
        for (at, segment) in message.segments.iter().enumerate() {
            match &segment.name.0 {
                b"OBR" => (order, specimen) = (Some(at), false),
                b"ORC" | b"PID" | b"MSH" | b"DSC" => order = None,
                // Many senders put the specimen before all results; behind results it has observations of its own.
                b"SPM" => specimen |= order.is_some_and(|order| layout.results.contains_key(&order)),
                b"OBX" if !specimen => {
                    if let Some(order) = order {
                        layout.results.entry(order).or_default().push(at);
                    }
                }
                _ => {}
            }
            layout.orders.push(order);
        }
        layout
    }

    fn is(&self, at: usize, names: &[&[u8; 3]]) -> bool {
        self.name(at).is_some_and(|name| names.contains(&&name.0))
    }

    fn name(&self, at: usize) -> Option<Name> {
        self.message.segments.get(at).map(|segment| segment.name)
    }

    /// Whether a segment is a site's own: it belongs to the one before it.
    fn is_local(&self, at: usize) -> bool {
        self.name(at).is_some_and(|name| name.0.starts_with(b"Z"))
    }

    /// The segment that takes what is said of a place, or of the message where there is none.
    pub(super) fn taker(&self, place: Option<Place>) -> Option<usize> {
        let first = self.find(*b"OBR");
        let Some(mut at) = place.and_then(|place| self.message.position(place)) else {
            return first.or_else(|| self.find(*b"PID"));
        };
        while at > 0 && (self.is(at, &[b"NTE", b"PRT"]) || self.is_local(at)) {
            at -= 1;
        }
        if self.is_result(at) || self.is(at, &[b"PID", b"OBR"]) {
            return Some(at);
        }
        if self.is(at, &[b"ORC"]) {
            return (at..self.message.segments.len()).find(|at| self.is(*at, &[b"OBR"]));
        }
        let last = (0..at).rev().find(|at| self.is(*at, &[b"PID", b"OBR"]));
        last.or(first).or_else(|| self.find(*b"PID"))
    }

    fn find(&self, name: [u8; 3]) -> Option<usize> {
        self.message.positions(Name(name)).next()
    }

    /// Whether a segment is a result of an order, and not an observation of the patient or of a specimen.
    fn is_result(&self, at: usize) -> bool {
        let order = self.order(at).filter(|_| self.is(at, &[b"OBX"]));
        order.is_some_and(|order| self.results(order).binary_search(&at).is_ok())
    }

    /// The OBR that a segment belongs to: the last before it in its order; for a PID the first behind it.
    pub(super) fn order(&self, at: usize) -> Option<usize> {
        if self.is(at, &[b"PID"]) {
            let next = (at + 1..self.message.segments.len()).find(|at| self.is(*at, &[b"PID", b"OBR"]))?;
            return self.is(next, &[b"OBR"]).then_some(next);
        }
        self.orders.get(at).copied().flatten()
    }

    /// The comments that a segment has.
    pub(super) fn notes(&self, at: usize) -> impl Iterator<Item = usize> {
        self.followers(at).filter(|at| self.is(*at, &[b"NTE"]))
    }

    /// The segment that a further comment on a segment goes behind.
    pub(super) fn behind(&self, at: usize) -> usize {
        let before: &[&[u8; 3]] = match self.name(at).map(|name| name.0).as_ref() {
            Some(b"OBX") => &[b"PRT"],
            Some(b"PID") if self.next_of_kin_first => &[b"PD1", b"PRT", b"NK1"],
            Some(b"PID") => &[b"PD1", b"PRT"],
            _ => &[],
        };
        let first = || self.followers(at).take_while(|at| self.is(*at, before)).last();
        self.notes(at).last().or_else(first).unwrap_or(at)
    }

    /// What belongs to a segment and follows it.
    fn followers(&self, at: usize) -> impl Iterator<Item = usize> {
        let patient = self.is(at, &[b"PID"]);
        let of: &[&[u8; 3]] = if patient {
            &[b"PD1", b"PRT", b"NTE", b"NK1"]
        } else {
            &[b"PRT", b"NTE"]
        };
        (at + 1..self.message.segments.len()).take_while(move |at| self.is(*at, of) || self.is_local(*at))
    }

    /// The results of an order.
    pub(super) fn results(&self, order: usize) -> &[usize] {
        self.results.get(&order).map_or(&[], Vec::as_slice)
    }

    /// The segment that a further result of an order goes behind.
    pub(super) fn behind_results(&self, order: usize) -> usize {
        if let Some(last) = self.results(order).last() {
            return self.followers(*last).last().unwrap_or(*last);
        }
        let before = (order + 1..self.message.segments.len())
            .take_while(|at| self.is(*at, BEFORE_RESULTS) || self.is_local(*at));
        before.last().unwrap_or(order)
    }
}
