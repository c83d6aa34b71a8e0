"""The figures that a study asks for, drawn from the rows that count, each with a sentence on what to see."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import Markup

from kerazoo.lazy import np
from kerazoo.ledger import statistics
from kerazoo.ledger.documents import Figure
from kerazoo.ledger.values import MISSING, look_up
from kerazoo.report import stories
from kerazoo.report.contents import Contents
from kerazoo.report.drawing import INK, MEASURED, PRINTED, SERIES, picture
from kerazoo.report.languages import Language, known, say

Curves = dict[str, list[list[float]]]
"""For each metric a list of numbers a seed."""

_LABELS = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "test loss",
    "val_accuracy": "test accuracy",
}


@dataclass(frozen=True)
class Plot:
    """A picture and the sentence under it."""

    svg: Markup
    story: str


@dataclass(frozen=True)
class Drawn:
    """A figure, ready for the template; what its kind does not have is empty."""

    figure: Figure
    plots: list[Plot] = field(default_factory=list)
    matrix: list[list[int]] = field(default_factory=list)
    digits: list[dict[str, Any]] = field(default_factory=list)
    text: str = ""
    story: str = ""

    @property
    def most(self) -> int:
        """The most frequent mistake of a confusion matrix."""
        wrong = [n for i, row in enumerate(self.matrix) for j, n in enumerate(row) if i != j]
        return max(wrong, default=1) or 1


def drawn(contents: Contents, figure: Figure, language: Language = "en") -> Drawn | None:
    """Return the figure in a language; None where nothing of it was measured."""
    figure = _told(figure, language)
    if figure.kind in ("curves", "lines"):
        plots = (_curves if figure.kind == "curves" else _lines)(contents, figure, language)
        return Drawn(figure, plots) if plots else None
    found = ((row, look_up(row["values"], figure.paths[0])) for row in contents.rows.get(figure.experiment, []))
    measured = next(((row, value) for row, value in found if value not in (MISSING, None, "")), None)
    if measured is None:
        return None
    row, value = measured
    if figure.kind == "confusion":
        return Drawn(figure, matrix=value, story=stories.of_confusion(value, language))
    if figure.kind == "digits":
        return Drawn(figure, digits=[{**one, "png": _checked(one["png"])} for one in value])
    if figure.kind == "weights":
        return Drawn(figure, [_weights(figure, value, language)])
    return Drawn(figure, text=value, story=stories.of_text(row["seed"], row["values"], language))


def _told(figure: Figure, language: Language) -> Figure:
    """Return the figure with its heading and what stands with it in a language."""
    if language == "en":
        return figure
    given = {name: getattr(figure.zh, name) or getattr(figure, name) for name in ("title", "remark")}
    return replace(figure, **given, heading=figure.zh.heading or known(figure.heading, language))


def _across(figure: Figure, language: Language) -> str:
    """Return what the horizontal axis counts."""
    return known(figure.across, language) if language == "en" or not figure.zh.across else figure.zh.across


def _curves(contents: Contents, figure: Figure, language: Language) -> list[Plot]:
    """Return a plot a metric, of what was measured and what is printed."""
    printed = contents.printed_curves(figure.experiment)
    curves, breaks = _collect(contents.values(figure.experiment), figure.paths)
    metrics = [name for name in dict.fromkeys([*_LABELS, *curves]) if name in curves or name in printed]
    return [_curve(figure, name, curves.get(name, []), printed.get(name, {}), breaks, language) for name in metrics]


def _collect(values: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> tuple[Curves, list[int]]:
    """Return the curves of all seeds, and after how many numbers each further path begins."""
    curves: Curves = {}
    breaks: list[int] = []
    for path in paths:
        parts = [look_up(one, path) for one in values]
        parts = [
            part if isinstance(part, Mapping) else {"loss": part} for part in parts if isinstance(part, (list, dict))
        ]
        if len(parts) < len(values) or not parts:
            break
        if curves:
            breaks.append(len(next(iter(curves.values()))[0]))
        for name in parts[0]:
            before = curves.get(name, [[] for _ in parts])
            curves[name] = [[*old, *part.get(name, [])] for old, part in zip(before, parts, strict=True)]
    return curves, breaks


def _curve(
    figure: Figure,
    name: str,
    seeds: list[list[float]],
    printed: Mapping[int, float],
    breaks: Sequence[int],
    language: Language,
) -> Plot:
    label, across = _LABELS.get(name, name), _across(figure, language)
    title = say("{title}: {label}", language, title=figure.title, label=known(label, language))

    def draw(axes: Any) -> None:
        _draw_seeds(axes, seeds, figure.stride, MEASURED, _measured(len(seeds), language))
        if printed:
            axes.plot(list(printed), list(printed.values()), "o", color=PRINTED, ms=5, label=say("printed", language))
        for place in breaks:
            axes.axvline(place + 0.5, color=INK, lw=0.8, ls=":")
        _dress(axes, title, across)
        low, high = axes.get_ylim()  # the interval of few seeds may reach where no loss or accuracy can be
        axes.set_ylim(max(low, -0.02 * high), min(high, 1.005) if "accuracy" in name else high)

    story = stories.of_curve(label, seeds, printed, figure.stride, language)
    told = say("{title}, by {across}. {story}", language, title=title, across=across, story=story)
    return Plot(picture(draw, told), story)


def _measured(seeds: int, language: Language) -> str:
    return say("measured, one seed", language) if seeds == 1 else say("measured, {n} seeds", language, n=seeds)


def _lines(contents: Contents, figure: Figure, language: Language) -> list[Plot]:
    """Return one plot with a line a name, where the rows have them all."""
    values = contents.values(figure.experiment)
    lines = {name: [look_up(one, path) for one in values] for name, path in figure.lines.items()}
    if not values or not all(isinstance(seed, list) and seed for seeds in lines.values() for seed in seeds):
        return []

    def draw(axes: Any) -> None:
        if figure.log:
            axes.set_yscale("log")
        for (name, seeds), colour in zip(lines.items(), SERIES, strict=False):
            _draw_seeds(axes, seeds, figure.stride, colour, name)
        _dress(axes, figure.title, across)

    across = _across(figure, language)
    story = stories.of_lines(lines, figure.across == "epoch", language)
    told = say("{title}, by {across}. {story}", language, title=figure.title, across=across, story=story)
    return [Plot(picture(draw, told), story)]


def _draw_seeds(axes: Any, seeds: Sequence[Sequence[float]], stride: int, colour: str, label: str) -> None:
    """Draw the seeds as thin lines, their mean, and the 95 % interval of the mean as a band."""
    if not seeds:
        return
    length = min(map(len, seeds))
    epochs = [stride * place for place in range(1, length + 1)]
    summaries = [statistics.summarise([seed[place] for seed in seeds]) for place in range(length)]
    for seed in seeds if len(seeds) > 1 else []:
        axes.plot(epochs, seed[:length], color=colour, lw=0.6, alpha=0.55)
    means = [summary.mean for summary in summaries]
    axes.plot(epochs, means, color=colour, lw=1.8, label=label)
    intervals = [summary.interval for summary in summaries]
    if all(intervals) and axes.get_yscale() == "linear":
        low, high = zip(*[interval or (0.0, 0.0) for interval in intervals], strict=True)
        axes.fill_between(epochs, low, high, color=colour, alpha=0.2, lw=0)


def _dress(axes: Any, title: str, across: str) -> None:
    axes.set_title(title, fontsize=12)
    axes.set_xlabel(across)
    axes.margins(y=0.08)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.figure.legend(loc="outside lower center", ncols=2)  # where it hides no curve


def _weights(figure: Figure, value: Mapping[str, Any], language: Language) -> Plot:
    """Return a heat map of `weights`, with the names of its `rows` and `columns`."""
    weights, rows, columns = np.array(value["weights"]), value["rows"], value["columns"]

    def draw(axes: Any) -> None:
        axes.grid(False)
        axes.pcolormesh(weights, cmap="Blues", vmin=0, vmax=1, edgecolors="#8090a0", linewidth=0.5)
        axes.set_xticks(np.arange(len(columns)) + 0.5, columns)
        axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
        axes.invert_yaxis()
        axes.set_title(figure.title, fontsize=12)
        axes.tick_params(length=0)
        for (row, column), weight in np.ndenumerate(weights):
            colour = "#ffffff" if weight > 0.5 else "#10243a"
            axes.text(column + 0.5, row + 0.5, f"{weight:.3f}", ha="center", va="center", color=colour)

    story = stories.of_weights(value["weights"], rows, columns, language)
    told = say("Attention weights, {title}. {story}", language, title=figure.title, story=story)
    return Plot(picture(draw, told, (4.6, 1.1 + 0.5 * len(rows))), story)


def _checked(png: str) -> str:
    """Return base64 as it is; an empty text where it is none."""
    try:
        base64.b64decode(png, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return ""
    return png
