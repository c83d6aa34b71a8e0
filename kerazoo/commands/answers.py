"""Commands that ask a trained model: predict, generate."""

from __future__ import annotations

import random
import sys
from contextlib import nullcontext
from typing import Annotated, Any

import typer

import kerazoo
from kerazoo.commands.common import Json, ModelFileOption, Name, must_exist, out, print_json


def predict(
    name: Name,
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="Texts, pictures, files; - reads stdin.")],
    model: Annotated[str | None, ModelFileOption] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Also write a page that shows why.")] = None,
    as_json: Json = False,
) -> None:
    """Classify texts or pictures, a file of one text a line, or a directory of pictures."""
    from kerazoo.inference.predicting import stream
    from kerazoo.report import predictions, predictions_html
    from kerazoo.tasks import task_of

    if model is not None:
        must_exist(model)
    task = task_of(kerazoo.spec(name))
    given = [task.from_argument(one, sys.stdin.buffer) for one in inputs]
    found = stream(name, given, model=model, attention=html is not None)
    with predictions_html.written(html, name, found) if html is not None else nullcontext(found) as found:
        if as_json:
            predictions.write_json(out.file, found)
        else:
            predictions.show_predictions(out, found)


def generate(
    name: Annotated[str, typer.Argument(help="A text generator's name.")] = "textgen_lstm",
    prompt: Annotated[str, typer.Option(help="The text to go on with.")] = "",
    length: Annotated[int, typer.Option(help="Characters to generate (words, for a word model).")] = 200,
    temperature: Annotated[float, typer.Option(help="Less is more careful; 0 takes the likeliest each time.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw from the K likeliest characters alone.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Draw from the likeliest of this probability alone.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the draws (default: another one each time).")] = None,
    stop: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="End before this text (repeatable).")] = None,
    samples: Annotated[int, typer.Option(help="How many texts.")] = 1,
    model: Annotated[str | None, ModelFileOption] = None,
    as_json: Json = False,
) -> None:
    """Write text with a trained generator, as it comes; several texts are parted by a line of dashes."""
    from kerazoo.inference.generating import check_settings, generate, stream

    settings: dict[str, Any] = {"length": length, "temperature": temperature, "top_k": top_k, "top_p": top_p}
    settings |= {"seed": random.randrange(2**32) if seed is None else seed, "stop": stop or None}
    check_settings(samples=samples, **settings)  # before TensorFlow's seconds of import
    if model is not None:
        must_exist(model)
    loaded = name if model is None else kerazoo.load_model(model, name)
    if samples == 1 and not as_json:
        for piece in stream(loaded, prompt, **settings):
            out.file.write(piece)
            out.file.flush()
        out.file.write("\n")
        return
    texts = generate(loaded, prompt, samples=samples, **settings)
    if as_json:
        print_json({"model": name, "file": model, "prompt": prompt, "text": texts[0], "texts": texts, **settings})
    else:
        out.file.write("\n---\n".join(texts) + "\n")
