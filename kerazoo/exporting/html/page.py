"""The page of a model: what `templates/page.html.j2` is given, and writing it."""

from __future__ import annotations

import functools
import tomllib
import warnings
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from kerazoo._version import __version__
from kerazoo.errors import InputError
from kerazoo.exporting.html.arrays import embedded
from kerazoo.exporting.html.content import content_of, content_of_packaged
from kerazoo.files import write_text
from kerazoo.lazy import keras

LARGEST = 5_000_000
"""Bytes of a page."""

_SCRIPTS = {
    "digits": ("layers.js", "page.js", "reading.js", "digits.js"),
    "reviews": ("layers.js", "page.js", "vocabulary.js", "reviews.js"),
    "writing": ("layers.js", "page.js", "vocabulary.js", "sampling.js", "writing.js"),
}
_BEGINNING = "ROMEO:"
_REVIEWED = ["negative", "positive"]  # the classes of film reviews, for which there are examples


def write_html(model: keras.Model, path: Path, *, name: str) -> None:
    """Write the page on which `model` is tried: a digit drawn, a text judged, a text gone on with.

    The page computes by itself and asks nothing of the network. Its weights are those of the model where these fit, or
    else rounded as the packaged ones are, with a UserWarning.

    Args:
        model: a classifier of digits or texts, or a generator, of the layers that a page runs.
        path: the file.
        name: what the page calls the model; where the zoo has such a model, its task is the model's.

    Raises:
        InputError: there is nothing to draw or to write for such a model, it has a layer that the page cannot run, the
            page would be larger than LARGEST, or the directory of `path` does not exist.
        NotFiniteError: a weight is NaN or infinite.
    """
    _write(content_of(model, name), path)


def write_packaged(name: str, path: Path) -> None:
    """Write the page of the model `name` of the zoo with its packaged weights, without Keras.

    Raises:
        UnknownModelError: no model has the name.
        InputError: it has no packaged weights, or as of `write_html`.
    """
    _write(content_of_packaged(name), path)


def _write(content: dict[str, Any], path: Path) -> None:
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise InputError(f"'{path}' cannot be written: wanted a file in a directory that exists")
    name, text = content["name"], _rendered(content, lossless=True)
    if len(text.encode()) > LARGEST:
        text = _rendered(content, lossless=False)
        if (size := len(text.encode())) > LARGEST:
            told = f"the page of '{name}' would have {size / 1e6:.1f} MB, wanted at most {LARGEST / 1e6:g}"
            raise InputError(f"{told}: train a smaller model, e.g. with fewer words (--set vocab_size=20000)")
        told = f"the page of '{name}' has its weights in 16 bits, and the largest in 8, to be small"
        warnings.warn(f"{told}: its answers may differ a little from the model's", UserWarning, stacklevel=3)
    write_text(path, text)


def _rendered(content: dict[str, Any], lossless: bool) -> str:
    """Return the page; everything is escaped that is not a template's own."""
    kind, texts = content["kind"], _texts()
    unit = content.get("vocabulary", {}).get("unit")
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            kind=kind,
            model=embedded(content, lossless),
            texts={**texts["page"], **texts[kind]},
            scripts=_SCRIPTS[kind],
            examples=texts["examples"] if content.get("classes") == _REVIEWED and unit == "word" else {},
            prompt=_prompt(content.get("vocabulary", {})),
            limits="limits-characters" if unit == "character" else "limits",
            version=__version__,
        )
    )


def _prompt(vocabulary: dict[str, Any]) -> str:
    """Return how a text may begin, where a generator knows each of these characters; else nothing."""
    return _BEGINNING if set(_BEGINNING) <= set(vocabulary.get("tokens", ())) else ""


@functools.cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("kerazoo.exporting.html"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


@functools.cache
def _texts() -> dict[str, Any]:
    """Return what the pages say, by the section of `texts.toml`, key and language."""
    return tomllib.loads(resources.files(__package__).joinpath("texts.toml").read_text(encoding="utf-8"))
