"""The statistics behind the verdicts, as scipy computes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kerazoo.errors import LedgerError
from kerazoo.lazy import np
from kerazoo.ledger.values import close

CONFIDENCE = 0.95
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
