//! X12: files of professional claims, and what of them its adapter must account for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use causeway_core::{Head, Reply};
use causeway_x12::X12;
use causeway_x12::lift::Options;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Known, holds_for_any, holds_for_good, spoilt};

static ADAPTER: LazyLock<X12> = LazyLock::new(|| X12::new(&Options::default()).expect("the embedded data"));

/// A claim as a test wants it.
#[derive(Debug, Clone)]
struct Claim {
    number: String,
    /// Whether it is of the subscriber's child.
    of_child: bool,
    diagnoses: usize,
    lines: usize,
    reference: bool,
}

/// A file as a test wants it: what separates, what it is called, and the claims of its transaction sets.
#[derive(Debug, Clone)]
struct File {
    element: char,
    component: char,
    end: &'static str,
    number: u32,
    sets: Vec<Vec<Claim>>,
}

impl Default for File {
    fn default() -> Self {
        let claim = Claim {
            number: "C1".to_owned(),
            of_child: true,
            diagnoses: 2,
            lines: 2,
            reference: true,
        };
        Self {
            element: '*',
            component: ':',
            end: "~\n",
            number: 77,
            sets: vec![vec![claim.clone(), claim]],
        }
    }
}

impl File {
    /// 837P 005010X222A1; names and numbers are invented.
    fn text(&self) -> String {
        let (number, count) = (self.number, self.sets.len());
        let mut segments = vec![
            format!(
                "ISA*00*          *00*          *ZZ*CLINIC         *ZZ*PAYER          *260301*1200*^*00501*{number:09}*1*T*:"
            ),
            format!("GS*HC*CLINIC*PAYER*20260301*1200*{number}*X*005010X222A1"),
        ];
        for (control, claims) in (1..).zip(&self.sets) {
            let set = set(control, claims);
            let length = set.len() + 1;
            segments.extend(set);
            segments.push(format!("SE*{length}*{control:04}"));
        }
        segments.push(format!("GE*{count}*{number}"));
        segments.push(format!("IEA*1*{number:09}"));
        let separated = |text: &String| {
            let marks = |mark| match mark {
                '*' => self.element,
                ':' => self.component,
                other => other,
            };
            text.chars().map(marks).collect::<String>() + self.end
        };
        segments.iter().map(separated).collect()
    }
}

/// The segments of a transaction set but its last.
fn set(control: usize, claims: &[Claim]) -> Vec<String> {
    let mut all = vec![format!("ST*837*{control:04}*005010X222A1")];
    let head = "BHT*0019*00*B1*20260301*1200*CH|NM1*41*2*BILLING*****46*B1|PER*IC*DESK*TE*5551230000\
        |NM1*40*2*PAYER*****46*P1|HL*1**20*1|NM1*85*2*RIVER CLINIC*****XX*1234567893|N3*1 RIVER ROAD\
        |N4*SPRINGFIELD*IL*627010000|REF*EI*123456789";
    all.extend(head.split('|').map(str::to_owned));
    let mut level = 1;
    for claim in claims {
        level += 1;
        let (child, itself) = if claim.of_child { (1, "") } else { (0, "18") };
        all.push(format!("HL*{level}*1*22*{child}"));
        all.push(format!("SBR*P*{itself}*GRP******CI"));
        all.push("NM1*IL*1*MILLER*ANN****MI*M1".to_owned());
        if !claim.of_child {
            all.extend(["N3*2 HILL", "N4*SPRINGFIELD*IL*62701", "DMG*D8*19620714*F"].map(str::to_owned));
        }
        all.push("NM1*PR*2*PAYER*****PI*P1".to_owned());
        if claim.of_child {
            let subscriber = level;
            level += 1;
            all.push(format!("HL*{level}*{subscriber}*23*0"));
            let child = ["PAT*19", "NM1*QC*1*MILLER*TOM", "N3*2 HILL", "N4*SPRINGFIELD*IL*62701"];
            all.extend(child.map(str::to_owned));
            all.push("DMG*D8*20100101*M".to_owned());
        }
        all.extend(own(claim));
    }
    all
}

