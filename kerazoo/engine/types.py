"""Names in the engine's annotations for what no library gives a type.

Keras and TensorFlow ship no types: to a type checker `keras.Model` and `keras.Variable` are Any too, and tell a reader
what is meant. JAX ships its own.
"""

import os
from collections.abc import Collection
from typing import Any

Nested = Any
"""An array or tensor (N, ...), or nested dicts, lists and tuples of them; a leaf may be None."""

Array = Any
"""An array of NumPy's, or a tensor of the backend's."""

Tensor = Any
"""A `tf.Tensor`."""

Logs = dict[str, Any]
"""Losses and metrics by name, as Keras gives them to callbacks: numbers, or what a model's own step returned."""

Callbacks = Any
"""Keras callbacks as `model.fit` takes them: one, several in a list, a `keras.callbacks.CallbackList`, or None."""

Directory = str | os.PathLike[str]

Frequency = int | Collection[int]
"""After every so many epochs, or after those with these numbers, from 1."""
