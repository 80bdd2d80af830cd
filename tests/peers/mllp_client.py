"""An MLLP client that knows nothing of the gateway: the `hl7` package from PyPI sends the messages of the given files on
one connection and reads the acknowledgements with its own parser. Prints one JSON line an acknowledgement.

    python mllp_client.py HOST PORT ENCODING FILE...
"""

import json
import sys

import hl7
from hl7.client import MLLPClient


def acknowledgement(answer, encoding):
    """What the `hl7` parser sees in an MLLP frame."""
    assert answer[:1] == b"\x0b" and answer[-2:] == b"\x1c\r", "no MLLP frame: %r" % answer
    message = hl7.parse(answer[1:-2].decode(encoding))
    msa = message.segment("MSA")
    errors = [s for s in message if str(s[0]) == "ERR"]
    return {
        "type": str(message.segment("MSH")[9]),
        "receiver": str(message.segment("MSH")[5]),
        "code": str(msa[1]),
        "control_id": str(msa[2]),
        "errors": [{"location": str(e[2]), "severity": str(e[4]), "code": str(e[5])} for e in errors],
    }


def main():
    host, port, encoding, *files = sys.argv[1:]
    with MLLPClient(host, int(port), encoding=encoding) as client:
        for name in files:
            with open(name, "rb") as file:
                message = hl7.parse(file.read().decode("utf-8").replace("\n", "\r"))
            print(json.dumps(acknowledgement(client.send_message(message), encoding)))


if __name__ == "__main__":
    main()
