"""A CDS Hooks service over TLS, of Python's own `http.server` and `ssl`: answers every call with one card. Prints the port
it listens on.

    python tls_service.py CERTIFICATE KEY CARD [CLIENT-CA]
"""

import http.server
import json
import ssl
import sys


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert asked["hook"], "no CDS Hooks request"
        body = sys.argv[3].encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    if len(sys.argv) > 4:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(sys.argv[4])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service)
    # The handshake belongs to the connection's thread, or a client that fails it would end the server.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
