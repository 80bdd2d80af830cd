"""Reads result messages with the `hl7` package from PyPI, which knows nothing of the gateway. Prints one JSON line a file:
MSH-10, and every segment as its name and its fields from the first.

    python hl7_read.py ENCODING FILE...
"""

import json
import sys

import hl7


def main():
    encoding, *files = sys.argv[1:]
    for name in files:
        with open(name, "rb") as file:
            message = hl7.parse(file.read().decode(encoding).replace("\n", "\r"))
        segments = [[str(field) for field in segment] for segment in message]
        print(json.dumps({"control_id": str(message.segment("MSH")[10]), "segments": segments}))


if __name__ == "__main__":
    main()
