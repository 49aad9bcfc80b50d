"""The page of the contract: the OpenAPI document for people, in one file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from adapters.http.problems import KINDS

_PAGE = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
_STYLE = re.search(r"<style>(.*?)</style>", _PAGE, re.DOTALL)
_HASH = base64.b64encode(hashlib.sha256(_STYLE[1].encode() if _STYLE else b"").digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What a browser may load for the page: its own style and nothing else."""


def render(document: dict[str, Any]) -> str:
    """The page of an OpenAPI document."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    environment.filters["named"] = _named
    environment.filters["code"] = _code
    schemas = document["components"]["schemas"]
    events = {
        name: schemas[ref.rpartition("/")[2]] for name, ref in schemas["Event"]["discriminator"]["mapping"].items()
    }
    return environment.from_string(_PAGE).render(document=document, problems=KINDS, schemas=schemas, events=events)


def _code(text: str) -> Markup:
    """Text in which what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # escaped before


def _named(schema: dict[str, Any]) -> str:
    """A schema in a few words: the name it refers to, its type, or the values it may have."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(map(_named, schema["anyOf"]))
    if schema.get("type") == "array":
        return f"list of {_named(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")
