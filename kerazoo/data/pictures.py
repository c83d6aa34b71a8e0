"""Pictures read from files, and brought to the shape that a model takes."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kerazoo.errors import DataError
from kerazoo.lazy import np

if TYPE_CHECKING:
    from PIL import Image

PICTURES = frozenset((".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm"))
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "ICO")  # of Pillow's those that run no other program
MOST_PIXELS = 64_000_000  # of a picture, before it is decoded
_ENOUGH = 1024  # pixels across; what is larger is reduced at once
_SCALING = 2  # bilinear, of Pillow's
_DEEP = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")  # one channel of more than 8 bits


def entries_of(directory: Path) -> list[Path]:
    """Return what is in `directory`, sorted.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return sorted(directory.iterdir())
    except OSError as error:
        raise DataError(f"the directory '{directory}' cannot be read: {error.strerror}") from None


def pictures_in(directory: Path) -> list[Path]:
    """Return the files of `directory` that are pictures by their names, sorted.

    Raises:
        DataError: it cannot be read, or holds none.
    """
    found = [one for one in entries_of(directory) if one.suffix.lower() in PICTURES]
    if not found:
        raise DataError(f"the directory '{directory}' holds no pictures ({', '.join(sorted(PICTURES))})")
    return found


def read_picture(
    source: str | os.PathLike[str] | IO[bytes] | Image.Image, name: str, colour: bool = False
) -> np.ndarray:
    """Return the picture `source` as (H, W) float32 grey levels from 0 to 1, its alpha laid on a ground.

    Args:
        source: a path, an open binary file that can be rewound, or Pillow's image.
        name: what an error calls it.
        colour: return (H, W, 3) of red, green and blue, transparent parts on white.

    Raises:
        DataError: it is missing, no picture, damaged, or larger than MOST_PIXELS.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    levels = _coloured if colour else _grey
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Pillow warns of: odd metadata, and sizes that are checked here
            if isinstance(source, Image.Image):
                check_size(source.width, source.height, name)
                return levels(ImageOps.exif_transpose(source))
            with Image.open(source, formats=_FORMATS) as image:
                check_size(image.width, image.height, name)
                image.draft("RGB" if colour else "L", (_ENOUGH, _ENOUGH))  # a JPEG is decoded no larger than needed
                return levels(ImageOps.exif_transpose(image))
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(f"'{name}' is not a picture that can be read; wanted a PNG, JPEG or the like") from None
    except Image.DecompressionBombError:
        raise DataError(f"'{name}' is far too large: wanted at most {MOST_PIXELS:,} pixels; make it smaller") from None
    except FileNotFoundError:
        raise DataError(f"'{name}' is not a file; name a picture") from None
    except Exception as error:  # Pillow raises whatever its reader met first
        reason = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip().split("\n")[0]
        raise DataError(f"'{name}' cannot be read as a picture: {reason}") from None


def check_size(width: int, height: int, name: str) -> None:
    """Refuse a picture of more than MOST_PIXELS.

    Raises:
        DataError: it is.
    """
    if height * width > MOST_PIXELS:
        size = f"{width} x {height} pixels"
        raise DataError(f"'{name}' has {size}: wanted at most {MOST_PIXELS:,}; make it smaller")


def _grey(image: Image.Image) -> np.ndarray:
    if image.mode in _DEEP:
        return _unit(np.asarray(image, np.float32))
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        return _grey_on_ground(np.asarray(reduced(image.convert("RGBA")).convert("LA"), np.float32) / 255)
    return np.asarray(reduced(image.convert("L")), np.float32) / 255


def _coloured(image: Image.Image) -> np.ndarray:
    from PIL import Image

    if image.mode in _DEEP:
        return np.repeat(_unit(np.asarray(image, np.float32))[..., None], 3, axis=2)
    image = reduced(image.convert("RGBA"))
    return (
        np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"), np.float32)
        / 255
    )


def reduced(image: Image.Image) -> Image.Image:
    """Return the picture at about _ENOUGH pixels across, where it has far more."""
    return image.reduce(max(1, max(image.size) // _ENOUGH))


def _unit(levels: np.ndarray) -> np.ndarray:
    """Return levels of any range as 0 to 1."""
    low, high = float(levels.min()), float(levels.max())
    return (levels - low) / (high - low) if np.isfinite(high - low) and high > low else np.zeros_like(levels)


def _grey_on_ground(levels: np.ndarray) -> np.ndarray:
    """Return (H, W, 2) grey and alpha as one: the alpha itself where all that is seen has one colour."""
    grey, alpha = levels[..., 0], levels[..., 1]
    seen = grey[alpha > 0.5]
    if not seen.size or np.percentile(seen, 99) - np.percentile(seen, 1) < 0.25:
        return alpha if alpha.min() < 1 else grey
    return grey * alpha + float(np.median(seen)) * (1 - alpha)


def scaled(levels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return (H, W) or (H, W, C) levels from 0 to 1 as (height, width) or (height, width, C) float32.

    The middle is cut out in the proportions that are wanted, and scaled.
    """
    from PIL import Image

    tall, wide = levels.shape[:2]
    high, broad = min(tall, max(1, round(wide * height / width))), min(wide, max(1, round(tall * width / height)))
    top, left = (tall - high) // 2, (wide - broad) // 2
    part = np.asarray(levels[top : top + high, left : left + broad], np.float32)
    channels = part.reshape(high, broad, -1)
    resized = [
        np.asarray(Image.fromarray(np.ascontiguousarray(channels[..., k])).resize((width, height), _SCALING))
        for k in range(channels.shape[2])
    ]
    return np.clip(np.stack(resized, axis=-1).reshape(height, width, *part.shape[2:]), 0, 1)


