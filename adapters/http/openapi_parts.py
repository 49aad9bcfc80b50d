"""Parts of the OpenAPI document that its doors share: answers, problems, contents with their examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.http.contract import REF
from adapters.http.problems import KINDS, MEDIA_TYPE
from aftersales.records import EventStatus

Part = dict[str, Any]


def problems(*kinds: str) -> Part:
    """The answers of an operation that may end in these kinds of problems, by status."""
    by_status: dict[int, list[str]] = {}
    for kind in sorted(kinds, key=lambda kind: KINDS[kind].status):
        by_status.setdefault(KINDS[kind].status, []).append(kind)
    answers: Part = {}
    for status, several in by_status.items():
        if len(several) == 1:
            answers[str(status)] = {"$ref": f"#/components/responses/{several[0]}"}
            continue
        made = [problem(kind) for kind in several]
        samples = {
            kind: {"value": one["content"][MEDIA_TYPE]["example"]} for kind, one in zip(several, made, strict=True)
        }
        content = {"schema": {"$ref": REF + "Problem"}, "examples": samples}
        answers[str(status)] = {
            **made[0],
            "description": " Or: ".join(one["description"] for one in made),
            "content": {MEDIA_TYPE: content},
        }
    return answers


def problem(kind: str) -> Part:
    """The answer of one kind of problem, with an example."""
    status, title, remedy = KINDS[kind]
    example: Part = {
        "type": f"/docs#{kind}",
        "title": title,
        "status": status,
        "detail": "What exactly, in this request.",
        "remedy": remedy,
        "instance": "urn:uuid:6f1b1c9e-4c0b-4a51-9a59-0d1f6b1d7a10",
    }
    if kind == "bad-event":
        example["errors"] = [
            {"field": "time", "pointer": "/time", "detail": "is missing", "remedy": "Add time."},
        ]
    made: Part = {
        "description": f"{title}. {remedy}",
        "content": {MEDIA_TYPE: shown({"$ref": REF + "Problem"}, example)},
    }
    if kind in {"rate", "unavailable"}:
        made["headers"] = {"Retry-After": {"required": True, "schema": {"type": "string"}, "description": "Seconds."}}
    if status == 401:
        made["headers"] = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
    return made


def answer_schemas() -> Part:
    """The schemas of what is answered, by name."""
    result = {
        "id": {"type": "string"},
        "source": {"type": "string"},
        "status": {"enum": [status.value for status in EventStatus]},
        "cases": {"type": "array", "items": {"type": "string"}},
        "detail": {"type": "string"},
    }
    results = {"type": "array", "items": shape(result, *result)}
    error = {name: {"type": "string"} for name in ("field", "pointer", "detail", "remedy")}
    problem = {
        **{name: {"type": "string"} for name in ("type", "title", "detail", "remedy", "instance")},
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": shape(error, "detail", "remedy")},
        "events": results,
    }
    return {
        "Taken": shape({"events": results, "note": {"type": "string"}}, "events"),
        "Problem": shape(problem, "type", "title", "status", "detail", "remedy", "instance"),
    }


def shape(properties: Mapping[str, object], *required: str) -> Part:
    """The schema of an object."""
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def shown(schema: Part, example: object) -> Part:
    """Content of a schema with an example of it."""
    return {"schema": schema, "example": example}
