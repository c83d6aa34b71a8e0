"""What the resident engine does not take goes through Keras's own loop: streams, other backends, own train steps."""

import keras
import numpy as np

_STEPS_PER_CALL = 16


def needed(model):
    """True where only Keras's own loop does what `model` asks for, whatever the data."""
    if keras.backend.backend() != "tensorflow" or model.run_eagerly:
        return True
    kinds = type(model), keras.Model
    return any(
        getattr(kinds[0], name) is not getattr(kinds[1], name)
        for name in ("train_step", "test_step", "make_train_function", "make_test_function")
    )


def fit(model, x, y, saver, *, seed, initial_epoch, steps_per_call, batch_size, **options):
    """`model.fit` with checkpoints: resumes at epochs, since a stream's position cannot be restored.

    On TensorFlow, several steps run in one call where no strategy forbids it (Keras fails there).

    Args:
        saver: the run's `Saver`, with its callbacks.
        seed: of Keras's shuffling of arrays, where that is NumPy's (not on TensorFlow).
        options: further arguments of `model.fit`.

    Returns:
        The History.
    """
    if saver.stopped:
        options["epochs"] = saver.epoch  # stopped early: only the callbacks' ends are left to run
    per_execution = model.steps_per_execution
    graph = keras.backend.backend() == "tensorflow" and not model.run_eagerly
    if graph and per_execution == 1 and model.distribute_strategy.num_replicas_in_sync == 1:
        model.steps_per_execution = _per_call(steps_per_call or _STEPS_PER_CALL, options.get("steps_per_epoch"))
        model.train_function = model.test_function = None
    try:
        with saver:
            return model.fit(
                x,
                y,
                batch_size=batch_size,
                initial_epoch=max(initial_epoch, saver.epoch),
                callbacks=[_Reseed(seed), *saver.callbacks, saver],
                **options,
            )
    finally:
        if model.steps_per_execution != per_execution:
            model.steps_per_execution = per_execution
            model.train_function = model.test_function = None


def _per_call(wanted, steps_per_epoch):
    # Keras runs whole calls only: with 4 steps a call, an epoch of 17 would draw 20 batches from an endless stream.
    return max(k for k in range(1, wanted + 1) if not steps_per_epoch or steps_per_epoch % k == 0)


def evaluate(model, x, y, *, batch_size, sample_weight):
    """`model.evaluate`, as a dict."""
    size = batch_size if y is not None else None  # a stream brings its own batches
    return plain(model.evaluate(x, y, batch_size=size, sample_weight=sample_weight, verbose=0, return_dict=True))


def plain(logs):
    """Logs as Python floats, sorted by name; what is no number stays as it is."""
    result = {}
    for name, value in sorted(logs.items()):
        try:
            result[name] = float(value)
        except (TypeError, ValueError):
            result[name] = value
    return result


class _Reseed(keras.callbacks.Callback):
    """Makes the order of epoch e a function of (seed, e) where Keras shuffles with NumPy's global generator."""

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        if keras.backend.backend() != "tensorflow":
            np.random.seed(np.random.SeedSequence([self.seed, epoch]).generate_state(4))
