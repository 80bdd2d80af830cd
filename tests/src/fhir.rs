//! A gateway process that serves FHIR, and a client in a test's hand that sees statuses, headers and bodies as they are.

use serde_json::{Value, json};

use crate::{Http, Process, Response, until};

/// The listener of [`Fhir`].
const STANZA: &str = "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
    route = [{path = '/hl7v2', format = 'hl7v2'}, {path = '/fhir', format = 'fhir'}]\n";

/// The header field of FHIR JSON.
pub const JSON: &str = "Content-Type: application/fhir+json\r\n";

/// A gateway with MLLP, `/hl7v2` and `/fhir`.
#[derive(Debug)]
pub struct Fhir {
    /// The gateway.
    pub process: Process,
    /// A connection to it.
    pub http: Http,
    /// Its folder.
    pub folder: tempfile::TempDir,
}

impl Fhir {
    /// Starts one that takes writes.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::over(tempfile::tempdir().expect("a folder")).await
    }

    /// Starts one over a folder.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn over(folder: tempfile::TempDir) -> Self {
        Self::configured(folder, "").await
    }

    /// Starts one over a folder, with more stanzas in its configuration.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn configured(folder: tempfile::TempDir, stanzas: &str) -> Self {
        let process = Process::configured(folder.path(), &format!("{STANZA}{stanzas}"), &[]);
        let mut http = Http::connect(process.http.expect("an HTTP listener")).await;
        until("writes are taken", async || {
            http.ask("DELETE", "/fhir/Patient/nobody", "", b"").await.status == 404
        })
        .await;
        Self { process, http, folder }
    }

    /// Starts it again over the same folder.
    ///
    /// # Panics
    /// When it does not end well or start.
    pub async fn restart(&mut self) {
        assert!(self.process.tell_to_stop());
        while self.http.response().await.is_some() {}
        self.process.wait();
        self.process = Process::configured(self.folder.path(), STANZA, &[]);
        self.http = Http::connect(self.process.http.expect("an HTTP listener")).await;
    }

    /// Posts FHIR.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn post(&mut self, path: &str, body: &Value) -> Response {
        self.http.ask("POST", path, JSON, body.to_string().as_bytes()).await
    }

    /// Reads.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn get(&mut self, path: &str) -> Response {
        self.http.ask("GET", path, "", b"").await
    }

    /// The resources of a search.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn found(&mut self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let bundle = answer.json();
        assert_eq!(bundle["type"], "searchset");
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        entries.into_iter().map(|entry| entry["resource"].clone()).collect()
    }
}

/// A patient without an id.
pub fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.3", "value": "0084512"}],
        "name": [{"family": "张", "given": ["伟"]}],
        "gender": "male",
    })
}

/// The resources of a transaction, by their paths.
pub fn parts(name: &str) -> [String; 3] {
    ["Patient", "Encounter", "Observation"].map(|kind| format!("{kind}/{name}"))
}

/// A transaction of three resources that refer to each other, each new.
pub fn transaction(name: &str) -> Value {
    let [who, visit, result] = parts(name);
    let subject = json!({"reference": who});
    let class = json!({"code": "IMP", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"});
    let resources = [
        json!({"resourceType": "Patient", "id": name}),
        json!({"resourceType": "Encounter", "id": name, "status": "finished", "class": class, "subject": subject}),
        json!({"resourceType": "Observation", "id": name, "status": "final", "code": {"text": "K"},
            "subject": subject, "encounter": {"reference": visit}}),
    ];
    let entries = resources.into_iter().zip([&who, &visit, &result]);
    let entries: Vec<_> = entries
        .map(|(resource, url)| json!({"resource": resource, "request": {"method": "PUT", "url": url}}))
        .collect();
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

/// The code of an outcome's first issue: ours, and the type of issue.
///
/// # Panics
/// When the body is no outcome.
pub fn issue(answer: &Response) -> (String, String) {
    let outcome = answer.json();
    assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
    let text = |pointer: &str| {
        let found = outcome.pointer(pointer).and_then(Value::as_str);
        found.unwrap_or_default().to_owned()
    };
    (text("/issue/0/details/coding/0/code"), text("/issue/0/code"))
}
