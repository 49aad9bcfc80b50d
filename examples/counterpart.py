"""A counterpart in a few lines: takes signed commands, does each once, and knows so after a restart too.

`python counterpart.py 8090 whsec_… commands.db`. Where the row is written, a real one does the work in the same
transaction. docs/commands.md says what else it may answer.
"""

import json
import sqlite3
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

BOOK = "CREATE TABLE IF NOT EXISTS commands (number INTEGER PRIMARY KEY, key TEXT UNIQUE, type TEXT, data TEXT)"


class Counterpart(BaseHTTPRequestHandler):
    """Answers 200 to a command, 409 to a repeat, both with the same reference; 401 to who does not sign."""

    def do_POST(self) -> None:
        """Take one command."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event = Webhook(sys.argv[2]).verify(body, dict(self.headers.items()))
        except WebhookVerificationError:
            return self.answer(401, {"accepted": False, "reason": "not signed with our secret"})
        self.answer(*self.carry_out(event))

    def carry_out(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Do a command, if it is new; the status and the words of the answer."""
        row = (event["data"]["key"], event["type"], json.dumps(event["data"]))
        with closing(sqlite3.connect(sys.argv[3], timeout=5)) as book, book:
            new = book.execute("INSERT OR IGNORE INTO commands (key, type, data) VALUES (?, ?, ?)", row).rowcount
            number = book.execute("SELECT number FROM commands WHERE key = ?", row[:1]).fetchone()[0]
        print("new" if new else "again", event["type"], event["subject"], f"C-{number}", flush=True)
        return 200 if new else 409, {"accepted": True, "reference": f"C-{number}"}

    def answer(self, status: int, words: dict[str, Any]) -> None:
        """Answer with JSON."""
        body = json.dumps(words).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing but the commands."""


if __name__ == "__main__":
    with closing(sqlite3.connect(sys.argv[3])) as new_book, new_book:
        new_book.execute(BOOK)
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Counterpart).serve_forever()