/// A claim from its CLM on.
fn own(claim: &Claim) -> Vec<String> {
    let mut all = vec![format!("CLM*{}*{}***11:B:1*Y*A*Y*Y", claim.number, 70 * claim.lines)];
    if claim.reference {
        all.push("REF*D9*TRACE 1".to_owned());
    }
    let diagnoses = ["ABK:E119", "ABF:I10", "ABF:Z7984"];
    let diagnoses: Vec<&str> = diagnoses.into_iter().take(claim.diagnoses).collect();
    all.push(format!("HI*{}", diagnoses.join("*")));
    all.push("NM1*82*1*DOCTOR*DAN****XX*1234567893".to_owned());
    all.push("PRV*PE*PXC*207Q00000X".to_owned());
    for line in 1..=claim.lines {
        all.push(format!("LX*{line}"));
        all.push("SV1*HC:99213:25*70*UN*1***1".to_owned());
        all.push("DTP*472*D8*20260227".to_owned());
        if claim.reference {
            all.push(format!("REF*6R*LINE{line}"));
        }
    }
    all
}

/// Segments of a text: an ISA's fourth character separates elements, its 106th ends segments.
fn segments(text: &str) -> Vec<Vec<&str>> {
    let marks: Vec<char> = text.chars().take(106).collect();
    let (Some(element), Some(end)) = (marks.get(3), marks.get(105)) else {
        return Vec::new();
    };
    let all = text.split(*end).map(str::trim).filter(|segment| !segment.is_empty());
    all.map(|segment| segment.split(*element).collect()).collect()
}

/// Where segments of these files stand, by the guide's own rules.
#[derive(Default)]
struct Walk {
    level: &'static str,
    within: &'static str,
    instances: BTreeMap<&'static str, u32>,
    occurrences: BTreeMap<(&'static str, u32, String), u32>,
}

impl Walk {
    /// The place of the next segment of a transaction set.
    fn place(&mut self, segment: &[&str]) -> String {
        let element = |number: usize| segment.get(number).copied().unwrap_or_default();
        let level = match (element(0), element(3)) {
            ("HL", "20") => Some("2000A"),
            ("HL", "22") => Some("2000B"),
            ("HL", "23") => Some("2000C"),
            ("CLM", _) => Some("2300"),
            ("LX", _) => Some("2400"),
            _ => None,
        };
        let name = match (self.level, element(0), element(1)) {
            ("", "NM1", "41") => Some("1000A"),
            ("", "NM1", "40") => Some("1000B"),
            ("2000A", "NM1", "85") => Some("2010AA"),
            ("2000B", "NM1", "IL") => Some("2010BA"),
            ("2000B", "NM1", "PR") => Some("2010BB"),
            ("2000C", "NM1", "QC") => Some("2010CA"),
            ("2300", "NM1", "82") => Some("2310B"),
            _ => None,
        };
        self.level = level.unwrap_or(self.level);
        if let Some(opened) = level.or(name) {
            self.within = opened;
            *self.instances.entry(opened).or_default() += 1;
        }
        let instance = self.instances.get(self.within).copied().unwrap_or(1);
        let key = (self.within, instance, element(0).to_owned());
        let occurrence = self.occurrences.entry(key).or_default();
        *occurrence += 1;
        match self.within {
            "" => format!("{}[{occurrence}]", element(0)),
            within => format!("{within}[{instance}]/{}[{occurrence}]", element(0)),
        }
    }
}

impl Known for X12 {
    const BYTES: &[u8] = b"*~:^|\r\n 0AISTCLM";

    fn head() -> Head {
        Head::file("claims.837")
    }

    fn samples() -> Vec<Vec<u8>> {
        let good = File::default().text();
        let two = good.replace("000000077", "000000078") + &good;
        let other = "ISA|00|          |00|          |ZZ|A              |ZZ|B              |260301|1200|^|00501|000000001|0|P|>\
            \nGS|HI|A|B|20260301|1200|5|X|005010X217\nST|278|0001|005010X217\nBHT|0007|13|1\nUM|HS\nSE|4|0001\nGE|1|5\n\
            IEA|1|000000001\n";
        let broken = good.replace("HI*ABK:E119", "HI*ABK").replace("CLM*C1", "CLM*");
        let long = good.replace("LINE1", &"9".repeat(80));
        let missing = good.replacen("NM1*85", "ZZZ*85", 1);
        let ended = good.split_inclusive('~').take(20).collect::<String>();
        let all = [good.as_str(), &two, other, &broken, &long, &missing, &ended, "ISA*00*"];
        all.map(|text| text.as_bytes().to_vec()).to_vec()
    }

    /// TA101 is ISA13 of what is answered, AK102 its GS06; in these files they are the same number.
    fn answers(reply: &Reply) -> Option<String> {
        let text = String::from_utf8(reply.bytes.to_vec()).ok()?;
        let segments = segments(&text);
        let find = |name: &str, element: usize| {
            let segment = segments.iter().find(|segment| segment.first() == Some(&name))?;
            segment.get(element).copied()
        };
        find("TA1", 1)
            .or_else(|| find("AK1", 2))
            .map(|number| format!("{number:0>9}"))
    }

