"""`fit`, `evaluate` and `predict` for any Keras model: by the compiled loop where possible, else by Keras's own."""

import contextlib
import logging
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any

import keras

from kerazoo.engine import arrays, backend, checks, hooks, keras_loop
from kerazoo.engine.fitting import Examples, NotCompilable, RunOptions, run
from kerazoo.engine.saver import Saver
from kerazoo.engine.types import Callbacks, Directory, Frequency, Nested
from kerazoo.errors import InputError

_LOG = logging.getLogger("kerazoo.engine")
_DEFAULT_BATCH = 32  # Keras's


def fit(
    model: keras.Model,
    x: Nested,
    y: Nested = None,
    *,
    batch_size: int | None = 32,
    epochs: int = 1,
    verbose: int | str = "auto",
    callbacks: Callbacks = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool | str = True,
    class_weight: dict[int, float] | None = None,
    sample_weight: Nested = None,
    initial_epoch: int = 0,
    steps_per_epoch: int | None = None,
    validation_steps: int | None = None,
    validation_batch_size: int | None = None,
    validation_freq: Frequency = 1,
    seed: int = 0,
    checkpoint_dir: Directory | None = None,
    resume: bool = False,
    steps_per_call: int | None = None,
    jit: bool | None = None,
    strategy: Any = None,
) -> keras.callbacks.History:
    """Train a compiled Keras model as `model.fit` does, at the speed of the hardware.

    Arrays go to the device once, and one compiled call runs many steps. What this form does not cover (streams, models
    that run eagerly, backends other than TensorFlow and JAX) goes through Keras's own loop; the logger "kerazoo.engine"
    says which loop runs and why, and so does `verbose=2`.

    Args:
        model: a compiled `keras.Model`: Sequential, functional or subclassed, with a train step of its own or not.
        x, y, sample_weight: arrays (N, ...), or nested dicts, lists, tuples of them; or `x` alone as a
            `tf.data.Dataset`, PyDataset or generator of batches.
        batch_size: examples of one step, over all devices together. The last, partial batch is trained on, too. Streams
            bring their own. None is 32, or with `steps_per_epoch` what makes one pass of so many steps, as in Keras.
        epochs, verbose, validation_split, validation_data, shuffle, class_weight, initial_epoch, steps_per_epoch,
            validation_steps, validation_batch_size, validation_freq: as in `model.fit`.
        callbacks: Keras callbacks. One that overrides a batch hook is called at every batch, and each compiled call
            then has one step; one whose attribute `every_batch` is False is called once a compiled call of many.
            (Those of Keras that do so only with `save_freq` in batches count where they have one.)
        seed: of the order of examples; pass e reads the permutation of `(seed, e)`. Dropout draws from the model's own
            seed generators, so seed those (`keras.utils.set_random_seed`) when the model is built.
        checkpoint_dir: the state is saved there after each epoch and on Ctrl-C; the last two are kept. One that holds
            the checkpoints of another run is refused.
        resume: go on from the newest checkpoint of `checkpoint_dir`, if there is one. On the same CPU, weights and
            history come out as if the run had never stopped.
        steps_per_call: steps of one compiled call; by default as many as take about 0.3 s, on several hosts 50. The
            result is the same.
        jit: on TensorFlow, True for XLA, False for a graph, None for what is faster for these layers on this device
            (XLA draws other numbers for dropout; `compile(jit_compile=False)` cannot be told from Keras's own choice
            on a CPU, and counts on a GPU only). On JAX everything is compiled by XLA. (On a recent GPU, float32
            products are TF32 there unless `jax_default_matmul_precision` is "highest", which `kerazoo.train` sees to.)
        strategy: the `tf.distribute.Strategy` the model was created under; by default found from the model. On JAX,
            `keras.distribution.set_distribution` before the model is built.

    Returns:
        The `keras.callbacks.History`, of all epochs, those before a resume included.

    Raises:
        InputError (a ValueError): the model is not compiled or belongs to another strategy, the arrays do not fit
            together, a number is out of range, or `resume` without `checkpoint_dir`; `CheckpointError` where the
            checkpoint belongs to another model or run.
        NotFiniteError: training has diverged: a loss or a weight is NaN or infinite. The last finite checkpoint stays.
            With Keras's `TerminateOnNaN` among the callbacks that one decides.
        KeyboardInterrupt: after Ctrl-C, the state being saved.
    """
    numbers = {"epochs": epochs, "initial_epoch": initial_epoch, "seed": seed}
    positive = {"steps_per_call": steps_per_call, "steps_per_epoch": steps_per_epoch}
    positive |= {"validation_steps": validation_steps, "validation_batch_size": validation_batch_size}
    given = hooks.flat(callbacks)
    checks.fit(model, batch_size, validation_freq, given, resume, checkpoint_dir, strategy, numbers, positive)
    epochs, steps_per_epoch = checks.capped(epochs, steps_per_epoch)
    if not isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = given
        if not any(isinstance(one, keras.callbacks.History) for one in callbacks):
            callbacks.append(keras.callbacks.History())
    is_arrays, is_stream = arrays.qualifies(x, y, sample_weight), arrays.is_stream(x)
    if validation_split and validation_data is None and is_arrays:
        (x, y, sample_weight), validation_data = arrays.split(x, y, sample_weight, validation_split)
        validation_split = 0.0
    asked = batch_size
    if is_arrays or is_stream:
        batch_size = _batch(batch_size, x, steps_per_epoch) if is_arrays else None
    settings: dict[str, Any] = {"seed": seed, "shuffle": bool(shuffle), "batch_size": batch_size}
    settings["steps_per_epoch"] = steps_per_epoch
    settings |= {"examples": arrays.length((x, y, sample_weight))} if is_arrays else {}
    program = backend.program()
    write = program is None or program.writes(model)
    saver = Saver(checkpoint_dir, given, resume=resume, settings=settings, write=write)
    if saver.epoch > epochs:
        raise InputError(f"the run in {checkpoint_dir} has {saver.epoch} epochs already, more than {epochs}")
    run_options: dict[str, Any] = {"epochs": epochs, "initial_epoch": initial_epoch, "steps_per_epoch": steps_per_epoch}
    run_options |= {"validation_freq": validation_freq}

    def by_keras(reason: str) -> keras.callbacks.History:
        _tell(verbose, f"Keras's own loop: {reason}")
        return keras_loop.fit(
            model,
            x,
            y,
            callbacks,
            saver,
            seed=seed,
            steps_per_call=steps_per_call,
            batch_size=batch_size,
            verbose=verbose,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle and not arrays.has_its_own_order(x),
            class_weight=class_weight,
            sample_weight=sample_weight,
            validation_steps=validation_steps,
            validation_batch_size=validation_batch_size or (None if is_stream else asked),
            **run_options,
        )

    reason = "shuffle='batch' is Keras's" if shuffle == "batch" else _obstacle(program, model, (x, y, sample_weight))
    if reason:
        return by_keras(reason)
    assert program is not None and batch_size is not None  # or `_obstacle` had found that
    data, size = arrays.prepare(x, y, sample_weight, class_weight)
    with contextlib.ExitStack() as within:
        within.enter_context(saver)
        within.enter_context(program.scope(model))
        try:
            train = Examples(program, model, batch_size, data, size, jit)
        except NotCompilable as error:
            within.close()
            return by_keras(str(error))
        check = _validation(program, model, validation_data, validation_batch_size or asked, validation_steps, jit)
        steps = steps_per_epoch or train.steps
        listed = hooks.listed(callbacks, saver, model, verbose=verbose, epochs=epochs, steps=steps)
        one_by_one = hooks.every_train_batch(listed.callbacks)
        slow = f"; one step a call, for {type(one_by_one).__name__}" if one_by_one else ""
        _tell(verbose, f"the compiled loop: {program.describe(model, train.loops)}{slow}")
        options = RunOptions(
            seed=seed, shuffle=bool(shuffle), steps_per_call=steps_per_call, every_batch=bool(one_by_one), **run_options
        )
        run(train, check, listed, saver, options)
    return model.history


