"""ONNX, for ONNX Runtime; the facts are in the file's metadata."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kerazoo.exporting.facts import as_json
from kerazoo.exporting.formats import Format, Run
from kerazoo.exporting.onnx_graph import write_onnx
from kerazoo.inference.session import loaded
from kerazoo.lazy import keras
from kerazoo.model_file import ORIGIN
from kerazoo.quiet import without_log


class Onnx(Format):
    """A file for ONNX Runtime."""

    name = "onnx"
    suffix = ".onnx"
    quantises = True

    def write(self, model: keras.Model, path: Path, facts: Mapping[str, Any]) -> None:
        """Write the file, with the facts in its `metadata_props`."""
        write_onnx(model, path, {ORIGIN: as_json(facts)})

    def load(self, path: Path) -> Run:
        """Return what runs the file on ONNX Runtime, on the CPU."""
        session = loaded(path)
        facts = json.loads(session.get_modelmeta().custom_metadata_map[ORIGIN])
        inputs = [one.name for one in session.get_inputs()]
        outputs = [one.name for one in session.get_outputs()][: len(facts["outputs"])]  # the model's own come first
        return lambda given: list(session.run(outputs, dict(zip(inputs, given, strict=True))))

    def quantise(self, model: keras.Model, written: Path, path: Path, facts: Mapping[str, Any]) -> None:
        """Write the file with int8 weights; what is computed between them is quantised as it comes."""
        import onnxruntime
        from onnxruntime.quantization import QuantType, quantize_dynamic

        settings = onnxruntime.SessionOptions()
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        settings.log_severity_level = 4
        with tempfile.TemporaryDirectory() as directory, without_log():  # which advises to do what is done here
            # With its constants computed: an LSTM's weights stand there as Keras has them, and are rearranged.
            settings.optimized_model_filepath = str(Path(directory) / "computed.onnx")
            onnxruntime.InferenceSession(written, settings, providers=["CPUExecutionProvider"])
            quantize_dynamic(settings.optimized_model_filepath, path, weight_type=QuantType.QInt8)
