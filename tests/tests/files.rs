//! Files in a folder: the same adapter as on a socket, and nothing is lost when the process dies over one.

use std::path::{Path, PathBuf};

use causeway_server::config::Transport;
use causeway_store::SqliteLog;
use causeway_tests::{Gateway, Process, fields, messages, oru, segment, until};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("lab").join(name)
    }

    /// As a sender should: under another name first, then renamed.
    fn put(&self, name: &str, text: &[u8]) {
        let part = self.path(&format!("inbound/{name}.part"));
        std::fs::write(&part, text).unwrap();
        std::fs::rename(part, self.path(&format!("inbound/{name}"))).unwrap();
    }

    /// Before anybody looks for files.
    fn put_new(&self, name: &str, text: &[u8]) {
        std::fs::create_dir_all(self.path("inbound")).unwrap();
        self.put(name, text);
    }

    async fn reply(&self, name: &str) -> String {
        let path = self.path(&format!("replies/{name}.reply"));
        until("the reply of a file", async || path.exists()).await;
        std::fs::read_to_string(path).unwrap()
    }

    fn stanza(&self) -> String {
        let folder = self.0.path().join("lab");
        format!(
            "[[listener]]\nname = 'lab-files'\ntransport = 'files'\n[listener.files]\nfolder = '{}'\nlook = '10ms'\nsettle = '0s'\n",
            folder.display()
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_critical_result_is_answered_by_a_file_that_names_it() {
    let folder = Folder::new();
    let root = folder.0.path().join("lab");
    let house = Gateway::start(Vec::new(), |config| {
        let listener = config.listeners.first_mut().unwrap();
        listener.transport = Transport::Files;
        listener.files.folder = root;
        listener.files.look = std::time::Duration::from_millis(10);
        listener.files.settle = std::time::Duration::ZERO;
    })
    .await;
    folder.put("k.hl7", oru("F1", "7.0").as_bytes());
    let reply = folder.reply("k.hl7").await;
    assert_eq!(fields(segment(&reply, "MSA")[0])[1..3], ["AA", "F1"]);
    assert_eq!(fields(segment(&reply, "ERR")[0])[2], "OBX^2^5^1");
    until("the file is put away", async || folder.path("processed/k.hl7").exists()).await;
    folder.put("no.hl7", b"this is no message");
    until("a file that is none fails", async || {
        folder.path("failed/no.hl7").exists()
    })
    .await;
    house.gateway.drain().await;
}

/// A file of several messages that is larger than what is held in memory.
fn many(count: usize) -> Vec<u8> {
    let one = |number| oru(&format!("M{number}"), "4.1");
    (0..count).map(one).collect::<String>().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_survives_kill_9_and_is_answered_once_for_each_message() {
    let (folder, data) = (Folder::new(), tempfile::tempdir().unwrap());
    let count = 1_000;
    let text = many(count);
    assert!(text.len() > 1 << 20, "{} bytes are not large", text.len());
    let process = Process::configured(data.path(), &folder.stanza(), &[]);
    folder.put("many.hl7", &text);
    until("some of it is decided", async || decided(data.path()) > 0).await;
    process.kill();
    let process = Process::configured(data.path(), &folder.stanza(), &[]);
    let reply = folder.reply("many.hl7").await;
    let answered: Vec<&str> = segment(&reply, "MSA").into_iter().map(|msa| fields(msa)[2]).collect();
    let sent: Vec<String> = (0..count).map(|number| format!("M{number}")).collect();
    assert!(answered == sent, "{} answers", answered.len());
    until("it is listed", async || listed(data.path()).len() == 1).await;
    assert_eq!(decided(data.path()), count);
    assert!(process.terminate());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_that_met_two_deaths_is_held_and_finished_when_somebody_says_so() {
    let (folder, data) = (Folder::new(), tempfile::tempdir().unwrap());
    let count = 2_000;
    folder.put_new("many.hl7", &many(count));
    let mut before = 0;
    for _ in 0..2 {
        let process = Process::configured(data.path(), &folder.stanza(), &[]);
        until("some of it is decided", async || decided(data.path()) > before).await;
        process.kill();
        before = decided(data.path());
    }
    assert!(before < count);
    let process = Process::configured(data.path(), &folder.stanza(), &[]);
    let kept = causeway_tests::shown(data.path(), 1);
    let parts = kept["parts"].as_array().unwrap();
    assert_eq!((kept["state"].as_str(), parts.len()), (Some("held"), before));
    let (code, text) = process.command(data.path(), &["messages", "replay", "1"]);
    assert!(code == Some(0), "{code:?} {text}");
    until("the rest is decided", async || decided(data.path()) == count).await;
    until("it is answered", async || {
        causeway_tests::shown(data.path(), 1)["state"] == "accepted"
    })
    .await;
    let kept = causeway_tests::shown(data.path(), 1);
    let parts: Vec<u64> = kept["parts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|part| part["part"].as_u64())
        .collect();
    assert!(parts.iter().copied().eq(0..count as u64), "{} parts", parts.len());
    assert!(process.terminate());
}

/// How many parts of the first frame the log has.
fn decided(data: &Path) -> usize {
    let log = SqliteLog::read_only(data).unwrap();
    causeway_tests::decided(&log, 1).len()
}

fn listed(data: &Path) -> Vec<serde_json::Value> {
    messages(data, &["list"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_on_once_as_it_came() {
    let (folder, data, out) = (
        Folder::new(),
        tempfile::tempdir().unwrap(),
        tempfile::tempdir().unwrap(),
    );
    let text = many(1_000);
    let stanzas = format!(
        "{}[[destination]]\nname = 'archive'\nto = '{}'\n",
        folder.stanza(),
        out.path().display()
    );
    let process = Process::configured(data.path(), &stanzas, &[]);
    folder.put("many.hl7", &text);
    folder.reply("many.hl7").await;
    until("it is delivered", async || {
        process.standing(data.path()).await["delivered"] == 1
    })
    .await;
    let files: Vec<_> = std::fs::read_dir(out.path()).unwrap().flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(std::fs::read(files[0].path()).unwrap() == text, "byte for byte");
    assert_eq!(process.standing(data.path()).await["posted"], 1);
}
