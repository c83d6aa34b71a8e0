"""Callbacks during compiled calls: which of them must see every batch, and the list that Keras makes of them."""

import keras

_TRAIN = ("on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end")
_TEST = ("on_test_batch_begin", "on_test_batch_end")


def flat(callbacks):
    """Callbacks as a list: of one, several, none, or those inside a Keras `CallbackList`."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        return list(callbacks.callbacks)
    return list(keras.tree.flatten(callbacks)) if callbacks else []


def every_train_batch(callbacks):
    """Whether one of the callbacks has to be called at every batch that is trained on.

    One that overrides a batch hook has, unless its attribute `every_batch` is False: then it is called once a compiled
    call, with the number and the running means of its last step.
    """
    return any(_overrides(callback, _TRAIN) for callback in callbacks)


def every_test_batch(callbacks):
    """Likewise for the batches of an evaluation."""
    return any(_overrides(callback, _TEST) for callback in callbacks)


def _overrides(callback, hooks):
    if isinstance(callback, keras.callbacks.ProgbarLogger) or not getattr(callback, "every_batch", True):
        return False
    # A LambdaCallback has functions in the place of methods.
    return any(
        getattr(getattr(callback, hook), "__func__", None) is not getattr(keras.callbacks.Callback, hook)
        for hook in hooks
    )


def listed(callbacks, saver, model, **params):
    """Keras's `CallbackList` of the run, the `saver` last; one that the caller made is used as it is, and extended."""
    if isinstance(callbacks, keras.callbacks.CallbackList):
        if saver.directory is not None:
            callbacks.append(saver)
            saver.set_model(model)
        return callbacks
    own = [saver] if saver.directory is not None else []
    verbose = params["verbose"]
    return keras.callbacks.CallbackList(
        [*callbacks, *own], add_history=True, add_progbar=verbose != 0, model=model, **params
    )
