"""The description of the interface: what FastAPI writes, and what it cannot know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI

from api.schemas.examples import parameter_example
from api.schemas.problems import Problem, problems

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEME: Final = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
SCHEMES: Final = {
    "bearer": {**_SCHEME, "description": "Of an agency's system."},
    "holder": {**_SCHEME, "description": "Of a holder who is logged in."},
}
_OURS: Final = ("HTTPValidationError", "ValidationError")
"""FastAPI's shapes of a request that does not fit. We answer with a problem (`api.problems.install`)."""


def describe(app: FastAPI) -> dict[str, Any]:
    """FastAPI's description, with the shape of problems, the kinds of bearers, and examples of parameters."""
    if app.openapi_schema is None:
        schema = FastAPI.openapi(app)
        components = schema.setdefault("components", {})
        shapes = components.setdefault("schemas", {})
        for name in _OURS:
            shapes.pop(name, None)
        shapes["Problem"] = Problem.model_json_schema(ref_template="#/components/schemas/Problem/$defs/{model}")
        components["securitySchemes"] = SCHEMES
        for path, operation in _operations(schema):
            _mend(path, operation)
        app.openapi_schema = schema
    return app.openapi_schema


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            yield path, operation


def _mend(path: str, operation: dict[str, Any]) -> None:
    """Every operation may fail as any other does; a parameter that does not fit is answered with a problem."""
    answers = operation["responses"]
    usual = problems(422) if "422" in answers else problems()
    if "requestBody" in operation:
        usual |= problems(408, 413)  # api.guarding bounds every body
    for status, answer in usual.items():
        if str(status) not in answers or "application/json" in answers[str(status)].get("content", {}):
            answers[str(status)] = answer
    for parameter in operation.get("parameters", ()):
        example = parameter_example(path, parameter["name"])
        if example is not None:
            parameter["example"] = example
