"""Expected values are those of statsmodels 0.14: DescrStatsW.tconfint_mean, .ttost_mean, proportion_confint."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

import kerazoo
from kerazoo.ledger import statistics

CLOSE = [0.8391, 0.8434, 0.8352, 0.8410, 0.8377]
WIDE = [0.81, 0.86, 0.88]


def test_mean_deviation_and_interval():
    found = statistics.summarise(CLOSE)
    assert (found.n, found.mean) == (5, pytest.approx(0.83928))
    assert found.interval == pytest.approx((0.8353975408348155, 0.8431624591651843), rel=1e-12)
    assert found.sd == pytest.approx(0.0031268, rel=1e-4)
    assert statistics.summarise(WIDE).interval == pytest.approx((0.760433141049704, 0.9395668589502959), rel=1e-12)


def test_one_value_has_no_spread_and_equal_values_have_none():
    assert statistics.summarise([3]) == statistics.Summary(1, 3.0, None, None)
    assert statistics.summarise([0.1 + 0.2, 0.3, 0.3]).sd == 0
    assert statistics.equivalence([0.85, 0.85], 0.84, 0.02) == 0
    assert statistics.equivalence([0.87, 0.87], 0.84, 0.02) == 1
    assert statistics.equivalence([0.82, 0.82], 0.84, 0.02) == 0  # 0.84 - 0.82 is above 0.02 in binary


def test_equivalence_is_two_one_sided_tests():
    assert statistics.equivalence(CLOSE, 0.84, 0.02) == pytest.approx(8.018355796127717e-05, rel=1e-9)
    assert statistics.equivalence(WIDE, 0.84, 0.02) == pytest.approx(0.3391831197743306, rel=1e-9)


def test_the_binomial_interval_is_wilsons():
    assert statistics.binomial_interval(0.8391, 10_000) == pytest.approx((0.8317683257, 0.8461712466), rel=1e-9)
    assert statistics.binomial_interval(1.0, 10) == pytest.approx((0.7224672001, 1.0), rel=1e-9)
    with pytest.raises(kerazoo.LedgerError, match="from 0 to 1"):
        statistics.binomial_interval(84.0, 10_000)


def test_the_prediction_margin_grows_with_the_spread():
    assert statistics.prediction_margin([1.0]) is None
    # t(0.995, 4) = 4.604095, times the deviation, times the root of 1 + 1/5
    assert statistics.prediction_margin(CLOSE) == pytest.approx(4.604095 * 0.00312682 * 1.2**0.5, rel=1e-5)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=6), st.floats(-100, 100))
def test_the_interval_holds_the_mean_and_moves_with_the_values(values, shift):
    found, moved = statistics.summarise(values), statistics.summarise([value + shift for value in values])
    assert found.interval[0] <= found.mean <= found.interval[1]
    assert moved.mean == pytest.approx(found.mean + shift, abs=1e-6)
    assert moved.interval[1] - moved.interval[0] == pytest.approx(found.interval[1] - found.interval[0], abs=1e-6)


def _with(mean, sd, n=3):
    """Values of that mean and standard deviation."""
    values = np.random.default_rng(0).normal(size=n)
    return (values - values.mean()) / values.std(ddof=1) * sd + mean


@pytest.mark.parametrize(("effect", "n"), [(1.0, 10), (0.5, 34), (0.8, 15)])
def test_the_seeds_that_separate_a_mean_are_those_of_the_t_test(effect, n):
    assert statistics.seeds_to_separate(effect, 1.0, 2) == n  # as tables of the one-sample t test have it


@pytest.mark.parametrize("shift", [0.0, 0.4])
def test_the_seeds_that_show_equivalence_do_so_four_times_in_five(shift):
    n = statistics.seeds_to_show(_with(shift, 1.0), 0.0, 1.0)
    draws = np.random.default_rng(1).normal(shift, 1.0, (2000, n))
    half = stats.t.ppf(0.95, n - 1) * draws.std(1, ddof=1) / n**0.5
    shown = np.abs(draws.mean(1)) + half < 1.0
    assert 0.77 < shown.mean() < 0.9


def test_more_than_a_thousand_seeds_are_not_counted():
    assert statistics.seeds_to_separate(0.001, 1.0, 3) is None
    assert statistics.seeds_to_show(_with(1.2, 1.0), 0.0, 1.0) == statistics.seeds_to_separate(0.2, 1.0, 3)


def test_holm_multiplies_the_smallest_by_the_number_of_tests():
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([]) == []


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.floats(0.01, 0.5))
def test_a_mean_is_contradicted_where_its_interval_lies_outside(values, margin):
    low, high = statistics.summarise(values).interval
    assume(min(abs(low - margin), abs(high + margin)) > 1e-9 and statistics.spread(values) > 1e-6)
    outside = low > margin or high < -margin
    assert (statistics.contradiction(values, 0.0, margin) < 0.05) == outside
