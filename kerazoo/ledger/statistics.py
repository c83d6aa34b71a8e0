"""The statistics behind the verdicts, as scipy computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kerazoo.errors import LedgerError
from kerazoo.lazy import np
from kerazoo.ledger.values import close

CONFIDENCE = 0.95
SIGNIFICANCE = 0.05
POWER = 0.8
_MOST_SEEDS = 1000
_CERTAIN = 35.0  # standard errors: so far from the margin the power is 1 to every digit
_ROUNDING = 1e-12  # of the mean: a spread below it is that of the arithmetic


def _stats() -> Any:
    from scipy import stats  # half a second that `kerazoo list` does without

    return stats


@dataclass(frozen=True)
class Summary:
    """The mean of `n` values, their sample standard deviation, and Student's 95 % interval of the mean.

    One value has neither deviation nor interval.
    """

    n: int
    mean: float
    sd: float | None
    interval: tuple[float, float] | None


def summarise(values: Sequence[float]) -> Summary:
    """Return mean, standard deviation and 95 % t interval of `values`, of which there is at least one."""
    mean = float(np.mean(values))
    if len(values) == 1:
        return Summary(1, mean, None, None)
    sd = spread(values)
    if sd == 0:
        return Summary(len(values), mean, 0.0, (mean, mean))
    low, high = _stats().t.interval(CONFIDENCE, len(values) - 1, loc=mean, scale=sd / len(values) ** 0.5)
    return Summary(len(values), mean, sd, (float(low), float(high)))


def spread(values: Sequence[float]) -> float:
    """Return the sample standard deviation of two or more values; exactly 0 where they differ by rounding only."""
    sd = float(np.std(values, ddof=1))
    return sd if sd > _ROUNDING * float(np.max(np.abs(values))) else 0.0


def equivalence(values: Sequence[float], centre: float, margin: float) -> float:
    """Return the p-value of two one-sided t tests that the mean of `values` lies within `centre` ± `margin`.

    It is the larger of the two (Schuirmann 1987). Values without any spread give 0 or 1.
    """
    if spread(values) == 0:
        return 0.0 if close(float(np.mean(values)), centre, margin) else 1.0
    above = _stats().ttest_1samp(values, centre - margin, alternative="greater").pvalue
    below = _stats().ttest_1samp(values, centre + margin, alternative="less").pvalue
    return float(max(above, below))


def contradiction(values: Sequence[float], centre: float, margin: float) -> float:
    """Return the p-value of a two-sided t test that the mean of `values` lies outside `centre` ± `margin`.

    It is below 0.05 just where the 95 % interval of the mean does not touch the margin. Values without any spread give
    0 or 1.
    """
    mean = float(np.mean(values))
    if spread(values) == 0:
        return 1.0 if close(mean, centre, margin) else 0.0
    end, side = (centre - margin, "less") if mean < centre else (centre + margin, "greater")
    return min(1.0, 2 * float(_stats().ttest_1samp(values, end, alternative=side).pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of a family of tests, adjusted so that the whole family errs as rarely as one test.

    The k-th smallest of n is multiplied by n - k + 1, and none is smaller than one before it (Holm 1979).
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def binomial_interval(share: float, size: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share that was counted on `size` independent examples.

    Raises:
        LedgerError: `share` is not within [0, 1].
    """
    if not 0 <= share <= 1:
        raise LedgerError(f"a share of {share} of {size} examples: wanted one from 0 to 1")
    found = _stats().binomtest(round(share * size), size).proportion_ci(CONFIDENCE, method="wilson")
    return float(found.low), float(found.high)


def prediction_margin(values: Sequence[float], confidence: float = 0.99) -> float | None:
    """Return how far from the mean of `values` one more is to lie with that confidence; None for a single value."""
    if len(values) < 2:
        return None
    quantile = float(_stats().t.ppf((1 + confidence) / 2, len(values) - 1))
    return quantile * spread(values) * (1 + 1 / len(values)) ** 0.5


def seeds_to_show(values: Sequence[float], centre: float, margin: float, tests: int = 1) -> int | None:
    """Return how many values would decide, with a power of 80 %, whether their mean lies within `centre` ± `margin`.

    It is computed as if mean and spread stayed those of `values`: where the mean is within, by the two one-sided tests
    of `equivalence` (a lower bound of their power, from two noncentral t distributions), and where it is not, by the
    end of the 95 % interval that lies next to the margin. None is more than a thousand. Of one of several `tests` the
    level is divided by their number, which Holm's procedure needs at most.
    """
    mean, sd = float(np.mean(values)), spread(values)
    inside = margin - abs(mean - centre)
    if inside <= 0:
        return seeds_to_separate(-inside, sd, len(values), tests)

    def power(n: int) -> float:
        ends = (margin - (mean - centre), margin + (mean - centre))
        return sum(_power(end, sd, n, SIGNIFICANCE / tests) for end in ends) - 1

    return _least(power, len(values))


def seeds_to_separate(distance: float, sd: float, n: int, tests: int = 1) -> int | None:
    """Return how many values would put their mean's 95 % interval apart from a limit, with a power of 80 %.

    Args:
        distance: of the mean from the limit.
        sd: the standard deviation of the values.
        n: how many there are now.
        tests: as in `seeds_to_show`.
    """
    return _least(lambda count: _power(distance, sd, count, (1 - CONFIDENCE) / 2 / tests), n)


def _power(distance: float, sd: float, n: int, significance: float) -> float:
    """Return the power of a one-sided t test of `n` values whose mean is `distance` from the limit."""
    shift = distance / sd * n**0.5 if sd else _CERTAIN
    if shift >= _CERTAIN:
        return 1.0
    return float(_stats().nct.sf(_stats().t.isf(significance, n - 1), n - 1, shift))


def _least(power: Callable[[int], float], n: int) -> int | None:
    """Return the least number above `n` with a power of 80 %, by bisection."""
    low, high = n, _MOST_SEEDS
    if power(high) < POWER:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle) >= POWER else (middle, high)
    return high
