"""LiteRT (once TensorFlow Lite), of its built-in operators alone; the facts are in a zip archive at the file's end.

There LiteRT's metadata has vocabularies and labels: its runtimes do not see them, and whatever reads zip does.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.engine.layer_swap import swapped
from kerazoo.errors import InputError
from kerazoo.exporting.facts import MEMBER, as_json
from kerazoo.exporting.formats import Format, Run
from kerazoo.lazy import keras, tf
from kerazoo.quiet import without_chatter

_MISSING = re.compile(r"\btf\.(?!lite\b)([A-Z]\w+)")


class LiteRT(Format):
    """A file for LiteRT, on phones and in browsers."""

    name = "litert"
    suffix = ".tflite"
    needs = {"tensorflow": "tensorflow", "ai_edge_litert": "'kerazoo[export]'"}
    backends = ("tensorflow",)
    quantises = True

    def write(self, model: keras.Model, path: Path, facts: Mapping[str, Any]) -> None:
        """Write the file.

        Raises:
            InputError: LiteRT has no operator for a part of the model.
        """
        _finish(path, _converted(model), facts)

    def quantise(self, model: keras.Model, written: Path, path: Path, facts: Mapping[str, Any]) -> None:
        """Write the file with int8 weights, which LiteRT multiplies with what it quantises as it comes."""
        _finish(path, _converted(model, quantise=True), facts)

    def load(self, path: Path) -> Run:
        """Return what runs the file on LiteRT, on the CPU."""
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=str(path))
        with without_chatter():
            interpreter.allocate_tensors()  # the first call would, and tell of it
        signature = interpreter.get_signature_runner()
        return lambda inputs: _outputs(signature(**{f"x{place}": one for place, one in enumerate(inputs)}))


def _outputs(found: Mapping[str, Any]) -> list[Any]:
    return [found[f"y{place}"] for place in range(len(found))]


def _converted(model: keras.Model, *, quantise: bool = False) -> bytes:
    """Return the model as LiteRT's flatbuffer, with the signature x0, x1, ... -> y0, y1, ..."""
    specs = [tf.TensorSpec(one.shape, one.dtype, name=f"x{place}") for place, one in enumerate(model.inputs)]

    @tf.function(input_signature=specs, autograph=False)
    def serve(*inputs: Any) -> dict[str, Any]:
        given = list(inputs) if len(inputs) > 1 else inputs[0]
        found = keras.tree.flatten(model(given, training=False))
        return {f"y{place}": one for place, one in enumerate(found)}

    from kerazoo.exporting.looped_lstm import LoopedLSTM

    with swapped(model, {keras.layers.LSTM: LoopedLSTM}), without_chatter(all=True):
        owner = tf.Module()  # the converter does not find the variables of a Keras model, and takes NaN for them
        owner.weights = [one.value for one in model.variables]
        converter = tf.lite.TFLiteConverter.from_concrete_functions([serve.get_concrete_function()], owner)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantise:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            converted: bytes = converter.convert()
        except Exception as error:  # its own class of errors is private, and says in many lines what is missing
            missing = sorted(set(_MISSING.findall(str(error))))
            told = f"LiteRT has no built-in operator for {', '.join(missing) or 'a part'} of the model '{model.name}'"
            raise InputError(f"{told}; choose the format onnx") from error
    return converted


def _finish(path: Path, content: bytes, facts: Mapping[str, Any]) -> None:
    path.write_bytes(content)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, as_json(facts))
