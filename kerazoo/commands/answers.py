"""Commands that ask a trained model: predict, generate, demo."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

import kerazoo
from kerazoo.commands import common
from kerazoo.commands.common import JSON, MODEL, NAME, argument, option, path, print_json, terminal
from kerazoo.printable import printable

_INPUTS = argument("inputs", metavar="INPUT...", nargs=-1, required=True, shell_complete=common.complete_files)
_HTML = path("--html", "Also write a page that shows why.")
_TEMPERATURE = "Randomness: 0 always takes the likeliest next character, 1 follows the model."
_TOP_P = "Choose among the likeliest characters, of total probability P."


@click.command("predict", params=[NAME, _INPUTS, MODEL, _HTML, JSON])
def predict(name: str, inputs: tuple[str, ...], model: str | None, html: str | None, as_json: bool) -> int:
    """Classify texts or pictures.

    An INPUT is a text, a file with one text a line, a picture, a directory of pictures, a .npy file, or - for standard
    input.
    """
    from kerazoo.inference.predicting import stream
    from kerazoo.report import predictions, predictions_html
    from kerazoo.tasks import task_of

    task = task_of(kerazoo.spec(name))
    given = [task.from_argument(one, sys.stdin.buffer) for one in inputs]
    errors: list[kerazoo.DataError] = []
    found = stream(name, given, model=model, attention=html is not None, errors=errors)
    with predictions_html.written(html, name, found) if html is not None else nullcontext(found) as found:
        if as_json:
            predictions.write_json(sys.stdout, found)
        else:
            predictions.show_predictions(terminal(), found)
    for error in errors:
        common.tell(f"kerazoo: not answered: {error}")
    return 1 if errors else 0


@click.command(
    "generate",
    params=[
        argument("name", default="textgen_lstm"),
        option("--prompt", "The text to continue.", metavar="TEXT", default="", show_default=False),
        option("--length", "Characters, or words, to write.", default=200),
        option("--temperature", _TEMPERATURE, default=1.0),
        option("--top-k", "Choose among the K likeliest characters.", int, metavar="K"),
        option("--top-p", _TOP_P, float, metavar="P"),
        option("--seed", "Seed of the random choices (default: a new one each time).", int),
        option("--stop", "End before this text (repeatable).", metavar="TEXT", multiple=True),
        option("--samples", "How many texts to write.", default=1),
        MODEL,
        JSON,
    ],
)
def generate(name: str, prompt: str, samples: int, model: str | None, as_json: bool, **settings: Any) -> None:
    """Write text with a trained text generator.

    The text is printed as it is written; several texts are separated by a line of dashes.
    """
    import random

    from kerazoo.inference.choosing import choose
    from kerazoo.inference.generating import check_settings, generate, stream

    if settings["seed"] is None:
        settings["seed"] = random.randrange(2**32)
    settings["stop"] = list(settings["stop"]) or None
    check_settings(samples=samples, **settings)  # before the model is loaded
    loaded: Any = choose(name, model).load() if model else name
    if samples == 1 and not as_json:
        for piece in stream(loaded, prompt, **settings):
            sys.stdout.write(printable(piece, keep="\n\t"))
            sys.stdout.flush()
        sys.stdout.write("\n")
        return
    texts = generate(loaded, prompt, samples=samples, **settings)
    if as_json:
        print_json({"model": name, "file": model, "prompt": prompt, "text": texts[0], "texts": texts, **settings})
    else:
        sys.stdout.write(printable("\n---\n".join(texts), keep="\n\t") + "\n")


@click.command(
    "demo",
    params=[
        argument("name", default="mnist_mlp"),
        MODEL,
        path("--out", "Write the page to this file, and open nothing."),
    ],
)
def demo(name: str, model: str | None, out: str | None) -> None:
    """Try a model in the browser.

    Draw a digit (mnist_mlp), have a review judged (imdb_lstm), have a text written (textgen_lstm).
    The page holds the model and computes by itself: it may be put anywhere, and sent to anybody.
    """
    import webbrowser

    from kerazoo.data.cache import cache_dir
    from kerazoo.exporting.html import write_html, write_packaged

    page = cache_dir() / "pages" / f"{name}.html" if out is None else Path(out)
    if out is None:
        kerazoo.spec(name)  # before a directory is made for it
        page.parent.mkdir(parents=True, exist_ok=True)
    if model is None:
        write_packaged(name, page)
    else:
        write_html(kerazoo.load_model(model, name), page, name=name)
    common.say(page)
    if out is None and not webbrowser.open(page.absolute().as_uri()):
        common.tell("kerazoo: no browser was found here; open the file above in one")
