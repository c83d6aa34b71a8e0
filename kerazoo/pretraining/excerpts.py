"""Reviews cut to a few words, as people write their opinion: a run of words from anywhere, or the last ones."""

from __future__ import annotations

from kerazoo.lazy import np

SHORTEST, LONGEST = 2, 40  # words
ENDINGS = 0.5  # share of the excerpts that are the last words


def excerpts(rows: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return an excerpt of each of (N, T) `rows` of word ids, padded at the front as they are; id 0 is padding.

    Its length is drawn evenly in its logarithm, so that short ones are as frequent as long ones, and is at most that of
    the row.
    """
    count, width = rows.shape
    words = np.count_nonzero(rows, axis=1)
    lengths = np.exp(generator.uniform(np.log(SHORTEST), np.log(LONGEST + 1), count)).astype(np.int64)
    lengths = np.minimum(lengths, words)
    spare = words - lengths  # of the row's words those that are left out
    after = np.where(generator.random(count) < ENDINGS, 0, (generator.random(count) * (spare + 1)).astype(np.int64))
    places = np.arange(width)
    moved = np.take_along_axis(rows, np.maximum(places - after[:, None], 0), axis=1)
    return np.where(places >= width - lengths[:, None], moved, 0)
