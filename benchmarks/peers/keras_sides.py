"""Keras's own `fit` and `predict` as a contender, with the fastest settings of `compile`."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any

import keras
from work import Work

from peers import keras_programs, keras_writing
from peers.keras_base import Side

_SEVERAL = 16  # steps per execution


class Plain(Side):
    """Keras: the document's program and `model.fit`, with the settings of `compile` and `predict` that are fastest."""

    form = "fit as it comes"

    def __init__(self, work: Work):
        self.compiled: dict[Any, Any] = {}
        super().__init__(work)

    def make(self) -> keras.Model:
        """Return the plain program."""
        return keras_programs.build(self.work)

    def fit(self, x: Any, y: Any, steps: int, **options: Any) -> None:
        """Train one epoch."""
        self.model.fit(x, y, batch_size=self.work.batch_size, epochs=1, verbose=0, **options)

    def settle(self, steps: int, quick: bool) -> dict[str, float]:
        """Try the settings of `compile` and keep the fastest; return the milliseconds a step of each."""
        settings: dict[str, dict[str, Any]] = {"fit as it comes": {}}
        settings[f"fit, steps_per_execution={_SEVERAL}"] = {"steps_per_execution": _SEVERAL}
        if not quick and keras.backend.backend() == "tensorflow":
            other = not self.model.jit_compile  # "auto" has chosen by the layers
            for name, given in list(settings.items()):
                settings[f"{name}, jit_compile={other}"] = {**given, "jit_compile": other}
        tried: dict[str, float] = {}
        for name, given in settings.items():
            try:
                self.set(**given)
                self.train(steps)
                tried[name] = 1000 * self.train(steps) / steps
            except Exception:
                if not given:
                    raise
                continue  # not every layer compiles with XLA on every device
        self.form = min(tried, key=lambda name: tried[name])
        self.set(**settings[self.form])
        self.train(steps)
        return tried

    def set(self, steps_per_execution: int = 1, jit_compile: bool | None = None) -> None:
        """Set the model's training function for these settings of `compile`; each is made once."""
        model = self.model
        held = (model.steps_per_execution, model.jit_compile)
        self.compiled.setdefault("automatic", held)
        wanted = (steps_per_execution, self.compiled["automatic"][1] if jit_compile is None else jit_compile)
        self.compiled[held] = model.train_function
        model.steps_per_execution, model.jit_compile = wanted
        model.train_function = self.compiled.get(wanted)

    def settle_predict(self, x: Any, quick: bool) -> dict[str, Any]:
        """Try the ways to predict and keep the fastest for batches and for one example."""
        model = self.model

        def called() -> Any:
            if keras.backend.backend() == "jax":
                import jax

                weights = [v.value for v in model.trainable_variables], [v.value for v in model.non_trainable_variables]
                run = jax.jit(lambda held, x: model.stateless_call(*held, x, training=False)[0])
                return lambda x: run(weights, x)
            import tensorflow as tf

            return tf.function(lambda x: model(x, training=False), reduce_retracing=True)

        step = called()
        ways: dict[str, Callable[[Any], Any]] = {
            "predict": lambda x: model.predict(x, batch_size=512, verbose=0),
            "predict_on_batch": model.predict_on_batch,
            "a compiled call of the model": lambda x: keras.ops.convert_to_numpy(step(x)),
        }
        one, self.one_form, tried_one = _fastest(ways, x[:1], 5 if quick else 20)
        self.predict_one = one
        _, form, tried = _fastest({"predict": ways["predict"]}, x, 1)
        return {
            "form": form,
            "tried_s": tried,
            "one_form": self.one_form,
            "one_tried_s": tried_one,
        }

    def predict(self, x: Any) -> Any:
        """Return the outputs in batches of 512."""
        return self.model.predict(x, batch_size=512, verbose=0)

    def settle_write(self, streams: int, length: int, quick: bool) -> dict[str, Any]:
        """Try the compiled steps and keep the fastest."""
        ways = {name: functools.partial(loop, streams) for name, loop in self.loops().items()}
        self.writer, form, tried = _fastest(ways, length, 1)
        return {"form": form, "tried_s": tried}

    def loops(self) -> dict[str, Callable[[int, int], Any]]:
        """Return the loops that carry the state, made once."""
        if not hasattr(self, "made"):
            self.made = keras_writing.loops(self.model)
        return self.made

    def write(self, streams: int, length: int) -> Any:
        """Write with the state carried."""
        return self.writer(length)

    def write_by_window(self, streams: int, length: int) -> Any:
        """Write by `predict` on the last tokens, one text."""
        return keras_writing.by_window(self.model, length)


def _fastest(ways: Mapping[str, Callable[[Any], Any]], argument: Any, calls: int) -> tuple[Any, str, dict[str, float]]:
    """Return the fastest of the functions, its name, and the seconds a call of each, after one that compiles."""
    tried = {}
    for name, call in ways.items():
        try:
            call(argument)
            began = time.perf_counter()
            for _ in range(calls):
                call(argument)
            tried[name] = (time.perf_counter() - began) / calls
        except Exception:
            if name == next(iter(ways)):
                raise
    form = min(tried, key=lambda name: tried[name])
    return ways[form], form, tried
