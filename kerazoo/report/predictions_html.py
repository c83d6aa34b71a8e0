"""Predictions as a page of its own: the picture as the model saw it, or the text with the words that weighed.

A page is put together piece by piece, so that it may hold any number of predictions.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from kerazoo.errors import DataError, InputError
from kerazoo.files import whole_file
from kerazoo.lazy import np
from kerazoo.schema import Prediction

_HEAVY = 5  # words that are named under a text
_HEAT_WORDS = 20  # of a text that are shown in the heat map of its attention
_HEADING_WORDS = 12
_THUMBNAIL = 256  # pixels across


@contextlib.contextmanager
def written(
    path: str | os.PathLike[str], name: str, predictions: Iterable[Prediction]
) -> Iterator[Iterator[Prediction]]:
    """Yield `predictions`, each of which is put on a page as it is taken; at the end the page is the file `path`.

    Raises:
        InputError: the directory of `path` does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir() or path.is_dir():
        raise InputError(f"'{path}' cannot be written: wanted a file in a directory that exists")
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        yield _written(file, f"{name}: predictions", predictions)
        file.write("</body>\n</html>\n")


def _written(file: IO[str], title: str, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    from kerazoo.report.page import environment

    page: Any = environment().get_template("predictions.html.j2").module
    begun = False
    for one in predictions:
        if not begun:
            file.write(page.head(title, bool(one.words)))
            begun = True
        file.write(page.section(one, _heading(one), _pictures(one), _words(one), _told(one), *_attention(one)))
        yield one
    if not begun:
        file.write(page.head(title, False))


def _heading(one: Prediction) -> str:
    """Return what the prediction is of: the beginning of what the model read of a text, else the input's name."""
    words = [word.text for word in one.words[:_HEADING_WORDS]]
    return " ".join(words) + (" …" if len(one.words) > len(words) else "") if words else one.input


def _pictures(one: Prediction) -> list[dict[str, str]]:
    """Return the picture as it was given, where it is a file, and as the model saw it."""
    from PIL import Image

    if one.pixels is None:
        return []
    seen = Image.fromarray((np.asarray(one.pixels) * 255).round().astype(np.uint8))
    size = f"{seen.width} by {seen.height} pixels"
    told = f"{one.input} as the model sees it, {size}; it reads {one.label}"
    shown = [{"told": told, "caption": f"as the model sees it, {size}", "content": _png(seen)}]
    if Path(one.input).is_file():
        from kerazoo.data.pictures import read_picture

        with contextlib.suppress(DataError):  # an array's file is no picture
            given = Image.fromarray((read_picture(one.input, one.input, colour=True) * 255).round().astype(np.uint8))
            given.thumbnail((_THUMBNAIL, _THUMBNAIL))
            shown.insert(0, {"told": f"{one.input} as it was given", "caption": "as given", "content": _png(given)})
    return shown


def _png(image: Any) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def _words(one: Prediction) -> list[dict[str, Any]]:
    most = max((abs(word.weight) for word in one.words), default=0.0) or 1.0
    return [{**word._asdict(), "depth": 0.8 * abs(word.weight) / most} for word in one.words]


def _told(one: Prediction) -> str:
    return ", ".join(f"{word.text} {word.weight:+.2f}" for word in one.heaviest(_HEAVY))


def _attention(one: Prediction) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a heat map for each head, of the words that are attended to most, and these words."""
    if one.attention is None or not one.words:
        return [], []
    attention = np.asarray(one.attention)  # (heads, T, T)
    most = np.sort(np.argsort(-attention.mean(axis=(0, 1)), kind="stable")[:_HEAT_WORDS])
    words = [one.words[place].text for place in most]
    heats = []
    for head in attention:
        weights = head[np.ix_(most, most)]
        rows = list(zip(words, weights.tolist(), strict=True))
        heats.append({"peak": float(weights.max()) or 1.0, "rows": rows})
    return heats, words
