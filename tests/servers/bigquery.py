"""Answers the few calls that a query by google-cloud-bigquery makes; one that asks for `missing` is refused. Argument: port."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

JOB = {"projectId": "dw", "jobId": "one", "location": "EU"}
ROWS = {"jobComplete": True, "jobReference": JOB, "totalRows": "2", "schema": {"fields": [{"name": "store", "type": "STRING"}]},
        "rows": [{"f": [{"v": "CANARY"}]}, {"f": [{"v": "b"}]}], "statementType": "SELECT"}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent."""

    def do_POST(self) -> None:
        """A job or a query begins; rows are inserted."""
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        if "missing" in text or "missing" in self.path:
            error = {"message": "Not found: Table 'CANARY'", "domain": "global", "reason": "notFound"}
            self.reply(404, {"error": {"code": 404, "message": "Not found: Table 'CANARY'", "errors": [error]}})
        elif self.path.partition("?")[0].endswith("/jobs"):
            asked = json.loads(text)["configuration"]
            self.reply(200, {"jobReference": JOB, "status": {"state": "DONE"}, "configuration": asked, "statistics": {}})
        elif "insertAll" in self.path:
            self.reply(200, {"kind": "bigquery#tableDataInsertAllResponse"})
        else:
            self.reply(200, ROWS)

    def do_GET(self) -> None:
        """The rows of the job, whichever way they are asked for."""
        self.reply(200, ROWS)

    def reply(self, status: int, body: dict[str, Any]) -> None:
        """JSON."""
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
