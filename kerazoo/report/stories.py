"""What a reader is to see in a figure, in a sentence that is computed from its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kerazoo.ledger.statistics import summarise
from kerazoo.ledger.values import text_of

_CLEAR = 0.1  # of the whole way: a turn smaller than that is not told


def of_curve(label: str, seeds: Sequence[Sequence[float]], printed: Mapping[int, float], stride: int = 1) -> str:
    """Return what the curve of a metric does, and how the printed one differs.

    Args:
        label: of the metric; where it has "loss" in it, less is better.
        seeds: a list of numbers a seed.
        printed: the document's numbers by epoch, from 1.
        stride: epochs from one number of a seed to the next.
    """
    if not seeds:
        ends = (text_of(printed[epoch]) for epoch in (min(printed), max(printed)))
        return f"Printed: {label} from {' to '.join(ends)}; not measured."
    length = min(map(len, seeds))
    means = [summarise([seed[place] for seed in seeds]).mean for place in range(length)]
    sentence = f"Measured, {label} {_way(means, stride, less='loss' in label)}"
    shared = [epoch for epoch in printed if epoch % stride == 0 and epoch // stride <= length]
    if not shared:
        return f"{sentence}."
    first, last = min(shared), max(shared)
    gap = means[last // stride - 1] - printed[last]
    beside = f"the printed one goes from {text_of(printed[first])} to {text_of(printed[last])}"
    apart = f"{text_of(abs(gap))} {'below' if gap > 0 else 'above'} the measured one in epoch {last}"
    return f"{sentence}; {beside}, {apart}."


def _way(means: Sequence[float], stride: int, less: bool) -> str:
    """Return how a curve goes from its first to its last value, by way of its best."""
    first, last = means[0], means[-1]
    best = min(means) if less else max(means)
    epoch = stride * (means.index(best) + 1)
    better, worse = ("falls", "rises") if less else ("rises", "falls")
    if len(means) == 1:
        return f"is {text_of(first)}"
    if abs(last - best) <= _CLEAR * abs(best - first):
        return f"{better} from {text_of(first)} to {text_of(last)}"
    times = f", {last / best:.1f} times its best" if less and best > 0 and last >= 1.5 * best else ""
    if best == first:
        return f"only {worse}, from {text_of(first)} to {text_of(last)}{times}"
    return f"{better} from {text_of(first)} to {text_of(best)} in epoch {epoch}, then {worse} to {text_of(last)}{times}"


def of_lines(lines: Mapping[str, Sequence[Sequence[float]]], across: str) -> str:
    """Return which of several lines lies where: at the last epoch, or else at the first place."""
    at_end = across == "epoch"
    place = -1 if at_end else 0
    means = {name: summarise([seed[place] for seed in seeds]).mean for name, seeds in lines.items()}
    ordered = sorted(means, key=lambda name: -means[name])
    told = ", ".join(f"{name} {text_of(means[name])}" for name in ordered)
    least, most = means[ordered[-1]], means[ordered[0]]
    far = least > 0 and most > 10 * least
    times = f"; {ordered[0]} has {text_of(most / least)} times as much as {ordered[-1]}" if far else ""
    return f"{'After the last epoch' if at_end else 'At the first place'}: {told}{times}."


def of_confusion(matrix: Sequence[Sequence[int]]) -> str:
    """Return how many examples are mistaken, and what for what most often."""
    total = sum(map(sum, matrix))
    pairs = [(count, true, read) for true, row in enumerate(matrix) for read, count in enumerate(row) if true != read]
    wrong = sum(count for count, _, _ in pairs)
    count, true, read = max(pairs)
    most = f"; most often a {true} is read as a {read} ({count} times)" if count else ""
    return f"{wrong} of {total:,} are mistaken{most}. Rows: what it is; columns: what it is read as."


def of_weights(weights: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str]) -> str:
    """Return what each row attends to most."""
    told = []
    for name, line in zip(rows, weights, strict=True):
        alike = max(line) - min(line) < 1e-9
        most = "all alike" if alike else f"{columns[line.index(max(line))]} most ({max(line):.3f})"
        told.append(f"{name} weighs {most}")
    return f"{'; '.join(told)}."
