"""A FHIR client that knows nothing of the gateway: `fhirpy` from PyPI creates a patient and results, reads and changes them,
searches page by page, and meets what is not there. Prints one JSON object of what it saw.

    python fhir_client.py BASE
"""

import json
import sys

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound


def main():
    client = SyncFHIRClient(sys.argv[1])
    patient = client.resource(
        "Patient",
        identifier=[{"system": "urn:oid:1.2.3", "value": "PY1"}],
        name=[{"family": "王", "given": ["芳"]}],
    )
    patient.save()
    for number in range(12):
        client.resource(
            "Observation",
            status="final",
            code={"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
            subject=patient.to_reference(),
            effectiveDateTime="2026-11-24T07:%02d:00+08:00" % number,
            valueQuantity={"value": 4.1, "unit": "mmol/L"},
        ).save()
    patient["gender"] = "female"
    patient.save()
    found = client.resources("Patient").search(identifier="urn:oid:1.2.3|PY1").first()
    results = client.resources("Observation").search(patient=patient["id"]).limit(5).fetch_all()
    refused = {}
    try:
        client.reference("Patient", "nobody").to_resource()
    except ResourceNotFound:
        refused["nobody"] = "not found"
    try:
        client.resource("Patient", gender="robot").save()
    except OperationOutcome as outcome:
        refused["robot"] = outcome.resource["issue"][0]["expression"]
    doomed = client.resource("Patient", name=[{"text": "doomed"}])
    doomed.save()
    doomed.delete()
    print(
        json.dumps(
            {
                "id": found["id"] == patient["id"],
                "gender": found["gender"],
                "family": found["name"][0]["family"],
                "version": found["meta"]["versionId"],
                "results": len({result["id"] for result in results}),
                "value": results[0]["valueQuantity"]["value"],
                "refused": refused,
                "left": client.resources("Patient").fetch_all().__len__(),
            }
        )
    )


main()
