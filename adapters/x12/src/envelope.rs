//! What the control segments around a transaction set say: ISA, GS and ST (X12.5, X12.22). They are read here and judged
//! in `validate`.

/// The control segments in force, element by element, as they stand; padding is cut off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Number of the interchange in the file, from 1.
    pub interchange: u32,
    /// Number of the transaction set in the interchange, from 1.
    pub transaction: u32,
    /// ISA05, qualifier of the sender.
    pub sender_qualifier: String,
    /// ISA06, the sender.
    pub sender: String,
    /// ISA07, qualifier of the receiver.
    pub receiver_qualifier: String,
    /// ISA08, the receiver.
    pub receiver: String,
    /// ISA09 and ISA10, `YYMMDD` and `HHMM` together.
    pub interchange_time: String,
    /// ISA12, version of the interchange.
    pub interchange_version: String,
    /// ISA13, control number of the interchange.
    pub interchange_control: String,
    /// ISA15, `P` or `T`.
    pub usage: String,
    /// GS01, functional identifier: `HC`.
    pub functional_id: String,
    /// GS02, application sender.
    pub application_sender: String,
    /// GS03, application receiver.
    pub application_receiver: String,
    /// GS04 and GS05, `CCYYMMDD` and `HHMM`, `HHMMSS` or finer, together.
    pub group_time: String,
    /// GS06, control number of the group.
    pub group_control: String,
    /// GS08, version and guide: `005010X222A1`.
    pub group_version: String,
    /// ST01, the transaction set: `837`.
    pub set: String,
    /// ST02, its control number.
    pub set_control: String,
    /// ST03, the guide where it is said; else GS08 says it.
    pub guide: String,
}
