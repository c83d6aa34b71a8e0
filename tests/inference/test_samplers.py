import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from kerazoo import InputError
from kerazoo.inference import samplers
from kerazoo.inference.philox import uniform
from kerazoo.inference.samplers import Sampling

numpy, tensor = keras.ops.convert_to_numpy, keras.ops.convert_to_tensor

# Few different values, so that there are ties, and few shapes.
rows = hnp.arrays(np.float32, (3, 7), elements=st.sampled_from([-20.0, -3.0, -1.5, 0.0, 0.25, 1.0, 4.0]))
quick = settings(max_examples=40, deadline=None)


def softmax(logits):
    weights = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def kept(filtered, logits):
    """The tokens that a filter has left; it must not have changed their logits."""
    filtered = numpy(filtered)
    left = np.isfinite(filtered)
    assert np.array_equal(filtered[left], logits[left])
    return left


@quick
@given(rows, st.integers(1, 9), st.sampled_from([None, 9]))
def test_top_k_keeps_the_k_most_likely(logits, k, most):
    left = kept(samplers.top_k(tensor(logits), k, most), logits)
    order = np.argsort(-logits, axis=-1, kind="stable")[:, :k]
    assert all(set(np.flatnonzero(row)) == set(first) for row, first in zip(left, order, strict=True))


@quick
@given(rows, st.floats(0.01, 1))
def test_top_p_keeps_the_smallest_set_of_that_probability(logits, p):
    left = kept(samplers.top_p(tensor(logits), p), logits)
    for row, probabilities in zip(left, softmax(logits), strict=True):
        mass, least = probabilities[row].sum(), probabilities[row].min()
        assert row.any()
        assert mass >= p - 1e-6
        assert mass - least < p + 1e-6 or p == 1
        assert least >= probabilities[~row].max(initial=0)


def test_top_p_of_equal_tokens_keeps_just_enough():
    assert kept(samplers.top_p(tensor(np.zeros((1, 8), np.float32)), 0.5), np.zeros((1, 8), np.float32)).sum() == 4
    assert kept(samplers.top_p(tensor(np.zeros((1, 8), np.float32)), 1.0), np.zeros((1, 8), np.float32)).all()


@quick
@given(rows, st.integers(0, 2**31 - 1), st.integers(1, 7), st.floats(0.05, 1))
def test_what_is_filtered_out_is_never_drawn(logits, seed, k, p):
    drawn = numpy(samplers.sample(tensor(logits), uniform(3, [seed, 0]), 1.3, k, p))
    left = kept(samplers.top_k(tensor(logits), k), logits)
    assert left[range(3), drawn].all()


@quick
@given(rows, st.integers(0, 2**31 - 1), st.sampled_from([None, 1, 3, 9]), st.sampled_from([None, 0.5, 1.0]))
def test_arrays_are_drawn_from_as_tensors_are(logits, seed, k, p):
    shares = uniform(3, np.array([seed, 0], np.int32))
    drawn = samplers.sample(logits, shares, 0.7, k, p)
    assert np.array_equal(drawn, numpy(samplers.sample(tensor(logits), tensor(shares), 0.7, k, p)))


@pytest.mark.parametrize("temperature", [1e-30, 1e-3])
def test_a_low_temperature_is_greedy(temperature):
    logits = tensor(np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32))
    drawn = samplers.sample(logits, uniform(5, [1, 2]), temperature)
    assert np.array_equal(numpy(drawn), numpy(samplers.greedy(logits)))


def test_a_high_temperature_forgets_the_logits():
    flat = samplers.with_temperature(tensor([[0.0, 5.0, -80.0]]), 1e30)
    assert np.allclose(softmax(numpy(flat)), 1 / 3)


@pytest.mark.parametrize(
    ("temperature", "k", "p", "wanted"),
    [
        (1.0, None, None, [0.1, 0.2, 0.3, 0.4]),
        (0.5, None, None, np.array([1, 4, 9, 16]) / 30),
        (1.0, 3, None, np.array([0, 2, 3, 4]) / 9),
        (1.0, None, 0.65, np.array([0, 0, 3, 4]) / 7),
        (0.5, 3, 0.5, [0, 0, 0, 1.0]),  # the last has 16/29 of the probability, after temperature and top-k
    ],
)
def test_draws_are_distributed_as_they_should(temperature, k, p, wanted):
    count = 20_000
    logits = tensor(np.log(np.repeat([[0.1, 0.2, 0.3, 0.4]], count, axis=0), dtype=np.float32))
    drawn = samplers.sample(logits, uniform(count, [3, 4]), temperature, k, p)
    seen = np.bincount(numpy(drawn), minlength=4)
    wanted = np.asarray(wanted) * count
    assert seen[wanted == 0].sum() == 0
    some = wanted > 0
    chi_square = ((seen - wanted)[some] ** 2 / wanted[some]).sum()
    assert chi_square < 16.3  # exceeded by chance once in 1000 times with 3 degrees of freedom


def test_rows_draw_by_themselves_and_do_not_depend_on_those_below():
    def draw(size, seed):
        return numpy(samplers.draw(tensor(np.zeros((size, 1000), np.float32)), uniform(size, seed)))

    drawn = draw(64, [5, 6])
    assert len(set(drawn)) > 50
    for size in (1, 2, 3, 32):
        assert np.array_equal(draw(size, [5, 6]), drawn[:size])
    assert not np.array_equal(draw(64, [5, 7]), drawn)


@pytest.mark.parametrize(
    "wrong",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"temperature": 10**400},
        {"temperature": "hot"},
        {"top_k": 0},
        {"top_k": 2.5},
        {"top_p": 0},
        {"top_p": 1.01},
        {"top_p": float("nan")},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))) as caught:
        Sampling(**wrong)
    assert "\n" not in str(caught.value)
