"""How a JSON body is described where the route reads it by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from api.schemas.examples import BODIES

if TYPE_CHECKING:
    from pydantic import BaseModel

SECURED: Final[dict[str, Any]] = {"security": [{"bearer": []}]}
"""Needs a bearer."""
BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
PDF: Final[dict[str, Any]] = {"application/pdf": BINARY}
"""The content of an answer that is a PDF."""


def takes(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of an operation with a bearer and a JSON body of the shape `model`, with its example."""
    return {"requestBody": {"required": True, "content": {"application/json": json_body(model)}}, **SECURED}


def json_body(model: type[BaseModel]) -> dict[str, Any]:
    """The media type of a JSON body of the shape `model`. A test sends each example (tests/http/test_examples.py)."""
    schema = model.model_json_schema()
    whole = {"schema": _inlined(schema, schema.pop("$defs", {}))}
    return {**whole, "example": BODIES[model]} if model in BODIES else whole


def _inlined(value: Any, models: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    """The schema with each reference to one of `models` replaced by the model: it stands inside another document."""
    if isinstance(value, list):
        return [_inlined(each, models) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _inlined(models[value["$ref"].rpartition("/")[2]], models)
    return {name: _inlined(each, models) for name, each in value.items()}
