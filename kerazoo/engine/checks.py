"""What can be refused before anything is built, each in one line."""

import warnings

import keras

from kerazoo.engine import internals
from kerazoo.errors import InputError


def model(given):
    """Refuse what is no Keras model."""
    if not isinstance(given, keras.Model):
        told = f"{given!r}" if isinstance(given, str) else f"a {type(given).__name__}"
        raise InputError(f"{told} is no keras.Model; kerazoo.build(name) builds one, kerazoo.train(name) trains one")


def compiled(given, batch_size):
    """Refuse a model that was not compiled, and a batch size below 1."""
    model(given)
    if not getattr(given, "compiled", False):
        raise InputError(f"the model {given.name!r} is not compiled; call model.compile(optimizer, loss) first")
    at_least("batch_size", batch_size, 1, or_none=True)


def fit(given, batch_size, steps_per_call, steps_per_epoch, validation_freq, seed, resume, checkpoint_dir, strategy):
    """Refuse arguments of `fit` that would fail later, or never end."""
    compiled(given, batch_size)
    at_least("steps_per_call", steps_per_call, 1, or_none=True)
    at_least("steps_per_epoch", steps_per_epoch, 1, or_none=True)
    at_least("seed", seed, 0)
    if not isinstance(validation_freq, (list, tuple, set, range)):
        at_least("validation_freq", validation_freq, 1)
    if resume and checkpoint_dir is None:
        raise InputError("resume=True needs the checkpoint_dir of the run to go on with")
    others = internals.other_optimizers(given)
    if checkpoint_dir is not None and others:
        raise InputError(f"checkpoint_dir keeps the state of model.optimizer alone, and the model has {others[0]} too")
    if strategy is not None and strategy is not getattr(given, "distribute_strategy", None):
        raise InputError("create and compile the model inside strategy.scope(), then fit with that strategy")


def at_least(name, value, least, or_none=False):
    """Refuse a value that is no whole number from `least` on."""
    if value is None and or_none:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise InputError(f"{name}={value!r}: wanted a whole number, {least} or more")


def capped(epochs, steps_per_epoch):
    """Epochs and steps under Keras's caps for debugging, with a warning where they cut something off."""
    most, most_steps = internals.max_epochs(), internals.max_steps_per_epoch()
    if most and most < epochs:
        warnings.warn(f"keras.config caps the epochs at {most}", stacklevel=3)
        epochs = most
    if most_steps and (not steps_per_epoch or most_steps < steps_per_epoch):
        warnings.warn(f"keras.config caps the steps at {most_steps}", stacklevel=3)
        steps_per_epoch = most_steps
    return epochs, steps_per_epoch
