"""TensorFlow's SavedModel; the facts are a file in `assets.extra`, where TensorFlow Serving looks for such."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.exporting.facts import MEMBER, as_json
from kerazoo.exporting.formats import Format, Run
from kerazoo.lazy import keras, np, tf


class SavedModel(Format):
    """A directory for TensorFlow and TensorFlow Serving."""

    name = "saved_model"
    suffix = ""
    needs = {"tensorflow": "tensorflow"}

    def write(self, model: keras.Model, path: Path, facts: Mapping[str, Any]) -> None:
        """Write the directory by Keras's own exporter."""
        model.export(path, format="tf_saved_model", verbose=False)
        extra = path / "assets.extra"
        extra.mkdir()
        (extra / MEMBER).write_text(as_json(facts), encoding="utf-8")

    def load(self, path: Path) -> Run:
        """Return what runs the directory on TensorFlow."""
        loaded = tf.saved_model.load(str(path))
        return lambda inputs: [
            np.asarray(one) for one in tf.nest.flatten(loaded.serve(list(inputs) if len(inputs) > 1 else inputs[0]))
        ]
