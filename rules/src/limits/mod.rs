//! The decision table of limits: which value of which analyte, at which age and in which specimen, is beyond which
//! limit. The tables are compiled once into an index; a check walks a bundle and allocates nothing until a row fires.

pub(crate) mod age;
pub(crate) mod check;
pub(crate) mod fold;
mod lint;
mod names;
mod observation;
pub(crate) mod read;
mod rows;
mod scene;
pub(crate) mod text;
mod value;

use std::collections::HashMap;
use std::sync::Arc;

use causeway_core::Text;
use jiff::civil::Date;

use crate::decimal::{Decimal, Ratio};
use age::Band;

/// What is measured.
#[derive(Debug, Clone)]
pub(crate) struct Analyte {
    pub(crate) id: String,
    pub(crate) name: Text,
    /// The unit that factors lead to.
    pub(crate) unit: String,
    /// Grams a mole, for factors that name `M`.
    pub(crate) molar_mass: Option<Ratio>,
    pub(crate) advice: Option<Text>,
    /// What is plausible in blood, in the analyte's unit.
    pub(crate) plausible: [Option<Ratio>; 2],
    pub(crate) units: Vec<Unit>,
    /// Indexes of its rows.
    pub(crate) rows: Vec<usize>,
    pub(crate) file: Arc<str>,
    pub(crate) line: u64,
}

impl Analyte {
    /// The unit of a folded spelling.
    pub(crate) fn unit(&self, folded: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| &*unit.folded == folded)
    }
}

/// A spelling of a unit and what one of it is in the analyte's unit.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    pub(crate) spelling: String,
    pub(crate) folded: Box<str>,
    pub(crate) factor: Ratio,
    /// The factor as the table writes it.
    pub(crate) written: String,
}

/// Where blood was taken, or that it is no blood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Specimen {
    /// Whole blood, not said from where.
    Blood,
    /// Serum or plasma.
    Serum,
    /// Arterial blood.
    Arterial,
    /// Venous blood.
    Venous,
    /// Capillary blood.
    Capillary,
    /// Cord blood.
    Cord,
    /// Anything else: urine, cerebrospinal fluid, a puncture.
    Other,
    /// A code that is used for blood and for other specimens alike.
    Unsaid,
}

/// The words of specimens in tables, in the order of their bits.
pub(crate) const SPECIMENS: [(&str, Specimen); 8] = [
    ("blood", Specimen::Blood),
    ("serum", Specimen::Serum),
    ("arterial", Specimen::Arterial),
    ("venous", Specimen::Venous),
    ("capillary", Specimen::Capillary),
    ("cord", Specimen::Cord),
    ("other", Specimen::Other),
    ("unsaid", Specimen::Unsaid),
];

impl Specimen {
    /// The specimen of a word.
    pub(crate) fn of(word: &str) -> Option<Self> {
        SPECIMENS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind)
    }

    /// Its bit in a row's set.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Its word.
    pub(crate) fn word(self) -> &'static str {
        SPECIMENS
            .iter()
            .find(|(_, kind)| *kind == self)
            .map_or("other", |(name, _)| name)
    }
}

/// What a code stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) analyte: usize,
    pub(crate) specimen: Specimen,
}

/// Which side of a limit is critical.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Values below.
    Low,
    /// Values above.
    High,
}

/// One row: a limit.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) analyte: usize,
    /// Bits of [`Specimen`].
    pub(crate) specimens: u8,
    /// Bits of bands.
    pub(crate) bands: u16,
    /// The age as the table writes it.
    pub(crate) age: String,
    pub(crate) side: Side,
    /// Whether the limit itself is critical.
    pub(crate) inclusive: bool,
    pub(crate) limit: Decimal,
    /// The limit in the analyte's unit.
    pub(crate) exact: Ratio,
    /// Index of the limit's unit among the analyte's.
    pub(crate) unit: usize,
    pub(crate) jurisdiction: String,
    pub(crate) from: Date,
    pub(crate) to: Option<Date>,
    pub(crate) source: String,
    pub(crate) note: String,
    pub(crate) file: Arc<str>,
    pub(crate) line: u64,
}

impl Row {
    /// The comparison as tables write it.
    pub(crate) fn op(&self) -> &'static str {
        match (self.side, self.inclusive) {
            (Side::Low, true) => "<=",
            (Side::Low, false) => "<",
            (Side::High, true) => ">=",
            (Side::High, false) => ">",
        }
    }

    /// Whether it is in force on a day.
    pub(crate) fn in_force(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// The compiled table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    pub(crate) analytes: Vec<Analyte>,
    /// Indexes of analytes by id.
    pub(crate) by_id: HashMap<String, usize>,
    pub(crate) bands: Vec<Band>,
    /// Index of the band that stands in when the age is not known.
    pub(crate) fallback: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) loinc: HashMap<Box<str>, Code>,
    /// By folded code of any other system.
    pub(crate) local: HashMap<Box<str>, Code>,
    /// By folded display or text.
    pub(crate) names: HashMap<Box<str>, Code>,
    /// By folded code, display or text of a specimen's type.
    pub(crate) specimens: HashMap<Box<str>, Specimen>,
}
