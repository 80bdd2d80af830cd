"""An HTTPS client that knows nothing of the gateway: Python's own `http.client` over `ssl`. Connects once, prints one JSON
line about the handshake, and for every request on stdin, a JSON line `[METHOD, PATH, HEADERS, BODY]`, one with the response.
A failure is a JSON line with `error`, and the end.

    python https_client.py HOST PORT JSON

JSON is that of tls_client.py, and may name `alpn`, the protocols that are offered.
"""

import http.client
import json
import socket
import sys

from tls_client import context, say


def main():
    host, port, options = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
    try:
        made = context(options)
        if "alpn" in options:
            made.set_alpn_protocols(options["alpn"])
        with socket.create_connection((host, port), 30) as plain:
            with made.wrap_socket(plain, server_hostname=host) as stream:
                serial = stream.getpeercert()["serialNumber"]
                say(version=stream.version(), serial=serial, alpn=stream.selected_alpn_protocol())
                client = http.client.HTTPConnection(host, port)
                client.sock = stream
                for line in sys.stdin:
                    method, path, headers, body = json.loads(line)
                    client.request(method, path, body.encode(), headers)
                    response = client.getresponse()
                    text = response.read().decode()
                    say(status=response.status, headers=dict(response.getheaders()), body=text)
    except (OSError, EOFError, http.client.HTTPException) as error:
        say(error=str(error) or type(error).__name__)


if __name__ == "__main__":
    main()
