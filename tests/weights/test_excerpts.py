"""Reviews cut to a few words, and the short opinions that weights are tested by."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kerazoo.pretraining.excerpts import LONGEST, excerpts
from kerazoo.pretraining.opinions import OPINIONS


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
def test_an_excerpt_is_a_run_of_words_of_its_row_padded_at_the_front(lengths, seed):
    rows = np.zeros((len(lengths), 60), np.int32)
    for row, length in zip(rows, lengths, strict=True):
        row[60 - length :] = np.arange(1, length + 1)
    for row, found in zip(rows, excerpts(rows, np.random.default_rng(seed)), strict=True):
        words = found[found != 0]
        assert (found[: 60 - len(words)] == 0).all()
        assert min(2, row.max()) <= len(words) <= min(LONGEST, row.max())
        assert (np.diff(words) == 1).all() and words.max(initial=0) <= row.max()


def test_there_are_a_hundred_opinions_half_of_them_positive():
    assert len({text for text, _ in OPINIONS}) == 100
    assert sum(label for _, label in OPINIONS) == 50
