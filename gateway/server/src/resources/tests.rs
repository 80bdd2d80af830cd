//! What messages say, applied and read as a client reads it.

use causeway_core::fhir::{Limits, parse};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::feed::{self, Statements};
use super::forget::Pass;
use super::merge::Index;
use super::recent::Recent;
use super::write::Batch;
use super::{Criterion, Older, Reader, Search, Unites, schema};

const SECOND: i64 = 1_000_000;

struct House {
    folder: tempfile::TempDir,
    connection: Connection,
    index: Index,
    recent: Recent,
    pack: u32,
    frame: u64,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let connection = schema::open(folder.path()).unwrap();
        Self {
            index: Index::open(&connection).unwrap(),
            recent: Recent::default(),
            folder,
            connection,
            pack: 0,
            frame: 0,
        }
    }

    /// A message with some resources, stated and answered at a second.
    fn say(&mut self, resources: &[Value], second: i64) -> u64 {
        self.say_all(&[(resources, second)])
    }

    /// Messages of one batch; the last one's number.
    fn say_all(&mut self, messages: &[(&[Value], i64)]) -> u64 {
        let transaction = self.connection.transaction().unwrap();
        let mut batch = Batch::new(
            &transaction,
            &mut self.index,
            &mut self.recent,
            Unites::default(),
            self.pack,
        );
        for (resources, second) in messages {
            let entries: Vec<Value> = resources.iter().map(|resource| json!({"resource": resource})).collect();
            let text = json!({"resourceType": "Bundle", "entry": entries}).to_string();
            let tree = parse(text.as_bytes(), Limits::default()).unwrap();
            self.frame += 1;
            let statements = Statements {
                frame: self.frame,
                tree: &tree,
                bundle: &causeway_store::compress(text.as_bytes()),
                removed: &[],
                stated: Some(second * SECOND),
                time: second * 1_000,
                whole: false,
            };
            feed::apply(&mut batch, &statements).unwrap();
        }
        self.pack = batch.finish().unwrap();
        transaction.commit().unwrap();
        self.frame
    }

    fn reader(&self) -> Reader {
        Reader::open(self.folder.path()).unwrap()
    }

    fn read(&self, id: &str) -> Value {
        let found = self.reader().read("Patient", id).unwrap().unwrap();
        serde_json::from_slice(&found.body).unwrap()
    }

    fn has_version(&self, id: &str, version: u64) -> bool {
        self.reader().version("Patient", id, version).unwrap().is_some()
    }

    fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.connection.query_row(&sql, [], |row| row.get(0)).unwrap()
    }

    fn forget(&mut self, before: i64) {
        let mut pass = Pass::new(before * SECOND);
        while pass.step(&mut self.connection).unwrap() {}
    }
}

fn patient(id: &str, gender: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "gender": gender})
}

#[test]
fn an_older_statement_stays_out_and_is_said_of_its_message() {
    let mut house = House::new();
    house.say(&[patient("p", "female")], 20);
    let late = house.say(&[patient("p", "male"), patient("q", "male")], 10);
    assert_eq!(
        (house.read("p")["gender"].as_str(), house.read("q")["gender"].as_str()),
        (Some("female"), Some("male"))
    );
    let older = house.reader().older(late).unwrap();
    let expected = Older {
        name: "Patient/p".to_owned(),
        stated: Some(10 * SECOND),
        newer: Some(20 * SECOND),
    };
    assert_eq!(older, [expected]);
    assert!(house.reader().older(1).unwrap().is_empty());
}

#[test]
fn what_was_stated_before_a_repetition_is_older_than_it() {
    let mut house = House::new();
    let (female, male) = ([patient("p", "female")], [patient("p", "male")]);
    let gender = |house: &House| house.read("p")["gender"].as_str().map(str::to_owned);
    house.say(&female, 10);
    house.say(&female, 30);
    let late = house.say(&male, 20);
    assert_eq!(gender(&house).as_deref(), Some("female"));
    assert_eq!(house.reader().older(late).unwrap()[0].newer, Some(30 * SECOND));
    // Said by others in another order, and then so often that it is remembered.
    let order = json!({"gender": "female", "id": "p", "resourceType": "Patient"});
    house.say_all(&[(&[order], 40), (&male, 35)]);
    house.say_all(&[(&female, 45), (&female, 60), (&female, 50), (&male, 55)]);
    assert_eq!(gender(&house).as_deref(), Some("female"));
    // Another process knows it as well.
    house.recent = Recent::default();
    house.say(&male, 59);
    let female_still = house.read("p");
    assert_eq!(
        (&female_still["gender"], &female_still["meta"]["versionId"]),
        (&json!("female"), &json!("1"))
    );
    house.say(&male, 61);
    let male_now = house.read("p");
    assert_eq!(
        (&male_now["gender"], &male_now["meta"]["versionId"]),
        (&json!("male"), &json!("2"))
    );
    assert_eq!(house.count("restated"), 1);
    house.forget(100);
    assert_eq!(house.count("restated"), 0);
}

