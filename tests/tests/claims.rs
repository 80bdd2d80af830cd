//! Claims by folder and over HTTP, seen from a clearinghouse: whatever happens to a file, to the connection or to the
//! process, each claim is decided once, each file is answered once and ends in one place, and who sends what cannot be
//! taken hears it in X12.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use causeway_core::store::Event;
use causeway_store::{Reader, SqliteLog};
use causeway_tests::{Disk, Http, Process, claims, decided, get, messages, until};

const X12: &str = "Content-Type: application/edi-x12\r\n";

/// A gateway over a folder of claims and `/x12`.
struct House {
    data: tempfile::TempDir,
    process: Process,
}

impl House {
    fn start(more: &str) -> Self {
        Self::over(tempfile::tempdir().expect("a folder"), more)
    }

    fn over(data: tempfile::TempDir, more: &str) -> Self {
        let process = Process::configured(data.path(), &stanzas(data.path(), more), &[]);
        Self { data, process }
    }

    /// Killed, and started again over the same folders.
    fn killed(self) -> Self {
        self.process.kill();
        Self::over(self.data, "")
    }

    fn path(&self, name: &str) -> PathBuf {
        folder(self.data.path()).join(name)
    }

    /// As a sender should: under another name first, then renamed.
    fn put(&self, name: &str, bytes: &[u8]) {
        let part = self.path(&format!("inbound/{name}.part"));
        std::fs::write(&part, bytes).expect("a file");
        std::fs::rename(part, self.path(&format!("inbound/{name}"))).expect("a name");
    }

    async fn reply(&self, name: &str) -> String {
        let path = self.path(&format!("replies/{name}"));
        until(name, async || path.exists()).await;
        std::fs::read_to_string(path).expect("a reply")
    }

    /// The names in one of its folders.
    fn names(&self, name: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(name)).expect("a folder");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> = entries
            .map(|entry| name(entry).into_string().expect("a name"))
            .collect();
        names.sort();
        names
    }

    fn log(&self) -> Reader {
        SqliteLog::read_only(self.data.path()).expect("a log")
    }

    /// The parts of the first frame that are decided, and how many claims they state.
    fn decided(&self) -> (Vec<u32>, usize) {
        let decided = decided(&self.log(), 1);
        let claim = |bundle: &bytes::Bytes| {
            let bundle = causeway_store::decompress(bundle, 1 << 26).expect("a bundle");
            let bundle: serde_json::Value = serde_json::from_slice(&bundle).expect("JSON");
            let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
            let mut all = entries.into_iter().map(|mut entry| entry["resource"].take());
            let claim = all.find(|resource| resource["resourceType"] == "Claim")?;
            claim["id"].as_str().map(str::to_owned)
        };
        let ids: BTreeSet<String> = decided.iter().filter_map(|part| claim(&part.bundle)).collect();
        (decided.iter().map(|part| part.part).collect(), ids.len())
    }

    async fn http(&self) -> Http {
        Http::connect(self.process.http.expect("an HTTP listener")).await
    }
}

fn folder(data: &Path) -> PathBuf {
    data.join("claims")
}

fn stanzas(data: &Path, more: &str) -> String {
    format!(
        "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
         route = [{{path = '/x12', format = 'x12'}}]\n{more}\n\
         [[listener]]\nname = 'claims'\ntransport = 'files'\nformat = 'x12'\n\
         [listener.files]\nfolder = '{}'\nlook = '10ms'\nsettle = '0s'\n{more_files}",
        folder(data).display(),
        more_files = if more.is_empty() { "" } else { "largest = '200KiB'\n" },
    )
}

