//! How long a message takes from bytes to FHIR JSON, in whole and in its steps. The goal is 20,000 a second on one core for
//! an ORU of 12 OBX.
#![allow(missing_docs)]

use bytes::Bytes;
use causeway_core::fhir::write_compact;
use causeway_core::{Adapter, Draft, Head, MemorySource, NodeId};
use causeway_hl7v2::{Config, Hl7v2};
use divan::{Bencher, black_box, counter::ItemsCount};

fn main() {
    divan::main();
}

const ANALYTES: [&str; 12] = [
    "2951-2^Sodium",
    "2823-3^Potassium",
    "2075-0^Chloride",
    "2345-7^Glucose",
    "2160-0^Creatinine",
    "17861-6^Calcium",
    "1975-2^Bilirubin",
    "1742-6^Alanine aminotransferase",
    "1920-8^Aspartate aminotransferase",
    "2885-2^Protein",
    "1751-7^Albumin",
    "3094-0^Urea nitrogen",
];

fn oru() -> Bytes {
    let head = "MSH|^~\\&|LIS|RUIJIN|CAUSEWAY|HIS|20261124081512+0800||ORU^R01^ORU_R01|L1|P|2.5.1||||||UNICODE UTF-8\r\
        PID|1||0084512^^^RUIJIN^MR||张^伟^^^^^L||19790516|M|||瑞金二路197号^^上海^^200025^CN^H||^PRN^CP^^^^13800000000\r\
        PV1|1|I|ICU^12^03^RUIJIN||||1001^王^芳^^^^MD||||||||||||I2026112300045^^^RUIJIN^VN\r\
        ORC|RE|HIS-778812^HIS|LIS-55120^LIS||CM||||20261124070500+0800|||1001^王^芳^^^^MD\r\
        OBR|1|HIS-778812^HIS|LIS-55120^LIS|24323-8^Comprehensive metabolic 2000 panel^LN|||20261124070000+0800|||||||||\
        1001^王^芳^^^^MD||||||20261124081500+0800||LAB|F\r";
    let obx = |(number, analyte): (usize, &&str)| {
        format!(
            "OBX|{number}|NM|{analyte}^LN^L{number}^项目^L||10{number}.5|mmol/L|90-147|N|||F|||20261124070000+0800||2001^李^娜\r"
        )
    };
    (1..)
        .zip(&ANALYTES)
        .map(obx)
        .fold(head.to_owned(), |text, line| text + &line)
        .into()
}

fn lift(adapter: &Hl7v2, source: &mut MemorySource) -> Option<Draft> {
    let mut reading = adapter.parse(&Head::Mllp, source).value?;
    adapter.next(&mut reading, source, &[7; 32])
}

#[divan::bench]
fn convert(bencher: Bencher) {
    let Ok(adapter) = Hl7v2::new(Config::default()) else {
        return;
    };
    let mut source = MemorySource(oru());
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        out.clear();
        if let Some(draft) = lift(&adapter, black_box(&mut source)) {
            write_compact(&draft.bundle.tree, NodeId::ROOT, &mut out);
        }
        out.len()
    });
}

#[divan::bench]
fn parse_and_map(bencher: Bencher) {
    let Ok(adapter) = Hl7v2::new(Config::default()) else {
        return;
    };
    let mut source = MemorySource(oru());
    bencher.bench_local(|| lift(&adapter, black_box(&mut source)));
}

#[divan::bench]
fn compile(bencher: Bencher) {
    bencher.bench_local(|| Hl7v2::new(Config::default()).is_ok());
}
