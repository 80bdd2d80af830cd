//! How long a message takes from bytes to segments, to every leaf, and to an acknowledgement.
#![allow(missing_docs)]

use bytes::Bytes;
use causeway_core::Stamp;
use causeway_hl7v2::header::Takes;
use causeway_hl7v2::reply::{self, Settings};
use causeway_hl7v2::{Intake, tokenise};
use divan::{Bencher, black_box, counter::BytesCount};

fn main() {
    divan::main();
}

/// An ORU^R01 of about 2 kB with 12 OBX.
fn oru(name: &str) -> String {
    let head = format!(
        "MSH|^~\\&|LIS^1.2.840.1^ISO|LAB^2.16.840.1.2^ISO|CAUSEWAY|HIE|20260301083000+0800||ORU^R01^ORU_R01|L2026030100017|P|2.5.1|||AL|NE||UNICODE UTF-8\r\
         PID|1||100200300^^^HIS&2.16.840.1.3&ISO^MR||{name}^^^^^^L||19620714|M|||88 Renmin Road^^Shanghai^^200000^CN\r\
         PV1|1|I|W3^301^2^HIS||||1234^Li^Ming^^^Dr|||||||||||V20260228^^^HIS^VN\r\
         ORC|RE|O55501^HIS|F99120^LIS\r\
         OBR|1|O55501^HIS|F99120^LIS|24323-8^Comprehensive metabolic panel^LN|||20260301080000+0800||||||||1234^Li^Ming||||||20260301082900+0800||LAB|F\r"
    );
    let obx = |number: usize| {
        format!(
            "OBX|{number}|NM|2823-3^Potassium [Moles/volume] in Serum or Plasma^LN^K^Potassium^L||4.{number}|mmol/L^^UCUM|3.5-5.1|N|||F|||20260301080000+0800\r"
        )
    };
    (1..=12).map(obx).fold(head, |text, line| text + &line)
}

#[divan::bench(args = ["Zhang^Wei", "张^伟"])]
fn split(bencher: Bencher, name: &str) {
    let text = Bytes::from(oru(name));
    let size = BytesCount::new(text.len());
    bencher
        .counter(size)
        .bench_local(|| tokenise(black_box(&text), encoding_rs::UTF_8));
}

#[divan::bench(args = ["Zhang^Wei", "张^伟"])]
fn decode_and_split(bencher: Bencher, name: &str) {
    let text = Bytes::from(oru(name));
    bencher.bench_local(|| Intake::read(black_box(&text).clone(), None));
}

#[divan::bench]
fn decode_gb18030_and_split(bencher: Bencher) {
    let text = oru("张^伟").replace("UNICODE UTF-8", "GB 18030-2000");
    let text = Bytes::from(encoding_rs::GB18030.encode(&text).0.into_owned());
    bencher.bench_local(|| Intake::read(black_box(&text).clone(), Some(encoding_rs::GB18030)));
}

#[divan::bench]
fn leaves(bencher: Bencher) {
    let intake = Intake::read(Bytes::from(oru("Zhang^Wei")), None);
    let message = intake.body.messages.first();
    bencher.bench_local(|| message.map_or(0, |message| black_box(message).leaves().count()));
}

#[divan::bench]
fn commit(bencher: Bencher) {
    let intake = Intake::read(Bytes::from(oru("Zhang^Wei")), None);
    let stamp = Stamp {
        time: jiff::Timestamp::UNIX_EPOCH,
        control_id: "CW000001".to_owned(),
    };
    let settings = Settings::default();
    bencher.bench_local(|| reply::commit(black_box(&intake), &settings, &stamp, |_| Takes::Yes));
}
