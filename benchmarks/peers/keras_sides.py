"""kerazoo's engine and Keras's own `fit` as contenders: both train a Keras model and are timed by one callback."""

import dataclasses
import inspect
import time
from collections.abc import Callable
from typing import Any

import keras
from work import Work

import kerazoo
from kerazoo import engine
from kerazoo.factory import dtype_policy
from peers import keras_programs, keras_writing

_SECONDS_PER_CALL = 0.3
"""Of a compiled call of kerazoo's engine in a long run: a turn is one short epoch, and begins at this pace."""
_SEVERAL = 16  # steps per execution


class _Clock(keras.callbacks.Callback):
    """Times the epoch, without what `fit` sets up before it; both sides have the last step's result when it ends."""

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.began


class _FirstStep(keras.callbacks.Callback):
    """Times the call of `fit` until its first step is done: tracing, compiling and placing the data."""

    def __init__(self):
        super().__init__()
        self.began, self.seconds = time.perf_counter(), None

    def on_train_batch_end(self, batch, logs=None):
        if self.seconds is None:
            float(next(iter((logs or {"": 0.0}).values())))  # waits for the device
            self.seconds = time.perf_counter() - self.began


class _Side:
    """What both have: a model, its data by the number of steps, and the clock."""

    form = ""

    def __init__(self, work: Work):
        self.work = work
        self.first_step_s: float | None = None
        self.data: dict[int, tuple[Any, Any]] = {}
        with dtype_policy("float32" if work.precision == "tf32" else work.precision):
            self.model = self.make()

    def make(self) -> keras.Model:
        """Return the model, compiled, with the work's first weights."""
        raise NotImplementedError

    def fit(self, x: Any, y: Any, steps: int, **options: Any) -> None:
        """Train one epoch."""
        raise NotImplementedError

    def train(self, steps: int, shuffle: bool = True) -> float:
        """Train one epoch of `steps` steps and return its seconds."""
        if steps not in self.data:
            self.data = {steps: self.work.rows(steps)}
        x, y = self.data[steps]
        clock, first = _Clock(), _FirstStep()
        self.fit(x, y, steps=steps, shuffle=shuffle, callbacks=[clock, *([first] if self.first_step_s is None else [])])
        self.first_step_s = self.first_step_s or first.seconds
        return clock.seconds

    def loss_after(self, steps: int) -> float:
        """Train `steps` steps in the order in which the examples lie; return the mean loss over them afterwards."""
        self.train(steps, shuffle=False)
        x, y = self.data[steps]
        return float(self.model.evaluate(x, y, batch_size=512, verbose=0, return_dict=True)["loss"])


class Plain(_Side):
    """Keras: the document's program and `model.fit`, with the settings of `compile` and `predict` that are fastest."""

    form = "fit as it comes"

    def make(self) -> keras.Model:
        """Return the plain program."""
        return keras_programs.build(self.work)

    def fit(self, x, y, steps, **options):
        """Train one epoch."""
        self.model.fit(x, y, batch_size=self.work.batch_size, epochs=1, verbose=0, **options)

    def settle(self, steps: int, quick: bool) -> dict[str, float]:
        """Try `compile`'s settings and stay with the fastest; return the milliseconds a step of each."""
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
        """Have the model's training function made anew with these settings of `compile`."""
        if not hasattr(self, "automatic"):
            self.automatic = self.model.jit_compile
        wanted = self.automatic if jit_compile is None else jit_compile
        if (self.model.steps_per_execution, self.model.jit_compile) != (steps_per_execution, wanted):
            self.model.steps_per_execution, self.model.jit_compile = steps_per_execution, wanted
            self.model.train_function = None

    def settle_predict(self, x: Any, quick: bool) -> dict[str, Any]:
        """Try the ways there are to predict and stay with the fastest for batches and for one example."""
        model = self.model

        def called() -> Callable[[Any], Any]:
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
        """Try the compiled steps there are and stay with the fastest."""
        ways = {name: lambda length, loop=loop: loop(streams, length) for name, loop in self.loops().items()}
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


class Kerazoo(_Side):
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

    def fit(self, x, y, steps, **options):
        """Train one epoch."""
        if self.per_call and "steps_per_call" in inspect.signature(engine.fit).parameters:
            options["steps_per_call"] = min(self.per_call, steps)
        engine.fit(self.model, x, y, batch_size=self.work.batch_size, epochs=1, verbose=0, **options)

    def settle(self, steps: int, quick: bool) -> dict[str, float]:
        """Find the pace of a long run."""
        self.train(steps)
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
        data = kerazoo.load_data(name, source="auto")
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


def _fastest(ways: dict[str, Callable[[Any], Any]], argument: Any, calls: int) -> tuple[Any, str, dict[str, float]]:
    """Return the way whose call takes least, its name, and the seconds of a call of each, after one that compiles."""
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