def evaluate(
    model: keras.Model,
    x: Nested,
    y: Nested = None,
    *,
    batch_size: int | None = 32,
    sample_weight: Nested = None,
    steps: int | None = None,
    callbacks: Callbacks = None,
) -> dict[str, float]:
    """Return loss and metrics of a compiled model, as `model.evaluate(..., return_dict=True)` does.

    Args:
        model, x, y, batch_size, sample_weight: as in `fit`.
        steps: batches to evaluate; all by default.
        callbacks: Keras callbacks, as in `fit`.

    Returns:
        A dict of floats.

    Raises:
        InputError: the model is not compiled, or the arrays do not fit together.
    """
    checks.compiled(model, batch_size)
    _, steps = checks.capped(1, steps)
    is_arrays = arrays.qualifies(x, y, sample_weight)
    if is_arrays or arrays.is_stream(x):
        batch_size = _batch(batch_size, x, steps) if is_arrays else None
    options = {"batch_size": batch_size, "sample_weight": sample_weight, "steps": steps, "callbacks": callbacks}
    program = backend.program()
    if _obstacle(program, model, (x, y, sample_weight)):
        return keras_loop.evaluate(model, x, y, **options)
    assert program is not None and batch_size is not None
    data, size = arrays.prepare(x, y, sample_weight)
    with program.scope(model):
        try:
            examples = Examples(program, model, batch_size, data, size)
        except NotCompilable:
            return keras_loop.evaluate(model, x, y, **options)
        params = {"verbose": 0, "epochs": 1, "steps": steps or examples.steps}
        return examples.evaluate(keras.callbacks.CallbackList(hooks.flat(callbacks), model=model, **params), steps)


