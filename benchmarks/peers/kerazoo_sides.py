"""kerazoo's model and engine as a contender, on whichever backend the process has."""

import dataclasses
from typing import Any

import keras
from work import Work

import kerazoo
from kerazoo import engine
from peers.keras_base import Side

_SECONDS_PER_CALL = 0.3
"""Of a compiled call of kerazoo's engine in a long run: a turn is one short epoch, and begins at this pace."""


class Kerazoo(Side):
    """kerazoo's model and engine."""

    form = "kerazoo.engine.fit"

    def __init__(self, work: Work):
        self.per_call: int | None = None
        super().__init__(work)

    def make(self) -> keras.Model:
        """Return kerazoo's model."""
        model = kerazoo.build(self.work.name, **self.work.options)
        model.set_weights(self.work.own_weights)
        return model

    def fit(self, x: Any, y: Any, steps: int, **options: Any) -> None:
        """Train one epoch."""
        if self.per_call:
            options["steps_per_call"] = min(self.per_call, steps)
        engine.fit(self.model, x, y, batch_size=self.work.batch_size, epochs=1, verbose=0, **options)

    def settle(self, steps: int, quick: bool) -> dict[str, float]:
        """Find the pace of a long run."""
        self.train(steps)  # compiles
        self.per_call = max(1, int(_SECONDS_PER_CALL * steps / self.train(steps)))
        return {self.form: 1000 * self.train(steps) / steps}

    def settle_predict(self, x: Any, quick: bool) -> dict[str, Any]:
        """Compile."""
        self.predict(x)
        for _ in range(3):
            self.predict_one(x[:1])
        return {"form": "kerazoo.engine.predict", "one_form": "kerazoo.engine.predict"}

    def predict(self, x: Any) -> Any:
        """Return the outputs in batches of 512."""
        return engine.predict(self.model, x, batch_size=512)

    def predict_one(self, x: Any) -> Any:
        """Return the outputs for one example."""
        return engine.predict(self.model, x, batch_size=512)

    def settle_write(self, streams: int, length: int, quick: bool) -> dict[str, Any]:
        """Compile."""
        self.write(streams, length)
        return {"form": "kerazoo.generate"}

    def write(self, streams: int, length: int) -> Any:
        """Write `length` characters of each text."""
        words = "".join(map(chr, range(32, 32 + self.work.options["vocab_size"] - 1)))
        vocabulary = kerazoo.Vocabulary.learn([words], "char")
        return kerazoo.generate(self.model, ["A"] * streams, length=length, seed=0, vocabulary=vocabulary)

    @staticmethod
    def document(name: str, epochs: int | None, examples: int | None) -> dict[str, Any]:
        """Return what training the model `name` by its document's recipe gives on the test split.

        Args:
            name: of the model.
            epochs: in place of the recipe's.
            examples: of each split, where not all are wanted.
        """
        data: Any = kerazoo.load_data(name, source="auto")
        if examples:
            splits = {key: getattr(data, key)[:examples] for key in ("x_train", "y_train", "x_test", "y_test")}
            data = dataclasses.replace(data, **splits)
        result = kerazoo.train(name, data=data, epochs=epochs, seed=0, verbose=False)
        return {
            "model": name,
            "epochs": epochs or kerazoo.spec(name).recipe.epochs,
            "seed": 0,
            "train_examples": len(data.x_train),
            "test_examples": len(data.x_test),
            "data": data.source,
            "seconds": result.seconds,
            "metrics": {key: float(value) for key, value in result.metrics.items()},
            "history": {key: [float(v) for v in values] for key, values in result.history.items()},
        }
