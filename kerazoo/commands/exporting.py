"""Commands that give a trained model to other programs: export, serve, push."""

from __future__ import annotations

import contextlib
from typing import Any

import click

import kerazoo
from kerazoo.commands import common
from kerazoo.commands.common import JSON, MODEL, NAME, argument, flag, option, path, print_json

_FORMATS = ("onnx", "litert", "saved_model", "torch", "html")


@click.command(
    "export",
    params=[
        NAME,
        option("--format", "Whose format.", click.Choice(_FORMATS), required=True),
        path(
            "--out", "File to write (.onnx, .tflite, .pt2, .html), or directory to make (saved_model).", required=True
        ),
        path("--model", "A .keras file, or hf://USER/NAME (default: the packaged weights)."),
        flag("--quantise", "Make the weights int8 (onnx, litert); says what that changes."),
        JSON,
    ],
)
def export(name: str, out: str, model: str | None, as_json: bool, **how: Any) -> None:
    """Write a trained model for another runtime.

    It is run there on 1,000 inputs and compared with Keras; what differs is not kept, but for --quantise, which tells
    how much.
    """
    kerazoo.spec(name)  # a wrong name is told before a wrong file
    given = name if model is None else kerazoo.load_model(model, name)
    written = kerazoo.export(given, out, **how)
    if as_json:
        import dataclasses

        print_json({"model": name, "file": model, **dataclasses.asdict(written), "path": out})
    else:
        from kerazoo.report.exported import lines

        for line in lines(written):
            common.say(line)


@click.command(
    "serve",
    params=[
        NAME,
        MODEL,
        option("--port", "Port to listen on; 0 takes any that is free.", default=8000),
        option("--host", "Address to listen on; others than this machine's need 0.0.0.0.", default="127.0.0.1"),
        option("--window", "Milliseconds that a request waits for others to be answered with it.", default=2.0),
        flag("--explain", "Also weigh the words of texts, which takes longer."),
    ],
)
def serve(name: str, window: float, **how: Any) -> None:
    """Answer for a trained model over HTTP, in JSON.

    The page at / describes it: /health, and /predict or, of a writer, /generate.
    """
    from kerazoo.lazy import require

    kerazoo.spec(name)
    require("serve", {"starlette": "'kerazoo[serve]'", "uvicorn": "'kerazoo[serve]'"})
    from kerazoo.serving.server import serve as run

    with contextlib.suppress(KeyboardInterrupt):  # which is how it ends
        run(name, window=window / 1000, ready=lambda url: common.tell(f"{name}: {url}"), **how)


@click.command(
    "push",
    params=[
        argument("what", metavar="NAME|RUN"),
        option("--to repository", "Repository of the Hugging Face Hub.", metavar="USER/NAME", required=True),
        flag("--private", "Make a new repository private."),
        option("--license license_id", "Licence of the weights, such as apache-2.0.", metavar="ID"),
        JSON,
    ],
)
def push(what: str, repository: str, as_json: bool, **how: Any) -> None:
    """Send a trained model to the Hugging Face Hub.

    The packaged weights of a NAME, or the model of a RUN directory: as .keras, safetensors and ONNX, with a card.
    """
    from kerazoo.publishing.push import push as send

    address = send(what, repository, **how)
    if as_json:
        print_json({"model": what, "repository": repository, "address": address})
    else:
        common.say(address)
