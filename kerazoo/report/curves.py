"""The measured curves of each documented training, with their band over the seeds, against the printed numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kerazoo.ledger import statistics
from kerazoo.ledger.selection import look_up
from kerazoo.report.contents import Contents
from kerazoo.report.drawing import INK, MEASURED, PRINTED, SERIES, picture
from kerazoo.report.elements import Markup, element

Curves = dict[str, list[list[float]]]
"""For each metric a list of numbers a seed."""

_LABELS = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "test loss",
    "val_accuracy": "test accuracy",
}


@dataclass(frozen=True)
class Training:
    """Where the rows of a model's training have its curves.

    `paths` are followed one after the other, the second beginning where the first ends; each leads to a dictionary of
    lists, or to the list of a loss. `stride` is the epochs from one number to the next.
    """

    model: str
    experiment: str
    paths: tuple[str, ...] = ("history",)
    stride: int = 1
    remark: str = ""


TRAININGS = (
    Training("toy_mlp", "toy_mlp_training", ("evidence.loss",), 100, "The loss on each line of the log."),
    Training("mnist_mlp", "mnist_mlp_training"),
    Training("mnist_mlp_dropout", "mnist_mlp_dropout_training", remark="Training values are with dropout."),
    Training("imdb_lstm", "imdb_lstm_training", ("history", "fine_tuning"), remark="The last epochs are fine-tuning."),
    Training("textgen_lstm", "textgen_lstm_training"),
)


@dataclass
class _Measured:
    """Curves of all seeds, and after how many numbers each further path begins."""

    curves: Curves = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)


def training_curves(contents: Contents, training: Training) -> list[Markup]:
    """Return a picture a metric, or a sentence where nothing was measured."""
    rows = contents.rows.get(training.experiment, [])
    printed = contents.printed_curves(training.experiment)
    found = _collect([row["values"] for row in rows], training.paths)
    metrics = [name for name in [*_LABELS, *found.curves] if name in found.curves or name in printed]
    if not metrics:
        return [element("p", f"{training.model}: not measured.", class_="absent")]
    return [
        _curve(training, name, found.curves.get(name, []), printed.get(name, {}), found.breaks)
        for name in dict.fromkeys(metrics)
    ]


def _collect(values: Sequence[Mapping[str, Any]], paths: Sequence[str]) -> _Measured:
    found = _Measured()
    for path in paths:
        parts = [look_up(one, path) for one in values]
        parts = [
            part if isinstance(part, Mapping) else {"loss": part} for part in parts if isinstance(part, (list, dict))
        ]
        if len(parts) < len(values) or not parts:
            break
        if found.curves:
            found.breaks.append(len(next(iter(found.curves.values()))[0]))
        for name in parts[0]:
            before = found.curves.get(name, [[] for _ in parts])
            found.curves[name] = [[*old, *part.get(name, [])] for old, part in zip(before, parts, strict=True)]
    return found


def _curve(
    training: Training, name: str, seeds: list[list[float]], printed: Mapping[int, float], breaks: Sequence[int]
) -> Markup:
    label = _LABELS.get(name, name)

    def draw(axes: Any) -> None:
        draw_seeds(axes, seeds, training.stride)
        if printed:
            axes.plot(list(printed), list(printed.values()), "o", color=PRINTED, ms=5, label="printed")
        for place in breaks:
            axes.axvline(place + 0.5, color=INK, lw=0.8, ls=":")
        _dress(axes, f"{training.model}: {label}")
        low, high = axes.get_ylim()  # the interval of few seeds may reach where no loss or accuracy can be
        axes.set_ylim(max(low, -0.02 * high), min(high, 1.005) if "accuracy" in name else high)

    return picture(draw, _alt(training, label, seeds, printed))


def _dress(axes: Any, title: str, across: str = "epoch") -> None:
    axes.set_title(title, fontsize=12)
    axes.set_xlabel(across)
    axes.margins(y=0.08)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.figure.legend(loc="outside lower center", ncols=2)  # where it hides no curve


def draw_seeds(
    axes: Any, seeds: Sequence[Sequence[float]], stride: int = 1, colour: str = MEASURED, label: str = ""
) -> None:
    """Draw the seeds as thin lines, their mean, and the 95 % interval of the mean as a band."""
    if not seeds:
        return
    length = min(map(len, seeds))
    epochs = [stride * place for place in range(1, length + 1)]
    summaries = [statistics.summarise([seed[place] for seed in seeds]) for place in range(length)]
    for seed in seeds if len(seeds) > 1 else []:
        axes.plot(epochs, seed[:length], color=colour, lw=0.6, alpha=0.55)
    counted = f"{len(seeds)} seeds" if len(seeds) > 1 else "one seed"
    means = [summary.mean for summary in summaries]
    axes.plot(epochs, means, color=colour, lw=1.8, label=label or f"measured, {counted}")
    intervals = [summary.interval for summary in summaries]
    if all(intervals):
        low, high = zip(*[interval or (0.0, 0.0) for interval in intervals], strict=True)
        axes.fill_between(epochs, low, high, color=colour, alpha=0.2, lw=0)


def _alt(training: Training, label: str, seeds: Sequence[Sequence[float]], printed: Mapping[int, float]) -> str:
    parts = [f"{training.model}, {label} by epoch."]
    if seeds:
        first, last = (statistics.summarise([seed[place] for seed in seeds]).mean for place in (0, -1))
        parts.append(f"Measured, mean of {len(seeds)}: {first:.4g} at first, {last:.4g} at last.")
    else:
        parts.append("Not measured.")
    if printed:
        values = list(printed.values())
        parts.append(f"Printed: {values[0]:.4g} at first, {values[-1]:.4g} at epoch {max(printed)}.")
    return " ".join(parts)


def optimizer_curves(contents: Contents) -> list[Markup]:
    """Return the test accuracy of `mnist_mlp` under each optimizer of document 003, section 3.4."""
    evidence = [values.get("evidence", {}) for values in contents.values("optimizers_vs_sgd")]
    names = [name for name in ("sgd", "momentum", "rmsprop", "adam") if evidence and name in evidence[0]]
    if not names:
        return []

    def draw(axes: Any) -> None:
        for name, colour in zip(names, SERIES, strict=False):
            draw_seeds(axes, [one[name]["val_accuracy"] for one in evidence], colour=colour, label=_OPTIMIZERS[name])
        _dress(axes, "mnist_mlp on 10,000 pictures: test accuracy")

    last = {name: statistics.summarise([one[name]["val_accuracy"][-1] for one in evidence]).mean for name in names}
    told = ", ".join(f"{_OPTIMIZERS[name]} {value:.3f}" for name, value in last.items())
    return [picture(draw, f"Test accuracy of mnist_mlp by epoch under each optimizer; after the last epoch {told}.")]


_OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum", "rmsprop": "RMSprop", "adam": "Adam"}


def gradient_curves(contents: Contents) -> list[Markup]:
    """Return the norms of the gradient in each layer of a deep net, for the activations of document 003, Q3."""
    evidence = [values.get("evidence", {}).get("gradient_norms", {}) for values in contents.values("relu_vanishing")]
    names = [name for name in ("relu", "tanh", "sigmoid") if evidence and name in evidence[0]]
    if not names:
        return []

    def draw(axes: Any) -> None:
        axes.set_yscale("log")
        for name, colour in zip(names, SERIES, strict=False):
            for place, one in enumerate(evidence):
                layers = range(1, len(one[name]) + 1)
                axes.plot(layers, one[name], color=colour, lw=1.2, alpha=0.8, label=None if place else name)
        _dress(axes, "Norm of the gradient, before training", "layer, from the input")

    told = ", ".join(f"{name} {evidence[0][name][0]:.2g}" for name in names)
    return [picture(draw, f"Norm of the loss's gradient in the weights of each layer; in the first layer {told}.")]
