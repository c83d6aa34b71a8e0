"""What the server can be asked: as OpenAPI, and as a page that needs nothing but the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader

from kerazoo._version import __version__
from kerazoo.serving.inputs import MOST_INPUTS
from kerazoo.serving.served import LONGEST_PROMPT, LONGEST_TEXT, Served
from kerazoo.tasks import Pictures

_ERRORS = {
    "400": "the body is no JSON",
    "408": "the body did not come in time",
    "413": "the body is too large",
    "415": "the body is not of the type application/json",
    "422": "an input or a setting cannot be used; the error says which, and what is wanted",
    "503": "too many requests wait, or the server is stopping",
}
_NUMBERS = {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "array", "items": {"type": "number"}}]}}


def described(served: Served) -> dict[str, Any]:
    """Return the OpenAPI document of the server."""
    request, response, example = _classifying(served) if served.task else _writing()
    answer = {"type": "object", "properties": {"model": {"type": "string"}, served.answers_are: response}}
    error = _body({"type": "object", "properties": {"error": {"type": "string"}}})
    failures = {status: {"description": told, **error} for status, told in _ERRORS.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": f"kerazoo: {served.name}", "version": __version__},
        "paths": {
            "/health": {"get": {"summary": "Whether the server answers.", "responses": {"200": _ok("what it serves")}}},
            served.path: {
                "post": {
                    "summary": "Classify." if served.task else "Write on.",
                    "requestBody": {"required": True, **_body(request, example)},
                    "responses": {"200": _ok("the answers, in order", answer), **failures},
                }
            },
        },
    }


def _ok(told: str, schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"description": told, **_body(schema or {"type": "object"})}


def _body(schema: Mapping[str, Any], example: Any = None) -> dict[str, Any]:
    media = {"schema": schema} if example is None else {"schema": schema, "example": example}
    return {"content": {"application/json": media}}


def _classifying(served: Served) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    task, one = served.task, dict[str, Any](_NUMBERS)
    example: Any = [0.0, 1.0]
    if isinstance(task, Pictures):
        picture = {"type": "string", "contentEncoding": "base64", "description": "a picture, such as a PNG file"}
        one, example = {"anyOf": [picture, _NUMBERS]}, [[0.0] * 28] * 10 + [[0.0] * 13 + [1.0] * 2 + [0.0] * 13] * 18
    elif task is not None and task.explains:
        one, example = {"anyOf": [{"type": "string"}, _NUMBERS]}, "A moving story, superbly acted."
    inputs = {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_INPUTS}
    request = {"type": "object", "required": ["inputs"], "properties": {"inputs": inputs}}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    fields = {
        "input": {"type": "string"},
        "label": {"type": "string"},
        "probability": share,
        "probabilities": {"type": "object", "additionalProperties": share},
        "words": {"type": "array", "items": {"type": "object"}, "description": "with --explain: which weighed most"},
    }
    return request, {"type": "array", "items": {"type": "object", "properties": fields}}, {"inputs": [example]}


def _writing() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    settings = {
        "prompt": {"type": "string", "maxLength": LONGEST_PROMPT},
        "length": {"type": "integer", "minimum": 1, "maximum": LONGEST_TEXT, "default": 200},
        "temperature": {"type": "number", "minimum": 0, "default": 1},
        "top_k": {"type": ["integer", "null"], "minimum": 1},
        "top_p": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1},
        "seed": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**32 - 1},
        "stop": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
    }
    text = {"type": "object", "properties": {"text": {"type": "string"}, "seed": {"type": "integer"}}}
    example = {"prompt": "ROMEO:", "length": 100, "seed": 0}
    return {"type": "object", "properties": settings}, {"type": "array", "items": text}, example


def page(document: Mapping[str, Any]) -> str:
    """Return a page that shows an OpenAPI document, with a form that asks the server."""
    path = next(one for one in document["paths"] if one != "/health")
    post = document["paths"][path]["post"]
    example = json.dumps(post["requestBody"]["content"]["application/json"]["example"])
    environment = Environment(loader=PackageLoader("kerazoo.serving"), autoescape=True)
    return environment.get_template("index.html.j2").render(document=document, path=path, post=post, example=example)