def as_pixels(images: Any, shape: tuple[int, int, int] = (28, 28, 1), flat: bool = True) -> np.ndarray:
    """Return pictures as (N, H * W * C) float32 from 0 to 1, or (N, H, W, C) where not `flat`.

    Args:
        images: whole numbers from 0 to 255 (uint8; of other types 0 and 1 alone are black and white), or float from 0
            to 1: (N, H, W, C), (N, H * W * C), or (N, H, W) for one channel.
        shape: (H, W, C).
        flat: whether the model takes rows.

    Raises:
        DataError: another shape or dtype, or floats outside [0, 1].
    """
    forms = " or ".join(f"(N, {', '.join(map(str, form))})" for form in picture_forms(shape))
    try:
        images = np.asarray(images)
    except ValueError:
        raise DataError(f"pictures of different sizes: wanted one array {forms}") from None
    size = math.prod(shape)
    if images.ndim < 2 or math.prod(images.shape[1:]) != size:
        raise DataError(f"pictures of shape {images.shape}: wanted {forms}")
    images = images.reshape(len(images), *((size,) if flat else shape))
    if images.dtype == np.uint8:
        return np.divide(images, np.float32(255), dtype=np.float32)
    if images.dtype.kind in "iu" and images.size and 0 <= images.min() <= images.max() <= 255:
        return np.divide(images, np.float32(255 if images.max() > 1 else 1), dtype=np.float32)  # as JSON has them
    if images.dtype.kind != "f":
        raise DataError(f"pictures of dtype {images.dtype}: wanted whole numbers from 0 to 255 or float from 0 to 1")
    if not np.isfinite(images).all():
        raise DataError("pictures hold NaN or infinity; wanted numbers from 0 to 1")
    if images.size and (images.min() < 0 or images.max() > 1):
        low, high = images.min(), images.max()
        raise DataError(f"float pictures from {low:g} to {high:g}: wanted 0 to 1; divide by 255, or give uint8")
    return images.astype(np.float32, copy=False)


def picture_forms(shape: tuple[int, int, int]) -> list[tuple[int, ...]]:
    """Return the shapes that one picture (H, W, C) may have as an array."""
    height, width, channels = shape
    return [*([(height, width)] if channels == 1 else []), shape, (height * width * channels,)]
