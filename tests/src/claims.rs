//! Files of professional claims (837P, 005010X222A1) of any size, made up piece by piece: every name and number is
//! invented. What a gateway says of them is no business of this file's.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Claims of a transaction set at the most (005010X222A1 1.3.2).
const OF_A_SET: usize = 5_000;

/// An interchange of so many claims, `C1` to `Cn`, of subscribers who are the patients. Each has two lines, 20 segments and
/// some 620 bytes.
pub fn claims(count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A vector takes everything.
    let _written = write_all(&mut bytes, count);
    bytes
}

/// The same in a file, for more than memory should hold.
///
/// # Errors
/// It cannot be written.
pub fn write_claims(path: &Path, count: usize) -> io::Result<u64> {
    let mut out = BufWriter::new(File::create(path)?);
    write_all(&mut out, count)?;
    let file = out.into_inner()?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn write_all(out: &mut impl Write, count: usize) -> io::Result<()> {
    let isa =
        "ISA*00*          *00*          *ZZ*CLINIC         *ZZ*PAYER          *260301*1200*^*00501*000000077*1*T*:~";
    writeln!(out, "{isa}\nGS*HC*CLINIC*PAYER*20260301*1200*77*X*005010X222A1~")?;
    let sets = count.div_ceil(OF_A_SET);
    for set in 0..sets {
        let first = set * OF_A_SET + 1;
        let last = count.min(first + OF_A_SET - 1);
        writeln!(out, "ST*837*{:09}*005010X222A1~\n{HEAD}", set + 1)?;
        for (level, number) in (2..).zip(first..=last) {
            claim(out, level, number)?;
        }
        let segments = 12 + (last + 1 - first) * OF_A_CLAIM;
        writeln!(out, "SE*{segments}*{:09}~", set + 1)?;
    }
    writeln!(out, "GE*{sets}*77~\nIEA*1*000000077~")
}

const HEAD: &str = "BHT*0019*00*BATCH1*20260301*1200*CH~
NM1*41*2*CLINIC BILLING*****46*CLINIC~
PER*IC*DESK*TE*5551230000~
NM1*40*2*PAYER*****46*PAYER~
HL*1**20*1~
PRV*BI*PXC*207Q00000X~
NM1*85*2*RIVER CLINIC*****XX*1234567893~
N3*1 RIVER ROAD~
N4*SPRINGFIELD*IL*627010000~
REF*EI*123456789~";

/// Segments of [`claim`].
const OF_A_CLAIM: usize = 20;

fn claim(out: &mut impl Write, level: usize, number: usize) -> io::Result<()> {
    writeln!(
        out,
        "HL*{level}*1*22*0~
SBR*P*18*GRP1******CI~
NM1*IL*1*MILLER*ANN{number}****MI*M{number:08}~
N3*2 HILL STREET~
N4*SPRINGFIELD*IL*62701~
DMG*D8*19620714*F~
NM1*PR*2*PAYER*****PI*PAYER~
CLM*C{number}*140***11:B:1*Y*A*Y*Y~
REF*D9*TRACE{number}~
HI*ABK:E119*ABF:I10~
NM1*82*1*DOCTOR*DAN****XX*1234567893~
PRV*PE*PXC*207Q00000X~
LX*1~
SV1*HC:99213*100*UN*1***1:2~
DTP*472*D8*20260227~
REF*6R*LINE{number}A~
LX*2~
SV1*HC:83036*40*UN*1***1~
DTP*472*D8*20260227~
REF*6R*LINE{number}B~"
    )
}
