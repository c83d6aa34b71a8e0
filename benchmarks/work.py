"""A piece of work that all contenders do: a model of one size, a batch size, and the very same examples."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from common import Device

import kerazoo
from kerazoo.schema import Recipe


@dataclass(frozen=True)
class Work:
    """What is trained or predicted with; `options` are all options of the model, `x` and `y` its training split."""

    name: str
    options: dict[str, Any]
    batch_size: int
    precision: str
    device: Device
    x: Any = field(repr=False)
    y: Any = field(repr=False)
    source: str

    @property
    def recipe(self) -> Recipe:
        """How the model is trained."""
        return kerazoo.spec(self.name).recipe

    @property
    def length(self) -> int:
        """The length of an example's time axis; 1 where it has none."""
        return 1 if None not in _axes(self.name, self.x) else self.x.shape[1]

    def rows(self, steps: int) -> tuple[Any, Any]:
        """Return the examples of `steps` steps."""
        return self.take(steps * self.batch_size)

    def take(self, count: int) -> tuple[Any, Any]:
        """Return `count` examples in an order drawn once, over and over where there are fewer (as of `toy_mlp`)."""
        order = np.random.default_rng(0).permutation(len(self.x))
        chosen = np.resize(order, count)
        return self.x[chosen], self.y[chosen]


def _axes(name: str, x: Any) -> tuple[int | None, ...]:
    """Return the axes of an example, None for time: that of a row of ids, or one of any length in the spec."""
    return (None,) if x.dtype.kind == "i" else kerazoo.spec(name).inputs[0].shape


def prepare(
    name: str,
    device: Device,
    precision: str = "float32",
    batch_size: int | None = None,
    data_options: dict[str, Any] | None = None,
    **options: Any,
) -> Work:
    """Load the data of the model `name` and settle its options; the recipe's batch size by default."""
    model_spec = kerazoo.spec(name)
    data = kerazoo.load_data(name, source="auto", **(data_options or {}))
    settled = {**model_spec.defaults, **data.model_options, **options}
    batch = batch_size or model_spec.recipe.batch_size
    return Work(name, settled, batch, precision, device, data.x_train, data.y_train, data.source)
