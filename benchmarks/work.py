"""A workload on disk: a model's options, its initial weights and the examples, the same for every contender."""

import dataclasses
import functools
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_RECORD, _WEIGHTS = "work.json", "weights.npz"


@dataclass(frozen=True)
class Work:
    """A workload in `folder`, to train or to predict with; `options` are all options of the model.

    `forward_flops` are those of one example. `order` tells where kerazoo's own model has each of the `weights`.
    """

    folder: Path = field(repr=False)
    name: str
    options: dict[str, Any]
    batch_size: int
    precision: str
    optimizer: str
    learning_rate: float
    data: str
    examples: int
    forward_flops: int
    flops_how: str
    order: tuple[int, ...]

    @classmethod
    def read(cls, folder: str | Path) -> "Work":
        """Read the workload in `folder`."""
        told = json.loads((Path(folder) / _RECORD).read_text(encoding="utf-8"))
        told["options"] = {key: tuple(v) if isinstance(v, list) else v for key, v in told["options"].items()}
        return cls(Path(folder), **{**told, "order": tuple(told["order"])})

    def write(self, weights: list[Any], x: Any, y: Any) -> None:
        """Write the workload into its folder, with weights (in the order of the plain programs) and examples."""
        np.savez(self.folder / _WEIGHTS, *weights)
        np.save(self.folder / "x.npy", x)
        np.save(self.folder / "y.npy", y)
        record = {key: getattr(self, key) for key in (one.name for one in dataclasses.fields(self)) if key != "folder"}
        (self.folder / _RECORD).write_text(json.dumps(record), encoding="utf-8")

    @functools.cached_property
    def weights(self) -> list[Any]:
        """The first weights, in the order of the plain Keras programs and of PyTorch's."""
        with np.load(self.folder / _WEIGHTS) as arrays:
            return [arrays[f"arr_{i}"] for i in range(len(arrays.files))]

    @property
    def own_weights(self) -> list[Any]:
        """The first weights, in the order of kerazoo's own model."""
        return [self.weights[i] for i in self.order]

    def take(self, count: int) -> tuple[Any, Any]:
        """Return the first `count` examples, repeated where there are fewer (as of `toy_mlp`)."""
        x, y = (np.load(self.folder / f"{name}.npy", mmap_mode="r") for name in "xy")
        if count <= self.examples:
            return np.array(x[:count]), np.array(y[:count])
        rows = np.resize(np.arange(self.examples), count)
        return x[rows], y[rows]

    def rows(self, steps: int) -> tuple[Any, Any]:
        """Return the examples of `steps` steps."""
        return self.take(steps * self.batch_size)

    @property
    def products(self) -> list[tuple[int, int, int]] | None:
        """The matrix products (m, k, n) of one training step, for a chain of Dense layers; None for other models."""
        kernels = [one.shape for one in self.weights if one.ndim == 2]
        shapes = [shape for one in kernels for shape in (one, one[1:])]
        chained = all(before[1] == after[0] for before, after in zip(kernels, kernels[1:], strict=False))
        if [one.shape for one in self.weights] != shapes or not chained:
            return None
        batch, step = self.batch_size, []
        for place, (rows, columns) in enumerate(kernels):
            step += [(batch, rows, columns), (rows, batch, columns)]  # forward; the gradient of the weights
            step += [(batch, columns, rows)] if place else []  # that of the inputs
        return step

    def still(self) -> "Work":
        """Return the workload without dropout: itself, if it has none."""
        if not self.options.get("dropout"):
            return self
        return dataclasses.replace(self, options={**self.options, "dropout": 0.0})
