//! What a run may note besides what it writes: which places were read for what. On the way of a live message nothing is
//! noted and the calls vanish.

use causeway_core::Place;

/// Notes what a run reads.
pub trait Track {
    /// Whether anything is noted.
    const ON: bool;

    /// A test, selector or key read a place.
    fn tested(&mut self, place: Place);

    /// A row of a number read a place and it came to nothing by itself: ignored, left out, or lost to another row.
    fn passed(&mut self, place: Place, row: u32, why: Passed);

    /// Forgets what was tested since the last row fired, or keeps it.
    fn settle(&mut self, fired: bool);
}

/// Why a place that a row read is not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passed {
    /// What was written already says the same.
    Alike,
    /// The row says so.
    Ignored,
    /// Another row, of that number, won the element.
    Lost(u32),
    /// The element holds no more values.
    Overflow,
    /// `""` where nothing can be removed.
    Null,
    /// It came to nothing: a code without a target, a value that is not of its type.
    Nothing,
}

/// Notes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nothing;

impl Track for Nothing {
    const ON: bool = false;

    fn tested(&mut self, _place: Place) {}

    fn passed(&mut self, _place: Place, _row: u32, _why: Passed) {}

    fn settle(&mut self, _fired: bool) {}
}

/// What was noted of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// The place.
    pub place: Place,
    /// The row, where one did it.
    pub row: Option<u32>,
    /// Why it is not written; none when it was read by a test or key of a row that fired.
    pub passed: Option<Passed>,
}

/// Notes all.
#[derive(Debug, Clone, Default)]
pub struct Tracked {
    /// What was noted, in order.
    pub touched: Vec<Touched>,
    tested: Vec<Place>,
}

impl Track for Tracked {
    const ON: bool = true;

    fn tested(&mut self, place: Place) {
        self.tested.push(place);
    }

    fn passed(&mut self, place: Place, row: u32, why: Passed) {
        self.touched.push(Touched {
            place,
            row: Some(row),
            passed: Some(why),
        });
    }

    fn settle(&mut self, fired: bool) {
        if fired {
            self.touched.extend(self.tested.iter().map(|place| Touched {
                place: *place,
                row: None,
                passed: None,
            }));
        }
        self.tested.clear();
    }
}
