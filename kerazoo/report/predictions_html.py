"""Predictions as a page: the digit as the model saw it, or the text with the words that weighed; no other file needed.

A page is put together piece by piece, so that it may hold any number of predictions.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import IO, Any

from kerazoo.errors import InputError
from kerazoo.files import whole_file
from kerazoo.lazy import np
from kerazoo.schema import Prediction, Word

_HEAVY = 5  # words that are named under a text
_HEAT_WORDS = 20  # of a text that are shown in the heat map of its attention

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --for: 30, 110, 220; --against: 220, 110, 20; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 0 auto; padding: 1rem; }}
section {{ border-top: 1px solid #8888; padding: .5rem 0 1.5rem; }}
h1 {{ font-size: 1.4rem; }}
h2 {{ font-size: 1.1rem; margin: .5rem 0; overflow-wrap: anywhere; }}
img {{ width: 14rem; height: auto; max-width: 100%; image-rendering: pixelated; border: 1px solid #8888; }}
.digit {{ display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1rem; }}
.bars {{ flex: 1 1 14rem; border-collapse: collapse; }}
.bars td {{ width: 100%; padding: .1rem .3rem; }}
.bars th {{ text-align: right; white-space: nowrap; font-weight: normal; padding: 0 .3rem; }}
.bars div {{ height: .9rem; min-width: 1px; background: rgb(var(--for)); }}
.bars .best th {{ font-weight: bold; }}
.text {{ overflow-wrap: anywhere; line-height: 1.9; }}
.text span {{ padding: .1rem .15rem; border-radius: .2rem; }}
.text .unknown {{ text-decoration: underline dotted; }}
.note {{ font-size: .85rem; opacity: .8; }}
.heat {{ overflow-x: auto; }}
.heat table {{ border-collapse: collapse; font-size: .75rem; }}
.heat th {{ font-weight: normal; padding: 0 .2rem; white-space: nowrap; text-align: right; }}
.heat thead th {{ writing-mode: vertical-rl; text-align: left; }}
.heat td {{ min-width: 1rem; height: 1rem; padding: 0; }}
</style>
</head>
<body>
<h1>{title}</h1>
"""
_TAIL = "</body>\n</html>\n"


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
        file.write(_HEAD.format(title=escape(f"{name}: predictions")))
        yield _written(file, predictions)
        file.write(_TAIL)


def _written(file: IO[str], predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    for one in predictions:
        file.write(_section(one))
        yield one


def _section(one: Prediction) -> str:
    if one.pixels is not None:
        body = f'<div class="digit">{_picture(one)}{_bars(one)}</div>'
    else:
        body = _bars(one) + _text(one) + _attention(one)
    return f"<section>\n<h2>{escape(one.input)}</h2>\n{_answer(one)}\n{body}\n</section>\n"


def _answer(one: Prediction) -> str:
    return f"<p><strong>{escape(one.label)}</strong>, probability {one.probability:.1%}</p>"


def _bars(one: Prediction) -> str:
    rows = (
        f"<tr{' class=best' if label == one.label else ''}><th scope=row>{escape(label)}</th>"
        f'<td><div style="width:{share:.2%}"></div></td><th>{share:.1%}</th></tr>'
        for label, share in one.probabilities.items()
    )
    return f'<table class="bars" aria-label="probability of each class">{"".join(rows)}</table>'


def _picture(one: Prediction) -> str:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray((np.asarray(one.pixels) * 255).round().astype(np.uint8)).save(file, "PNG")
    content = base64.b64encode(file.getvalue()).decode()
    told = f"{one.input} as the model sees it, 28 by 28 pixels; it reads {one.label}"
    return f'<img alt="{escape(told)}" width="28" height="28" src="data:image/png;base64,{content}">'


def _text(one: Prediction) -> str:
    if not one.words:
        return ""
    words, label = one.words, one.label
    most = max(abs(word.weight) for word in words) or 1.0
    spans = "".join(_word(word, most) for word in words)
    told = ", ".join(f"{word.text} {word.weight:+.2f}" for word in one.heaviest(_HEAVY))
    note = (
        f"The last {len(words)} words, which the model read. Blue speaks for “{escape(label)}”, orange against it; "
        f"dotted words it does not know. Most weight in the log-odds: {escape(told)}."
    )
    return f'<p class="text">{spans}</p>\n<p class="note">{note}</p>'


def _word(word: Word, most: float) -> str:
    colour = f"rgba(var(--{'for' if word.weight > 0 else 'against'}),{0.8 * abs(word.weight) / most:.2f})"
    unknown = "" if word.known else ' class="unknown"'
    return f'<span{unknown} title="{word.weight:+.3f}" style="background:{colour}">{escape(word.text)}</span> '


def _attention(one: Prediction) -> str:
    """A heat map for each head, of the words that are attended to most."""
    if one.attention is None or not one.words:
        return ""
    attention = np.asarray(one.attention)  # (heads, T, T)
    most = np.sort(np.argsort(-attention.mean(axis=(0, 1)), kind="stable")[:_HEAT_WORDS])
    words = [escape(one.words[place].text) for place in most]
    maps = (
        _heat(f"Attention, head {head + 1}", words, weights[np.ix_(most, most)])
        for head, weights in enumerate(attention)
    )
    note = f"How much each word (row) attends to each (column); the {len(words)} words that are attended to most."
    return f'<p class="note">{note}</p>\n' + "\n".join(maps)


def _heat(caption: str, words: list[str], weights: Any) -> str:
    peak = float(weights.max()) or 1.0
    head = "".join(f"<th scope=col>{word}</th>" for word in words)
    rows = (
        f"<tr><th scope=row>{word}</th>"
        + "".join(f'<td title="{w:.3f}" style="background:rgba(var(--for),{w / peak:.2f})"></td>' for w in row)
        + "</tr>"
        for word, row in zip(words, weights.tolist(), strict=True)
    )
    top = f"<caption>{caption} (darkest: {peak:.3f})</caption><thead><tr><td></td>{head}</tr></thead>"
    return f'<div class="heat"><table>{top}<tbody>{"".join(rows)}</tbody></table></div>'
