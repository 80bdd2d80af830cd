//! Nothing that the gateway tells of itself has a word of a patient in it, whatever the way in and out: log lines at trace
//! level, its pages, and what goes to a collector. Over MLLP that is tested with the rest of telemetry.

use std::path::Path;
use std::process::Command;

use causeway_tests::{
    Collector, Doing, Http, JSON, React, Receiver, Service, Watched, binary, exchange, oru, until, write_ct,
};

/// Marks of names, identifiers and places; none may be told.
const MARKS: [&str; 3] = ["ZQXMARK", "标记名字", "13900000000"];

const CLAIM: &str = include_str!("../fuzz/seeds/claims/claim.837");

fn marked() -> String {
    oru("MARK", "7.1")
        .replace("张^伟", "ZQXMARK^标记名字")
        .replace("PMARK", "ZQXMARKID")
        .replace("13800000000", "13900000000")
}

/// A gateway with every way in and every way out.
fn stanzas(data: &Path, collector: &Collector, ward: &Receiver, server: &Service) -> String {
    let folder = data.display();
    format!(
        "[[listener]]\nname = 'http'\naddress = '127.0.0.1:0'\ntransport = 'http'\n\
         route = [{{path = '/hl7v2', format = 'hl7v2'}}, {{path = '/x12', format = 'x12'}}, {{path = '/fhir', format = 'fhir'}}]\n\
         [[listener]]\nname = 'images'\naddress = '127.0.0.1:0'\ntransport = 'dimse'\nformat = 'dicom'\n\
         [[listener]]\nname = 'files'\ntransport = 'files'\n\
         [listener.files]\nfolder = '{folder}/in'\nlook = '10ms'\nsettle = '0s'\n\
         [[destination]]\nname = 'ward'\nto = 'mllp://{}'\nformat = 'hl7v2'\n\
         [[destination]]\nname = 'server'\nto = 'http://{}/fhir'\n\
         [[destination]]\nname = 'folder'\nto = '{folder}/out'\n\
         [[destination]]\nname = 'nobody'\nto = 'dicom://ANY@127.0.0.1:1'\n\
         [telemetry]\notlp = 'http://127.0.0.1:{}'\nevery = '200ms'\n",
        ward.address, server.address, collector.port
    )
}

/// Everything that may be asked of `/fhir` with a patient in it, well and badly.
async fn ask_fhir(http: &mut Http) {
    let patient = r#"{"resourceType":"Patient","id":"ZQXMARK1","identifier":[{"system":"urn:x","value":"ZQXMARKID"}],"name":[{"family":"ZQXMARK","text":"标记名字"}],"telecom":[{"value":"13900000000"}]}"#;
    let wrong = patient.replace("\"name\":[", "\"ZQXMARK\":[");
    let none = format!("{JSON}If-None-Exist: identifier=urn:x|ZQXMARKID\r\n");
    let strange = format!("{JSON}If-Match: W/\"ZQXMARK\"\r\nPrefer: ZQXMARK\r\nX-Request-Id: ZQXMARK\r\n");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let asked: [(&str, &str, &str, &str); 20] = [
        ("PUT", "/fhir/Patient/ZQXMARK1", JSON, patient),
        ("PUT", "/fhir/Patient/ZQXMARK1", &strange, patient),
        ("PUT", "/fhir/Patient/ZQXMARK2", JSON, patient),
        ("PUT", "/fhir/Patient?identifier=urn:x|ZQXMARKID", JSON, patient),
        ("POST", "/fhir/Patient", &none, patient),
        ("POST", "/fhir/Patient", JSON, &wrong),
        ("POST", "/fhir/Patient", JSON, &patient[..90]),
        ("POST", "/fhir/Patient/$validate", JSON, patient),
        ("POST", "/fhir", JSON, patient),
        ("POST", "/fhir/ZQXMARK", JSON, patient),
        ("POST", "/fhir/Patient", "Content-Type: text/ZQXMARK\r\n", patient),
        ("POST", "/fhir/Patient/_search", form, "identifier=urn:x|ZQXMARKID"),
        ("GET", "/fhir/Patient?identifier=urn:x|ZQXMARKID", "", ""),
        ("GET", "/fhir/Patient?name=ZQXMARK", "", ""),
        ("GET", "/fhir/Patient?ZQXMARK=1", "", ""),
        ("GET", "/fhir/Patient/ZQXMARK1", "", ""),
        ("GET", "/fhir/Patient/ZQXMARK9/_history/ZQXMARK", "", ""),
        ("GET", "/ZQXMARK", "", ""),
        ("DELETE", "/fhir/Patient?identifier=urn:x|ZQXMARKID", "", ""),
        ("ZQXMARK", "/fhir/Patient/ZQXMARK1", "", ""),
    ];
    for (method, path, fields, body) in asked {
        let answer = http.ask(method, path, fields, body.as_bytes()).await;
        assert!(answer.status >= 200, "{method} {path}");
    }
}