    /// `ISA[1]/ST[1]/2300[4]/REF[2]-01[2].1` and shorter ones. What a part of a place is called stands in the frame at
    /// least so often as the place counts.
    fn resolves(&self, frame: &[u8], place: &str) -> bool {
        let frame = frame.to_ascii_uppercase(); // as names are shown
        let stands = |name: &str, count: usize| {
            let found = frame.windows(name.len()).filter(|bytes| *bytes == name.as_bytes());
            !name.is_empty() && count > 0 && found.count() >= count
        };
        let counted = |step: &str| {
            let (name, number) = step.strip_suffix(']')?.split_once('[')?;
            Some((name.to_owned(), number.parse::<usize>().ok()?))
        };
        let (path, within) = place.split_once('-').unwrap_or((place, ""));
        let number = |text: &str| text.parse::<u16>().is_ok_and(|number| number > 0);
        let (element, component) = within.split_once('.').unwrap_or((within, "1"));
        let (element, repetition) = element.split_once('[').unwrap_or((element, "1]"));
        let repetition = repetition.strip_suffix(']').is_some_and(number);
        let narrowed = within.is_empty() || element.len() >= 2 && number(element) && repetition && number(component);
        let is_loop = |name: &str| name.len() >= 4 && name.starts_with(|first: char| first.is_ascii_digit());
        let mut steps = path.split('/').map(counted);
        let opened = steps
            .next()
            .flatten()
            .is_some_and(|(name, count)| name == "ISA" && stands("ISA", count));
        let known = |step: Option<(String, usize)>| {
            // What of a name cannot be written is a question mark.
            step.is_some_and(|(name, count)| {
                count > 0 && (is_loop(&name) || name.contains('?') || stands(&name, count))
            })
        };
        narrowed && opened && steps.all(known)
    }

    fn leaves(frame: &[u8]) -> BTreeSet<String> {
        let text = std::str::from_utf8(frame).expect("text");
        let component = text.chars().nth(104).expect("a header");
        let (mut leaves, mut walk, mut number) = (BTreeSet::new(), Walk::default(), 0);
        for segment in segments(text) {
            match segment.first() {
                Some(&("ISA" | "GS" | "SE" | "GE" | "IEA")) => continue, // the envelope
                Some(&"ST") => (walk, number) = (Walk::default(), number + 1),
                _ => {}
            }
            let place = walk.place(&segment);
            for (element, text) in segment.iter().enumerate().skip(1) {
                let parts = (1..).zip(text.split(component)).filter(|(_, part)| !part.is_empty());
                leaves.extend(parts.map(|(part, _)| format!("ISA[1]/ST[{number}]/{place}-{element:02}.{part}")));
            }
        }
        leaves
    }
}

fn claim() -> impl Strategy<Value = Claim> {
    ("[A-Z0-9]{1,20}", any::<bool>(), 1..4_usize, 1..4_usize, any::<bool>()).prop_map(
        |(number, of_child, diagnoses, lines, reference)| Claim {
            number,
            of_child,
            diagnoses,
            lines,
            reference,
        },
    )
}

fn file() -> impl Strategy<Value = File> {
    let marks = prop_oneof![
        Just(('*', ':', "~")),
        Just(('*', ':', "~\r\n")),
        Just(('|', '>', "\n")),
        Just(('\u{1d}', '\u{1f}', "\u{1c}")),
    ];
    let sets = vec(vec(claim(), 1..4), 1..3);
    (marks, 1..999_999_999_u32, sets).prop_map(|((element, component, end), number, sets)| File {
        element,
        component,
        end,
        number,
        sets,
    })
}

#[test]
fn real_frames_of_x12() {
    for frame in X12::samples() {
        holds_for_any(&*ADAPTER, &frame);
    }
    holds_for_good(&*ADAPTER, File::default().text().as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_of_x12(frame in vec(any::<u8>(), 0..300)) {
        holds_for_any(&*ADAPTER, &frame);
    }

    #[test]
    fn spoilt_frames_of_x12(frame in spoilt::<X12>()) {
        holds_for_any(&*ADAPTER, &frame.0);
    }

    #[test]
    fn well_formed_frames_of_x12(file in file()) {
        let frame = file.text();
        holds_for_any(&*ADAPTER, frame.as_bytes());
        holds_for_good(&*ADAPTER, frame.as_bytes());
    }
}
