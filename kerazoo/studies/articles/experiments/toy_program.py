"""What document 000, section 5.3 says of its program's network and data."""

from __future__ import annotations

from typing import Any

from kerazoo import Setting, build, experiment, load_data
from kerazoo.lazy import keras

_TEST_INPUTS = ((0, 1), (1, 1))  # x_test of section 5.2


@experiment("toy_program", quick=True)
def toy_program(setting: Setting) -> dict[str, Any]:
    """Count the layers of the zoo's `toy_mlp`, its training samples, and the test inputs that are among them."""
    model, data = build("toy_mlp", compile=False), load_data("toy_mlp")
    units = [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    rows = {tuple(map(int, row)) for row in data.x_train}
    seen = sum(row in rows for row in _TEST_INPUTS)
    return {
        "layers": {
            "sizes": [model.input_shape[-1], *units],
            "note": f"{model.count_params()} parameters.",
        },
        "samples": {
            "shape": list(data.x_train.shape),
            "note": f"{len(rows)} of the {len(data.x_train)} are different: one stands twice.",
        },
        "test": {
            "unseen": len(_TEST_INPUTS) - seen,
            "note": f"{seen} of the {len(_TEST_INPUTS)} test inputs are among the training inputs.",
        },
    }
