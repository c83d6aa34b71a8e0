"""The maker of workloads: loads a model's data, draws initial weights and the order of examples, and saves them."""

from pathlib import Path
from typing import Any

import flops
import numpy as np
from work import Work

import kerazoo
from kerazoo.factory import dtype_policy
from peers import keras_start


class Maker:
    """Answers `make`."""

    def __init__(self) -> None:
        keras_start.start()

    def about(self) -> dict[str, Any]:
        """Return nothing: what it makes are NumPy arrays."""
        return {}

    def make(
        self,
        folder: str,
        name: str,
        precision: str,
        most: int,
        batch_size: int | None = None,
        data_options: dict[str, Any] | None = None,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Write the work of the model `name` into `folder`; the recipe's batch size by default.

        Args:
            folder: an empty folder.
            name: of the model.
            precision: of the work.
            most: examples of the training split, at most, in an order drawn once.
            batch_size: of a step.
            data_options: of the data set.
            options: of the model, besides those that the data settle.
        """
        spec = kerazoo.spec(name)
        data = kerazoo.load_data(name, source="auto", **(data_options or {}))
        given = {key: tuple(v) if isinstance(v, list) else v for key, v in (options or {}).items()}
        settled = {**spec.defaults, **data.model_options, **given}
        with dtype_policy("float32"):
            model = kerazoo.build(name, seed=0, **settled)
        order = program_order(model)
        x, y = np.asarray(data.x_train), np.asarray(data.y_train)
        rows = np.random.default_rng(0).permutation(len(x))[:most]
        time_axis = (None,) if x.dtype.kind == "i" else spec.inputs[0].shape
        work = Work(
            folder=Path(folder),
            name=name,
            options=settled,
            batch_size=batch_size or spec.recipe.batch_size,
            precision=precision,
            optimizer=spec.recipe.optimizer,
            learning_rate=float(model.optimizer.learning_rate),
            data=data.source,
            examples=len(rows),
            forward_flops=flops.forward_flops(model, x.shape[1] if None in time_axis else 1),
            flops_how=flops.HOW,
            order=tuple(int(i) for i in np.argsort(order)),
        )
        weights = model.get_weights()
        work.write([weights[i] for i in order], x[rows], y[rows])


def program_order(model: Any) -> list[int]:
    """Return the indices in kerazoo's model of the weights of the plain Keras and PyTorch programs: tokens first.

    (A layer of kerazoo's that holds tokens and positions lists its own weight before that of the layer within it.)
    """
    paths = [variable.path for variable in model.weights]
    tokens = [i for i, path in enumerate(paths) if path.endswith("tokens/embeddings")]
    return [*tokens, *(i for i in range(len(paths)) if i not in tokens)]
