"""Pictures of digits brought to the form of MNIST: white on black, 20 pixels tall or wide, centred in 28 x 28.

As MNIST was made (LeCun et al. 1998): the digit is scaled to fit 20 x 20 pixels, its proportions kept, and its centre
of mass is put on the centre of 28 x 28. Strokes far thinner or thicker than any in MNIST are evened out first.
"""

from __future__ import annotations

import math
from typing import Any

from kerazoo.data.pictures import check_size, reduced
from kerazoo.errors import DataError
from kerazoo.lazy import np

_SIZE, _DIGIT, _CENTRE = 28, 20, 14
_FINE = 4  # strokes are measured and evened out at so many times the resolution
_THIN, _THICK = 1.6, 4.8  # pixels of the model; nearly all strokes of MNIST are between them
_CONTRAST = 0.02  # of the full range; less is one colour


def as_digit(levels: np.ndarray, name: str) -> np.ndarray:
    """Return a picture of one digit, (H, W) levels of any range, dark on light or light on dark, as (784,) float32.

    Of (H, W, C) levels the mean of the C is taken.

    Raises:
        DataError: the picture has one colour only, has more than MOST_PIXELS, or holds NaN.
    """
    from PIL import Image

    check_size(levels.shape[1], levels.shape[0], name)
    with np.errstate(over="ignore"):  # to infinity, which is refused
        levels = np.asarray(levels, np.float32) if levels.ndim == 2 else levels.mean(-1, dtype=np.float32)
    if not np.isfinite(levels).all():
        raise DataError(f"'{name}' holds NaN or infinity; wanted grey levels")
    levels = np.asarray(reduced(Image.fromarray(levels)))
    ink = _ink(levels, name)
    rows, columns = (np.flatnonzero((ink > 0.05).any(axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if levels.shape != (_SIZE, _SIZE) or not _DIGIT - 3 <= max(ink.shape) <= _DIGIT:  # else it is of MNIST's size
        ink = _resized(_evened(_resized(ink, _DIGIT * _FINE)), _DIGIT)
    return _centred(ink / ink.max()).ravel()


def _ink(levels: np.ndarray, name: str) -> np.ndarray:
    """Return how much of each pixel, from 0 to 1, is not the ground, which is what most of the border shows."""
    border = np.ones(levels.shape, bool)
    border[1:-1, 1:-1] = False
    ground = _ground(levels, border)
    above, below = np.maximum(levels - ground, 0), np.maximum(ground - levels, 0)
    ink = above if above.sum() > below.sum() else below
    most = float(ink.max())
    if most < _CONTRAST * max(1.0, float(np.abs(levels).max())):
        raise DataError(f"'{name}' shows nothing: it has one colour; wanted a digit on another ground")
    ink = ink / most
    noise = min(0.5, 2 * float(np.percentile(ink[border], 90)))  # of the paper
    return np.maximum(ink - noise, 0) / (1 - noise)


def _ground(levels: np.ndarray, border: np.ndarray) -> Any:
    """Return the level of the ground: one number, or a plane where the light falls from a side."""
    edge = levels[border]
    level = np.median(edge)
    if np.median(np.abs(edge - level)) == 0:
        return level
    rows, columns = np.indices(levels.shape, np.float32)
    height, width = levels.shape
    plane = np.stack([np.ones_like(rows), rows / height, columns / width], axis=-1)  # (H, W, 3)
    points, weights = plane[border], np.ones_like(edge)
    for _ in range(5):  # least absolute deviations: ink that reaches the border does not tilt it
        found = np.linalg.lstsq(points * weights[:, None], edge * weights, rcond=None)[0]
        weights = 1 / np.sqrt(np.abs(edge - points @ found) + 1e-3)
    return plane @ found


def _resized(ink: np.ndarray, longest: int) -> np.ndarray:
    """Return `ink` with its longer side of `longest` pixels."""
    from PIL import Image

    longer = int(np.max(ink.shape))
    height, width = (max(1, round(size * longest / longer)) for size in ink.shape)
    resized = Image.fromarray(ink).resize((width, height), Image.Resampling.BILINEAR)
    return np.clip(np.asarray(resized, np.float32), 0, 1)


def _evened(ink: np.ndarray) -> np.ndarray:
    """Return `ink` at the fine resolution with strokes of no less than _THIN and no more than _THICK."""
    from PIL import Image, ImageFilter

    padded = np.pad(ink / ink.max(), _FINE * 2)
    width = _stroke(padded)
    change = (_THIN - width) if width < _THIN else (_THICK - width) if width > _THICK else 0.0
    steps = round(abs(change) * _FINE / 2)  # each moves both edges of a stroke by a fine pixel
    image = Image.fromarray(padded)
    for _ in range(min(steps, _FINE)):
        image = image.filter(ImageFilter.MaxFilter(3) if change > 0 else ImageFilter.MinFilter(3))
    evened = np.asarray(image, np.float32)
    rows, columns = (np.flatnonzero((evened > 0.05).any(axis)) for axis in (1, 0))
    if not rows.size:
        return ink
    return evened[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _stroke(ink: np.ndarray) -> float:
    """Return about how wide the strokes are, in pixels of the model: twice the area by the length of the edges."""
    solid = ink > 0.4
    edges = int((solid[1:] != solid[:-1]).sum() + (solid[:, 1:] != solid[:, :-1]).sum())
    return 2 * int(solid.sum()) / (max(edges, 1) * math.pi / 4) / _FINE


def _centred(ink: np.ndarray) -> np.ndarray:
    """Return (28, 28) with the centre of mass of `ink` on the centre, as far as it fits."""
    height, width = ink.shape
    total = ink.sum()
    down = round(_CENTRE - float(ink.sum(1) @ np.arange(height) / total))
    right = round(_CENTRE - float(ink.sum(0) @ np.arange(width) / total))
    top, left = min(max(down, 0), _SIZE - height), min(max(right, 0), _SIZE - width)
    picture = np.zeros((_SIZE, _SIZE), np.float32)
    picture[top : top + height, left : left + width] = ink
    return picture
