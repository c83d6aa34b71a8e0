"""Digits as others might have drawn them: shifted, turned, scaled, thinner or thicker."""

from __future__ import annotations

from kerazoo.lazy import keras, np

SHIFT = 2.0  # pixels either way
TURN = 0.2  # radians either way
SCALE = 0.12  # of the size, either way
SLANT = 0.15  # pixels a row, either way
THICKER = 0.15  # share of the pictures; as many get thinner
_AT_ONCE = 10_000


def move(pictures: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return (N, 784) float32 `pictures` in [0, 1], each drawn a little differently, at random."""
    parts = [pictures[first : first + _AT_ONCE] for first in range(0, len(pictures), _AT_ONCE)]
    return np.concatenate([_move(part, generator) for part in parts])


def _move(pictures: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    images = pictures.reshape(-1, 28, 28, 1)
    moved = keras.ops.image.affine_transform(images, _maps(len(images), generator), data_format="channels_last")
    chance = generator.random((len(images), 1, 1, 1))
    thick = keras.ops.max_pool(moved, 2, 1, padding="same")
    thin = -keras.ops.max_pool(-moved, 2, 1, padding="same")
    moved = keras.ops.where(chance < THICKER, thick, keras.ops.where(chance > 1 - THICKER, thin, moved))
    return keras.ops.convert_to_numpy(moved).reshape(-1, 784)


def _maps(count: int, generator: np.random.Generator) -> np.ndarray:
    """Return (N, 8) maps from a place in the new picture to one in the old, about the centre."""
    turn = generator.uniform(-TURN, TURN, count)
    across, down = generator.uniform(1 - SCALE, 1 + SCALE, (2, count))
    slant = generator.uniform(-SLANT, SLANT, count)
    a, b = across * np.cos(turn), slant - np.sin(turn)
    c, d = np.sin(turn), down * np.cos(turn)
    shift = generator.uniform(-SHIFT, SHIFT, (2, count)) + 13.5
    zero = np.zeros(count)
    rows = [a, b, shift[0] - 13.5 * (a + b), c, d, shift[1] - 13.5 * (c + d), zero, zero]
    return np.stack(rows, axis=1).astype(np.float32)
