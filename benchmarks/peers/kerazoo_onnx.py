"""kerazoo's models in ONNX Runtime as a contender: what `predict` and `generate` do with the packaged weights."""

from typing import Any

import numpy as np
from work import Work

import kerazoo
from kerazoo.exporting.onnx_graph import to_onnx
from kerazoo.inference.session import Session

_BATCH = 512


class Kerazoo:
    """A session of ONNX Runtime with the work's weights."""

    def __init__(self, work: Work):
        self.work = work
        model = kerazoo.build(work.name, compile=False, **work.options)
        model.set_weights(work.own_weights)
        self.session = Session(to_onnx(model).SerializeToString(), work.name)

    def settle_predict(self, x: Any, quick: bool) -> dict[str, Any]:
        """Warm up."""
        self.predict(x)
        for _ in range(3):
            self.predict_one(x[:1])
        return {"form": "ONNX Runtime", "one_form": "ONNX Runtime"}

    def predict(self, x: Any) -> Any:
        """Return the outputs in batches of 512."""
        return np.concatenate([self.session.answers(x[first : first + _BATCH]) for first in range(0, len(x), _BATCH)])

    def predict_one(self, x: Any) -> Any:
        """Return the outputs for one example."""
        return self.session(x)[0]

    def settle_write(self, streams: int, length: int, quick: bool) -> dict[str, Any]:
        """Warm up."""
        self.write(streams, length)
        return {"form": "ONNX Runtime, a loop of the graph"}

    def write(self, streams: int, length: int) -> Any:
        """Write `length` characters of each text."""
        words = "".join(map(chr, range(32, 32 + self.work.options["vocab_size"] - 1)))
        vocabulary = kerazoo.Vocabulary.learn([words], "char")
        return kerazoo.generate(self.session, ["A"] * streams, length=length, seed=0, vocabulary=vocabulary)
