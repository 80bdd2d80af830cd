#!/usr/bin/env python3
"""A small decision-support service that speaks CDS Hooks 2.0, with nothing but Python's standard library.

    python3 service.py [--port 8090]

It answers GET /cds-services and POST /cds-services/hyperkalaemia. The gateway sends the translated message as the
prefetch named "bundle"; each card may name the entry that it speaks of in the extension "health.causeway.focus", and
the gateway carries the remark to that result's own OBX in the acknowledgement.

The model is a stand-in for yours: a logistic score of the risk of an arrhythmia from potassium, sodium and creatinine.
It is for showing the way and not for treating anybody.
"""

import argparse
import json
import math
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SERVICES = {
    "services": [
        {
            "hook": "health.causeway.result-available",
            "id": "hyperkalaemia",
            "title": "Hyperkalaemia risk",
            "description": "Scores the risk of an arrhythmia when a potassium result is high.",
            "prefetch": {"bundle": "Bundle"},
        }
    ]
}

POTASSIUM, SODIUM, CREATININE = "2823-3", "2951-2", "2160-0"


def results(bundle):
    """LOINC code -> (full URL, value) of the numeric results in a bundle."""
    found = {}
    for entry in bundle.get("entry", []):
        resource = entry.get("resource", {})
        value = resource.get("valueQuantity", {}).get("value")
        if resource.get("resourceType") != "Observation" or value is None:
            continue
        for coding in resource.get("code", {}).get("coding", []):
            if coding.get("system") == "http://loinc.org":
                found[coding.get("code")] = (entry.get("fullUrl"), float(value))
    return found


def score(potassium, sodium, creatinine):
    """Risk between 0 and 1."""
    return 1 / (1 + math.exp(-(2.1 * (potassium - 6.4) - 0.05 * (sodium - 140) + 0.4 * (creatinine - 1.0))))


def cards(bundle):
    found = results(bundle)
    if POTASSIUM not in found:
        return []
    focus, potassium = found[POTASSIUM]
    if potassium < 6.0:
        return []
    risk = score(potassium, found.get(SODIUM, ("", 140.0))[1], found.get(CREATININE, ("", 1.0))[1])
    return [
        {
            "summary": f"Arrhythmia risk {risk:.2f} with potassium {potassium:g} mmol/L; ECG and repeat sample advised",
            "detail": "Rule out haemolysis and pseudohyperkalaemia, record a 12-lead ECG, look at renal function.",
            "indicator": "critical" if risk > 0.5 else "warning",
            "source": {"label": "Example hyperkalaemia model 1.0"},
            "extension": {
                "health.causeway.focus": focus,
                "health.causeway.summary-zh": f"血钾 {potassium:g} mmol/L，心律失常风险 {risk:.2f}，建议心电图并复查",
            },
        }
    ]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/cds-services":
            self.answer(200, SERVICES)
        else:
            self.answer(404, {"error": "no such page"})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/cds-services/hyperkalaemia":
            return self.answer(404, {"error": "no such service"})
        try:
            bundle = json.loads(body)["prefetch"]["bundle"]
        except (ValueError, KeyError, TypeError):
            return self.answer(412, {"error": "the prefetch \"bundle\" is missing"})
        self.answer(200, {"cards": cards(bundle)})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests hold patient data: nothing of them is logged."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8090)
    server = ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/cds-services/hyperkalaemia", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
