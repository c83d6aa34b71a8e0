"""Predictions without the overhead of Keras's `predict`: compiled once for each shape, cached on the model.

One example takes a function of exactly that shape, called with nothing around it; full batches run in one compiled
loop; the rest of less than a batch takes a function of any size. Weights are read as variables, so every call sees
their present values.
"""

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerazoo.engine.model_cache import cached, prediction_parts
from kerazoo.engine.tensorflow import arrays, layer_swap, loops
from kerazoo.engine.types import Nested, Tensor

_SHAPES = 4  # of one example, or of batches, that get a function of their own; later ones share a general function
_BYTES_PER_CALL = 2**26  # so that data as large as the memory are not copied as a whole


def predict(model: keras.Model, x: Nested, size: int, batch_size: int) -> Nested:
    """Predict for the `size` examples of nested arrays `x`, as `engine.predict` says, which has checked them."""
    functions = cached(model, "_kerazoo_predict", lambda: _Functions(model), prediction_parts(model))
    return functions(x, size, batch_size)


class _Functions:
    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self._exact: dict[tuple[Any, ...], Callable[..., Nested]] = {}
        self._any = tf.function(functools.partial(loops.call, model, training=False), reduce_retracing=True)

    def __call__(self, x: Nested, size: int, batch: int) -> Nested:
        """Predict for all `size` examples of the nested arrays `x`, `batch` at a time."""
        if size == 1:
            return _arrays(self._one(x)(_tensors(x)))
        full = size // batch if batch > 1 else 0
        outputs = list(self._batches(x, full, batch)) if full else []
        for first in range(full * batch, size, batch):
            outputs.append(_arrays(self._any(_tensors(_rows(x, first, first + batch)))))
        if len(outputs) == 1:
            return outputs[0]
        return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)

    def _one(self, x: Nested) -> Callable[[Nested], Nested]:
        """The function for one example of these shapes and dtypes."""

        def one(x: Nested) -> Nested:
            with layer_swap.accelerated(self.model):
                return loops.call(self.model, x, training=False)

        def traced() -> Any:
            # Here, as TensorFlow would count the traces of all models and shapes, and warn of them.
            return tf.function(one, autograph=False).get_concrete_function(_spec(x, 1))

        return self._cached(("one",), x, traced) or self._any

    def _batches(self, x: Nested, count: int, batch: int) -> Iterator[Nested]:
        """Yield the outputs for the first `count * batch` examples, in parts."""
        table = count >= loops.BATCHES_WORTH_TABLE

        def many(x: Nested, count: Tensor) -> Nested:
            with layer_swap.tabulated(self.model) if table else layer_swap.accelerated(self.model):
                return self._loop(x, count, batch)

        def compiled() -> Any:
            return tf.function(many, autograph=False).get_concrete_function(_spec(x), tf.TensorSpec((), tf.int32))

        function = self._cached(("many", batch, table), x, compiled)
        at_once = max(1, _BYTES_PER_CALL // sum(_bytes(leaf) * batch for leaf in keras.tree.flatten(x)))
        at_once = at_once if function else 1
        for first in range(0, count, at_once):
            last = min(first + at_once, count)
            part = _tensors(_rows(x, first * batch, last * batch))
            yield _arrays(function(part, tf.constant(last - first)) if function else self._any(part))

    def _cached(
        self, name: tuple[Any, ...], x: Nested, make: Callable[[], Callable[..., Nested]]
    ) -> Callable[..., Nested] | None:
        """The result of `make` for arrays of these shapes and dtypes; None after too many other shapes."""
        key = *name, repr(keras.tree.map_structure(lambda a: f"{a.dtype}{a.shape[1:]}", x))
        if key not in self._exact:
            if sum(known[0] == name[0] for known in self._exact) >= _SHAPES:
                return None
            self._exact[key] = make()
        return self._exact[key]

    def _loop(self, x: Nested, count: Tensor, batch: int) -> Nested:
        def step(k: int | Tensor) -> Nested:
            return loops.call(self.model, arrays.cut(x, k * batch, batch), training=False)

        def body(k: Tensor, *collected: tf.TensorArray) -> tuple[Any, ...]:
            outputs = keras.tree.flatten(step(k))
            return k + 1, *(c.write(k, y) for c, y in zip(collected, outputs, strict=True))

        first = step(0)  # tells structure, shapes and dtypes of the outputs
        collected = [
            tf.TensorArray(y.dtype, count, element_shape=y.shape).write(0, y) for y in keras.tree.flatten(first)
        ]
        _, *collected = tf.while_loop(lambda k, *_: k < count, body, (1, *collected), parallel_iterations=1)
        return keras.tree.pack_sequence_as(first, [c.concat() for c in collected])


def _spec(x: Nested, size: int | None = None) -> Nested:
    """The signature of `size` examples, or any number, like those of the nested arrays `x`."""
    return keras.tree.map_structure(lambda a: tf.TensorSpec((size, *a.shape[1:]), a.dtype), _tensors(_rows(x, 0, 1)))


def _rows(x: Nested, first: int, last: int) -> Nested:
    return keras.tree.map_structure(lambda a: a[first:last], x)


def _bytes(leaf: Any) -> int:
    return math.prod(leaf.shape[1:]) * np.dtype(str(getattr(leaf.dtype, "name", leaf.dtype))).itemsize or 1


def _tensors(x: Nested) -> Nested:
    return keras.tree.map_structure(lambda a: arrays.floatx(tf.convert_to_tensor(a)), x)


def _arrays(outputs: Nested) -> Nested:
    return keras.tree.map_structure(np.asarray, outputs)
