"""The event contract as JSON Schema, made from the classes: for each type its envelope and its data."""

from __future__ import annotations

import re
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema
from typing_extensions import override

from aftersales.events import INTERNAL, TYPES

Schema = dict[str, Any]
REF = "#/components/schemas/"
_ENVELOPE = frozenset({"id", "source", "order_id", "time", "type"})
_NO_PART = re.compile(r"\s*\(?`[^`]*§[^`]*`\)?|\s*\(§[^)]*\)")


class _AsSent(GenerateJsonSchema):
    """Money is a decimal string and nothing else."""

    @override
    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$", "examples": ["12.90"]}


def event_schemas() -> dict[str, Schema]:
    """All schemas that `Event` needs, by name; `Event` is any event, told apart by its type."""
    public = {name: cls for name, cls in TYPES.items() if name not in INTERNAL}
    _, made = models_json_schema(
        [(cls, "validation") for cls in public.values()], ref_template=REF + "{model}", schema_generator=_AsSent
    )
    schemas: dict[str, Schema] = made["$defs"]
    for name, cls in public.items():
        whole = schemas[cls.__name__]
        data = {**whole, "title": f"{cls.__name__}Data"}
        data["properties"] = {key: value for key, value in whole["properties"].items() if key not in _ENVELOPE}
        if required := [key for key in whole.get("required", ()) if key not in _ENVELOPE]:
            data["required"] = required
        else:
            data.pop("required", None)
        schemas[f"{cls.__name__}Data"] = data
        schemas[cls.__name__] = _envelope(name, cls.__name__, data)
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = _NO_PART.sub("", schema["description"])
    schemas["Event"] = {
        "description": "An order event: a CloudEvent 1.0 of one of these types.",
        "oneOf": [{"$ref": REF + cls.__name__} for cls in public.values()],
        "discriminator": {
            "propertyName": "type",
            "mapping": {name: REF + cls.__name__ for name, cls in public.items()},
        },
    }
    return dict(sorted(schemas.items()))


def _envelope(type: str, name: str, data: Schema) -> Schema:
    return {
        "title": name,
        "description": data.get("description", ""),
        "type": "object",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _text("With `source` it names the event; a repeat changes nothing.", 200),
            "source": {**_text("Who says so.", 200), "pattern": r"^\S+$"},
            "type": {"const": type},
            "subject": _text("The order id.", 200),
            "orderalias": _text(
                "Names the order where its id is not known, such as `tracking/<tracking number>`.", 500
            ),
            "time": {"type": "string", "format": "date-time", "description": "When it happened, with its offset."},
            "datacontenttype": {"type": "string", "examples": ["application/json"]},
            "data": {"$ref": f"{REF}{name}Data"},
        },
        "required": ["specversion", "id", "source", "type", "time", *(["data"] if data.get("required") else [])],
        "anyOf": [{"required": ["subject"]}, {"required": ["orderalias"]}],
    }


def _text(description: str, most: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most, "description": description}
