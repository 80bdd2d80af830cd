"""An OpenTelemetry collector as far as tests need one: takes OTLP over HTTP, keeps every body as it came, and, where the
package `opentelemetry-proto` is there, what its generated code reads in it, one JSON line a body. Prints the port.

    python otlp_collector.py FOLDER
"""

import http.server
import itertools
import pathlib
import sys

try:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    KINDS = {
        "traces": ExportTraceServiceRequest,
        "metrics": ExportMetricsServiceRequest,
        "logs": ExportLogsServiceRequest,
    }
except ImportError:
    KINDS = {}

FOLDER = pathlib.Path(sys.argv[1])
NUMBERS = itertools.count()


class Collector(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        signal = self.path.removeprefix("/v1/")
        assert signal in ("traces", "metrics", "logs"), self.path
        (FOLDER / f"{next(NUMBERS)}-{signal}.bin").write_bytes(body)
        if signal in KINDS:
            request = KINDS[signal].FromString(body)
            with open(FOLDER / f"{signal}.jsonl", "a") as lines:
                lines.write(json_format.MessageToJson(request, indent=None) + "\n")
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
