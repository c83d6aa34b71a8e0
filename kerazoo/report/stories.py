"""What a reader is to see in a figure, in a sentence that is computed from its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kerazoo.ledger.statistics import summarise
from kerazoo.ledger.values import text_of
from kerazoo.report.languages import Language, known, say

_CLEAR = 0.1  # of the whole way: a turn smaller than that is not told


def of_curve(
    label: str,
    seeds: Sequence[Sequence[float]],
    printed: Mapping[int, float],
    stride: int = 1,
    language: Language = "en",
) -> str:
    """Return what the curve of a metric does, and how the printed one differs.

    Args:
        label: of the metric, in English; where it has "loss" in it, less is better.
        seeds: a list of numbers a seed.
        printed: the document's numbers by epoch, from 1.
        stride: epochs from one number of a seed to the next.
        language: of the sentence.
    """
    name = known(label, language)
    if not seeds:
        first, last = (text_of(printed[epoch]) for epoch in (min(printed), max(printed)))
        return say("Printed: {name} from {first} to {last}; not measured.", language, name=name, first=first, last=last)
    length = min(map(len, seeds))
    means = [summarise([seed[place] for seed in seeds]).mean for place in range(length)]
    way = _way(means, stride, "loss" in label, language)
    shared = [epoch for epoch in printed if epoch % stride == 0 and epoch // stride <= length]
    if not shared:
        return say("Measured, {name} {way}.", language, name=name, way=way)
    gap = means[max(shared) // stride - 1] - printed[max(shared)]
    below = "{first} to {last}, {gap} below the measured one in epoch {epoch}"
    above = "{first} to {last}, {gap} above the measured one in epoch {epoch}"
    ends = {"first": text_of(printed[min(shared)]), "last": text_of(printed[max(shared)])}
    beside = say(below if gap > 0 else above, language, **ends, gap=text_of(abs(gap)), epoch=max(shared))
    form = "Measured, {name} {way}; the printed one goes from {beside}."
    return say(form, language, name=name, way=way, beside=beside)


def _way(means: Sequence[float], stride: int, less: bool, language: Language) -> str:
    """Return how a curve goes from its first to its last value, by way of its best."""
    best = min(means) if less else max(means)
    last = means[-1]
    values = {"first": text_of(means[0]), "best": text_of(best), "last": text_of(last)}
    if len(means) == 1:
        return say("is {first}", language, **values)
    if abs(last - best) <= _CLEAR * abs(best - means[0]):
        return say("falls from {first} to {last}" if less else "rises from {first} to {last}", language, **values)
    far = less and best > 0 and last >= 1.5 * best
    times = say(", {n} times its best", language, n=f"{last / best:.1f}") if far else ""
    if best == means[0]:
        only = "only rises, from {first} to {last}" if less else "only falls, from {first} to {last}"
        return say(only, language, **values) + times
    falls = "falls from {first} to {best} in epoch {epoch}, then rises to {last}"
    rises = "rises from {first} to {best} in epoch {epoch}, then falls to {last}"
    epoch = stride * (means.index(best) + 1)
    return say(falls if less else rises, language, **values, epoch=epoch) + times


def of_lines(lines: Mapping[str, Sequence[Sequence[float]]], at_end: bool = True, language: Language = "en") -> str:
    """Return which of several lines lies where: at the last epoch, or else at the first place."""
    place = -1 if at_end else 0
    means = {name: summarise([seed[place] for seed in seeds]).mean for name, seeds in lines.items()}
    ordered = sorted(means, key=lambda name: -means[name])
    told = say(", ", language).join(f"{name} {text_of(means[name])}" for name in ordered)
    least, most = means[ordered[-1]], means[ordered[0]]
    if least > 0 and most > 10 * least:
        form = "; {most} has {n} times as much as {least}"
        told += say(form, language, most=ordered[0], least=ordered[-1], n=text_of(most / least))
    return say("After the last epoch: {told}." if at_end else "At the first place: {told}.", language, told=told)


def of_confusion(matrix: Sequence[Sequence[int]], language: Language = "en") -> str:
    """Return how many examples are mistaken, and what for what most often."""
    pairs = [(count, true, read) for true, row in enumerate(matrix) for read, count in enumerate(row) if true != read]
    total, wrong = sum(map(sum, matrix)), sum(count for count, _, _ in pairs)
    told = say("{wrong} of {total} are mistaken", language, wrong=wrong, total=f"{total:,}")
    count, true, read = max(pairs)
    if count:
        form = "; most often a {true} is read as a {read} ({count} times)"
        told += say(form, language, true=true, read=read, count=count)
    return told + say(". Rows: what it is; columns: what it is read as.", language)


def of_weights(
    weights: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], language: Language = "en"
) -> str:
    """Return what each row attends to most."""
    told = []
    for name, line in zip(rows, weights, strict=True):
        if max(line) - min(line) < 1e-9:
            told.append(say("{name} weighs all alike", language, name=name))
        else:
            most = {"column": columns[line.index(max(line))], "weight": f"{max(line):.3f}"}
            told.append(say("{name} weighs {column} most ({weight})", language, name=name, **most))
    return say("; ", language).join(told) + say(".", language)


def of_text(seed: int, values: Mapping[str, float], language: Language = "en") -> str:
    """Return how good a generated text is, as far as the values of its row tell."""
    told = [say("Seed {n}", language, n=seed)]
    if "word_share" in values:
        share = f"{values['word_share']:.0%}"
        told.append(say("{share} of its words occur in the training text", language, share=share))
    if "perplexity" in values:
        perplexity = f"{values['perplexity']:.3g}"
        told.append(say("perplexity {n} a character on the test text", language, n=perplexity))
    return say("; ", language).join(told) + say(".", language)
