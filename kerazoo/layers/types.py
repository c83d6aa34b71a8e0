"""Names in the layers' annotations, since Keras ships no types."""

from typing import Any

Tensor = Any
"""A tensor of the backend's, symbolic or not, or an array of NumPy's."""

Mask = Any
"""A tensor of bool or 0/1, or None."""

Shape = tuple[int | None, ...]
"""Of a tensor; None for an axis of any size."""
