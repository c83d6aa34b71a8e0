"""Draw results/*.jsonl as PNG files beside them: ratios of speed, and how the cost of a step grows.

python benchmarks/plot.py [RESULTS_DIRECTORY]
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import common
import matplotlib

from kerazoo.errors import InputError

_NAMES = {"kerazoo": "kerazoo", "keras": "Keras", "torch": "PyTorch"}
_COLOURS = {"kerazoo": "#1b6ca8", "keras": "#d1495b", "torch": "#edae49"}
_AXES = {"batch": "batch size", "length": "sequence length", "width": "width", "threads": "threads"}


def main(argv: list[str]) -> None:
    """Draw the results that are there."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("directory", nargs="?", type=Path, default=common.RESULTS)
    directory = arguments.parse_args(argv).directory
    matplotlib.use("Agg")
    drawn = []
    for name, draw in (("train", train), ("predict", predict), ("scaling", scaling)):
        path = directory / f"{name}.jsonl"
        rows = common.read_rows(path) if path.exists() else []
        if rows:
            figure = draw(rows)
            figure.savefig(directory / f"{name}.png", dpi=120)
            drawn.append(str(directory / f"{name}.png"))
    if not drawn:
        raise InputError(f"{directory} holds no results; run train.py, predict.py or scaling.py first")
    print("\n".join(drawn))


def latest(rows: list[dict[str, Any]], *keys: str) -> list[dict[str, Any]]:
    """Return the last row for each combination of `keys`, device and precision."""
    kept = {}
    for row in rows:
        about = row["environment"]
        kept[(*(row[key] for key in keys), about["device"]["name"], about["precision"])] = row
    return list(kept.values())


def train(rows: list[dict[str, Any]]) -> Any:
    """Return a figure of the ratios of training."""
    bars = [(_label(row), _best(row)) for row in latest(rows, "model") if _best(row)]
    return _bars([("Training: time of the other / time of kerazoo", bars)])


def predict(rows: list[dict[str, Any]]) -> Any:
    """Return a figure of the ratios of prediction, by the batch and one by one."""
    rows = latest(rows, "model")
    titles = {"batch": "Prediction, batches of 512", "one": "Prediction, one example a call"}
    return _bars([(title, [(_label(row), _best(row[part])) for row in rows]) for part, title in titles.items()])


def scaling(rows: list[dict[str, Any]]) -> Any:
    """Return a figure with a panel for each sweep and model, time per step over the value, both logarithmic."""
    from matplotlib import pyplot
    from matplotlib.ticker import NullLocator

    rows = latest(rows, "sweep", "model", "value")
    panels = list(dict.fromkeys((row["sweep"], row["model"]) for row in rows))
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    figure, grid = pyplot.subplots(
        lines, columns, figsize=(4.6 * columns, 3.6 * lines), squeeze=False, layout="constrained"
    )
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for axes, (sweep, model) in zip(grid.flat, panels, strict=False):
        points = sorted((r for r in rows if (r["sweep"], r["model"]) == (sweep, model)), key=lambda r: r["value"])
        for side, colour in _COLOURS.items():
            there = [r for r in points if side in r["best"]]
            times = [r["contenders"][r["best"][side]]["ms_per_step"] for r in there]
            values = [r["value"] for r in there]
            axes.plot(values, [t["median"] for t in times], "o-", ms=3, color=colour, label=_NAMES[side])
            axes.fill_between(values, [t["min"] for t in times], [t["max"] for t in times], color=colour, alpha=0.2)
        axes.set(xscale="log", yscale="log", title=model, xlabel=_AXES[sweep], ylabel="ms/step")
        values = sorted({r["value"] for r in points})
        axes.set_xticks(values[:: -(-len(values) // 7)], [str(v) for v in values[:: -(-len(values) // 7)]])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(alpha=0.3)
    grid.flat[0].legend()
    return figure


def _best(row: dict[str, Any]) -> dict[str, Any]:
    """Return the ratio of the fastest form of each peer."""
    return {peer: row["ratios"][name] for peer, name in row["best"].items() if name in row["ratios"]}


def _label(row: dict[str, Any]) -> str:
    about = row["environment"]
    precision = "" if about["precision"] == "float32" else f", {about['precision']}"
    return f"{row['model']}\n{about['device']['name']}{precision}"


def _bars(panels: list[tuple[str, list[tuple[str, dict[str, Any]]]]]) -> Any:
    """Return panels of horizontal bars from 1.0 (above 1, kerazoo is faster), with whiskers from minimum to maximum."""
    from matplotlib import pyplot

    height = 1.2 + 0.6 * max(len(bars) for _, bars in panels)
    figure, grid = pyplot.subplots(
        1, len(panels), figsize=(7.5 * len(panels), height), squeeze=False, layout="constrained"
    )
    for axes, (title, bars) in zip(grid.flat, panels, strict=True):
        for side, shift in (("keras", 0.2), ("torch", -0.2)):
            places = [i for i, (_, ratios) in enumerate(bars) if side in ratios]
            found = [bars[i][1][side] for i in places]
            middle = [one["median"] for one in found]
            error = [[one["median"] - one["min"] for one in found], [one["max"] - one["median"] for one in found]]
            at = [i + shift for i in places]
            # A bar begins at 1.0, so that its side tells who is faster.
            axes.barh(at, [m - 1 for m in middle], 0.36, left=1, color=_COLOURS[side], label=f"against {_NAMES[side]}")
            axes.errorbar(middle, at, xerr=error, fmt="none", ecolor="black", elinewidth=1, capsize=2)
            for place, one in zip(at, found, strict=True):
                axes.annotate(f" {one['median']:.2f}", (max(one["max"], 1), place), va="center", fontsize=8)
        axes.axvline(1, color="black", lw=1)
        axes.set(title=title, xlabel="times as fast (above 1: kerazoo is faster)", xscale="log")
        axes.set_yticks(range(len(bars)), [label for label, _ in bars], fontsize=8)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.margins(x=0.15)
        axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    sys.exit(common.run(main))
