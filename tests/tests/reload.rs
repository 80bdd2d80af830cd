//! Rules change while the gateway runs: all of them at once or none, and each decision says by which it was made.

use std::path::Path;

use causeway_tests::{Process, exchange, get, messages, oru, post, segment, shown, until};
use serde_json::Value;

/// A site's own limit for potassium, above that of the shipped pack (6.2 mmol/L), with its cases.
const SITE: [(&str, &str); 3] = [
    (
        "site.toml",
        "site = 'Third Hospital'\napproved-by = 'Dr Li, head of laboratory'\napproved-on = '2026-11-01'\n",
    ),
    (
        "rows.csv",
        "id,analyte,age,side,op,limit,unit,source,from,jurisdiction\n\
         K-adult-high,K,adult,high,>=,6.5,mmol/L,rcpath-2017,2017-10-03,*\n",
    ),
    (
        "cases/own.csv",
        "row,kind,code,value,unit,age,expect\n\
         K-adult-high,hit,K,6.6,mmol/L,45 a,high\n\
         K-adult-high,miss,K,6.3,mmol/L,45 a,none\n\
         K-adult-high,boundary,K,6.5,mmol/L,45 a,high\n",
    ),
];

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join("critical-values").join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// Puts the site's limit where the gateway looks for it.
fn approve(folder: &Path) {
    for (name, text) in SITE {
        write(folder, name, text);
    }
}

struct Gateway {
    process: Process,
    data: tempfile::TempDir,
    token: String,
}

impl Gateway {
    fn start(packs: &Path) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let stanza = format!("[chain]\npack-folders = ['{}']\n", packs.display());
        let process = Process::configured(data.path(), &stanza, &[]);
        let token = std::fs::read_to_string(data.path().join("admin-token")).expect("a token");
        let token = token.trim().to_owned();
        Self { process, data, token }
    }

    async fn page(&self, path: &str) -> Value {
        let (_, text) = get(self.process.admin, path, &self.token).await;
        serde_json::from_str(&text).expect("JSON")
    }

    async fn snapshot(&self) -> Value {
        self.page("/status").await["rules"]["snapshot"].clone()
    }

    /// Whether a potassium of 6.3 mmol/L is critical, and the snapshot that said so.
    async fn judges(&self, control_id: &str) -> (bool, Value) {
        let reply = exchange(self.process.mllp, &oru(control_id, "6.3")).await;
        let critical = segment(&reply, "ERR")
            .iter()
            .any(|error| error.contains("|critical-value-high^"));
        let mut seq = None;
        until("it is listed", async || {
            let found = messages(self.data.path(), &["search", "--key", control_id]);
            seq = found.iter().find_map(|message| message["seq"].as_u64());
            seq.is_some()
        })
        .await;
        let kept = shown(self.data.path(), seq.unwrap_or_default());
        (critical, kept["parts"][0]["rules"].clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_reloaded_as_a_whole_or_not_at_all() {
    let packs = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::start(packs.path());
    let (admin, token) = (gateway.process.admin, gateway.token.as_str());
    let first = gateway.snapshot().await;
    assert_eq!(gateway.judges("FIRST").await, (true, first.clone()));

    approve(packs.path());
    assert!(gateway.process.hang_up());
    until("SIGHUP reloads", async || gateway.snapshot().await != first).await;
    let second = gateway.snapshot().await;
    assert_eq!(gateway.judges("SECOND").await, (false, second.clone()));

    write(packs.path(), "rows.csv", &SITE[1].1.replace("6.5", "six"));
    let (code, text) = gateway.process.command(gateway.data.path(), &["rules", "reload"]);
    assert!(
        code == Some(1) && text.contains("critical-values/rows.csv:2"),
        "{code:?} {text}"
    );
    assert_eq!(post(admin, "/rules/reload", token).await.0, 422);
    let ready = gateway.page("/readyz").await;
    assert_eq!(ready["ready"], true, "the old rules go on: {ready}");
    let remark = ready["remarks"][0].as_str().unwrap_or_default();
    assert!(
        remark.contains("rows.csv") && remark.contains(second.as_str().unwrap_or("?")),
        "{ready}"
    );
    assert_eq!(gateway.judges("THIRD").await, (false, second.clone()));

    std::fs::remove_dir_all(packs.path().join("critical-values")).expect("the old limits");
    let (code, text) = post(admin, "/rules/reload", token).await;
    assert!(
        code == 200 && text.contains(first.as_str().unwrap_or("?")),
        "{code} {text}"
    );
    assert_eq!(gateway.page("/readyz").await["remarks"], Value::Array(Vec::new()));
    assert_eq!(gateway.judges("FOURTH").await, (true, first));
    let explained = |arguments: &[&str]| {
        let arguments = [&["rules", "explain", "critical-values/K-adult-high"], arguments].concat();
        gateway.process.command(gateway.data.path(), &arguments).1
    };
    assert!(explained(&[]).contains(">= 6.2 mmol/L"), "{}", explained(&[]));
    let then = explained(&["--snapshot", second.as_str().unwrap_or_default()]);
    assert!(
        then.contains(">= 6.5 mmol/L"),
        "what the row said when it decided: {then}"
    );
    assert_eq!(post(admin, "/rules/reload", "guessed").await.0, 401);
    assert_eq!(get(admin, "/rules/reload", token).await.0, 405);
}

/// What was refused may be taken under other rules, so it is asked anew; under the same it is not.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_runs_again_once_the_rules_are_others() {
    let packs = tempfile::tempdir().expect("a folder");
    let gateway = Gateway::start(packs.path());
    let refused = oru("REFUSED", "4.0").replace("|P|2.5.1|", "|P|9.9|");
    let accepted = async || gateway.page("/status").await["log"]["accepted"].clone();
    let first = exchange(gateway.process.mllp, &refused).await;
    assert_eq!(exchange(gateway.process.mllp, &refused).await, first);
    assert_eq!(accepted().await, 1);
    approve(packs.path());
    assert_eq!(
        post(gateway.process.admin, "/rules/reload", &gateway.token).await.0,
        200
    );
    exchange(gateway.process.mllp, &refused).await;
    assert_eq!(accepted().await, 2);
    let mut found = Vec::new();
    until("both are listed", async || {
        found = messages(gateway.data.path(), &["search", "--key", "REFUSED"]);
        found.len() == 2
    })
    .await;
    let newest = found[0]["seq"].as_u64().unwrap_or_default();
    let notes = shown(gateway.data.path(), newest)["notes"].clone();
    assert_eq!(notes, Value::Array(Vec::new()), "the same bytes are no other message");
}