#[test]
fn a_mention_says_nothing_of_what_it_does_not_name() {
    let mut house = House::new();
    house.say(
        &[json!({"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1979"})],
        10,
    );
    house.say(&[patient("p", "female")], 30);
    // Overtaken by the mention, and yet the newest word on the date.
    house.say(
        &[json!({"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1980"})],
        20,
    );
    assert_eq!(house.read("p")["birthDate"], "1980");
}

#[test]
fn superseded_versions_are_forgotten_with_their_messages_and_current_ones_never() {
    let mut house = House::new();
    let all: Vec<Value> = (0..70).map(|number| patient(&format!("p{number}"), "female")).collect();
    house.say(&all, 10);
    house.say(&all, 11); // says nothing new
    house.say(&[patient("p3", "male"), patient("p69", "male")], 20);
    house.say(&[patient("p3", "other")], 30);
    let before: Vec<Value> = all.iter().map(|one| house.read(one["id"].as_str().unwrap())).collect();
    let versions = |house: &House| [1, 2, 3].map(|version| house.has_version("p3", version));
    assert_eq!(versions(&house), [true, true, true]);
    house.forget(5);
    assert_eq!(versions(&house), [true, true, true]);
    house.forget(15);
    assert_eq!(versions(&house), [false, true, true]);
    house.forget(100);
    assert_eq!(versions(&house), [false, false, true]);
    let after: Vec<Value> = all.iter().map(|one| house.read(one["id"].as_str().unwrap())).collect();
    assert_eq!(before, after);
    assert_eq!(house.read("p69")["meta"]["versionId"], "2");
    // Of the first message's Bundle the middle third of its patients is still read.
    assert_eq!(house.count("source"), 1);
    house.say(&[patient("p3", "male")], 200);
    assert_eq!(house.read("p3")["meta"]["versionId"], "4");
}

#[test]
fn a_search_looks_at_what_it_is_led_to_and_finds_what_is_current() {
    let mut house = House::new();
    let result = |id: usize, date: &str, code: &str| {
        json!({"resourceType": "Observation", "id": format!("o{id}"), "status": "final", "effectiveDateTime": date,
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "subject": {"reference": "Patient/p"}})
    };
    let day = 1_700_000_000; // 14 November 2023
    let all: Vec<Value> = (0..100)
        .map(|id| result(id, &format!("2023-11-{:02}", 1 + id % 10), "718-7"))
        .collect();
    house.say(&all, day);
    house.say(
        &[result(7, "2023-11-09", "2823-3"), result(100, "1999", "718-7")],
        day + 60,
    );
    for (query, hits) in [
        (&[("date", "2023-11-08")][..], 9),
        (&[("date", "2023-11-09")], 11),
        (&[("date", "lt2000")], 1),
        (&[("date", "1999")], 1),
        (&[("date", "ge2023-11-10")], 10),
        (&[("code", "2823-3")], 1),
        (&[("code", "http://loinc.org|718-7"), ("status", "final")], 100),
        (&[("code", "http://loinc.org|718-7"), ("date", "2023-11-08")], 9),
        (&[("patient", "p"), ("code", "2823-3")], 1),
        (&[("patient", "q")], 0),
        (&[("_lastUpdated", "gt2023-11-14T22:13:50Z")], 2),
        (&[], 101),
    ] {
        let criteria = query
            .iter()
            .map(|(name, value)| Criterion::new("Observation", name, value).unwrap());
        let search = Search {
            kind: "Observation".to_owned(),
            criteria: criteria.collect(),
        };
        let (mut ids, mut next) = (Vec::new(), Some(0));
        while let Some(after) = next {
            let page = house.reader().search(&search, after, 7).unwrap();
            ids.extend(page.found.into_iter().map(|found| found.id));
            next = page.next;
        }
        let found = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!((found, ids.len()), (hits, hits), "{query:?}");
    }
}
