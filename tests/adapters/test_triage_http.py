"""A team's own classifier behind HTTP: what is asked, and what happens when it does not answer."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from adapters.settings import Settings
from adapters.triage import EmbeddedClassifier
from adapters.triage_http import LONGEST_TEXT, TRIES, HttpClassifier
from worker import classifier_for

GOOD = {"intent": "cancel", "confidence": 0.93, "language": "de", "urgent": True}


class Service:
    """A classifier that answers what it is told to, in turn, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.asked: list[dict[str, Any]] = []
        self.delay = 0.0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                time.sleep(service.delay)
                status, body = service.answers.pop(0) if len(service.answers) > 1 else service.answers[0]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                # One that waited too long is gone.
                with contextlib.suppress(BrokenPipeError):
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/classify"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    started = Service()
    thread = threading.Thread(target=started.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield started
    started.server.shutdown()
    thread.join()
    started.server.server_close()


def answer(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


async def test_its_answer_counts(service: Service) -> None:
    service.answers = [(200, answer(**GOOD))]
    read = await HttpClassifier(service.url).classify("storno A-66120, SCHEISSE", threshold=0.9, language="de")
    assert (read.intent, read.confidence, read.abstained) == ("cancel", 0.93, False)
    assert (read.language, read.urgent, read.angry, read.problem) == ("de", True, True, "")
    assert read.entities == EmbeddedClassifier().read("storno A-66120", threshold=0.9).entities
    assert service.asked == [{"text": "storno A-66120, SCHEISSE", "language": "de"}]


async def test_below_the_threshold_it_abstains(service: Service) -> None:
    service.answers = [(200, answer(**GOOD))]
    assert (await HttpClassifier(service.url).classify("storno", threshold=0.95)).abstained


async def test_a_long_message_is_sent_in_part(service: Service) -> None:
    service.answers = [(200, answer(**GOOD))]
    await HttpClassifier(service.url).classify("a" * 1_000_000, threshold=0.5)
    assert len(service.asked[0]["text"]) == LONGEST_TEXT


async def test_a_passing_fault_is_tried_again(service: Service) -> None:
    service.answers = [(503, b""), (429, b""), (200, answer(**GOOD))]
    read = await HttpClassifier(service.url, pause=0.01).classify("storno", threshold=0.5)
    assert read.intent == "cancel"
    assert len(service.asked) == TRIES


async def test_a_lasting_fault_leaves_the_message_to_a_person(service: Service) -> None:
    service.answers = [(503, b"")]
    read = await HttpClassifier(service.url, pause=0.01).classify("storno A-66120", threshold=0.5, language="de")
    assert (read.intent, read.confidence, read.abstained) == ("other", 0, True)
    assert read.entities.order_ids == ("A-66120",)
    assert service.url in read.problem
    assert "answered 503; look into its log" in read.problem
    assert len(service.asked) == TRIES


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"", "answered 404; look into its log, or check AFTERSALES_CLASSIFIER_URL"),
        (200, b"<html>", "no JSON"),
        (200, b"\xff\xfe", "no JSON"),
        (200, b"[" * 100_000, "no JSON"),
        (200, b"[]", "docs/triage.md says what it has to answer"),
        (200, answer(intent="refund", confidence=0.5), "intent: "),
        (200, answer(intent="cancel", confidence=7), "confidence: "),
        (200, answer(intent="cancel"), "confidence: Field required"),
    ],
)
async def test_what_cannot_be_used_is_not_guessed_at(service: Service, status: int, body: bytes, said: str) -> None:
    service.answers = [(status, body)]
    read = await HttpClassifier(service.url, pause=0.01).classify("storno", threshold=0.5)
    assert read.abstained
    assert said in read.problem
    assert len(service.asked) == 1


async def test_one_that_is_too_slow_is_given_up(service: Service) -> None:
    service.answers, service.delay = [(200, answer(**GOOD))], 0.3
    read = await HttpClassifier(service.url, timeout=0.05, pause=0.01).classify("storno", threshold=0.5)
    assert read.abstained
    assert "cannot be reached (timed out); start it" in read.problem


async def test_one_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        read = await HttpClassifier(url, pause=0.01).classify("storno", threshold=0.5)
    assert read.abstained
    assert f"the classifier at {url} cannot be reached" in read.problem


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://example.org/x", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="is no address of a classifier"):
        HttpClassifier(url)


def test_the_setting_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(classifier_for(Settings()), EmbeddedClassifier)
    monkeypatch.setenv("AFTERSALES_CLASSIFIER_URL", "http://localhost:1/")
    assert isinstance(classifier_for(Settings()), HttpClassifier)