/// Images of a patient, whole and cut, by a caller of that name.
fn store_images(data: &Path, port: u16) {
    let file = data.join("whole.dcm");
    write_ct(&file, 7, 4_096).expect("a file");
    let whole = std::fs::read(&file).expect("a file");
    let edited = |from: &[u8], to: &[u8]| {
        assert_eq!(from.len(), to.len(), "places stay");
        let mut bytes = whole.clone();
        let at = bytes
            .windows(from.len())
            .position(|part| part == from)
            .expect("it is there");
        bytes[at..at + from.len()].copy_from_slice(to);
        bytes
    };
    let marked = edited(b"Zhang^Wei ", b"ZQXMARK^Z ");
    let cut = marked[..marked.len() - 4_200].to_vec();
    for (name, bytes) in [("ZQXMARK.dcm", marked), ("cut.dcm", cut)] {
        let file = data.join(name);
        std::fs::write(&file, bytes).expect("a file");
        let target = format!("dicom://CAUSEWAY@127.0.0.1:{port}");
        let sent = Command::new(binary())
            .args(["send", &target, "--calling", "ZQXMARK"])
            .arg(&file)
            .output();
        assert!(sent.is_ok(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_of_a_patient_is_told_whatever_the_way_in_and_out() {
    let collector = Collector::start();
    let folder = tempfile::tempdir().expect("a folder");
    let ward = Receiver::start(|_| React::SaysWhy("AR", "ZQXMARK")).await;
    let refusal = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid","diagnostics":"ZQXMARK"}]}"#;
    let length = refusal.len();
    let refused = format!(
        "HTTP/1.1 422 ZQXMARK\r\nLocation: http://ZQXMARK/\r\nContent-Type: application/fhir+json\r\nContent-Length: {length}\r\n\r\n{refusal}"
    );
    let server = Service::always(Doing::Says(refused)).await;
    let running = Watched::start(&stanzas(folder.path(), &collector, &ward, &server), "trace");
    exchange(running.process.mllp, &marked()).await;
    let mut http = Http::connect(running.process.http.expect("an HTTP listener")).await;
    let media = "Content-Type: application/hl7-v2\r\n";
    for message in [marked(), marked().replace("MSH|", "MSH!"), "ZQXMARK".to_owned()] {
        http.ask("POST", "/hl7v2", media, message.as_bytes()).await;
    }
    let claim = CLAIM.replace("MILLER", "ZQXMARK").replace("M00000001", "ZQXMARKID");
    for claim in [
        claim.clone(),
        claim.replace("CLM*", "ZQXMARK*"),
        claim.replace("*140*", "*ZQXMARK*"),
    ] {
        http.ask(
            "POST",
            "/x12",
            "Content-Type: application/edi-x12\r\n",
            claim.as_bytes(),
        )
        .await;
    }
    ask_fhir(&mut http).await;
    store_images(folder.path(), running.process.address("images").port());
    for (name, text) in [
        ("ZQXMARK^标记名字.hl7", marked()),
        ("ZQXMARK-broken.hl7", "ZQXMARK".to_owned()),
    ] {
        std::fs::write(folder.path().join("in/inbound").join(name), text).expect("a file");
    }
    let files = ["in/processed", "in/failed"].map(|name| folder.path().join(name));
    until("both files are done", async || {
        let count = |path| std::fs::read_dir(path).map_or(0, Iterator::count);
        files.iter().map(count).sum::<usize>() == 2
    })
    .await;
    until("deliveries are dead and told", async || {
        let status = running.page("/status").await;
        let lines = running.lines();
        status.contains("\"dead\"") && lines.matches("a delivery is dead").count() >= 4
    })
    .await;
    until("traces, metrics and logs came", async || {
        collector.has(&["causeway.listener", "causeway_log_accepted_total", "a delivery is dead"])
    })
    .await;
    let metrics = running.page("/metrics").await;
    for listener in ["mllp", "http/hl7v2", "http/x12", "http/fhir", "images", "files"] {
        let received = format!("causeway_messages_received_total{{listener=\"{listener}\"");
        assert!(metrics.contains(&received), "{listener}: {metrics}");
    }
    let mut told = vec![("its lines", running.lines().into_bytes())];
    for page in ["/metrics", "/status", "/readyz", "/version"] {
        told.push((page, running.page(page).await.into_bytes()));
    }
    assert!(running.process.terminate(), "what is left is sent at the end");
    told.extend(collector.bodies().into_iter().map(|body| ("the collector", body)));
    for (place, text) in &told {
        let text = String::from_utf8_lossy(text);
        for mark in MARKS {
            let leak = text.lines().find(|line| line.contains(mark));
            assert!(leak.is_none(), "{mark} in {place}: {leak:?}");
        }
    }
}
