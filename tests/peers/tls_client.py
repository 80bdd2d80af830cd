"""An MLLP client over TLS that knows nothing of the gateway: Python's own `ssl`, of another build than the gateway may
have. Connects once, prints one JSON line about the handshake, and for every path on stdin sends that file's message and
prints the reply as one JSON line. A failure is a JSON line with `error`, and the end.

    python tls_client.py HOST PORT JSON

JSON names `ca`, `certificate`, `key` (files) and `version` (`1.1`, `1.2`, `1.3`: this one only); all may be absent.
"""

import json
import socket
import ssl
import sys
import warnings

VERSIONS = {"1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context(options):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if "ca" in options:
        made.load_verify_locations(options["ca"])
    if "certificate" in options:
        made.load_cert_chain(options["certificate"], options["key"])
    if "version" in options:
        warnings.simplefilter("ignore", DeprecationWarning)
        # Debian's own policy offers nothing below 1.2; it is the gateway that must refuse.
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = made.maximum_version = VERSIONS[options["version"]]
    return made


def reply(stream):
    """One MLLP frame's payload."""
    held = b""
    while not held.endswith(b"\x1c\r"):
        more = stream.recv(4096)
        if not more:
            raise EOFError("the gateway closed the connection")
        held += more
    return held[1:-2].decode("utf-8")


def say(**what):
    print(json.dumps(what), flush=True)


def main():
    host, port, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    try:
        with socket.create_connection((host, port), 30) as plain:
            with context(options).wrap_socket(plain, server_hostname=host) as stream:
                say(version=stream.version(), serial=stream.getpeercert()["serialNumber"])
                for line in sys.stdin:
                    with open(line.strip(), "rb") as file:
                        stream.sendall(b"\x0b" + file.read() + b"\x1c\r")
                    say(reply=reply(stream))
    except (OSError, EOFError) as error:
        say(error=str(error))


if __name__ == "__main__":
    main()
