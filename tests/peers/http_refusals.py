"""Asks a gateway's HTTP listeners for everything that they refuse, with the HTTP client of Python's own library and bare
sockets, and prints one JSON object: for each case the status, the `Content-Type`, our code and the type of issue of the
OperationOutcome, and the header fields that matter.

    python http_refusals.py PORT PORT_OF_ONE_A_PEER PORT_OF_ONE_IN_ALL TOKEN
"""

import http.client
import json
import socket
import sys

PORT, PER_PEER, IN_ALL = (int(port) for port in sys.argv[1:4])
TOKEN = sys.argv[4]
FIELDS = ("allow", "accept", "accept-encoding", "www-authenticate", "retry-after")


def told(response):
    body = response.read()
    fields = {name: response.getheader(name) for name in FIELDS if response.getheader(name)}
    kind = (response.getheader("content-type") or "").split(";")[0]
    if kind != "application/fhir+json":
        return [response.status, kind, body.decode(), fields]
    outcome = json.loads(body)
    assert outcome["resourceType"] == "OperationOutcome", outcome
    issue = outcome["issue"][0]
    assert issue["severity"] == "error" and issue["diagnostics"], issue
    return [response.status, issue["details"]["coding"][0]["code"], issue["code"], fields]


def ask(method, path, body=None, without=(), **fields):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/fhir+json"}
    headers.update({name.replace("_", "-"): value for name, value in fields.items()})
    for name in without:
        del headers[name]
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = told(response)
    connection.close()
    return answer


def raw(port, text):
    """Sends bytes as they are, and reads until the gateway closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as stream:
        if text:
            stream.sendall(text)
        response = http.client.HTTPResponse(stream)
        response.begin()
        answer = told(response)
        assert response.getheader("connection") == "close", "nothing may come after it"
        assert stream.recv(1) == b"", "and nothing does"
        return answer


def head(method, path, *fields):
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{PORT}", f"Authorization: Bearer {TOKEN}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n"


def crowded(port):
    """One connection that has been answered, and a second that comes too many."""
    first = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    first.request("GET", "/fhir/metadata")
    first.getresponse().read()
    answer = raw(port, b"")
    first.close()
    return answer


def doomed():
    """The path of a patient that was deleted."""
    path = "/fhir/Patient/doomed"
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/fhir+json"}
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    for method, body, status in (("PUT", PATIENT % "doomed", 201), ("DELETE", None, 204)):
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        response.read()
        assert response.status == status, response.status
    connection.close()
    return path


PATIENT = '{"resourceType": "Patient", "id": "%s"}'


def main():
    entry = {"resource": json.loads(PATIENT % "x"), "request": {"method": "PUT", "url": "Patient/x"}}
    twice = {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}
    body = head("POST", "/fhir/Patient", "Content-Type: application/fhir+json", "Content-Length: 50", "", "")
    chunked = head("POST", "/fhir/Patient", "Transfer-Encoding: chunked", "", "20000")
    robot = '{"resourceType": "Patient", "gender": "robot"}'
    cases = {
        "no JSON": ask("POST", "/fhir/Patient", "{"),
        "another type": ask("POST", "/fhir/Patient", '{"resourceType": "Group"}'),
        "wrong search": ask("GET", "/fhir/Patient?shoe=44"),
        "no HTTP": raw(PORT, b"no HTTP at all\r\n\r\n"),
        "no token": ask("GET", "/fhir/Patient/x", without=["Authorization"]),
        "wrong token": ask("POST", "/fhir/Patient", "{}", Authorization="Bearer guessed"),
        "foreign page": ask("GET", "/fhir/Patient/x", Origin="http://example.org"),
        "no route": ask("GET", "/elsewhere"),
        "no path": ask("GET", "/fhir/Patient/x/y/z"),
        "no type": ask("GET", "/fhir/Patent"),
        "no resource": ask("GET", "/fhir/Patient/nobody"),
        "PATCH": ask("PATCH", "/fhir/Patient/x", "{}"),
        "POST to metadata": ask("POST", "/fhir/metadata", "{}"),
        "DELETE of all": ask("DELETE", "/fhir"),
        "PUT to a version": ask("PUT", "/fhir/Patient/x/_history/1", PATIENT % "x"),
        "XML wanted": ask("GET", "/fhir/metadata", Accept="application/fhir+xml"),
        "slow header": raw(PORT, b"GET /fhir/metadata HTTP/1.1\r\nHost: loc"),
        "slow body": raw(PORT, body + b"{"),
        "twice at once": ask("POST", "/fhir", json.dumps(twice)),
        "deleted": ask("GET", doomed()),
        "old version": ask("PUT", "/fhir/Patient/new", PATIENT % "new", If_Match='W/"7"'),
        "large": ask("POST", "/fhir/Patient", "x" * 100_000),
        "large, unsaid": raw(PORT, chunked + b"\r\n" + b"x" * 0x20000),
        "long address": raw(PORT, head("GET", "/fhir/Patient?_id=" + "x" * 66_000, "")),
        "large header": raw(PORT, head("GET", "/fhir/Patient", "X: " + "x" * 200_000, "")),
        "XML sent": ask("POST", "/fhir/Patient", "<Patient/>", Content_Type="application/fhir+xml"),
        "zipped": ask("POST", "/fhir/Patient", "\x1f", Content_Encoding="gzip"),
        "foreign name": ask("GET", "/fhir/Patient", Host="example.org"),
        "robot": ask("POST", "/fhir/Patient", robot),
        "one too many": crowded(PER_PEER),
        "all taken": crowded(IN_ALL),
        "a message without a token": ask("POST", "/hl7v2", "MSH|", without=["Authorization"]),
        "GET of messages": ask("GET", "/hl7v2"),
        "a message as JSON": ask("POST", "/hl7v2", "{}"),
    }
    print(json.dumps(cases))


main()
