"""The OpenAPI document says what the door does."""

from __future__ import annotations

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route

from adapters.http import examples
from adapters.http.openapi import document
from adapters.http.platforms import SCHEMES
from adapters.http.signing import sign
from tests.adapters.http.binary import sign_binary
from tests.adapters.http.conftest import Served
from tests.adapters.http.doubles import OWN, PLATFORM_SECRET, TOKEN, app_with

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 10
"""Requests for each door and kind of data."""
CONTRACT = document()


def proof(path: str, body: bytes) -> dict[str, str]:
    """The headers that make a request one of a known sender."""
    first, _, rest = path.removeprefix("/").partition("/")
    if first == "events":
        return sign(OWN, f"msg_{uuid.uuid4()}", datetime.now(UTC), body)
    if first == "mail":
        return {"authorization": f"Bearer {TOKEN}"}
    if first == "platforms" and (platform := rest.partition("/")[0]) in SCHEMES:
        scheme = SCHEMES[platform]  # type: ignore[index]
        return {scheme.header: scheme.sign(PLATFORM_SECRET, body)}
    return {}


def test_the_document_is_valid_openapi() -> None:
    validator = pytest.importorskip("openapi_spec_validator")
    validator.validate(CONTRACT)


def test_it_describes_every_door_and_no_other() -> None:
    routes = {
        (route.path, method.lower())
        for route in app_with().routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    described = {(path, method) for path, methods in CONTRACT["paths"].items() for method in methods}
    assert routes - {("/docs", "get")} == described | {("/openapi.json", "get"), ("/openapi.json", "head")}


async def test_every_example_is_taken(served: Served) -> None:
    events = CONTRACT["paths"]["/events"]["post"]["requestBody"]["content"]
    for media, content in events.items():
        body = json.dumps(content["example"]).encode()
        status, _, answer = await served.post("/events", body, {"content-type": media, **proof("/events", body)})
        # The scan has no order id yet: the intake of these tests does not know aliases.
        statuses = {one["status"] for one in json.loads(answer)["events"]}
        assert (status, statuses) == ((422, {"refused"}) if media == "application/json" else (200, statuses))
        assert media == "application/json" or "refused" not in statuses or "batch" in media
    data = json.dumps(examples.RETURN["data"]).encode()
    binary = sign_binary(OWN, "msg_binary", datetime.now(UTC), {**examples.ATTRIBUTES, "id": "evt-9"}, data)
    assert binary.keys() >= examples.BINARY.keys()
    assert (await served.post("/events", data, binary))[0] == 200
    mail = CONTRACT["paths"]["/mail/{shop}"]["post"]["requestBody"]["content"]["message/rfc822"]["example"].encode()
    headers = {"content-type": "message/rfc822", **proof("/mail/lamps", mail)}
    assert (await served.post("/mail/lamps", mail, headers))[0] == 200


async def test_whatever_is_sent_the_answer_is_one_that_is_described(served: Served) -> None:
    seen = await asyncio.to_thread(_send_everything, served.url)
    assert {200, 401, 422} <= seen


def _send_everything(url: str) -> set[int]:
    statuses: set[int] = set()
    schema = schemathesis.openapi.from_dict(CONTRACT)
    with requests.Session() as session:
        session.trust_env = False
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            modes = list(GenerationMode) if operation.method == "post" else [GenerationMode.POSITIVE]
            for mode in modes:
                cases = operation.as_strategy(generation_mode=mode)

                @settings(
                    max_examples=EXAMPLES,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(cases, st.booleans())
                def send(case: Any, known: bool) -> None:
                    request = requests.Request(**case.as_transport_kwargs(base_url=url)).prepare()
                    path = case.operation.path if "shop" not in str(case.path_parameters) else request.path_url
                    sent = request.body or b""
                    body = sent.encode() if isinstance(sent, str) else sent
                    assert isinstance(body, bytes)
                    if known:
                        request.headers.update(proof(path, body))
                    response = session.send(request, timeout=5)
                    statuses.add(response.status_code)
                    case.validate_response(response, checks=CHECKS)

                send()
    return statuses