def predict(model: keras.Model, x: Nested, *, batch_size: int = 512) -> Nested:
    """Return the outputs of `model` for `x`, as `model.predict` does, within the rounding of float32.

    Args:
        model: a built `keras.Model`; it need not be compiled.
        x: arrays (N, ...), or nested dicts, lists, tuples of them; anything else goes to `model.predict`.
        batch_size: examples at a time; it changes the speed, not the result.

    Returns:
        NumPy arrays (N, ...), nested as the outputs of the model are.

    Raises:
        InputError: the arrays differ in length or are empty, or the batch size is not positive.
    """
    checks.model(model)
    checks.at_least("batch_size", batch_size, 1)
    is_arrays = arrays.qualifies(x) and all(leaf is not None for leaf in keras.tree.flatten(x))
    program = backend.program()
    if not is_arrays or backend.plain_wanted() or program is None or program.predicts_itself(model):
        return model.predict(x, batch_size=None if arrays.is_stream(x) else batch_size, verbose=0)
    x = arrays.mapped(arrays.narrow, x)
    return program.predict(model, x, arrays.length(x), batch_size)


def _batch(batch_size: int | None, examples: Nested, steps: int | None) -> int:
    """The batch size for arrays: as given; else, as in Keras, N / steps rounded up, or 32."""
    return batch_size or (math.ceil(arrays.length(examples) / steps) if steps else _DEFAULT_BATCH)


def _validation(
    program: ModuleType, model: keras.Model, data: Any, batch_size: int | None, steps: int | None, jit: bool | None
) -> Callable[[keras.callbacks.CallbackList], dict[str, float]] | None:
    """Copy validation data to the device once; returns a function of the callbacks that evaluates it, or None."""
    if data is None:
        return None
    _, steps = checks.capped(1, steps)
    if isinstance(data, (tuple, list)):
        x, y, weight = keras.utils.unpack_x_y_sample_weight(tuple(data))
        if arrays.qualifies(x, y, weight) and not program.data_obstacle((x, y, weight)):
            prepared, size = arrays.prepare(x, y, weight)
            examples = Examples(program, model, _batch(batch_size, prepared, steps), prepared, size, jit)
            return lambda callbacks: examples.evaluate(callbacks, steps)
        options = {"sample_weight": weight, "batch_size": batch_size}
    else:
        (x, y), options = (data, None), {}
    return lambda callbacks: model.evaluate(
        x, y, steps=steps, verbose=0, callbacks=callbacks, return_dict=True, **options
    )


def _obstacle(program: ModuleType | None, model: keras.Model, data: Nested) -> str | None:
    """The reason for which Keras's own loop must be taken, or None."""
    if backend.plain_wanted():
        return "KERAZOO_PLAIN is set"
    if not arrays.qualifies(*data):
        return "the data are a stream, or hold something that is no dense array"
    if program is None:
        return f"there is no compiled loop for the backend {keras.backend.backend()}"
    reason: str | None = program.obstacle(model) or program.data_obstacle(data)
    return reason


def _tell(verbose: int | str, text: str) -> None:
    _LOG.info("%s", text)
    if verbose == 2:
        print(f"kerazoo.fit runs {text}")