/// The segments of an answer that begin so.
fn said<'a>(answer: &'a str, name: &str) -> Vec<&'a str> {
    let segments = answer.split('~').map(str::trim);
    segments.filter(|segment| segment.starts_with(name)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_of_claims_survives_kill_9_with_each_claim_decided_once() {
    let count: u32 = 2_500;
    let file = claims(count as usize);
    assert!(file.len() > 1 << 20, "{} bytes are spooled", file.len());
    let house = House::start("");
    house.put("many.837", &file);
    until("some of it is decided", async || !house.decided().0.is_empty()).await;
    let house = house.killed();
    let before = house.decided().0.len();
    assert!(before < count as usize, "it was killed in the middle");
    let answer = house.reply("many.837.reply").await;
    assert_eq!(said(&answer, "AK9"), ["AK9*A*1*1*1"]);
    assert_eq!(said(&answer, "ST*999").len(), 1);
    assert_eq!(
        said(&house.reply("many.837.commit").await, "TA1"),
        ["TA1*000000077*260301*1200*A*000"]
    );
    until("it is put away", async || house.names("processed") == ["many.837"]).await;
    assert_eq!(house.names("replies"), ["many.837.commit", "many.837.reply"]);
    assert_eq!(house.names("working"), [""; 0]);
    let (parts, claims) = house.decided();
    assert_eq!(parts, (0..count).collect::<Vec<u32>>());
    assert_eq!(claims, count as usize);
    // One message, found by what stands in its first and in its last claim.
    for word in ["MILLER ANN1", "C1", "MILLER ANN2500", "C2500"] {
        let found = || messages(house.data.path(), &["search", word]);
        until(word, async || found().len() == 1).await;
    }
    assert!(house.process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_again_is_answered_as_before_and_decided_once() {
    let house = House::start("");
    house.put("a.837", &claims(3));
    let first = house.reply("a.837.reply").await;
    house.put("b.837", &claims(3));
    assert_eq!(house.reply("b.837.reply").await, first, "the kept answer, to the byte");
    until("both are put away", async || {
        house.names("processed") == ["a.837", "b.837"]
    })
    .await;
    let records = house.log().read_from(0, 100).expect("a page");
    let answers = records
        .iter()
        .filter(|record| matches!(record.event, Event::Answered { .. }));
    assert_eq!(answers.count(), 1);
    // The same interchange over the other way in is another message, and its claims are the same resources.
    let mut http = house.http().await;
    let answer = http.ask("POST", "/x12", X12, &claims(3)).await;
    assert_eq!((answer.status, said(&answer.text(), "AK9")), (200, vec!["AK9*A*1*1*1"]));
    assert!(house.process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_when_it_is_whole_and_what_broke_off_is_refused() {
    let house = House::start("");
    let file = claims(5);
    let (begins, ends) = file.split_at(file.len() / 2);
    // Under a name that says so it may grow as long as it likes.
    let part = house.path("inbound/grows.837.part");
    let mut growing = std::fs::File::create(&part).expect("a file");
    growing.write_all(begins).expect("room");
    house.put("first.837", &claims(1));
    house.reply("first.837.reply").await; // the folder was looked at since
    assert!(part.exists());
    growing.write_all(ends).expect("room");
    std::fs::rename(part, house.path("inbound/grows.837")).expect("a name");
    assert_eq!(said(&house.reply("grows.837.reply").await, "AK9"), ["AK9*A*1*1*1"]);
    // Who renames too early hears that the end is missing (TA105 023, X12.56), and the file is kept for looking at.
    house.put("half.837", begins);
    assert_eq!(
        said(&house.reply("half.837.commit").await, "TA1"),
        ["TA1*000000077*260301*1200*R*023"]
    );
    until("it failed", async || house.names("failed") == ["half.837"]).await;
    assert!(house.process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_and_what_is_too_large_are_refused_in_x12_and_others_go_on() {
    let house = House::start("[listener.http]\nmax-body = '200KiB'\nbody = '300ms'\n");
    let garbage: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    house.put("garbage.837", &garbage);
    house.put("empty.837", b"");
    house.put("large.837", &claims(500));
    for name in ["garbage", "empty", "large"] {
        let answer = house.reply(&format!("{name}.837.refusal")).await;
        assert_eq!(said(&answer, "TA1").len(), 1, "{name}: {answer}");
        assert!(said(&answer, "TA1")[0].contains("*R*"), "{name}: {answer}");
    }
    assert!(
        house.reply("large.837.refusal").await.contains("TA1*000000077*"),
        "it says what it refuses"
    );
    until("they failed", async || house.names("failed").len() == 3).await;

    let mut http = house.http().await;
    let answer = http.ask("POST", "/x12", X12, &garbage).await;
    assert_eq!((answer.status, said(&answer.text(), "TA1").len()), (422, 1));
    assert_eq!(answer.header("content-type"), "application/edi-x12");
    let answer = http.ask("POST", "/x12", X12, b"").await;
    assert_eq!((answer.status, said(&answer.text(), "TA1").len()), (422, 1));
    // Too large without saying so before, and one that stops half way: each hears of its own interchange.
    let mut http = house.http().await;
    let (large, host) = (claims(500), house.process.http.expect("HTTP"));
    let head = format!(
        "POST /x12 HTTP/1.1\r\nHost: {host}\r\n{X12}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        large.len()
    );
    let _refused_meanwhile = http.send(&[head.as_bytes(), &large].concat()).await;
    let answer = http.response().await.expect("a response");
    assert_eq!((answer.status, said(&answer.text(), "TA1*000000077").len()), (413, 1));
    let mut http = house.http().await;
    let request = http.request("POST", "/x12", X12, &claims(20));
    assert!(http.send(&request[..request.len() - 400]).await);
    let answer = http.response().await.expect("a response");
    assert_eq!((answer.status, said(&answer.text(), "TA1*000000077").len()), (408, 1));
    // Nothing of it was felt by others.
    let answer = house.http().await.ask("POST", "/x12", X12, &claims(2)).await;
    assert_eq!((answer.status, said(&answer.text(), "AK9")), (200, vec!["AK9*A*1*1*1"]));
    house.put("good.837", &claims(4));
    assert_eq!(said(&house.reply("good.837.reply").await, "AK9"), ["AK9*A*1*1*1"]);
    assert!(house.process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_keeps_files_waiting_and_refuses_what_comes_over_http() {
    let Some(disk) = Disk::mounted("32m") else {
        println!("SKIPPED: only root may mount the small disk of this scenario");
        return;
    };
    let claims_folder = tempfile::tempdir().expect("a folder");
    let stanza = stanzas(claims_folder.path(), "");
    let process = Process::configured(disk.path(), &stanza, &[]);
    let path = |name: &str| folder(claims_folder.path()).join(name);
    let filler = disk.fill();
    let file = claims(3_000);
    std::fs::write(path("inbound/large.part"), &file).expect("another disk");
    std::fs::rename(path("inbound/large.part"), path("inbound/large.837")).expect("a name");
    let mut http = Http::connect(process.http.expect("HTTP")).await;
    let mut number = 0;
    until("no room is left", async || {
        number += 1;
        let text = String::from_utf8(claims(300)).expect("text");
        let one = text.replace("BATCH1", &format!("BATCH{number}"));
        let answer = http.ask("POST", "/x12", X12, one.as_bytes()).await;
        if answer.status == 200 {
            disk.fill();
        } else {
            assert_eq!((answer.status, said(&answer.text(), "TA1").len()), (503, 1));
        }
        answer.status != 200
    })
    .await;
    until("the file is taken", async || path("working/large.837").exists()).await;
    assert!(!path("replies/large.837.reply").exists());
    std::fs::remove_file(filler).expect("the space is free again");
    until("it is ready again", async || {
        get(process.admin, "/readyz", "").await.0 == 200
    })
    .await;
    until("the file is answered", async || {
        path("replies/large.837.reply").exists()
    })
    .await;
    let answer = std::fs::read_to_string(path("replies/large.837.reply")).expect("a reply");
    assert_eq!(said(&answer, "AK9"), ["AK9*A*1*1*1"]);
    until("it is put away", async || path("processed/large.837").exists()).await;
    assert!(process.terminate());
}
